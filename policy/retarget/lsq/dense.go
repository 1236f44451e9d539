package lsq

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
)

// leastPivot is what the pivots of a system that can be solved are above.
const leastPivot = 1e-12

// mostTurns is how many times joints are stopped at their limits in one step.
const mostTurns = 4

// PivotError says which unknown a system leaves open, or that a number in it is none.
type PivotError struct {
	Unknown int // velocity index in Dense; row in Band
	Pivot   float64
}

// Error names the unknown.
func (e *PivotError) Error() string {
	return fmt.Sprintf("lsq: unknown %d: the pivot is %g; legal: above %g", e.Unknown, e.Pivot, leastPivot)
}

// Dense is the problem of one frame: normal equations over all velocity indices.
type Dense struct {
	nv     int
	h, g   []float64 // nv x nv, lower triangle used; nv
	rows   [3][]float64
	step   []float64
	frozen []bool
	free   []int
	chol   []float64
	rhs    []float64
}

// NewDense returns an empty problem of nv unknowns.
func NewDense(nv int) *Dense {
	p := &Dense{nv: nv, h: make([]float64, nv*nv), g: make([]float64, nv), step: make([]float64, nv),
		frozen: make([]bool, nv), free: make([]int, 0, nv), chol: make([]float64, nv*nv), rhs: make([]float64, nv)}
	for k := range p.rows {
		p.rows[k] = make([]float64, nv)
	}
	return p
}

// Clear empties the problem.
func (p *Dense) Clear() {
	clear(p.h)
	clear(p.g)
}

// Add adds a term and its weighted squared residual to cost.
func (p *Dense) Add(d *kin.Data, t Term, cost *float64) {
	cols, weight := t.Dofs(), t.Weight()
	for _, i := range cols {
		v := t.Column(d, i)
		p.rows[0][i], p.rows[1][i], p.rows[2][i] = v[0], v[1], v[2]
	}
	r, rows := t.Residual(d)
	for k := range rows {
		p.addRow(cols, p.rows[k], weight, r[k])
		*cost += weight * r[k] * r[k]
	}
}

func (p *Dense) addRow(cols []int, row []float64, weight, r float64) {
	for a, i := range cols {
		w := weight * row[i]
		if w == 0 {
			continue
		}
		p.g[i] += w * r
		h := p.h[i*p.nv:]
		for _, c := range cols[:a+1] {
			h[c] += w * row[c]
		}
	}
}

// Pull adds a wish about one unknown alone: weight is the sum of the weights of such wishes and slope the sum of weight
// times way to go. Without a slope it is damping.
func (p *Dense) Pull(dof int, weight, slope float64) {
	p.h[dof*p.nv+dof] += weight
	p.g[dof] += slope
}

// Box bounds the unknowns from the one at index First of the active on: At + step stays within Lo and Hi. All are by
// velocity index.
type Box struct {
	First      int
	At, Lo, Hi []float64
}

// Step solves for the active unknowns within the box by an active set, and returns the step by velocity index, which is
// valid until the next call. The error is a *PivotError.
func (p *Dense) Step(active []int, box Box) ([]float64, error) {
	for _, i := range active {
		p.frozen[i] = false
		p.step[i] = 0
	}
	for round := 0; ; round++ {
		if err := p.solveFree(active); err != nil {
			return nil, err
		}
		hit := false
		for _, i := range active[box.First:] {
			if p.frozen[i] {
				continue
			}
			if n := box.At[i] + p.step[i]; n < box.Lo[i]-1e-12 || n > box.Hi[i]+1e-12 {
				p.step[i] = math.Min(math.Max(n, box.Lo[i]), box.Hi[i]) - box.At[i]
				p.frozen[i] = true
				hit = true
			}
		}
		if !hit || round == mostTurns {
			return p.step, nil
		}
	}
}

// solveFree solves the normal equations for the free unknowns by Cholesky, with the frozen steps given.
func (p *Dense) solveFree(active []int) error {
	p.free = p.free[:0]
	for _, i := range active {
		if !p.frozen[i] {
			p.free = append(p.free, i)
		}
	}
	n := len(p.free)
	for a, i := range p.free {
		b := p.g[i]
		if n < len(active) {
			for _, j := range active {
				if p.frozen[j] {
					b -= p.h[max(i, j)*p.nv+min(i, j)] * p.step[j]
				}
			}
		}
		row := p.chol[a*n : a*n+n]
		if err := p.factorRow(row, a, i); err != nil {
			return err
		}
		for k := 0; k < a; k++ {
			b -= row[k] * p.rhs[k]
		}
		p.rhs[a] = b / row[a]
	}
	for a := n - 1; a >= 0; a-- {
		v := p.rhs[a]
		for k := a + 1; k < n; k++ {
			v -= p.chol[k*n+a] * p.rhs[k]
		}
		p.rhs[a] = v / p.chol[a*n+a]
	}
	for a, i := range p.free {
		p.step[i] = p.rhs[a]
	}
	return nil
}

// factorRow fills row a of the Cholesky factor, that of unknown i.
func (p *Dense) factorRow(row []float64, a, i int) error {
	n := len(p.free)
	for c := 0; c <= a; c++ {
		v := p.h[i*p.nv+p.free[c]]
		rc := p.chol[c*n : c*n+c]
		for k, x := range rc {
			v -= row[k] * x
		}
		if c < a {
			row[c] = v / p.chol[c*n+c]
			continue
		}
		if !(v > leastPivot) || math.IsInf(v, 1) {
			return &PivotError{Unknown: i, Pivot: v}
		}
		row[a] = math.Sqrt(v)
	}
	return nil
}
