package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/mitori-robotics/mitori/policy/infer"
)

func fill(rng *rand.Rand, x []float32, scale float64) {
	for i := range x {
		x[i] = float32(scale * rng.NormFloat64())
	}
}

// fillHalves gives both halves of n random inputs and the given data.
func fillHalves(n *net, rng *rand.Rand, data func([]float32)) {
	for _, h := range n.halves {
		fill(rng, h.x.data, 1)
		data(h.data.data)
	}
}

func runBoth(t testing.TB, n *net) float64 {
	t.Helper()
	for _, h := range n.halves {
		if err := h.run(); err != nil {
			t.Fatal(err)
		}
	}
	n.gather(n.halves)
	return n.halves.stats().Loss
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	std := 0.3
	for name, c := range map[string]struct {
		cols int
		loss lossFunc
	}{
		"squared error": {3, squaredError(8)},
		"policy":        {ppoData(3), policyLoss(8, 3, 0.2, &std)},
	} {
		rng := rand.New(rand.NewPCG(7, 8))
		n := newNet([]int{5, 6, 4, 3}, 1, rng)
		var err error
		if n.halves, err = n.build(8, c.cols, c.loss); err != nil {
			t.Fatal(err)
		}
		fillHalves(n, rng, func(d []float32) { fill(rng, d, 0.5) })
		runBoth(t, n)
		grad := append([]float32(nil), n.grad...)
		for i := range n.w {
			// Central differences of a float32 function: an error of 1e-7/h from rounding, h^2 from curvature.
			const h = 1e-2
			w := n.w[i]
			n.w[i] = w + h
			up := runBoth(t, n)
			n.w[i] = w - h
			down := runBoth(t, n)
			n.w[i] = w
			want := (up - down) / (2 * h)
			if d := math.Abs(float64(grad[i]) - want); d > 3e-3*(1+math.Abs(want)) {
				t.Errorf("%s: parameter %d: gradient %g, differences give %g", name, i, grad[i], want)
			}
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

func newPlain(t testing.TB, n *net, rows int) *plain {
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
	for _, l := range n.layers() {
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
	rng := rand.New(rand.NewPCG(1, 2))
	const rows = 64
	n := newNet([]int{13, 24, 16, 5}, 1, rng)
	for i := range n.w { // biases that are not zero
		n.w[i] += float32(0.05 * rng.NormFloat64())
	}
	var err error
	if n.halves, err = n.build(rows, 5, squaredError(rows)); err != nil {
		t.Fatal(err)
	}
	p := newPlain(t, n, rows)
	for round := range 3 { // the machines are used again and again
		fillHalves(n, rng, func(d []float32) { fill(rng, d, 1) })
		for i, h := range n.halves {
			copy(p.x.Data().([]float32)[i*len(h.x.data):], h.x.data)
			copy(p.y.Data().([]float32)[i*len(h.data.data):], h.data.data)
		}
		runBoth(t, n)
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
			// Sums of 64 products in another order, and tanh within 3e-7.
			if diff > 3e-6*largest+1e-9 {
				t.Errorf("round %d, parameter %d: largest difference %g of %g", round, k, diff, largest)
			}
		}
		p.machine.Reset()
	}
}

func TestForwardPassIsTheExportedOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := newNet([]int{30, 64, 64, 7}, 1, rng)
	var err error
	if n.halves, err = n.build(16, 7, squaredError(16)); err != nil {
		t.Fatal(err)
	}
	fillHalves(n, rng, func(d []float32) { clear(d) })
	runBoth(t, n)
	norm := infer.Normalizer{Mean: make([]float32, 30), InvStd: make([]float32, 30), Clip: 10}
	for i := range norm.InvStd {
		norm.InvStd[i] = 1
	}
	exported, err := infer.New(norm, n.layers())
	if err != nil {
		t.Fatal(err)
	}
	h := n.halves[1]
	rows := 8
	y := make([]float32, rows*7)
	exported.NewRunner(rows).Forward(y, h.x.data, rows)
	var sum float64
	for _, v := range y {
		sum += float64(v * v)
	}
	if want := h.loss.stats.Loss * 2 * 16; math.Abs(sum-want) > 1e-4*want {
		t.Errorf("sum of squared outputs: exported %g, graph %g", sum, want)
	}
}

func TestStepsDoNotDependOnTheMachine(t *testing.T) {
	run := func() []float32 {
		rng := rand.New(rand.NewPCG(5, 6))
		n := newNet([]int{20, 32, 3}, 1, rng)
		var err error
		if n.halves, err = n.build(64, 3, squaredError(64)); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			fillHalves(n, rng, func(d []float32) { fill(rng, d, 1) })
			done := make(chan error)
			go func() { done <- n.halves[0].run() }()
			if err := n.halves[1].run(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			n.update(1e-2, n.gather(n.halves), 1)
		}
		return n.w
	}
	a, b := run(), run()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("weight %d is %g once and %g again", i, a[i], b[i])
		}
	}
}

func TestAFlatClippedSampleHasNoGradient(t *testing.T) {
	std := 0.2
	f := policyLoss(1, 1, 0.2, &std)
	for _, c := range []struct {
		mean, act, old, adv float32
		flat                bool
	}{
		{mean: 0.2, act: 0.3, old: 0, adv: 1, flat: true},   // already much likelier: no more reward for it
		{mean: 0.2, act: 0.3, old: 0, adv: -1, flat: false}, // likelier and bad: push back
		{mean: -0.2, act: 0.3, old: 0, adv: -1, flat: true},
		{mean: -0.2, act: 0.3, old: 0, adv: 1, flat: false},
		{mean: 0, act: 0.3, old: 0, adv: 1, flat: false},
	} {
		grad := make([]float32, 1)
		s := f(grad, []float32{c.mean}, []float32{c.act, c.old, c.adv})
		if (grad[0] == 0) != c.flat {
			t.Errorf("%+v: gradient %g", c, grad[0])
		}
		if want := float64(c.mean) * float64(c.mean) / 2 / 0.04; math.Abs(s.KL-want) > 1e-6 {
			t.Errorf("%+v: KL %g, want %g", c, s.KL, want)
		}
	}
}
