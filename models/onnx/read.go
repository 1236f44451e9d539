package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrSyntax marks bytes that are not an ONNX model at all (as opposed to a
// model that uses a feature this package does not hold).
var ErrSyntax = errors.New("onnx: not an ONNX model")

// Unmarshal decodes an ONNX file. Unknown fields (documentation, shapes of
// inner values, annotations) are skipped; sub-graphs, sparse and external
// tensors are errors, because dropping them would change the model.
func Unmarshal(b []byte) (*Model, error) {
	m := &Model{}
	sawGraph := false
	err := fields(b, "model", func(f protowire.Number, v value) error {
		var err error
		switch f {
		case 1:
			m.IRVersion, err = v.integer()
		case 2:
			m.ProducerName, err = v.text()
		case 3:
			m.ProducerVersion, err = v.text()
		case 4:
			m.Domain, err = v.text()
		case 5:
			m.ModelVersion, err = v.integer()
		case 6:
			m.Doc, err = v.text()
		case 7:
			sawGraph = true
			err = v.message("graph", m.Graph.field)
		case 8:
			var o Opset
			err = v.message("opset", func(f protowire.Number, v value) (err error) {
				switch f {
				case 1:
					o.Domain, err = v.text()
				case 2:
					o.Version, err = v.integer()
				}
				return err
			})
			m.Opsets = append(m.Opsets, o)
		case 14:
			var p Property
			err = v.message("metadata", func(f protowire.Number, v value) (err error) {
				switch f {
				case 1:
					p.Key, err = v.text()
				case 2:
					p.Value, err = v.text()
				}
				return err
			})
			m.Metadata = append(m.Metadata, p)
		case 20, 25:
			err = fmt.Errorf("onnx: model: training info and local functions (field %d) are not supported", f)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !sawGraph {
		return nil, fmt.Errorf("%w: no graph in %d bytes", ErrSyntax, len(b))
	}
	return m, nil
}

func (g *Graph) field(f protowire.Number, v value) error {
	switch f {
	case 1:
		g.Nodes = append(g.Nodes, Node{})
		return v.message("node", g.Nodes[len(g.Nodes)-1].field)
	case 2:
		var err error
		g.Name, err = v.text()
		return err
	case 5:
		var t Tensor
		err := readTensor(&t, v)
		g.Initialisers = append(g.Initialisers, t)
		return err
	case 11, 12:
		var info ValueInfo
		if err := v.message("value info", info.field); err != nil {
			return err
		}
		if f == 11 {
			g.Inputs = append(g.Inputs, info)
		} else {
			g.Outputs = append(g.Outputs, info)
		}
	case 15:
		return fmt.Errorf("onnx: graph: sparse initialisers are not supported")
	}
	return nil
}

func (n *Node) field(f protowire.Number, v value) (err error) {
	var s string
	switch f {
	case 1:
		s, err = v.text()
		n.Inputs = append(n.Inputs, s)
	case 2:
		s, err = v.text()
		n.Outputs = append(n.Outputs, s)
	case 3:
		n.Name, err = v.text()
	case 4:
		n.OpType, err = v.text()
	case 5:
		n.Attributes = append(n.Attributes, Attribute{})
		err = v.message("attribute", n.Attributes[len(n.Attributes)-1].field)
	case 7:
		n.Domain, err = v.text()
	}
	return err
}

func (a *Attribute) field(f protowire.Number, v value) (err error) {
	switch f {
	case 1:
		a.Name, err = v.text()
	case 2:
		a.F, err = v.float()
	case 3:
		a.I, err = v.integer()
	case 4:
		a.S, err = v.text()
	case 5:
		a.T = &Tensor{}
		err = readTensor(a.T, v)
	case 7:
		err = v.floats(func(x float32) { a.Floats = append(a.Floats, x) })
	case 8:
		err = v.integers(func(x int64) { a.Ints = append(a.Ints, x) })
	case 9:
		var s string
		s, err = v.text()
		a.Strings = append(a.Strings, s)
	case 20:
		var k int64
		k, err = v.integer()
		a.Kind = AttributeKind(k)
	case 6, 10, 11, 14, 15, 21, 22, 23:
		err = fmt.Errorf("onnx: attribute %q: sub-graphs, tensor lists and references (field %d) are not supported", a.Name, f)
	}
	return err
}

func (info *ValueInfo) field(f protowire.Number, v value) (err error) {
	switch f {
	case 1:
		info.Name, err = v.text()
	case 2:
		return v.message("type", func(f protowire.Number, v value) error {
			if f != 1 {
				return nil
			}
			return v.message("tensor type", info.tensorField)
		})
	}
	return err
}

func (info *ValueInfo) tensorField(f protowire.Number, v value) error {
	switch f {
	case 1:
		t, err := v.integer()
		info.Type = DataType(t)
		return err
	case 2:
		return v.message("shape", func(f protowire.Number, v value) error {
			if f != 1 {
				return nil
			}
			var d Dim
			err := v.message("dim", func(f protowire.Number, v value) (err error) {
				switch f {
				case 1:
					d.Size, err = v.integer()
				case 2:
					d.Param, err = v.text()
				}
				return err
			})
			info.Shape = append(info.Shape, d)
			return err
		})
	}
	return nil
}

// readTensor decodes a TensorProto and brings typed data fields into Raw.
func readTensor(t *Tensor, v value) error {
	var raw []byte
	var f32 []float32
	var i64 []int64
	var i32 []int64
	err := v.message("tensor", func(f protowire.Number, v value) (err error) {
		switch f {
		case 1:
			err = v.integers(func(x int64) { t.Dims = append(t.Dims, x) })
		case 2:
			var k int64
			k, err = v.integer()
			t.Type = DataType(k)
		case 4:
			err = v.floats(func(x float32) { f32 = append(f32, x) })
		case 5:
			err = v.integers(func(x int64) { i32 = append(i32, x) })
		case 7:
			err = v.integers(func(x int64) { i64 = append(i64, x) })
		case 8:
			t.Name, err = v.text()
		case 9:
			var s string
			s, err = v.text()
			raw = []byte(s)
		case 3, 6, 10, 11, 13:
			err = fmt.Errorf("onnx: tensor %q: segmented, string, double-list or external data (field %d) is not supported", t.Name, f)
		case 14:
			var k int64
			if k, err = v.integer(); err == nil && k != 0 {
				err = fmt.Errorf("onnx: tensor %q: data outside the file is not supported", t.Name)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case raw != nil:
		t.Raw = raw
	case f32 != nil && t.Type == Float32:
		t.Raw = FloatTensor("", []int64{int64(len(f32))}, f32).Raw
	case i64 != nil && t.Type == Int64:
		t.Raw = Int64Tensor("", []int64{int64(len(i64))}, i64).Raw
	case i32 != nil && t.Type == Int32:
		for _, x := range i32 {
			t.Raw = binary.LittleEndian.AppendUint32(t.Raw, uint32(x))
		}
	case f32 != nil || i64 != nil || i32 != nil:
		return fmt.Errorf("onnx: tensor %q: typed data does not match its type %v", t.Name, t.Type)
	}
	return t.check()
}

// value is one decoded protobuf field value.
type value struct {
	kind  protowire.Type
	num   uint64
	bytes []byte
}

// fields walks the fields of one message.
func fields(b []byte, what string, visit func(protowire.Number, value) error) error {
	for len(b) > 0 {
		f, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %s: %w", ErrSyntax, what, protowire.ParseError(n))
		}
		b = b[n:]
		v := value{kind: kind}
		switch kind {
		case protowire.VarintType:
			v.num, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(b)
			v.num = uint64(x)
		case protowire.Fixed64Type:
			v.num, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(f, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("%w: %s field %d: %w", ErrSyntax, what, f, protowire.ParseError(n))
		}
		b = b[n:]
		if err := visit(f, v); err != nil {
			return err
		}
	}
	return nil
}

func (v value) want(kind protowire.Type) error {
	if v.kind != kind {
		return fmt.Errorf("%w: wire type %d, want %d", ErrSyntax, v.kind, kind)
	}
	return nil
}

func (v value) integer() (int64, error) { return int64(v.num), v.want(protowire.VarintType) }

func (v value) float() (float32, error) {
	return math.Float32frombits(uint32(v.num)), v.want(protowire.Fixed32Type)
}

func (v value) text() (string, error) { return string(v.bytes), v.want(protowire.BytesType) }

func (v value) message(what string, visit func(protowire.Number, value) error) error {
	if err := v.want(protowire.BytesType); err != nil {
		return err
	}
	return fields(v.bytes, what, visit)
}

// integers accepts one unpacked element or a packed list.
func (v value) integers(add func(int64)) error {
	if v.kind != protowire.BytesType {
		add(int64(v.num))
		return v.want(protowire.VarintType)
	}
	for b := v.bytes; len(b) > 0; {
		x, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("%w: packed integers: %w", ErrSyntax, protowire.ParseError(n))
		}
		add(int64(x))
		b = b[n:]
	}
	return nil
}

// floats accepts one unpacked element or a packed list.
func (v value) floats(add func(float32)) error {
	if v.kind != protowire.BytesType {
		x, err := v.float()
		add(x)
		return err
	}
	if len(v.bytes)%4 != 0 {
		return fmt.Errorf("%w: packed floats: %d bytes, want a multiple of 4", ErrSyntax, len(v.bytes))
	}
	for b := v.bytes; len(b) > 0; b = b[4:] {
		add(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return nil
}
