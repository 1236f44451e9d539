package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Marshal encodes the model as ONNX protobuf bytes. Zero scalars are left out
// as proto3 does; it does not check the graph, see Check.
func (m *Model) Marshal() []byte {
	// Tensor data is most of a model: it is copied once, into place.
	graph := m.Graph.pieces()
	size := 0
	for _, p := range graph {
		size += len(p)
	}
	var head []byte
	head = putInt(head, 1, m.IRVersion)
	head = putString(head, 2, m.ProducerName)
	head = putString(head, 3, m.ProducerVersion)
	head = putString(head, 4, m.Domain)
	head = putInt(head, 5, m.ModelVersion)
	head = putString(head, 6, m.Doc)
	head = protowire.AppendTag(head, 7, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(size))
	var tail []byte
	for _, o := range m.Opsets {
		tail = putMessage(tail, 8, putInt(putString(nil, 1, o.Domain), 2, o.Version))
	}
	for _, p := range m.Metadata {
		tail = putMessage(tail, 14, putString(putString(nil, 1, p.Key), 2, p.Value))
	}
	b := make([]byte, 0, len(head)+size+len(tail))
	b = append(b, head...)
	for _, p := range graph {
		b = append(b, p...)
	}
	return append(b, tail...)
}

// pieces encodes a graph as byte strings to be joined; tensor data is referred
// to, not copied.
func (g *Graph) pieces() [][]byte {
	var b []byte
	for i := range g.Nodes {
		b = putMessage(b, 1, g.Nodes[i].marshal())
	}
	out := [][]byte{putString(b, 2, g.Name)}
	for i := range g.Initialisers {
		t := &g.Initialisers[i]
		head := t.head()
		b := protowire.AppendTag(nil, 5, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(len(head)+len(t.Raw)))
		out = append(out, append(b, head...), t.Raw)
	}
	b = nil
	for _, v := range g.Inputs {
		b = putMessage(b, 11, v.marshal())
	}
	for _, v := range g.Outputs {
		b = putMessage(b, 12, v.marshal())
	}
	return append(out, b)
}

func (n *Node) marshal() []byte {
	var b []byte
	// Empty names mark omitted optional inputs, so they are written too.
	for _, s := range n.Inputs {
		b = putMessage(b, 1, []byte(s))
	}
	for _, s := range n.Outputs {
		b = putMessage(b, 2, []byte(s))
	}
	b = putString(b, 3, n.Name)
	b = putString(b, 4, n.OpType)
	for i := range n.Attributes {
		b = putMessage(b, 5, n.Attributes[i].marshal())
	}
	return putString(b, 7, n.Domain)
}

func (a *Attribute) marshal() []byte {
	b := putString(nil, 1, a.Name)
	switch a.Kind {
	case KindFloat:
		b = putFloat(b, 2, a.F)
	case KindInt:
		b = protowire.AppendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(a.I))
	case KindString:
		b = putMessage(b, 4, []byte(a.S))
	case KindTensor:
		if a.T != nil {
			b = putMessage(b, 5, append(a.T.head(), a.T.Raw...))
		}
	case KindFloats:
		for _, f := range a.Floats {
			b = putFloat(b, 7, f)
		}
	case KindInts:
		for _, v := range a.Ints {
			b = protowire.AppendTag(b, 8, protowire.VarintType)
			b = protowire.AppendVarint(b, uint64(v))
		}
	case KindStrings:
		for _, s := range a.Strings {
			b = putMessage(b, 9, []byte(s))
		}
	}
	return putInt(b, 20, int64(a.Kind))
}

// head encodes everything of a tensor up to its raw data, which must follow.
func (t *Tensor) head() []byte {
	var b []byte
	for _, d := range t.Dims {
		b = protowire.AppendTag(b, 1, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(d))
	}
	b = putInt(b, 2, int64(t.Type))
	b = putString(b, 8, t.Name)
	b = protowire.AppendTag(b, 9, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(len(t.Raw)))
}

func (v ValueInfo) marshal() []byte {
	var shape []byte
	for _, d := range v.Shape {
		var dim []byte
		if d.Param != "" {
			dim = putString(nil, 2, d.Param)
		} else {
			dim = protowire.AppendTag(nil, 1, protowire.VarintType)
			dim = protowire.AppendVarint(dim, uint64(d.Size))
		}
		shape = putMessage(shape, 1, dim)
	}
	tensor := putMessage(putInt(nil, 1, int64(v.Type)), 2, shape)
	return putMessage(putString(nil, 1, v.Name), 2, putMessage(nil, 1, tensor))
}

func putInt(b []byte, f protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, f, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(v))
}

func putFloat(b []byte, f protowire.Number, v float32) []byte {
	b = protowire.AppendTag(b, f, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, math.Float32bits(v))
}

func putString(b []byte, f protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	b = protowire.AppendTag(b, f, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func putMessage(b []byte, f protowire.Number, m []byte) []byte {
	b = protowire.AppendTag(b, f, protowire.BytesType)
	return protowire.AppendBytes(b, m)
}
