// Package onnx reads and writes the part of the ONNX model format that this
// project produces and consumes: one graph of nodes with attributes and
// initialisers, typed inputs and outputs, operator-set imports and metadata.
//
// It is a data format, not a runtime: nothing here evaluates a graph, infers
// shapes or knows the meaning of an operator. Sub-graphs (If, Loop), sparse
// and external tensors are refused by name rather than dropped in silence.
//
// The wire format is generated from the ONNX project's schema (internal/pb);
// shapes, bounds and refusals are this package's. Marshal writes fields in
// ascending order and slices in the given order, so the same Model always gives
// the same bytes. Values hold no locks: share them between
// goroutines only for reading.
package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DataType is TensorProto.DataType.
type DataType int32

// The element types that this project uses; others are kept as numbers.
const (
	Float32 DataType = 1
	Uint8   DataType = 2
	Int8    DataType = 3
	Int32   DataType = 6
	Int64   DataType = 7
	Bool    DataType = 9
	Float16 DataType = 10
	Float64 DataType = 11
)

// Bytes gives the size of one element, or 0 for types this package does not
// hold raw data of.
func (d DataType) Bytes() int {
	switch d {
	case Uint8, Int8, Bool:
		return 1
	case Float16:
		return 2
	case Float32, Int32:
		return 4
	case Int64, Float64:
		return 8
	}
	return 0
}

func (d DataType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	case Float16:
		return "float16"
	case Float64:
		return "float64"
	}
	return fmt.Sprintf("type(%d)", int32(d))
}

// Tensor is a constant: dims in elements, Raw in little-endian row-major
// order. Tensors read from a file with typed data fields are brought into Raw.
type Tensor struct {
	Name string
	Type DataType
	Dims []int64
	Raw  []byte
}

// FloatTensor makes a float32 tensor; it panics if data does not fill dims.
func FloatTensor(name string, dims []int64, data []float32) Tensor {
	t := Tensor{Name: name, Type: Float32, Dims: dims, Raw: make([]byte, 4*len(data))}
	if n, ok := t.Elements(); !ok || n != len(data) {
		panic("onnx: FloatTensor: data does not fill dims")
	}
	for i, v := range data {
		binary.LittleEndian.PutUint32(t.Raw[4*i:], math.Float32bits(v))
	}
	return t
}

// Int64Tensor makes an int64 tensor; it panics if data does not fill dims.
func Int64Tensor(name string, dims []int64, data []int64) Tensor {
	t := Tensor{Name: name, Type: Int64, Dims: dims, Raw: make([]byte, 8*len(data))}
	if n, ok := t.Elements(); !ok || n != len(data) {
		panic("onnx: Int64Tensor: data does not fill dims")
	}
	for i, v := range data {
		binary.LittleEndian.PutUint64(t.Raw[8*i:], uint64(v))
	}
	return t
}

// Elements is the product of dims (1 for a scalar); ok is false when a
// dimension is negative or the product does not fit the address space.
func (t *Tensor) Elements() (n int, ok bool) {
	n = 1
	for _, d := range t.Dims {
		if d < 0 || d > math.MaxInt32 {
			return 0, false
		}
		if d > 0 && n > math.MaxInt32/int(d) {
			return 0, false
		}
		n *= int(d)
	}
	return n, true
}

// Float32s decodes a float32 tensor.
func (t *Tensor) Float32s() ([]float32, error) {
	if t.Type != Float32 {
		return nil, fmt.Errorf("onnx: tensor %q: type %v; legal: float32", t.Name, t.Type)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	out := make([]float32, len(t.Raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Raw[4*i:]))
	}
	return out, nil
}

// Int64s decodes an int64 tensor.
func (t *Tensor) Int64s() ([]int64, error) {
	if t.Type != Int64 {
		return nil, fmt.Errorf("onnx: tensor %q: type %v; legal: int64", t.Name, t.Type)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	out := make([]int64, len(t.Raw)/8)
	for i := range out {
		out[i] = int64(binary.LittleEndian.Uint64(t.Raw[8*i:]))
	}
	return out, nil
}

// check reports a tensor whose bytes do not fill its shape.
func (t *Tensor) check() error {
	n, ok := t.Elements()
	if !ok {
		return fmt.Errorf("onnx: tensor %q: dims %v; legal: non-negative with a product below 2^31", t.Name, t.Dims)
	}
	size := t.Type.Bytes()
	if size == 0 {
		return fmt.Errorf("onnx: tensor %q: element %v is not supported", t.Name, t.Type)
	}
	if n > math.MaxInt/size || n*size != len(t.Raw) {
		return fmt.Errorf("onnx: tensor %q: %d bytes for dims %v of %v; legal: %d", t.Name, len(t.Raw), t.Dims, t.Type, n*size)
	}
	return nil
}

// AttributeKind is AttributeProto.AttributeType.
type AttributeKind int32

// The attribute kinds this package holds.
const (
	KindFloat   AttributeKind = 1
	KindInt     AttributeKind = 2
	KindString  AttributeKind = 3
	KindTensor  AttributeKind = 4
	KindFloats  AttributeKind = 6
	KindInts    AttributeKind = 7
	KindStrings AttributeKind = 8
)

// Attribute is one named parameter of a node; Kind says which field counts.
type Attribute struct {
	Name    string
	Kind    AttributeKind
	F       float32
	I       int64
	S       string
	T       *Tensor
	Floats  []float32
	Ints    []int64
	Strings []string
}

// Int makes an integer attribute.
func Int(name string, v int64) Attribute { return Attribute{Name: name, Kind: KindInt, I: v} }

// Ints makes an integer-list attribute.
func Ints(name string, v ...int64) Attribute { return Attribute{Name: name, Kind: KindInts, Ints: v} }

// Float makes a float attribute.
func Float(name string, v float32) Attribute { return Attribute{Name: name, Kind: KindFloat, F: v} }

// String makes a string attribute.
func String(name, v string) Attribute { return Attribute{Name: name, Kind: KindString, S: v} }

// Node is one operator call. Empty input names are omitted optional inputs.
type Node struct {
	Name       string
	OpType     string
	Domain     string
	Inputs     []string
	Outputs    []string
	Attributes []Attribute
}

// Attribute finds an attribute by name.
func (n *Node) Attribute(name string) (Attribute, bool) {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Dim is a known size, or a symbolic one when Param is not empty.
type Dim struct {
	Size  int64
	Param string
}

// ValueInfo is the name, element type and shape of a graph input or output.
type ValueInfo struct {
	Name  string
	Type  DataType
	Shape []Dim
}

// Value makes a ValueInfo of known sizes.
func Value(name string, t DataType, dims ...int64) ValueInfo {
	v := ValueInfo{Name: name, Type: t}
	for _, d := range dims {
		v.Shape = append(v.Shape, Dim{Size: d})
	}
	return v
}

// Graph holds nodes in topological order.
type Graph struct {
	Name         string
	Nodes        []Node
	Initialisers []Tensor
	Inputs       []ValueInfo
	Outputs      []ValueInfo
}

// Opset names the version of an operator domain; "" is the ONNX domain.
type Opset struct {
	Domain  string
	Version int64
}

// Property is one metadata entry; order is kept.
type Property struct{ Key, Value string }

// Model is a whole ONNX file.
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Graph           Graph
	Opsets          []Opset
	Metadata        []Property
}

// Property finds a metadata value by key.
func (m *Model) Property(key string) (string, bool) {
	for _, p := range m.Metadata {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// Initialiser finds a constant of the graph by name.
func (g *Graph) Initialiser(name string) (*Tensor, bool) {
	for i := range g.Initialisers {
		if g.Initialisers[i].Name == name {
			return &g.Initialisers[i], true
		}
	}
	return nil, false
}

// Check reports what a runtime would refuse: values used before they are
// made, made twice, outputs nobody makes, initialisers with the wrong size,
// no operator set.
func (m *Model) Check() error {
	if len(m.Opsets) == 0 {
		return fmt.Errorf("onnx: model %q imports no operator set; legal: at least one", m.Graph.Name)
	}
	made := map[string]bool{}
	add := func(what, name string) error {
		if name == "" {
			return fmt.Errorf("onnx: graph %q: %s without a name", m.Graph.Name, what)
		}
		if made[name] {
			return fmt.Errorf("onnx: graph %q: %s %q is defined twice", m.Graph.Name, what, name)
		}
		made[name] = true
		return nil
	}
	for i := range m.Graph.Initialisers {
		t := &m.Graph.Initialisers[i]
		if err := add("initialiser", t.Name); err != nil {
			return err
		}
		if err := t.check(); err != nil {
			return err
		}
	}
	for _, v := range m.Graph.Inputs {
		// Before IR version 4 every initialiser is also listed as an input.
		if _, ok := m.Graph.Initialiser(v.Name); ok {
			continue
		}
		if err := add("input", v.Name); err != nil {
			return err
		}
	}
	for i := range m.Graph.Nodes {
		n := &m.Graph.Nodes[i]
		if n.OpType == "" {
			return fmt.Errorf("onnx: graph %q: node %d has no operator", m.Graph.Name, i)
		}
		for _, in := range n.Inputs {
			if in != "" && !made[in] {
				return fmt.Errorf("onnx: graph %q: node %d (%s) reads %q before it is made", m.Graph.Name, i, n.OpType, in)
			}
		}
		for _, out := range n.Outputs {
			if out == "" {
				continue
			}
			if err := add("output of "+n.OpType, out); err != nil {
				return err
			}
		}
	}
	for _, v := range m.Graph.Outputs {
		if !made[v.Name] {
			return fmt.Errorf("onnx: graph %q: output %q is made by no node", m.Graph.Name, v.Name)
		}
	}
	return nil
}
