package tflite

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// floats decodes a constant float tensor to float32 in its own (dense,
// row-major) order. The result may use scratch.
func (t *Tensor) floats(scratch []float32) ([]float32, error) {
	if t.Data == nil {
		return nil, fmt.Errorf("tflite: tensor %q is computed; legal: a constant", t.Name)
	}
	var values []float32
	switch t.Type {
	case Float32:
		values = slices.Grow(scratch[:0], len(t.Data)/4)[:len(t.Data)/4]
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case Float16:
		values = slices.Grow(scratch[:0], len(t.Data)/2)[:len(t.Data)/2]
		for i := range values {
			values[i] = half(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	default:
		return nil, fmt.Errorf("tflite: tensor %q: element type %d; legal: 0 (float32) or 1 (float16)", t.Name, t.Type)
	}
	if t.sparse != nil {
		return t.densify(values)
	}
	if len(values) != t.Elements() {
		return nil, fmt.Errorf("tflite: tensor %q: %d values for shape %v", t.Name, len(values), t.Shape)
	}
	return values, nil
}

// ints decodes a constant int32 tensor.
func (t *Tensor) ints() ([]int, error) {
	if t.Data == nil || t.Type != Int32 || t.sparse != nil || len(t.Data) != 4*t.Elements() {
		return nil, fmt.Errorf("tflite: tensor %q (type %d, %d bytes, shape %v); legal: a constant int32 tensor", t.Name, t.Type, len(t.Data), t.Shape)
	}
	out := make([]int, t.Elements())
	for i := range out {
		out[i] = int(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
	}
	return out, nil
}

// densify expands a tensor whose last dimension is stored as compressed rows
// (segments[r]..segments[r+1] index the values of row r) and whose other
// dimensions are dense in the usual order, without blocks. That is what the
// TFLite tools write for convolution weights; anything else is refused.
func (t *Tensor) densify(values []float32) ([]float32, error) {
	s, rank := t.sparse, len(t.Shape)
	if rank == 0 || len(s.dims) != rank || len(s.blockMap) != 0 || len(s.traversal) != rank {
		return nil, fmt.Errorf("tflite: tensor %q: sparse layout with %d dimensions, traversal %v, blocks %v is not supported for shape %v",
			t.Name, len(s.dims), s.traversal, s.blockMap, t.Shape)
	}
	for i, d := range s.dims {
		last := i == rank-1
		if s.traversal[i] != i || d.sparse != last || (!last && d.denseSize != t.Shape[i]) {
			return nil, fmt.Errorf("tflite: tensor %q: sparse dimension %d is not supported; legal: only the last one compressed, in order", t.Name, i)
		}
	}
	cols := t.Shape[rank-1]
	rows := 1
	for _, d := range t.Shape[:rank-1] {
		rows *= d
	}
	seg, idx := s.dims[rank-1].segments, s.dims[rank-1].indices
	if len(seg) != rows+1 || len(idx) != len(values) || seg[0] != 0 || seg[rows] != len(values) || !slices.IsSorted(seg) {
		return nil, fmt.Errorf("tflite: tensor %q: %d segments, %d indices, %d values do not describe %d rows", t.Name, len(seg), len(idx), len(values), rows)
	}
	out := make([]float32, rows*cols)
	for r := range rows {
		for k := seg[r]; k < seg[r+1]; k++ {
			if idx[k] < 0 || idx[k] >= cols {
				return nil, fmt.Errorf("tflite: tensor %q: sparse column %d; legal: 0..%d", t.Name, idx[k], cols-1)
			}
			out[r*cols+idx[k]] = values[k]
		}
	}
	return out, nil
}

// half converts an IEEE 754 binary16 value.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac x 2^-24, exact in float32
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}
