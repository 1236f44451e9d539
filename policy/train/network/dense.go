package network

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/blas"
)

// denseOp is y = x W + b, then tanh if wanted, in one pass over its own output: x (rows x in), W (in x out), b (out).
type denseOp struct {
	op
	ids           *opIDs
	rows, in, out int
	tanh          bool
	inputGrad     bool // the gradient with respect to x is wanted: not for a network's input, where it costs a product
	y             buffer
}

func newDense(ids *opIDs, rows, in, out int, tanh, inputGrad bool) *denseOp {
	return &denseOp{op: op{name: "dense", id: ids.next(), dims: []int{2, 2, 1}, shape: tensor.Shape{rows, out}}, ids: ids,
		rows: rows, in: in, out: out, tanh: tanh, inputGrad: inputGrad, y: newBuffer(rows, out)}
}

func (o *denseOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x, w, b, y := floats(v[0]), floats(v[1]), floats(v[2]), o.y.data
	for r := 0; r < len(y); r += o.out {
		copy(y[r:r+o.out], b)
	}
	blas.GemmNN(o.rows, o.out, o.in, x, o.in, w, o.out, y, o.out, true)
	if o.tanh {
		infer.Tanh(y)
	}
	return o.y.value, nil
}

func (o *denseOp) DiffWRT(int) []bool { return []bool{o.inputGrad, true, true} }

// SymDiff adds the gradient operations to the graph: the gradient before tanh (which leaves that of the bias too),
// and from it those of the weights and, where wanted, of the input.
func (o *denseOp) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	pre := &preGradOp{op: op{name: "preGrad", id: o.ids.next(), dims: []int{2, 2}, shape: tensor.Shape{o.rows, o.out}},
		tanh: o.tanh, cols: o.out, dz: newBuffer(o.rows, o.out), db: newBuffer(o.out)}
	dz, err := gorgonia.ApplyOp(pre, grad, output)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, 3)
	if o.inputGrad {
		dx := &inputGradOp{op: op{name: "inputGrad", id: o.ids.next(), dims: []int{2, 2}, shape: tensor.Shape{o.rows, o.in}},
			rows: o.rows, in: o.in, out: o.out, dx: newBuffer(o.rows, o.in)}
		if grads[0], err = gorgonia.ApplyOp(dx, dz, inputs[1]); err != nil {
			return nil, err
		}
	}
	dw := &weightGradOp{op: op{name: "weightGrad", id: o.ids.next(), dims: []int{2, 2}, shape: tensor.Shape{o.in, o.out}},
		rows: o.rows, in: o.in, out: o.out, dw: newBuffer(o.in, o.out)}
	if grads[1], err = gorgonia.ApplyOp(dw, inputs[0], dz); err != nil {
		return nil, err
	}
	db := &biasGradOp{op: op{name: "biasGrad", id: o.ids.next(), dims: []int{2}, shape: tensor.Shape{o.out}}, db: pre.db}
	grads[2], err = gorgonia.ApplyOp(db, dz)
	return grads, err
}

// preGradOp: dz = dy (1 - y^2) for a tanh layer, dz = dy for a linear one; the column sums of dz, which are the
// bias gradient, stay in db for biasGradOp.
type preGradOp struct {
	op
	tanh   bool
	cols   int
	dz, db buffer
}

func (o *preGradOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	dy, y := floats(v[0]), floats(v[1])
	clear(o.db.data)
	if o.tanh {
		blas.TanhGrad(o.dz.data, dy, y, o.db.data, o.cols)
	} else {
		copy(o.dz.data, dy)
		blas.ColSum(dy, o.db.data, o.cols)
	}
	return o.dz.value, nil
}

// biasGradOp hands out what preGradOp, its input, has left: an operation of Gorgonia has one output only.
type biasGradOp struct {
	op
	db buffer
}

func (o *biasGradOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.db.value, nil }

// weightGradOp: dW = x' dz.
type weightGradOp struct {
	op
	rows, in, out int
	dw            buffer
}

func (o *weightGradOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	blas.GemmTN(o.in, o.out, o.rows, floats(v[0]), o.in, floats(v[1]), o.out, o.dw.data, o.out, false)
	return o.dw.value, nil
}

// inputGradOp: dx = dz W'.
type inputGradOp struct {
	op
	rows, in, out int
	dx            buffer
}

func (o *inputGradOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	blas.GemmNT(o.rows, o.in, o.out, floats(v[0]), o.out, floats(v[1]), o.out, o.dx.data, o.in, false)
	return o.dx.value, nil
}
