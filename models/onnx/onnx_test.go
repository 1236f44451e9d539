package onnx

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// sample uses every kind of field once, with values that expose sign,
// zero and emptiness mistakes.
func sample() *Model {
	inner := Int64Tensor("", []int64{2}, []int64{-1, math.MaxInt64})
	return &Model{
		IRVersion: 6, ProducerName: "mitori", ProducerVersion: "1", Domain: "d", ModelVersion: 3, Doc: "doc",
		Opsets:   []Opset{{"", 11}, {"ai.x", 1}},
		Metadata: []Property{{"b", "2"}, {"a", "1"}},
		Graph: Graph{
			Name: "g",
			Nodes: []Node{
				{Name: "n0", OpType: "Clip", Inputs: []string{"x", "", "w"}, Outputs: []string{"y"}, Domain: "ai.x",
					Attributes: []Attribute{Int("zero", 0), Int("neg", -7), Float("f", 0), String("s", ""), Ints("is", 0, -1, 5),
						{Name: "fs", Kind: KindFloats, Floats: []float32{0, -1.5}},
						{Name: "ss", Kind: KindStrings, Strings: []string{"", "q"}},
						{Name: "t", Kind: KindTensor, T: &inner}}},
			},
			Initialisers: []Tensor{
				FloatTensor("w", []int64{2, 1}, []float32{1.5, float32(math.Inf(-1))}),
				{Name: "empty", Type: Float32, Dims: []int64{0}, Raw: []byte{}},
				FloatTensor("scalar", nil, []float32{6}),
			},
			Inputs:  []ValueInfo{{Name: "x", Type: Float32, Shape: []Dim{{Param: "batch"}, {Size: 3}}}},
			Outputs: []ValueInfo{Value("y", Float32, 1, 0)},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	m := sample()
	b := m.Marshal()
	got, err := Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("decoded model differs\n got %+v\nwant %+v", got, m)
	}
	if !bytes.Equal(got.Marshal(), b) {
		t.Fatal("second encoding differs from the first")
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
}

// TestWireBytes pins the encoding of a tiny model, worked out by hand from
// onnx.proto, so that writer and reader cannot be wrong in the same way.
func TestWireBytes(t *testing.T) {
	m := &Model{IRVersion: 7, Opsets: []Opset{{"", 11}}, Graph: Graph{
		Name:    "g",
		Nodes:   []Node{{OpType: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}}},
		Inputs:  []ValueInfo{Value("x", Float32, 2)},
		Outputs: []ValueInfo{Value("y", Float32, 2)},
	}}
	want := []byte{
		0x08, 7, // ir_version
		0x3a, 51, // graph
		0x0a, 12, 0x0a, 1, 'x', 0x12, 1, 'y', 0x22, 4, 'R', 'e', 'l', 'u', // node
		0x12, 1, 'g', // name
		0x5a, 15, 0x0a, 1, 'x', 0x12, 10, 0x0a, 8, 0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 2, // input: type, shape, dim
		0x62, 15, 0x0a, 1, 'y', 0x12, 10, 0x0a, 8, 0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 2, // output
		0x42, 2, 0x10, 11, // opset_import
	}
	got := m.Marshal()
	dec, err := Unmarshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(dec, m) {
		t.Fatalf("decoded %+v", dec)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got  % x\nwant % x", got, want)
	}
}

// TestTypedData reads tensors that other writers store in typed fields.
func TestTypedData(t *testing.T) {
	packed := protowire.AppendFixed32(protowire.AppendFixed32(nil, math.Float32bits(1)), math.Float32bits(-2))
	tb := putInt(putInt(nil, 1, 2), 2, 1)
	tb = putMessage(tb, 4, packed)
	tb = putString(tb, 8, "w")
	b := putMessage(nil, 7, putMessage(nil, 5, tb))
	m, err := Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	w, ok := m.Graph.Initialiser("w")
	if !ok {
		t.Fatal("no initialiser w")
	}
	f, err := w.Float32s()
	if err != nil || !reflect.DeepEqual(f, []float32{1, -2}) {
		t.Fatalf("got %v, %v", f, err)
	}
	if _, err := w.Int64s(); err == nil {
		t.Fatal("a float32 tensor was read as int64")
	}
}

func TestRefuses(t *testing.T) {
	m := sample()
	good := m.Marshal()
	for n := 0; n < len(good); n++ {
		// Every prefix must either fail or decode; it must never panic.
		if _, err := Unmarshal(good[:n]); err == nil && n < 8 {
			t.Errorf("prefix of %d bytes was accepted", n)
		}
	}
	for name, b := range map[string][]byte{
		"empty":       nil,
		"text":        []byte("this is not a model"),
		"wrong wire":  {0x0a, 1, 'x', 0x3a, 0},
		"huge length": {0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"inner wire":  putMessage(nil, 7, putMessage(nil, 1, putInt(nil, 4, 1))),
		"nested":      nested(1000),
	} {
		if _, err := Unmarshal(b); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: got %v, want ErrSyntax", name, err)
		}
	}
	short := putInt(putInt(nil, 1, 3), 2, 1)
	short = putMessage(putString(short, 8, "w"), 9, []byte{1, 2, 3, 4})
	if _, err := Unmarshal(putMessage(nil, 7, putMessage(nil, 5, short))); err == nil || !strings.Contains(err.Error(), `"w"`) {
		t.Errorf("short tensor: got %v, want an error that names it", err)
	}
	sub := putMessage(putString(nil, 1, "body"), 6, nil)
	if _, err := Unmarshal(putMessage(nil, 7, putMessage(nil, 1, putMessage(nil, 5, sub)))); err == nil {
		t.Error("a sub-graph attribute was dropped in silence")
	}
}

// nested is a graph within an attribute of a node of a graph, and so on.
func nested(n int) []byte {
	var b []byte
	for range n {
		b = putMessage(nil, 1, putMessage(nil, 5, putMessage(nil, 6, b)))
	}
	return putMessage(nil, 7, b)
}

func TestCheck(t *testing.T) {
	for name, spoil := range map[string]func(*Model){
		"before it is made": func(m *Model) { m.Graph.Nodes[0].Inputs[0] = "ghost" },
		"defined twice":     func(m *Model) { m.Graph.Nodes[0].Outputs[0] = "w" },
		"made by no node":   func(m *Model) { m.Graph.Outputs[0].Name = "ghost" },
		"operator set":      func(m *Model) { m.Opsets = nil },
		"no operator":       func(m *Model) { m.Graph.Nodes[0].OpType = "" },
		"bytes for dims":    func(m *Model) { m.Graph.Initialisers[0].Raw = nil },
	} {
		m := sample()
		spoil(m)
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The field encoders of the tests: they know nothing of the generated code.

func putInt(b []byte, f protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, f, protowire.VarintType), uint64(v))
}

func putString(b []byte, f protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, f, protowire.BytesType), s)
}

func putMessage(b []byte, f protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, f, protowire.BytesType), m)
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(sample().Marshal())
	f.Add([]byte{0x3a, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Unmarshal(b)
		if err != nil {
			return
		}
		_ = m.Check()
		enc := m.Marshal()
		again, err := Unmarshal(enc)
		if err != nil {
			t.Fatalf("own encoding is refused: %v", err)
		}
		if !bytes.Equal(again.Marshal(), enc) {
			t.Fatal("encoding is not stable")
		}
	})
}
