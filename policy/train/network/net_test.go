package network

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

func fill(rng *rand.Rand, x []float32, scale float64) {
	for i := range x {
		x[i] = float32(scale * rng.NormFloat64())
	}
}

// fillParts gives all parts of g random inputs and the given data.
func fillParts(g *Graph, rng *rand.Rand, data func([]float32)) {
	for _, p := range g.parts {
		fill(rng, p.x.data, 1)
		data(p.data.data)
	}
}

// runParts evaluates all parts and gathers their gradients.
func runParts(t testing.TB, g *Graph) float64 {
	t.Helper()
	for _, p := range g.parts {
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
	}
	g.gather()
	return g.Sums().Loss
}

func build(t testing.TB, n *Net, minibatch, cols int, loss Loss) *Graph {
	t.Helper()
	g, err := n.Build(minibatch, cols, loss)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	n := New([]int{5, 6, 4, 3}, 1, rng)
	g := build(t, n, 9, 3, SquaredError(9))
	fillParts(g, rng, func(d []float32) { fill(rng, d, 0.5) })
	checkGradient(t, n, func() float64 { return runParts(t, g) }, func() []float32 { return n.grad })
}

// checkGradient compares a gradient with differences of the loss. Central differences of a float32 function have an
// error of 1e-7/h from rounding, h^2 from curvature.
func checkGradient(t *testing.T, n *Net, loss func() float64, gradient func() []float32) {
	t.Helper()
	loss()
	grad := slices.Clone(gradient())
	for i := range n.W {
		const h = 1e-2
		w := n.W[i]
		n.W[i] = w + h
		up := loss()
		n.W[i] = w - h
		down := loss()
		n.W[i] = w
		want := (up - down) / (2 * h)
		if d := math.Abs(float64(grad[i]) - want); d > 3e-3*(1+math.Abs(want)) {
			t.Errorf("parameter %d: gradient %g, differences give %g", i, grad[i], want)
		}
	}
}

// plain is the same network out of Gorgonia's own operations, for comparison.
type plain struct {
	x, y    *tensor.Dense
	machine gorgonia.VM
	grads   gorgonia.Nodes
	params  gorgonia.Nodes
}

func newPlain(t testing.TB, n *Net, rows int) *plain {
	t.Helper()
	g := gorgonia.NewGraph()
	last := n.sizes[len(n.sizes)-1]
	p := &plain{x: newBuffer(rows, n.sizes[0]).value, y: newBuffer(rows, last).value}
	must := func(n *gorgonia.Node, err error) *gorgonia.Node {
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	h := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, n.sizes[0]), gorgonia.WithValue(p.x), gorgonia.WithName("x"))
	y := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, last), gorgonia.WithValue(p.y), gorgonia.WithName("y"))
	for _, l := range n.Layers(n.W) {
		w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(l.In, l.Out), gorgonia.WithName(h.Name()+"W"),
			gorgonia.WithValue(tensor.New(tensor.WithShape(l.In, l.Out), tensor.WithBacking(l.W))))
		b := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(1, l.Out), gorgonia.WithName(h.Name()+"b"),
			gorgonia.WithValue(tensor.New(tensor.WithShape(1, l.Out), tensor.WithBacking(l.B))))
		p.params = append(p.params, w, b)
		h = must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, w)), b, nil, []byte{0}))
		if l.Tanh {
			h = must(gorgonia.Tanh(h))
		}
	}
	d := must(gorgonia.Sub(h, y))
	cost := must(gorgonia.Mul(must(gorgonia.Sum(must(gorgonia.Square(d)))), gorgonia.NewConstant(float32(0.5)/float32(rows))))
	var err error
	if p.grads, err = gorgonia.Grad(cost, p.params...); err != nil {
		t.Fatal(err)
	}
	p.machine = gorgonia.NewTapeMachine(g)
	return p
}

func TestGradientsAgainstPlainGorgonia(t *testing.T) {
	// Two parts, and three that are not equally large.
	for _, rows := range []int{64, 2*partRows + 1} {
		againstPlain(t, rows)
	}
}

func againstPlain(t *testing.T, rows int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	n := New([]int{13, 24, 16, 5}, 1, rng)
	for i := range n.W { // biases that are not zero
		n.W[i] += float32(0.05 * rng.NormFloat64())
	}
	net := build(t, n, rows, 5, SquaredError(rows))
	p := newPlain(t, n, rows)
	for round := range 3 { // the machines are used again and again
		fillParts(net, rng, func(d []float32) { fill(rng, d, 1) })
		for _, h := range net.parts {
			copy(p.x.Data().([]float32)[h.from*13:], h.x.data)
			copy(p.y.Data().([]float32)[h.from*5:], h.data.data)
		}
		runParts(t, net)
		if err := p.machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		at := 0
		for k, node := range p.grads {
			want := node.Value().Data().([]float32)
			var largest, diff float64
			for i, v := range want {
				largest = max(largest, math.Abs(float64(v)))
				diff = max(diff, math.Abs(float64(v-n.grad[at+i])))
			}
			at += len(want)
			// Sums of products in another order, and tanh within 3e-7.
			if diff > 3e-6*largest+1e-9 {
				t.Errorf("round %d, parameter %d: largest difference %g of %g", round, k, diff, largest)
			}
		}
		p.machine.Reset()
	}
}

func TestForwardPassIsTheExportedOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := New([]int{30, 64, 64, 7}, 1, rng)
	g := build(t, n, 16, 7, SquaredError(16))
	fillParts(g, rng, func(d []float32) { clear(d) })
	runParts(t, g)
	norm := infer.Normalizer{Mean: make([]float32, 30), InvStd: make([]float32, 30), Clip: 10}
	for i := range norm.InvStd {
		norm.InvStd[i] = 1
	}
	exported, err := infer.New(norm, n.Layers(n.W))
	if err != nil {
		t.Fatal(err)
	}
	h := g.parts[1]
	rows := 8
	y := make([]float32, rows*7)
	exported.NewRunner(rows).Forward(y, h.x.data, rows)
	var sum float64
	for _, v := range y {
		sum += float64(v * v)
	}
	if want := h.loss.sums.Loss * 2 * 16; math.Abs(sum-want) > 1e-4*want {
		t.Errorf("sum of squared outputs: exported %g, graph %g", sum, want)
	}
}

func TestStepsDoNotDependOnTheMachine(t *testing.T) {
	const rows = 3 * partRows
	run := func(workers int) []float32 {
		rng := rand.New(rand.NewPCG(5, 6))
		n := New([]int{20, 32, 3}, 1, rng)
		g := build(t, n, rows, 3, SquaredError(rows))
		if g.Parts() != 3 {
			t.Fatalf("%d parts, want 3", g.Parts())
		}
		x, y, samples := make([]float32, 2*rows*20), make([]float32, 2*rows*3), make([]int, rows)
		norm := infer.Normalizer{Mean: make([]float32, 20), InvStd: make([]float32, 20), Clip: 5}
		fill(rng, norm.InvStd, 1)
		fill(rng, x, 1)
		fill(rng, y, 1)
		for range 20 {
			for i := range samples {
				samples[i] = rng.IntN(2 * rows)
			}
			err := parallel.Run(workers, g.Parts(), func(_, part int) error { return g.Run(part, samples, x, y, &norm) })
			if err != nil {
				t.Fatal(err)
			}
			g.Update(1e-2, 1)
		}
		return n.W
	}
	a := run(1)
	for workers := 2; workers < 5; workers++ {
		if !slices.Equal(a, run(workers)) {
			t.Errorf("%d workers give other weights than one", workers)
		}
	}
}

func TestForwardGivesTheSameBitsInAnyParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	n := New([]int{20, 32, 3}, 1, rng)
	norm := infer.Normalizer{Mean: make([]float32, 20), InvStd: make([]float32, 20), Clip: 5}
	fill(rng, norm.InvStd, 1)
	net, err := infer.New(norm, n.Layers(n.W))
	if err != nil {
		t.Fatal(err)
	}
	const rows = 77
	x, want := make([]float32, rows*20), make([]float32, rows*3)
	fill(rng, x, 1)
	net.NewRunner(rows).Forward(want, x, rows)
	for _, part := range []int{1, 8, 30, 77, 200} {
		got := make([]float32, rows*3)
		NewForward(net, part).Run(got, x)
		if !slices.Equal(got, want) {
			t.Errorf("%d rows at a time give other bits", part)
		}
	}
	NewForward(net, 8).Run(nil, nil) // no rows, no work
}

func TestBuildRefusesWhatCannotBeCut(t *testing.T) {
	n := New([]int{2, 2}, 1, rand.New(rand.NewPCG(1, 2)))
	for _, c := range [][2]int{{1, 1}, {0, 1}, {4, 0}} {
		if _, err := n.Build(c[0], c[1], SquaredError(4)); err == nil {
			t.Errorf("minibatch of %d with %d numbers of data: accepted", c[0], c[1])
		}
	}
}
