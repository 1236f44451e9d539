package lsq

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Band is the problem of n unknowns of which only those less than a width apart are coupled: the joints of a limb,
// frame by frame.
type Band struct {
	n, half int       // unknowns; half width: row i holds columns i-half..i
	h       []float64 // n x (half+1)
	g       []float64
	cols    []spatial.Vec3
}

// NewBand returns an empty problem; unknowns up to half apart may be coupled.
func NewBand(n, half int) *Band {
	return &Band{n: n, half: half, h: make([]float64, n*(half+1)), g: make([]float64, n)}
}

// Clear empties the problem.
func (b *Band) Clear() {
	clear(b.h)
	clear(b.g)
}

// at is entry (i, j), j <= i.
func (b *Band) at(i, j int) *float64 { return &b.h[i*(b.half+1)+j-i+b.half] }

// Add adds a term about the unknowns from first on, whose velocity indices are dofs.
func (b *Band) Add(d *kin.Data, t Term, first int, dofs []int) {
	moved, weight := t.Dofs(), t.Weight()
	r, rows := t.Residual(d)
	b.cols = append(b.cols[:0], make([]spatial.Vec3, len(dofs))...)
	for k, i := range dofs {
		if !physique.Moves(moved, i) {
			continue
		}
		b.cols[k] = t.Column(d, i)
		if rows == 1 { // no dot product: this many terms are single numbers
			w := weight * b.cols[k][0]
			b.g[first+k] += w * r[0]
			for m := 0; m <= k; m++ {
				*b.at(first+k, first+m) += w * b.cols[m][0]
			}
			continue
		}
		b.g[first+k] += weight * b.cols[k].Dot(r)
		for m := 0; m <= k; m++ {
			*b.at(first+k, first+m) += weight * b.cols[k].Dot(b.cols[m])
		}
	}
}

// Link is a wish about a few unknowns themselves, of one frame or of several: the sum of Factor times unknown, of the N
// first, shall grow by Residual.
type Link struct {
	N        int
	Unknown  [3]int // rising
	Factor   [3]float64
	Weight   float64
	Residual float64
}

// Link adds such a wish.
func (b *Band) Link(l Link) {
	for x := range l.N {
		w := l.Weight * l.Factor[x]
		b.g[l.Unknown[x]] += w * l.Residual
		for y := 0; y <= x; y++ {
			*b.at(l.Unknown[x], l.Unknown[y]) += w * l.Factor[y]
		}
	}
}

// Solve returns the step, valid until the next call of any method; the problem is used up. The error is a *PivotError.
func (b *Band) Solve() ([]float64, error) { return b.g, solveBand(b.h, b.g, b.n, b.half) }

// solveBand replaces g by the solution of H x = g and H by its Cholesky factor.
func solveBand(h, g []float64, n, half int) error {
	w := half + 1
	for i := 0; i < n; i++ {
		row := h[i*w : (i+1)*w]
		for j := max(0, i-half); j <= i; j++ {
			s := row[j-i+half]
			other := h[j*w : (j+1)*w]
			for k := max(0, i-half); k < j; k++ {
				s -= row[k-i+half] * other[k-j+half]
			}
			if j < i {
				row[j-i+half] = s / other[half]
				continue
			}
			if !(s > leastPivot) || math.IsInf(s, 1) {
				return &PivotError{Unknown: i, Pivot: s}
			}
			row[half] = math.Sqrt(s)
		}
		s := g[i]
		for k := max(0, i-half); k < i; k++ {
			s -= row[k-i+half] * g[k]
		}
		g[i] = s / row[half]
	}
	for i := n - 1; i >= 0; i-- {
		g[i] /= h[i*w+half]
		for k := max(0, i-half); k < i; k++ {
			g[k] -= h[i*w+k-i+half] * g[i]
		}
	}
	return nil
}
