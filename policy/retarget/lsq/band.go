package lsq

import (
	"errors"

	"github.com/mitori-robotics/mitori/models/band"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Band is the problem of n unknowns of which only those less than a width apart are coupled: the joints of a limb,
// frame by frame.
type Band struct {
	h    *band.Matrix
	g    []float64
	cols []spatial.Vec3
}

// NewBand returns an empty problem; unknowns up to half apart may be coupled.
func NewBand(n, half int) *Band {
	b := &Band{h: band.New(n, max(half, 0)), g: make([]float64, n)}
	b.h.InTurn = true // the same motion, same bytes, as before models/band was
	return b
}

// Clear empties the problem.
func (b *Band) Clear() {
	b.h.Clear()
	clear(b.g)
}

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
				b.h.Add(first+k, first+m, w*b.cols[m][0])
			}
			continue
		}
		b.g[first+k] += weight * b.cols[k].Dot(r)
		for m := 0; m <= k; m++ {
			b.h.Add(first+k, first+m, weight*b.cols[k].Dot(b.cols[m]))
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
			b.h.Add(l.Unknown[x], l.Unknown[y], w*l.Factor[y])
		}
	}
}

// Solve returns the step, valid until the next call of any method; the problem is used up. The error is a *PivotError.
func (b *Band) Solve() ([]float64, error) {
	if err := b.h.FactorAbove(leastPivot); err != nil {
		var p *band.PivotError
		if errors.As(err, &p) {
			return nil, &PivotError{Unknown: p.Row, Pivot: p.Pivot}
		}
		return nil, err
	}
	b.h.Solve(b.g)
	return b.g, nil
}
