package train

import (
	"math"

	"gorgonia.org/gorgonia"
)

// lossFunc computes a loss over rows of outputs against rows of data, and its gradient with respect to the outputs.
// The loss is the sum over the rows divided by the number of rows of the whole minibatch, of which these may be a part.
type lossFunc func(grad, out, data []float32) lossStats

// lossStats is what one evaluation of a loss says.
type lossStats struct {
	Loss float64
	KL   float64 // of the policy before the iteration against the present one
	Clip float64 // share of samples whose ratio is clipped
}

// lossOp puts a lossFunc into the graph: inputs outputs (rows x out) and data (rows x dataCols), output a scalar.
type lossOp struct {
	op
	ids   *opIDs
	f     lossFunc
	grad  buffer
	stats lossStats
	value *gorgonia.F32
}

func newLoss(ids *opIDs, rows, out int, f lossFunc) *lossOp {
	return &lossOp{op: op{name: "loss", id: ids.next(), dims: []int{2, 2}}, ids: ids, f: f,
		grad: newBuffer(rows, out), value: gorgonia.NewF32(0)}
}

func (o *lossOp) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	o.stats = o.f(o.grad.data, floats(v[0]), floats(v[1]))
	*o.value = gorgonia.F32(o.stats.Loss)
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

// squaredError is mean over rows of the sum over outputs of (out - data)^2 / 2.
func squaredError(minibatch int) lossFunc {
	inv := 1 / float32(minibatch)
	return func(grad, out, data []float32) lossStats {
		var sum float64
		for i, y := range out {
			d := y - data[i]
			grad[i] = d * inv
			sum += float64(d * d)
		}
		return lossStats{Loss: sum / 2 / float64(minibatch)}
	}
}

// ppoData is the number of columns of a row of data for policyLoss: actions, old means, advantage.
func ppoData(actions int) int { return 2*actions + 1 }

// policyLoss is the clipped surrogate of PPO (Schulman et al. 2017, equation 7) for a normal policy of fixed standard
// deviation std around the network's outputs.
func policyLoss(minibatch, actions int, clip float64, std *float64) lossFunc {
	return func(grad, out, data []float32) lossStats {
		var s lossStats
		invVar := 1 / (*std * *std)
		cols := ppoData(actions)
		for r := 0; r*actions < len(out); r++ {
			mean, g := out[r*actions:(r+1)*actions], grad[r*actions:(r+1)*actions]
			row := data[r*cols : (r+1)*cols]
			act, old, adv := row[:actions], row[actions:2*actions], float64(row[2*actions])
			var before, now, moved float64
			for j, m := range mean {
				a, b, c := float64(act[j]-old[j]), float64(act[j]-m), float64(m-old[j])
				before += a * a
				now += b * b
				moved += c * c
			}
			ratio := math.Exp(min((before-now)/2*invVar, 20))
			s.KL += moved / 2 * invVar
			clipped := min(max(ratio, 1-clip), 1+clip)
			if clipped != ratio {
				s.Clip++
			}
			slope := 0.0
			if clipped*adv < ratio*adv {
				s.Loss -= clipped * adv // the clipped branch is smaller: flat
			} else {
				s.Loss -= ratio * adv
				slope = -ratio * adv * invVar / float64(minibatch)
			}
			for j, m := range mean {
				g[j] = float32(slope * float64(act[j]-m))
			}
		}
		n := float64(minibatch)
		s.Loss, s.KL, s.Clip = s.Loss/n, s.KL/n, s.Clip/n
		return s
	}
}
