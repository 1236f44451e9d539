package tflite

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/onnx"
)

// float16 bit patterns used below.
const (
	h1 = 0x3c00
	h2 = 0x4000
	h3 = 0x4200
	h4 = 0x4400
)

// everyOp is a network with each supported operator, an asymmetric SAME
// padding, a PAD that a convolution can take over and one that it cannot, a
// sparse weight tensor and an output to prune.
func everyOp() *netBuilder {
	n := newNet()
	x := n.tensor(0, nil, 1, 4, 4, 2)
	n.in = []int32{x}
	// Two filters 1x1 over two channels, [[1,2],[3,4]], float16.
	w16 := n.tensor(1, halves(h1, h2, h3, h4), 2, 1, 1, 2)
	w := n.tensor(0, nil, 2, 1, 1, 2)
	n.op(OpDequantize, tbl{}, []int32{w16}, w)
	conv := n.tensor(0, nil, 1, 4, 4, 2)
	n.op(OpConv2D, tbl{0: byte(paddingSame), 1: int32(1), 2: int32(1), 3: byte(activationRelu6)}, []int32{x, w, -1}, conv)

	// Sparse depthwise filter 3x3x2 whose only values are 3 at (0,0,1) and 4
	// at (2,2,0): rows are (y,x), columns channels.
	sw16 := n.tensor(1, halves(h3, h4), 1, 3, 3, 2)
	n.tensors[sw16][6] = tbl{0: []int32{0, 1, 2, 3}, 2: []tbl{
		{0: byte(0), 1: int32(1)}, {0: byte(0), 1: int32(3)}, {0: byte(0), 1: int32(3)},
		{0: byte(1), 2: byte(2), 3: tbl{0: []uint16{0, 1, 1, 1, 1, 1, 1, 1, 1, 2}}, 4: byte(3), 5: tbl{0: []byte{1, 0}}},
	}}
	sd := n.tensor(1, nil, 1, 3, 3, 2)
	n.op(OpDensify, tbl{}, []int32{sw16}, sd)
	sw := n.tensor(0, nil, 1, 3, 3, 2)
	n.op(OpDequantize, tbl{}, []int32{sd}, sw)
	dw := n.tensor(0, nil, 1, 2, 2, 2)
	n.op(OpDepthwiseConv2D, tbl{0: byte(paddingSame), 1: int32(2), 2: int32(2), 3: int32(1), 4: byte(activationRelu)}, []int32{conv, sw}, dw)

	// Spatial PAD before a VALID convolution: folded.
	pads := n.tensor(2, int32s(0, 0, 1, 0, 0, 2, 0, 0), 4, 2)
	padded := n.tensor(0, nil, 1, 3, 4, 2)
	n.op(OpPad, tbl{}, []int32{dw, pads}, padded)
	c2 := n.tensor(0, nil, 1, 3, 4, 2)
	n.op(OpConv2D, tbl{0: byte(paddingValid), 1: int32(1), 2: int32(1)}, []int32{padded, w}, c2)

	// Channel PAD: stays.
	cpads := n.tensor(2, int32s(0, 0, 0, 0, 0, 0, 0, 2), 4, 2)
	wide := n.tensor(0, nil, 1, 3, 4, 4)
	n.op(OpPad, tbl{}, []int32{c2, cpads}, wide)
	d2s := n.tensor(0, nil, 1, 6, 8, 1)
	n.op(OpDepthToSpace, tbl{0: int32(2)}, []int32{wide}, d2s)
	up := n.tensor(0, nil, 1, 12, 16, 1)
	n.op(OpResizeBilinear, tbl{3: byte(1)}, []int32{d2s}, up)
	pool := n.tensor(0, nil, 1, 6, 8, 1)
	n.op(OpMaxPool2D, tbl{0: byte(paddingValid), 1: int32(2), 2: int32(2), 3: int32(2), 4: int32(2)}, []int32{up}, pool)
	sum := n.tensor(0, nil, 1, 6, 8, 1)
	n.op(OpAdd, tbl{}, []int32{pool, d2s}, sum)
	flat2 := n.tensor(0, nil, 1, 24)
	n.op(OpReshape, tbl{}, []int32{c2}, flat2)
	flat1 := n.tensor(0, nil, 1, 48)
	n.op(OpReshape, tbl{}, []int32{sum}, flat1)
	cat := n.tensor(0, nil, 1, 72)
	n.op(OpConcatenation, tbl{0: int32(-1)}, []int32{flat2, flat1}, cat)
	prob := n.tensor(0, nil, 1, 72)
	n.op(OpLogistic, tbl{}, []int32{cat}, prob)
	spare := n.tensor(0, nil, 1, 72)
	n.op(OpLogistic, tbl{}, []int32{prob}, spare)
	n.out = []int32{prob, spare}
	return n
}

func convert(t *testing.T, n *netBuilder, clip Clip, outputs ...string) *onnx.Model {
	t.Helper()
	m, err := Read(n.bytes())
	if err != nil {
		t.Fatal(err)
	}
	o, err := Convert(m, Options{Clip: clip, Input: "image", Outputs: outputs})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ops(o *onnx.Model) string {
	var s []string
	for _, n := range o.Graph.Nodes {
		s = append(s, n.OpType)
	}
	return strings.Join(s, " ")
}

func TestConvertEveryOperator(t *testing.T) {
	o := convert(t, everyOp(), ClipInputs, "prob", "")
	const want = "Conv Clip Conv Relu Conv Pad DepthToSpace Resize MaxPool Add Transpose Reshape Reshape Concat Sigmoid"
	if got := ops(o); got != want {
		t.Fatalf("nodes\n got %s\nwant %s", got, want)
	}
	if got := convert(t, everyOp(), ClipInputs, "prob", "spare"); !strings.HasSuffix(ops(got), "Sigmoid Sigmoid") {
		t.Error("the second output was pruned although it is kept")
	}
	ints := func(node int, name string) []int64 {
		a, ok := o.Graph.Nodes[node].Attribute(name)
		if !ok {
			t.Fatalf("node %d has no %s", node, name)
		}
		return a.Ints
	}
	// 4 wide, kernel 3, stride 2, SAME: one column of padding, at the end.
	if got := ints(2, "pads"); !reflect.DeepEqual(got, []int64{0, 0, 1, 1}) {
		t.Errorf("SAME padding is %v, want [0 0 1 1]", got)
	}
	if got := ints(4, "pads"); !reflect.DeepEqual(got, []int64{1, 0, 0, 2}) {
		t.Errorf("folded padding is %v, want [1 0 0 2]", got)
	}
	pad, _ := o.Graph.Initialiser(o.Graph.Nodes[5].Inputs[1])
	if got, _ := pad.Int64s(); !reflect.DeepEqual(got, []int64{0, 0, 0, 0, 0, 2, 0, 0}) {
		t.Errorf("channel padding is %v, want two at the end of axis 1", got)
	}
	w, _ := o.Graph.Initialiser(o.Graph.Nodes[2].Inputs[1])
	if !reflect.DeepEqual(w.Dims, []int64{2, 1, 3, 3}) {
		t.Errorf("depthwise weights have dims %v, want [2 1 3 3]", w.Dims)
	}
	dense := make([]float32, 18)
	dense[9+0] = 3 // channel 1, row 0, column 0
	dense[0+8] = 4 // channel 0, row 2, column 2
	if got, _ := w.Float32s(); !reflect.DeepEqual(got, dense) {
		t.Errorf("dense weights %v, want %v", got, dense)
	}
	if got := o.Graph.Inputs[0].Shape; got[1].Size != 2 || got[3].Size != 4 {
		t.Errorf("input shape %v is not channel-first", got)
	}
}

func TestClipForms(t *testing.T) {
	in := convert(t, everyOp(), ClipInputs, "prob", "").Graph.Nodes[1]
	at := convert(t, everyOp(), ClipAttributes, "prob", "").Graph.Nodes[1]
	if len(in.Inputs) != 3 || len(in.Attributes) != 0 {
		t.Errorf("ClipInputs gives %+v", in)
	}
	if hi, ok := at.Attribute("max"); len(at.Inputs) != 1 || !ok || hi.F != 6 {
		t.Errorf("ClipAttributes gives %+v", at)
	}
}

func TestConversionIsDeterministic(t *testing.T) {
	a := convert(t, everyOp(), ClipInputs, "prob", "").Marshal()
	for range 5 {
		if !bytes.Equal(a, convert(t, everyOp(), ClipInputs, "prob", "").Marshal()) {
			t.Fatal("two conversions differ")
		}
	}
}

// TestHalf checks float16 against the definition sign x 2^(e-15) x 1.f, for
// every bit pattern.
func TestHalf(t *testing.T) {
	for i := range 1 << 16 {
		exp, frac := i>>10&31, float64(i&0x3ff)
		var want float64
		switch exp {
		case 0:
			want = math.Ldexp(frac, -24)
		case 31:
			want = math.Inf(1)
			if frac != 0 {
				want = math.NaN()
			}
		default:
			want = math.Ldexp(1+frac/1024, exp-15)
		}
		if i&0x8000 != 0 {
			want = -want
		}
		got := float64(half(uint16(i)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("half(%#04x) = %v, want %v", i, got, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*netBuilder)
		want  string
	}{
		"unknown operator":  {func(n *netBuilder) { n.codes[13] = tbl{0: byte(99), 3: int32(99)} }, "operator 99"},
		"integer weights":   {func(n *netBuilder) { n.tensors[1][1] = byte(9) }, "element type 9"},
		"short weights":     {func(n *netBuilder) { n.buffers[1][0] = halves(h1) }, "1 values"},
		"wild input":        {func(n *netBuilder) { n.ops[1][1] = []int32{7777} }, "7777"},
		"missing input":     {func(n *netBuilder) { n.ops[1][1] = []int32{-1, 2} }, "inputs"},
		"wild buffer":       {func(n *netBuilder) { n.tensors[1][2] = int32(-3) }, "buffer -3"},
		"negative shape":    {func(n *netBuilder) { n.tensors[0][0] = []int32{1, -4, 4, 2} }, "shape"},
		"huge shape":        {func(n *netBuilder) { n.tensors[0][0] = []int32{1 << 20, 1 << 20, 4, 2} }, "elements"},
		"wrong output size": {func(n *netBuilder) { n.tensors[3][0] = []int32{1, 5, 4, 2} }, "declared"},
		"zero stride":       {func(n *netBuilder) { n.ops[1][4] = tbl{0: byte(1)} }, "stride 0"},
		"wild activation":   {func(n *netBuilder) { n.ops[1][4].(tbl)[3] = byte(4) }, "activation 4"},
		"sparse column": {func(n *netBuilder) {
			n.tensors[4][6].(tbl)[2].([]tbl)[3][5] = tbl{0: []byte{1, 9}}
		}, "sparse column 9"},
		"sparse rows": {func(n *netBuilder) {
			n.tensors[4][6].(tbl)[2].([]tbl)[3][3] = tbl{0: []uint16{0, 2, 1, 1, 1, 1, 1, 1, 1, 2}}
		}, "rows"},
		"blocks":     {func(n *netBuilder) { n.tensors[4][6].(tbl)[1] = []int32{0} }, "blocks"},
		"two graphs": {nil, "subgraphs"},
	} {
		n := everyOp()
		var b []byte
		if c.spoil == nil {
			g := tbl{0: n.tensors, 1: n.in, 2: n.out, 3: n.ops}
			b = build(tbl{1: n.codes, 2: []tbl{g, g}, 4: n.buffers})
		} else {
			c.spoil(n)
			b = n.bytes()
		}
		m, err := Read(b)
		if err == nil {
			_, err = Convert(m, Options{Input: "image", Outputs: []string{"prob", ""}})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

// TestCutFile reads every prefix: an error, never a panic and never a network.
func TestCutFile(t *testing.T) {
	b := everyOp().bytes()
	for n := range len(b) - 16 {
		m, err := Read(b[:n])
		if err != nil {
			continue
		}
		if _, err := Convert(m, Options{Input: "image", Outputs: []string{"prob", ""}}); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(b))
		}
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(everyOp().bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		if err != nil {
			return
		}
		names := []string{"prob", ""}
		if len(m.Outputs) != 2 {
			names = make([]string, len(m.Outputs))
			for i := range names {
				names[i] = "out" + string(rune('a'+i%26))
			}
		}
		o, err := Convert(m, Options{Input: "image", Outputs: names})
		if err == nil && o.Check() != nil {
			t.Fatal("an inconsistent graph was returned")
		}
	})
}
