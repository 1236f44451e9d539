package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/blas"
)

// net is a network in training: its parameters in one flat slice, Adam's moments beside it, and Gorgonia graphs
// that share the parameters, one for each half of a minibatch. The halves are fixed, so the sum of their gradients
// has the same bits however the goroutines run.
type net struct {
	sizes  []int
	w      []float32 // every layer's W (in x out) and b, in order
	m, v   []float32 // Adam
	steps  int64
	grad   []float32
	halves pairOfHalves
}

// half is a graph and its machine over one half of a minibatch. It belongs to one goroutine at a time.
type half struct {
	x, data buffer
	graph   *gorgonia.ExprGraph
	machine gorgonia.VM
	loss    *lossOp
	grads   [][]float32 // in the order of the parameters
}

// newNet makes a network with layers of the given sizes, tanh between them. Weights start normal with variance 1/in,
// the last layer scaled by lastScale.
func newNet(sizes []int, lastScale float64, rng *rand.Rand) *net {
	n := &net{sizes: sizes}
	for k := 0; k+1 < len(sizes); k++ {
		in, out := sizes[k], sizes[k+1]
		scale := 1 / math.Sqrt(float64(in))
		if k+2 == len(sizes) {
			scale *= lastScale
		}
		for range in * out {
			n.w = append(n.w, float32(scale*rng.NormFloat64()))
		}
		n.w = append(n.w, make([]float32, out)...)
	}
	n.m, n.v, n.grad = make([]float32, len(n.w)), make([]float32, len(n.w)), make([]float32, len(n.w))
	return n
}

// layers cuts the flat parameters; the result aliases them.
func (n *net) layers() []infer.Layer {
	var ls []infer.Layer
	at := 0
	for k := 0; k+1 < len(n.sizes); k++ {
		in, out := n.sizes[k], n.sizes[k+1]
		ls = append(ls, infer.Layer{In: in, Out: out, W: n.w[at : at+in*out], B: n.w[at+in*out : at+in*out+out],
			Tanh: k+2 < len(n.sizes)})
		at += in*out + out
	}
	return ls
}

// pairOfHalves are two graphs over the two halves of a minibatch, under one loss.
type pairOfHalves [2]*half

// build makes the graphs for minibatches of the given even size under a loss over rows of dataCols numbers.
// Graphs must be built one after another: Gorgonia keeps global state while it differentiates.
func (n *net) build(minibatch, dataCols int, loss lossFunc) (pairOfHalves, error) {
	var p pairOfHalves
	if minibatch < 2 || minibatch%2 != 0 {
		return p, fmt.Errorf("train: minibatch is %d, must be even and at least 2", minibatch)
	}
	blas.OneThread()
	for i := range p {
		h, err := n.buildHalf(minibatch/2, dataCols, loss)
		if err != nil {
			return p, fmt.Errorf("train: build graph: %w", err)
		}
		p[i] = h
	}
	return p, nil
}

func (n *net) buildHalf(rows, dataCols int, loss lossFunc) (*half, error) {
	h := &half{graph: gorgonia.NewGraph(), x: newBuffer(rows, n.sizes[0]), data: newBuffer(rows, dataCols)}
	var ids opIDs
	matrix := func(b buffer, name string) *gorgonia.Node {
		s := b.value.Shape()
		return gorgonia.NewMatrix(h.graph, tensor.Float32, gorgonia.WithShape(s...), gorgonia.WithValue(b.value), gorgonia.WithName(name))
	}
	y := matrix(h.x, "x")
	data := matrix(h.data, "data")
	var params gorgonia.Nodes
	for k, l := range n.layers() {
		w := gorgonia.NewMatrix(h.graph, tensor.Float32, gorgonia.WithShape(l.In, l.Out), gorgonia.WithName(fmt.Sprintf("W%d", k)),
			gorgonia.WithValue(tensor.New(tensor.WithShape(l.In, l.Out), tensor.WithBacking(l.W))))
		b := gorgonia.NewVector(h.graph, tensor.Float32, gorgonia.WithShape(l.Out), gorgonia.WithName(fmt.Sprintf("b%d", k)),
			gorgonia.WithValue(tensor.New(tensor.WithShape(l.Out), tensor.WithBacking(l.B))))
		params = append(params, w, b)
		var err error
		if y, err = gorgonia.ApplyOp(newDense(&ids, rows, l.In, l.Out, l.Tanh, k > 0), y, w, b); err != nil {
			return nil, err
		}
	}
	h.loss = newLoss(&ids, rows, n.sizes[len(n.sizes)-1], loss)
	cost, err := gorgonia.ApplyOp(h.loss, y, data)
	if err != nil {
		return nil, err
	}
	// Grad would share one constant node between all graphs of the process; this graph gets its own.
	one := h.graph.AddNode(gorgonia.NewConstant(float32(1)))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{cost}, gorgonia.Nodes{one}, params)
	if err != nil {
		return nil, err
	}
	for _, g := range grads {
		switch o := g.Op().(type) {
		case *weightGradOp:
			h.grads = append(h.grads, o.dw.data)
		case *biasGradOp:
			h.grads = append(h.grads, o.db.data)
		default:
			return nil, fmt.Errorf("gradient of a parameter is a %T", o)
		}
	}
	h.machine = gorgonia.NewTapeMachine(h.graph)
	return h, nil
}

// run evaluates loss and gradient of one half, whose x and data the caller has filled.
func (h *half) run() error {
	err := h.machine.RunAll()
	h.machine.Reset()
	return err
}

// gather sums the gradients of both halves into grad and gives its Euclidean norm.
func (n *net) gather(p pairOfHalves) float64 {
	at := 0
	for i := range p[0].grads {
		a, b := p[0].grads[i], p[1].grads[i]
		g := n.grad[at : at+len(a)]
		blas.Add(g, a, b)
		at += len(a)
	}
	return math.Sqrt(blas.SumSquares(n.grad))
}

// stats sums what the losses of both halves said.
func (p pairOfHalves) stats() lossStats {
	a, b := p[0].loss.stats, p[1].loss.stats
	return lossStats{Loss: a.Loss + b.Loss, KL: a.KL + b.KL, Clip: a.Clip + b.Clip}
}

// forget clears Adam's moments, for another loss.
func (n *net) forget() {
	clear(n.m)
	clear(n.v)
	n.steps = 0
}

const (
	adamBeta1 = 0.9
	adamBeta2 = 0.999
	adamEps   = 1e-8
)

// update takes one step of Adam along the gathered gradient, its norm clipped to limit.
func (n *net) update(rate, norm, limit float64) {
	scale := 1.0
	if norm > limit {
		scale = limit / norm
	}
	n.steps++
	correct1 := 1 - math.Pow(adamBeta1, float64(n.steps))
	correct2 := 1 - math.Pow(adamBeta2, float64(n.steps))
	blas.Adam(n.w, n.grad, n.m, n.v, float32(scale), float32(rate/correct1), adamBeta1, adamBeta2, float32(1/correct2), adamEps)
}
