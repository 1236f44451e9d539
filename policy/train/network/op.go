package network

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is what all operations of this package share. Gorgonia's tape drops its registers after each run, so an
// operation that lets the tape allocate costs about a thousand allocations a step; ours own their output tensors for
// life and hand out the same ones every time. That is why CallsExtern is false even where BLAS is called through
// cgo (true makes the compiler insert an allocation), and why a hash must name the instance: two operations with
// equal text would be taken for one and share a buffer.
type op struct {
	name  string
	id    int
	dims  []int        // dimensions of each input
	shape tensor.Shape // of the output; scalar if empty
}

func (o *op) Arity() int { return len(o.dims) }

func (o *op) Type() hm.Type {
	types := make([]hm.Type, 0, len(o.dims)+1)
	for _, d := range o.dims {
		types = append(types, typeOf(d))
	}
	return hm.NewFnType(append(types, typeOf(len(o.shape)))...)
}

// typeOf must be a value: pointers to TensorType compile and panic later.
func typeOf(dims int) hm.Type {
	if dims == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: dims, Of: tensor.Float32}
}

func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }
func (o *op) ReturnsPtr() bool                                      { return true }
func (o *op) CallsExtern() bool                                     { return false }
func (o *op) OverwritesInput() int                                  { return -1 }
func (o *op) WriteHash(h hash.Hash)                                 { _, _ = h.Write([]byte(o.String())) }
func (o *op) String() string                                        { return fmt.Sprintf("%s#%d", o.name, o.id) }

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// opIDs numbers the operations of one graph.
type opIDs int

func (n *opIDs) next() int {
	*n++
	return int(*n)
}

// buffer is an output tensor and the memory behind it.
type buffer struct {
	data  []float32
	value *tensor.Dense
}

func newBuffer(shape ...int) buffer {
	n := 1
	for _, s := range shape {
		n *= s
	}
	data := make([]float32, n)
	return buffer{data: data, value: tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))}
}

func floats(v gorgonia.Value) []float32 { return v.Data().([]float32) }
