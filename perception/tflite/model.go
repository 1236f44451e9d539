package tflite

import (
	"fmt"
	"slices"
)

// maxObjects bounds the tables and integers of one file; the largest BlazePose
// network has about 20,000.
const maxObjects = 4_000_000

// maxElements bounds one tensor (1 GiB of float32).
const maxElements = 1 << 28

// Type is the schema's TensorType.
type Type int

// The element types of plain float networks.
const (
	Float32 Type = 0
	Float16 Type = 1
	Int32   Type = 2
)

// Op is the schema's BuiltinOperator.
type Op int

// The operators that Convert understands.
const (
	OpAdd             Op = 0
	OpConcatenation   Op = 2
	OpConv2D          Op = 3
	OpDepthwiseConv2D Op = 4
	OpDepthToSpace    Op = 5
	OpDequantize      Op = 6
	OpLogistic        Op = 14
	OpMaxPool2D       Op = 17
	OpReshape         Op = 22
	OpResizeBilinear  Op = 23
	OpPad             Op = 34
	OpDensify         Op = 124
)

var opNames = map[Op]string{
	OpAdd: "ADD", OpConcatenation: "CONCATENATION", OpConv2D: "CONV_2D", OpDepthwiseConv2D: "DEPTHWISE_CONV_2D",
	OpDepthToSpace: "DEPTH_TO_SPACE", OpDequantize: "DEQUANTIZE", OpLogistic: "LOGISTIC", OpMaxPool2D: "MAX_POOL_2D",
	OpReshape: "RESHAPE", OpResizeBilinear: "RESIZE_BILINEAR", OpPad: "PAD", OpDensify: "DENSIFY",
}

func (o Op) String() string {
	if s, ok := opNames[o]; ok {
		return s
	}
	return fmt.Sprintf("operator %d", int(o))
}

// The schema's Padding and ActivationFunctionType.
const (
	paddingSame  = 0
	paddingValid = 1

	activationNone  = 0
	activationRelu  = 1
	activationRelu6 = 3
)

// Tensor is a value of the graph; Data is nil unless it is a constant.
type Tensor struct {
	Name  string
	Shape []int
	Type  Type
	Data  []byte
	// sparse is set for constants stored in compressed form.
	sparse *sparsity
}

// Elements is the product of the shape.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// sparsity describes how the last dimension of a constant is compressed.
type sparsity struct {
	traversal []int
	blockMap  []int
	dims      []dimension
}

type dimension struct {
	sparse            bool
	denseSize         int
	segments, indices []int
}

// Operator is one node. Input -1 marks an omitted optional input.
type Operator struct {
	Op              Op
	Inputs, Outputs []int
	opts            options
}

// options is the union of the builtin options that Convert reads.
type options struct {
	padding, activation       int
	strideW, strideH          int
	dilationW, dilationH      int
	filterW, filterH          int
	depthMultiplier           int
	axis, blockSize           int
	alignCorners, halfPixelCt bool
}

// Model is the first subgraph of a TFLite file.
type Model struct {
	Tensors         []Tensor
	Operators       []Operator
	Inputs, Outputs []int
}

// Read parses a TFLite file. The model refers to b, which must not change.
func Read(b []byte) (*Model, error) {
	if len(b) < 8 || string(b[4:8]) != "TFL3" {
		return nil, fmt.Errorf("tflite: not a TensorFlow Lite file: bytes 4..8 are %q; legal: \"TFL3\"", b[min(4, len(b)):min(8, len(b))])
	}
	f := &flat{b: b, budget: maxObjects}
	root := table(f.deref(0))
	codes := readCodes(f, root)
	graphs := f.tables(root, 2)
	buffers := f.tables(root, 4)
	if f.err != nil {
		return nil, f.err
	}
	if len(graphs) != 1 {
		return nil, fmt.Errorf("tflite: %d subgraphs; legal: 1", len(graphs))
	}
	m := &Model{Inputs: f.ints(graphs[0], 1), Outputs: f.ints(graphs[0], 2)}
	for _, t := range f.tables(graphs[0], 0) {
		m.Tensors = append(m.Tensors, readTensor(f, t, buffers))
	}
	for _, t := range f.tables(graphs[0], 3) {
		m.Operators = append(m.Operators, readOperator(f, t, codes))
	}
	if f.err != nil {
		return nil, f.err
	}
	return m, m.check()
}

// readCodes lists the operator of each opcode index. Operators above 127 moved
// from the byte field to an int field; the larger of both is meant.
func readCodes(f *flat, root table) []Op {
	var codes []Op
	for _, t := range f.tables(root, 1) {
		codes = append(codes, Op(max(f.byteField(t, 0), f.intField(t, 3, 0))))
	}
	return codes
}

func readTensor(f *flat, t table, buffers []table) Tensor {
	out := Tensor{Shape: f.ints(t, 0), Type: Type(f.byteField(t, 1)), Name: string(f.bytes(t, 3))}
	buffer := f.intField(t, 2, 0)
	if buffer < 0 || buffer >= len(buffers) {
		f.fail("tensor %q: buffer %d; legal: 0..%d", out.Name, buffer, len(buffers)-1)
		return out
	}
	out.Data = f.bytes(buffers[buffer], 0)
	if s := f.tableField(t, 6); s != 0 {
		out.sparse = &sparsity{traversal: f.ints(s, 0), blockMap: f.ints(s, 1)}
		for _, d := range f.tables(s, 2) {
			out.sparse.dims = append(out.sparse.dims, dimension{
				sparse:    f.byteField(d, 0) == 1,
				denseSize: f.intField(d, 1, 0),
				segments:  readIndexVector(f, d, 2),
				indices:   readIndexVector(f, d, 4),
			})
		}
	}
	return out
}

// readIndexVector reads a SparseIndexVector union whose type byte is at field
// index and whose table is the next field.
func readIndexVector(f *flat, d table, index int) []int {
	kind, v := f.byteField(d, index), f.tableField(d, index+1)
	switch kind {
	case 0:
		return nil
	case 1:
		return f.ints(v, 0)
	case 2, 3:
		size := 4 - kind // uint16 or uint8
		p, n := f.vector(v, 0, size)
		if f.err != nil || !f.spend(n) {
			return nil
		}
		out := make([]int, n)
		for i := range out {
			if size == 2 {
				out[i] = f.u16(p + 2*i)
			} else {
				out[i] = f.u8(p + i)
			}
		}
		return out
	}
	f.fail("sparse index type %d; legal: 1 (int32), 2 (uint16) or 3 (uint8)", kind)
	return nil
}

func readOperator(f *flat, t table, codes []Op) Operator {
	index := f.intField(t, 0, 0)
	if index < 0 || index >= len(codes) {
		f.fail("operator code %d; legal: 0..%d", index, len(codes)-1)
		return Operator{}
	}
	op := Operator{Op: codes[index], Inputs: f.ints(t, 1), Outputs: f.ints(t, 2)}
	o, q := f.tableField(t, 4), &op.opts
	switch op.Op {
	case OpAdd:
		q.activation = f.byteField(o, 0)
	case OpConv2D:
		q.padding, q.strideW, q.strideH = f.byteField(o, 0), f.intField(o, 1, 0), f.intField(o, 2, 0)
		q.activation, q.dilationW, q.dilationH = f.byteField(o, 3), f.intField(o, 4, 1), f.intField(o, 5, 1)
	case OpDepthwiseConv2D:
		q.padding, q.strideW, q.strideH = f.byteField(o, 0), f.intField(o, 1, 0), f.intField(o, 2, 0)
		q.depthMultiplier, q.activation = f.intField(o, 3, 0), f.byteField(o, 4)
		q.dilationW, q.dilationH = f.intField(o, 5, 1), f.intField(o, 6, 1)
	case OpMaxPool2D:
		q.padding, q.strideW, q.strideH = f.byteField(o, 0), f.intField(o, 1, 0), f.intField(o, 2, 0)
		q.filterW, q.filterH, q.activation = f.intField(o, 3, 0), f.intField(o, 4, 0), f.byteField(o, 5)
		q.dilationW, q.dilationH = 1, 1
	case OpConcatenation:
		q.axis, q.activation = f.intField(o, 0, 0), f.byteField(o, 1)
	case OpResizeBilinear:
		q.alignCorners, q.halfPixelCt = f.byteField(o, 2) != 0, f.byteField(o, 3) != 0
	case OpDepthToSpace:
		q.blockSize = f.intField(o, 0, 0)
	}
	return op
}

// check makes sure that every index is in range and every shape sane, so that
// the converter can index freely.
func (m *Model) check() error {
	for i := range m.Tensors {
		t := &m.Tensors[i]
		n := 1
		for _, d := range t.Shape {
			if d < 0 || d > maxElements || (d > 0 && n > maxElements/d) {
				return fmt.Errorf("tflite: tensor %q: shape %v; legal: at most %d elements", t.Name, t.Shape, maxElements)
			}
			n *= d
		}
	}
	bad := func(list []int, optional bool) int {
		return slices.IndexFunc(list, func(i int) bool {
			return i >= len(m.Tensors) || i < -1 || (i == -1 && !optional)
		})
	}
	for i, op := range m.Operators {
		if bad(op.Inputs, true) >= 0 || bad(op.Outputs, false) >= 0 || len(op.Outputs) == 0 {
			return fmt.Errorf("tflite: node %d (%v): tensors %v -> %v; legal: indices 0..%d", i, op.Op, op.Inputs, op.Outputs, len(m.Tensors)-1)
		}
	}
	if bad(m.Inputs, false) >= 0 || bad(m.Outputs, false) >= 0 {
		return fmt.Errorf("tflite: graph inputs %v, outputs %v; legal: indices 0..%d", m.Inputs, m.Outputs, len(m.Tensors)-1)
	}
	return nil
}
