package tflite

import (
	"encoding/binary"
	"fmt"
)

// flat is a bounds-checked reader of a FlatBuffers file. The first fault is
// kept and every read after it gives zero values, so that parsing code stays
// free of error plumbing; callers look at err once at the end. budget bounds
// the number of objects: tables may share bytes, so a small hostile file can
// otherwise describe a very large one.
type flat struct {
	b      []byte
	err    error
	budget int
}

// table is the position of a FlatBuffers table; 0 stands for an absent one.
type table int

func (f *flat) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("tflite: "+format, args...)
	}
}

// span checks that n bytes lie at pos.
func (f *flat) span(pos, n int) bool {
	if f.err != nil {
		return false
	}
	if pos < 0 || n < 0 || pos > len(f.b) || n > len(f.b)-pos {
		f.fail("offset %d..+%d is outside the file of %d bytes (damaged or cut off)", pos, n, len(f.b))
		return false
	}
	return true
}

func (f *flat) u8(pos int) int {
	if !f.span(pos, 1) {
		return 0
	}
	return int(f.b[pos])
}

func (f *flat) u16(pos int) int {
	if !f.span(pos, 2) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(f.b[pos:]))
}

func (f *flat) i32(pos int) int {
	if !f.span(pos, 4) {
		return 0
	}
	return int(int32(binary.LittleEndian.Uint32(f.b[pos:])))
}

// deref follows a forward offset stored at pos.
func (f *flat) deref(pos int) int {
	if !f.span(pos, 4) {
		return 0
	}
	off := int(binary.LittleEndian.Uint32(f.b[pos:]))
	if off == 0 || !f.span(pos+off, 0) {
		f.fail("null or wild reference at %d", pos)
		return 0
	}
	return pos + off
}

// field gives the position of a table's field, or 0 if it has its default.
func (f *flat) field(t table, index int) int {
	if t == 0 || f.err != nil {
		return 0
	}
	vtable := int(t) - f.i32(int(t))
	size := f.u16(vtable)
	at := 4 + 2*index
	if f.err != nil || at+2 > size {
		return 0
	}
	off := f.u16(vtable + at)
	if off == 0 {
		return 0
	}
	return int(t) + off
}

func (f *flat) byteField(t table, index int) int {
	if p := f.field(t, index); p != 0 {
		return f.u8(p)
	}
	return 0
}

func (f *flat) intField(t table, index, def int) int {
	if p := f.field(t, index); p != 0 {
		return f.i32(p)
	}
	return def
}

func (f *flat) tableField(t table, index int) table {
	if p := f.field(t, index); p != 0 {
		return table(f.deref(p))
	}
	return 0
}

// vector gives the position of the first element and the element count.
func (f *flat) vector(t table, index, elementBytes int) (pos, n int) {
	p := f.field(t, index)
	if p == 0 {
		return 0, 0
	}
	v := f.deref(p)
	n = f.i32(v)
	if n < 0 || n > len(f.b)/elementBytes || !f.span(v+4, n*elementBytes) {
		f.fail("vector of %d elements at %d does not fit the file", n, v)
		return 0, 0
	}
	return v + 4, n
}

func (f *flat) bytes(t table, index int) []byte {
	p, n := f.vector(t, index, 1)
	if f.err != nil || n == 0 {
		return nil
	}
	return f.b[p : p+n : p+n]
}

func (f *flat) ints(t table, index int) []int {
	p, n := f.vector(t, index, 4)
	if f.err != nil || n == 0 || !f.spend(n) {
		return nil
	}
	out := make([]int, n)
	for i := range out {
		out[i] = f.i32(p + 4*i)
	}
	return out
}

func (f *flat) tables(t table, index int) []table {
	p, n := f.vector(t, index, 4)
	if f.err != nil || n == 0 || !f.spend(n) {
		return nil
	}
	out := make([]table, n)
	for i := range out {
		out[i] = table(f.deref(p + 4*i))
	}
	return out
}

func (f *flat) spend(n int) bool {
	f.budget -= n
	if f.budget < 0 {
		f.fail("more than %d objects", maxObjects)
	}
	return f.err == nil
}
