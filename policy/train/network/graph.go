package network

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

// partRows is the most rows of a minibatch that one part takes: enough for fast matrix products, few enough that a
// usual minibatch of 512 feeds two cores for each network.
const partRows = 256

// Graph computes a Loss of a network and its gradient over minibatches of one size.
type Graph struct {
	net   *Net
	parts []*part
	rows  int
}

// part is a graph and its machine over some rows of a minibatch.
type part struct {
	from, to int // its rows
	x, data  buffer
	graph    *gorgonia.ExprGraph
	machine  gorgonia.VM
	loss     *lossOp
	grads    [][]float32 // in the order of the parameters
}

// Build makes a Graph for minibatches of the given number of rows, at least 2, under a loss over rows of dataCols
// numbers. Small minibatches have two parts all the same. Graphs must be built one after another: Gorgonia keeps
// global state while it differentiates.
func (n *Net) Build(minibatch, dataCols int, loss Loss) (*Graph, error) {
	if minibatch < 2 || dataCols < 1 {
		return nil, fmt.Errorf("network: minibatch of %d rows with %d numbers of data, legal: at least 2 and 1", minibatch, dataCols)
	}
	blas.OneThread()
	g := &Graph{net: n, rows: minibatch, parts: make([]*part, max(parallel.Parts(minibatch, partRows), 2))}
	for i := range g.parts {
		from, to := parallel.Cut(minibatch, len(g.parts), i)
		p, err := n.buildPart(to-from, dataCols, loss)
		if err != nil {
			return nil, fmt.Errorf("network: build graph: %w", err)
		}
		p.from, p.to = from, to
		g.parts[i] = p
	}
	return g, nil
}

func (n *Net) buildPart(rows, dataCols int, loss Loss) (*part, error) {
	p := &part{graph: gorgonia.NewGraph(), x: newBuffer(rows, n.sizes[0]), data: newBuffer(rows, dataCols)}
	var ids opIDs
	matrix := func(b buffer, name string) *gorgonia.Node {
		s := b.value.Shape()
		return gorgonia.NewMatrix(p.graph, tensor.Float32, gorgonia.WithShape(s...), gorgonia.WithValue(b.value), gorgonia.WithName(name))
	}
	y := matrix(p.x, "x")
	data := matrix(p.data, "data")
	var params gorgonia.Nodes
	for k, l := range n.Layers(n.W) {
		w := gorgonia.NewMatrix(p.graph, tensor.Float32, gorgonia.WithShape(l.In, l.Out), gorgonia.WithName(fmt.Sprintf("W%d", k)),
			gorgonia.WithValue(tensor.New(tensor.WithShape(l.In, l.Out), tensor.WithBacking(l.W))))
		b := gorgonia.NewVector(p.graph, tensor.Float32, gorgonia.WithShape(l.Out), gorgonia.WithName(fmt.Sprintf("b%d", k)),
			gorgonia.WithValue(tensor.New(tensor.WithShape(l.Out), tensor.WithBacking(l.B))))
		params = append(params, w, b)
		var err error
		if y, err = gorgonia.ApplyOp(newDense(&ids, rows, l.In, l.Out, l.Tanh, k > 0), y, w, b); err != nil {
			return nil, err
		}
	}
	p.loss = newLoss(&ids, rows, n.sizes[len(n.sizes)-1], loss)
	cost, err := gorgonia.ApplyOp(p.loss, y, data)
	if err != nil {
		return nil, err
	}
	// Grad would share one constant node between all graphs of the process; this graph gets its own.
	one := p.graph.AddNode(gorgonia.NewConstant(float32(1)))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{cost}, gorgonia.Nodes{one}, params)
	if err != nil {
		return nil, err
	}
	for _, g := range grads {
		switch o := g.Op().(type) {
		case *weightGradOp:
			p.grads = append(p.grads, o.dw.data)
		case *biasGradOp:
			p.grads = append(p.grads, o.db.data)
		default:
			return nil, fmt.Errorf("gradient of a parameter is a %T", o)
		}
	}
	p.machine = gorgonia.NewTapeMachine(p.graph)
	return p, nil
}

// Parts is the number of parts that Run may be called for.
func (g *Graph) Parts() int { return len(g.parts) }

// Run evaluates loss and gradient of one part over the given samples (as many as the minibatch has rows), which are
// rows of x and of data. The rows of x pass through the normaliser first, unless it is nil.
func (g *Graph) Run(part int, samples []int, x, data []float32, norm *infer.Normalizer) error {
	if len(samples) != g.rows {
		panic("network: Run: there must be one sample a row of the minibatch")
	}
	p := g.parts[part]
	rows := p.to - p.from
	dim, cols := len(p.x.data)/rows, len(p.data.data)/rows
	for r, i := range samples[p.from:p.to] {
		copy(p.x.data[r*dim:(r+1)*dim], x[i*dim:(i+1)*dim])
		copy(p.data.data[r*cols:(r+1)*cols], data[i*cols:(i+1)*cols])
	}
	if norm != nil {
		Normalize(p.x.data, *norm)
	}
	return p.run()
}

func (p *part) run() error {
	err := p.machine.RunAll()
	p.machine.Reset()
	return err
}

// Sums is what the losses of all parts say together, after all have run.
func (g *Graph) Sums() Sums {
	var s Sums
	for _, p := range g.parts {
		s.Loss += p.loss.sums.Loss
		for i, v := range p.loss.sums.Own {
			s.Own[i] += v
		}
	}
	return s
}

// gather sums the gradients of all parts, in their order, into the network's and gives its Euclidean norm.
func (g *Graph) gather() float64 {
	at := 0
	for i, first := range g.parts[0].grads {
		sum := g.net.grad[at : at+len(first)]
		blas.Add(sum, first, g.parts[1].grads[i])
		for _, p := range g.parts[2:] {
			blas.Add(sum, sum, p.grads[i])
		}
		at += len(first)
	}
	return math.Sqrt(blas.SumSquares(g.net.grad))
}

// Update takes one step of Adam along the gradient of all parts, its norm clipped to limit.
func (g *Graph) Update(rate, limit float64) { g.net.update(rate, g.gather(), limit) }
