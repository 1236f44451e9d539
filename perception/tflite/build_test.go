package tflite

import "encoding/binary"

// tbl is a FlatBuffers table by field index. Values: byte, int32, string,
// []byte, []int32, []uint16, tbl, []tbl.
type tbl map[int]any

// build writes a TFLite file. Every object is written after what refers to it,
// as forward references demand, and each table directly behind its vtable.
func build(root tbl) []byte {
	b := []byte{0, 0, 0, 0, 'T', 'F', 'L', '3'}
	put32 := func(v int) { b = binary.LittleEndian.AppendUint32(b, uint32(v)) }
	patch := func(at, target int) { binary.LittleEndian.PutUint32(b[at:], uint32(target-at)) }
	var object func(v any) int
	object = func(v any) int {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		at := len(b)
		switch v := v.(type) {
		case string:
			put32(len(v))
			b = append(b, v...)
		case []byte:
			put32(len(v))
			b = append(b, v...)
		case []int32:
			put32(len(v))
			for _, x := range v {
				put32(int(x))
			}
		case []uint16:
			put32(len(v))
			for _, x := range v {
				b = binary.LittleEndian.AppendUint16(b, x)
			}
		case []tbl:
			put32(len(v))
			for range v {
				put32(0)
			}
			for i, t := range v {
				patch(at+4+4*i, object(t))
			}
		case tbl:
			n := 0
			for i := range v {
				n = max(n, i+1)
			}
			size := 4 + 2*n
			b = binary.LittleEndian.AppendUint16(b, uint16(size))
			b = binary.LittleEndian.AppendUint16(b, uint16(4+4*n))
			for i := range n {
				off := 0
				if v[i] != nil {
					off = 4 + 4*i
				}
				b = binary.LittleEndian.AppendUint16(b, uint16(off))
			}
			at = len(b)
			put32(size)
			for range n {
				put32(0)
			}
			for i := range n {
				slot := at + 4 + 4*i
				switch x := v[i].(type) {
				case nil:
				case byte:
					b[slot] = x
				case int32:
					binary.LittleEndian.PutUint32(b[slot:], uint32(x))
				default:
					patch(slot, object(x))
				}
			}
		}
		return at
	}
	patch(0, object(root))
	return b
}

// netBuilder assembles a one-subgraph network.
type netBuilder struct {
	tensors, buffers, codes, ops []tbl
	in, out                      []int32
}

func newNet() *netBuilder { return &netBuilder{buffers: []tbl{{}}} }

func (n *netBuilder) tensor(kind byte, data []byte, shape ...int32) int32 {
	buffer := int32(0)
	if data != nil {
		buffer = int32(len(n.buffers))
		n.buffers = append(n.buffers, tbl{0: data})
	}
	n.tensors = append(n.tensors, tbl{0: shape, 1: kind, 2: buffer, 3: "tensor"})
	return int32(len(n.tensors) - 1)
}

func (n *netBuilder) op(code Op, opts tbl, in []int32, out ...int32) {
	n.codes = append(n.codes, tbl{0: byte(min(code, 127)), 3: int32(code)})
	n.ops = append(n.ops, tbl{0: int32(len(n.codes) - 1), 1: in, 2: out, 3: byte(1), 4: opts})
}

func (n *netBuilder) bytes() []byte {
	return build(tbl{0: int32(3), 1: n.codes, 2: []tbl{{0: n.tensors, 1: n.in, 2: n.out, 3: n.ops}}, 4: n.buffers})
}

func halves(v ...uint16) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}

func int32s(v ...int32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return b
}
