package band

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// random makes a diagonally dominant matrix, here and in gonum's form, and a right-hand side.
func random(n, width int, seed uint64) (*Matrix, *mat.SymBandDense, []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	m, g := New(n, width), mat.NewSymBandDense(n, min(width, n-1), nil)
	b := make([]float64, n)
	for i := range n {
		b[i] = rng.NormFloat64()
		for j := max(0, i-width); j < i; j++ {
			v := rng.NormFloat64()
			m.Add(i, j, v)
			g.SetSymBand(i, j, v)
		}
		d := 4*float64(width+1) + rng.Float64()
		m.Add(i, i, d)
		g.SetSymBand(i, i, d)
	}
	return m, g, b
}

// Dense Cholesky of gonum is the judge.
func TestAgainstDense(t *testing.T) {
	for _, c := range [][2]int{{1, 0}, {1, 3}, {2, 1}, {7, 0}, {30, 4}, {30, 29}, {30, 40}, {200, 17}} {
		n, width := c[0], c[1]
		m, g, b := random(n, width, uint64(n))
		dense := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				dense.SetSym(i, j, g.At(i, j))
			}
		}
		var chol mat.Cholesky
		if !chol.Factorize(dense) {
			t.Fatal("the test's matrix is not positive definite")
		}
		want := mat.NewVecDense(n, nil)
		if err := chol.SolveVecTo(want, mat.NewVecDense(n, append([]float64(nil), b...))); err != nil {
			t.Fatal(err)
		}
		for _, turn := range []bool{false, true} {
			f, x := &Matrix{InTurn: turn}, slices.Clone(b)
			f.Copy(m)
			if err := f.Factor(); err != nil {
				t.Fatal(err)
			}
			f.Solve(x)
			for i := range x {
				if d := math.Abs(x[i] - want.AtVec(i)); !(d < 1e-12) { // diagonally dominant: rounding does not grow
					t.Errorf("order %d, width %d, in turn %v: x[%d] differs by %g", n, width, turn, i, d)
				}
			}
		}
	}
}

func TestBadPivotIsAnError(t *testing.T) {
	m := New(3, 1)
	m.Add(0, 0, 1)
	m.Add(1, 0, 2)
	m.Add(1, 1, 1) // 1 - 2*2
	m.Add(2, 2, 1)
	var bad *PivotError
	if err := m.Factor(); !errors.As(err, &bad) || bad.Row != 1 || bad.Pivot != -3 {
		t.Errorf("got %v, want pivot -3 at row 1", err)
	}
	m.Clear()
	m.Add(0, 0, 1)
	m.Add(1, 1, math.NaN())
	m.Add(2, 2, 1)
	if err := m.FactorAbove(1e-9); !errors.As(err, &bad) || bad.Row != 1 {
		t.Errorf("a pivot that is no number: %v", err)
	}
	for _, pivot := range []float64{1e-9, math.Inf(1)} { // not above what it shall be above; infinite
		m.Clear()
		m.Add(0, 0, 1)
		m.Add(1, 1, pivot)
		m.Add(2, 2, 1)
		if err := m.FactorAbove(1e-9); !errors.As(err, &bad) || *bad != (PivotError{Row: 1, Pivot: pivot, Least: 1e-9}) {
			t.Errorf("pivot %g: %v", pivot, err)
		}
	}
}

// A matrix that served a larger or another system solves like a new one.
func TestMemoryIsUsedAgain(t *testing.T) {
	used, _, _ := random(60, 9, 2)
	for _, c := range [][2]int{{60, 9}, {40, 3}, {1, 0}, {50, 11}, {0, 0}} {
		fresh, _, b := random(max(c[0], 1), c[1], 3)
		if c[0] == 0 {
			fresh, b = New(0, 0), nil
		}
		used.Reset(c[0], c[1])
		for i, v := range used.a {
			if v != 0 {
				t.Fatalf("%v: entry %d is %g after a reset", c, i, v)
			}
		}
		used.Copy(fresh)
		x := append([]float64(nil), b...)
		for _, m := range []*Matrix{fresh, used} {
			if err := m.Factor(); err != nil {
				t.Fatal(err)
			}
		}
		fresh.Solve(b)
		used.Solve(x)
		if !slices.Equal(b, x) {
			t.Errorf("%v: %v, want %v", c, x, b)
		}
	}
}

func TestDamp(t *testing.T) {
	m := New(2, 1)
	m.Add(0, 0, 3)
	m.Add(1, 1, 1)
	m.Damp(0.5)
	b := []float64{5, 2}
	if err := m.Factor(); err != nil {
		t.Fatal(err)
	}
	if m.Solve(b); math.Abs(b[0]-1) > 1e-15 || math.Abs(b[1]-1) > 1e-15 {
		t.Errorf("x = %v, want ones: the diagonal is d + (1 + d)/2", b)
	}
}

func TestAllocatesNothing(t *testing.T) {
	from, _, b := random(50, 6, 1)
	m := New(51, 6)
	if n := testing.AllocsPerRun(20, func() {
		m.Reset(50, 6)
		m.Copy(from)
		_ = m.FactorAbove(1e-9)
		m.Solve(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The sizes of a motion of 300 frames: 20 joints with a neighbour, and the solver's frames with two.
func BenchmarkFactor(b *testing.B) {
	for _, c := range [][2]int{{300 * 8, 15}, {300 * 20, 39}, {3000, 119}} {
		n, width := c[0], c[1]
		m, g, _ := random(n, width, 1)
		b.Run(fmt.Sprintf("ours/%dx%d", n, width), func(b *testing.B) {
			from := append([]float64(nil), m.a...)
			for b.Loop() {
				copy(m.a, from)
				_ = m.Factor()
			}
		})
		b.Run(fmt.Sprintf("gonum/%dx%d", n, width), func(b *testing.B) {
			var chol mat.BandCholesky
			for b.Loop() {
				if !chol.Factorize(g) {
					b.Fatal("not positive definite")
				}
			}
		})
	}
}

func ExampleMatrix() {
	m := New(3, 1) // a chain of springs between two walls
	for i := range 3 {
		m.Add(i, i, 2)
		if i > 0 {
			m.Add(i, i-1, -1)
		}
	}
	if err := m.Factor(); err != nil {
		fmt.Println(err)
		return
	}
	pull := []float64{0, 1, 0}
	m.Solve(pull)
	fmt.Printf("%.2f\n", pull)
	// Output:
	// [0.50 1.00 0.50]
}
