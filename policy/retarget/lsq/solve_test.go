package lsq

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// number is a made-up term: residual and columns are what a test says.
type number struct {
	dofs []int
	cols map[int]spatial.Vec3
	r    spatial.Vec3
	rows int
	gain float64
}

func (n number) Unit() Unit                               { return Rad }
func (n number) Weight() float64                          { return n.gain }
func (n number) Residual(*kin.Data) (spatial.Vec3, int)   { return n.r, n.rows }
func (n number) Dofs() []int                              { return n.dofs }
func (n number) Column(_ *kin.Data, dof int) spatial.Vec3 { return n.cols[dof] }
func span(n int) []int                                    { return rising(0, n) }

func rising(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// random returns terms about random ones of n unknowns, of which each touches only those less than width apart.
func random(rng *rand.Rand, n, width, terms int) (out []number) {
	for range terms {
		first := rng.IntN(n - width + 1)
		t := number{dofs: rising(first, first+width), cols: map[int]spatial.Vec3{}, rows: 1 + rng.IntN(3), gain: math.Exp(rng.NormFloat64())}
		for k := range t.rows {
			t.r[k] = rng.NormFloat64()
		}
		for _, i := range t.dofs {
			var c spatial.Vec3
			for k := range t.rows {
				c[k] = rng.NormFloat64()
			}
			t.cols[i] = c
		}
		out = append(out, t)
	}
	for i := range n { // nothing is left open
		out = append(out, number{dofs: []int{i}, cols: map[int]spatial.Vec3{i: {0.3}}, rows: 1, gain: 1})
	}
	return out
}

// cost is what the problem minimises, at a step.
func cost(terms []number, step []float64) (sum float64) {
	for _, t := range terms {
		r := t.r
		for i, c := range t.cols {
			r = r.Sub(c.Scale(step[i]))
		}
		for k := range t.rows {
			sum += t.gain * r[k] * r[k]
		}
	}
	return sum
}

// least fails where a step within lo and hi is not the cheapest: a little more or less of any unknown costs more.
func least(t *testing.T, what string, terms []number, step, lo, hi []float64) {
	t.Helper()
	const h = 1e-3
	at := cost(terms, step)
	for i := range step {
		for _, by := range []float64{-h, h} {
			was := step[i]
			step[i] += by
			if inside := step[i] >= lo[i] && step[i] <= hi[i]; inside && cost(terms, step) < at-1e-9 {
				t.Errorf("%s: unknown %d at %g: %+g is cheaper by %g", what, i, was, by, at-cost(terms, step))
			}
			step[i] = was
		}
	}
}

func open(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// TestStepsAreCheapest: the step of Dense, with and without limits, and that of Band are the minimum of the sum that
// the package promises, computed from the terms themselves; and both agree.
func TestStepsAreCheapest(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 0))
	for try := range 40 {
		n := 6 + rng.IntN(10)
		terms := random(rng, n, 4, 3*n)
		dense, band := NewDense(n), NewBand(n, 3)
		sum := 0.0
		for _, x := range terms {
			dense.Add(nil, x, &sum)
			band.Add(nil, x, x.dofs[0], x.dofs)
		}
		if want := cost(terms, make([]float64, n)); math.Abs(sum-want) > 1e-9*want {
			t.Fatalf("cost %g, want %g", sum, want)
		}
		zero, far := make([]float64, n), open(n, 1e9)
		free, err := dense.Step(span(n), Box{At: zero, Lo: open(n, -1e9), Hi: far})
		if err != nil {
			t.Fatal(err)
		}
		free = append([]float64(nil), free...)
		least(t, "dense", terms, free, open(n, -1e9), far)
		banded, err := band.Solve()
		if err != nil {
			t.Fatal(err)
		}
		for i := range free {
			if math.Abs(free[i]-banded[i]) > 1e-7*(1+math.Abs(free[i])) {
				t.Fatalf("try %d, unknown %d: %g dense, %g banded", try, i, free[i], banded[i])
			}
		}
		lo, hi := open(n, -0.25), open(n, 0.3)
		step, err := dense.Step(span(n), Box{First: 2, At: zero, Lo: lo, Hi: hi})
		if err != nil {
			t.Fatal(err)
		}
		for i := range step {
			if i >= 2 && (step[i] < lo[i]-1e-12 || step[i] > hi[i]+1e-12) {
				t.Errorf("try %d: unknown %d at %g", try, i, step[i])
			}
		}
		for i := range step { // those that stopped at a limit are given, the others the cheapest
			if at := step[i]; i >= 2 && (at < lo[i]+1e-9 || at > hi[i]-1e-9) {
				lo[i], hi[i] = at, at
			} else {
				lo[i], hi[i] = -1e9, 1e9
			}
		}
		least(t, "dense in a box", terms, step, lo, hi)
	}
}

// TestExactStepsAreCheapestInTheBox: nothing in the box is cheaper, be the problem as stiff as that of closed chains,
// where Step stops unknowns at once that contradict each other.
func TestExactStepsAreCheapestInTheBox(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 3))
	stopped, worse := 0, 0
	for range 60 {
		n := 6 + rng.IntN(10)
		terms := random(rng, n, 4, n/2)
		for i := range n / 4 {
			terms[i].gain *= 1e5
		}
		dense, sum := NewDense(n), 0.0
		for _, x := range terms {
			dense.Add(nil, x, &sum)
		}
		box := Box{First: 2, At: open(n, 0.1), Lo: open(n, -0.15), Hi: open(n, 0.4)}
		rough, err := dense.Step(span(n), box)
		if err != nil {
			t.Fatal(err)
		}
		roughly := cost(terms, rough)
		step, err := dense.Exact(span(n), box)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := open(n, -0.25), open(n, 0.3)
		for i := range step {
			switch {
			case i < 2:
				lo[i], hi[i] = -1e9, 1e9
			case step[i] < lo[i]-1e-12 || step[i] > hi[i]+1e-12:
				t.Errorf("unknown %d at %g", i, step[i])
			case step[i] == lo[i] || step[i] == hi[i]:
				stopped++
			}
		}
		least(t, "exact", terms, step, lo, hi)
		if roughly > cost(terms, step)*(1+1e-6) {
			worse++
		}
	}
	if stopped < 60 || worse == 0 {
		t.Errorf("%d unknowns stopped, Step was worse %d times: the test is too easy", stopped, worse)
	}
}

// TestOrderOfUnknownsDoesNotMatter: unknowns renamed give the same step, renamed.
func TestOrderOfUnknownsDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	const n = 12
	terms := random(rng, n, n, 30)
	to := rng.Perm(n)
	var steps [2][]float64
	for k := range steps {
		p, sum := NewDense(n), 0.0
		for _, x := range terms {
			if k == 1 {
				cols := map[int]spatial.Vec3{}
				for i, c := range x.cols {
					cols[to[i]] = c
				}
				x.cols, x.dofs = cols, slices.Sorted(maps.Keys(cols))
			}
			p.Add(nil, x, &sum)
		}
		step, err := p.Step(span(n), Box{At: make([]float64, n), Lo: open(n, -1e9), Hi: open(n, 1e9)})
		if err != nil {
			t.Fatal(err)
		}
		steps[k] = step
	}
	for i := range n {
		if a, b := steps[0][i], steps[1][to[i]]; math.Abs(a-b) > 1e-9 {
			t.Errorf("unknown %d: %g, renamed %g", i, a, b)
		}
	}
}

// TestPullsAndLinksPull: a lone unknown goes where its pulls agree, weighted; linked ones keep their differences.
func TestPullsAndLinksPull(t *testing.T) {
	d := NewDense(1)
	d.Pull(0, 3+1, 3*2.0+1*6.0)
	step, err := d.Step([]int{0}, Box{At: []float64{0}, Lo: []float64{-9}, Hi: []float64{9}})
	if err != nil || math.Abs(step[0]-3) > 1e-12 {
		t.Errorf("%v %v, want 3", step, err)
	}
	// Four unknowns in a row: the first is held, each next shall be one more, and they bend as little as they can.
	b := NewBand(4, 2)
	b.Link(Link{N: 1, Unknown: [3]int{0}, Factor: [3]float64{1}, Weight: 1e6, Residual: 5})
	for i := range 3 {
		b.Link(Link{N: 2, Unknown: [3]int{i, i + 1}, Factor: [3]float64{-1, 1}, Weight: 2, Residual: 1})
	}
	for i := range 2 {
		b.Link(Link{N: 3, Unknown: [3]int{i, i + 1, i + 2}, Factor: [3]float64{1, -2, 1}, Weight: 7})
	}
	row, err := b.Solve()
	for i, v := range row {
		if math.Abs(v-float64(5+i)) > 1e-6 {
			t.Errorf("%v %v, want 5 6 7 8", row, err)
			break
		}
	}
}

// TestAnOpenUnknownIsNamed: a system that leaves an unknown open, or holds no number, is refused with where.
func TestAnOpenUnknownIsNamed(t *testing.T) {
	for what, c := range map[string]struct {
		at     int
		weight float64
	}{"open": {3, 0}, "negative": {1, -2}, "no number": {2, math.NaN()}, "infinite": {0, math.Inf(1)}} {
		d, b := NewDense(5), NewBand(5, 1)
		for i := range 5 {
			w := 1.0
			if i == c.at {
				w = c.weight
			}
			d.Pull(i, w, 1)
			b.Link(Link{N: 1, Unknown: [3]int{i}, Factor: [3]float64{1}, Weight: w, Residual: 1})
		}
		_, dense := d.Step(span(5), Box{At: open(5, 0), Lo: open(5, -9), Hi: open(5, 9)})
		_, banded := b.Solve()
		for _, err := range []error{dense, banded} {
			var p *PivotError
			if !errors.As(err, &p) || p.Unknown != c.at || p.Error() == "" {
				t.Errorf("%s: %v; want unknown %d", what, err, c.at)
			}
		}
	}
	d := NewDense(2) // cleared, it is open again
	d.Pull(0, 1, 1)
	d.Pull(1, 1, 1)
	d.Clear()
	if _, err := d.Step(span(2), Box{At: open(2, 0), Lo: open(2, -9), Hi: open(2, 9)}); err == nil {
		t.Error("a problem that was cleared has a solution")
	}
}
