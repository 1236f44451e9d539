package network

import "gorgonia.org/gorgonia"

// Loss computes a loss over rows of outputs against rows of data, and its gradient with respect to the outputs.
// The loss is the sum over the rows divided by the number of rows of the whole minibatch, of which these are a part.
// It is called from several goroutines at once.
type Loss func(grad, out, data []float32) Sums

// Sums is what one evaluation of a loss says: the loss, and up to two figures of the loss's own, which are summed
// over the parts like it.
type Sums struct {
	Loss float64
	Own  [2]float64
}

// lossOp puts a Loss into the graph: inputs outputs (rows x out) and data (rows x dataCols), output a scalar.
type lossOp struct {
	op
	ids   *opIDs
	f     Loss
	grad  buffer
	sums  Sums
	value *gorgonia.F32
}

func newLoss(ids *opIDs, rows, out int, f Loss) *lossOp {
	return &lossOp{op: op{name: "loss", id: ids.next(), dims: []int{2, 2}}, ids: ids, f: f,
		grad: newBuffer(rows, out), value: gorgonia.NewF32(0)}
}

func (o *lossOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	o.sums = o.f(o.grad.data, floats(v[0]), floats(v[1]))
	*o.value = gorgonia.F32(o.sums.Loss)
	return o.value, nil
}

func (o *lossOp) DiffWRT(int) []bool { return []bool{true, false} }

func (o *lossOp) SymDiff(_ gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	g := &lossGradOp{op: op{name: "lossGrad", id: o.ids.next(), dims: []int{0, 0}, shape: o.grad.value.Shape().Clone()},
		grad: o.grad}
	n, err := gorgonia.ApplyOp(g, output, grad)
	return gorgonia.Nodes{n, nil}, err
}

// lossGradOp hands out the gradient that lossOp has left, times the gradient of what lies behind the loss.
type lossGradOp struct {
	op
	grad buffer
}

func (o *lossGradOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	if g, ok := v[1].(*gorgonia.F32); ok && *g != 1 {
		for i := range o.grad.data {
			o.grad.data[i] *= float32(*g)
		}
	}
	return o.grad.value, nil
}

// SquaredError is the mean over rows of the sum over outputs of (out - data)^2 / 2.
func SquaredError(minibatch int) Loss {
	inv := 1 / float32(minibatch)
	return func(grad, out, data []float32) Sums {
		var sum float64
		for i, y := range out {
			d := y - data[i]
			grad[i] = d * inv
			sum += float64(d * d)
		}
		return Sums{Loss: sum / 2 / float64(minibatch)}
	}
}
