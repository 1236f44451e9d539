package solve

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/band"
	"github.com/mitori-robotics/mitori/models/human"
)

// The fit is solved in two parts, each over all frames: first the trunk and the
// legs, which carry contacts and the root, then head and arms on top of them.
// Neither the size of the band nor a misread arm is then felt by the trunk.
var fitParts = [2][]human.Joint{
	{human.LShoulder, human.RShoulder, human.LHip, human.RHip,
		human.LKnee, human.LAnkle, human.LHeel, human.LToe, human.RKnee, human.RAnkle, human.RHeel, human.RToe},
	{human.Head, human.LElbow, human.LWrist, human.LHand, human.RElbow, human.RWrist, human.RHand},
}

// part is the subset of unknowns that one solution moves; the others are fixed
// or, when they belong to a later part, ignored.
type part struct {
	points  []int         // of freeJoints
	column  [numFree]int  // in a frame's block, -1: not moved
	ignored [numFree]bool // residuals with these are left out
	size    int           // unknowns per frame
}

func newPart(k int) *part {
	q := &part{}
	for i := range q.column {
		q.column[i] = -1
	}
	for later := k + 1; later < len(fitParts); later++ {
		for _, j := range fitParts[later] {
			q.ignored[freeIndex[j]] = true
		}
	}
	for _, j := range fitParts[k] {
		q.column[freeIndex[j]] = 3 * len(q.points)
		q.points = append(q.points, freeIndex[j])
	}
	q.size = 3 * len(q.points)
	return q
}

// uses reports whether a residual belongs to the part.
func (q *part) uses(r *row) bool {
	moved := false
	for i := 0; i < r.n; i += 3 {
		if q.ignored[r.idx[i]/3] {
			return false
		}
		moved = moved || q.column[r.idx[i]/3] >= 0
	}
	return moved
}

// workspace is the memory that a fit needs; it may serve many fits, one at a time.
type workspace struct {
	parts [len(fitParts)]*part
	// keep is the matrix before damping, h after it; old is x before a step.
	keep, h         band.Matrix
	grad, step, old []float64
}

// sized returns a slice of n elements, in the memory of s if it is large enough.
// The elements have any value.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// leastPivot is what the equations' pivots are above: damping alone gives each 1e-7.
// One that is smaller is no number, or one that rounding made.
const leastPivot = 1e-9

// minimise runs damped Gauss-Newton steps on all parts of p.x until the cost
// settles. Equations that cannot be solved are an error that names frame and point;
// x is then the best so far.
func (p *problem) minimise(maxSteps int) error {
	if p.work == nil {
		p.work = &workspace{}
	}
	p.markAsSolved()
	for k := range fitParts {
		if p.work.parts[k] == nil {
			p.work.parts[k] = newPart(k)
		}
		if err := p.minimisePart(p.work.parts[k], maxSteps); err != nil {
			return err
		}
	}
	return nil
}

func (p *problem) minimisePart(q *part, maxSteps int) error {
	w := p.work
	// The second difference reaches two frames back.
	size := p.n * q.size
	w.keep.Reset(size, 2*q.size)
	w.grad, w.step, w.old = sized(w.grad, size), sized(w.step, size), sized(w.old, len(p.x))
	h, grad, step, old := &w.h, w.grad, w.step, w.old
	lambda, cost := 1e-4, p.cost(q)
	for range maxSteps {
		p.assemble(q, &w.keep, grad)
		copy(old, p.x)
		before := cost
		for range 5 {
			h.Copy(&w.keep)
			h.Damp(lambda)
			if err := h.FactorAbove(leastPivot); err != nil {
				return q.named(err)
			}
			copy(step, grad)
			h.Solve(step)
			for t := range p.n {
				for i, point := range q.points {
					for c := range 3 {
						o := t*frameVars + 3*point + c
						p.x[o] = old[o] - step[t*q.size+3*i+c]
					}
				}
			}
			if c := p.cost(q); c < cost {
				cost = c
				lambda = max(lambda/10, 1e-7)
				break
			}
			copy(p.x, old)
			lambda *= 30
		}
		if before-cost <= 1e-3*before {
			return nil
		}
	}
	return nil
}

// named says at which frame and point the equations could not be solved.
func (q *part) named(err error) error {
	var p *band.PivotError
	if !errors.As(err, &p) {
		return fmt.Errorf("solve: %w", err)
	}
	at := p.Row % q.size
	return fmt.Errorf("solve: frame %d, %s, %s: the equations of the fit have no solution: %w", p.Row/q.size,
		freeJoints[q.points[at/3]], [3]string{"across", "down", "depth"}[at%3], err)
}

// assemble builds the matrix J^T J and the gradient J^T r of a part.
func (p *problem) assemble(q *part, h *band.Matrix, grad []float64) {
	h.Clear()
	clear(grad)
	base := 0
	add := func(r *row) {
		if !q.uses(r) {
			return
		}
		for i := range r.n {
			ci := q.column[r.idx[i]/3]
			if ci < 0 || r.val[i] == 0 {
				continue
			}
			a := base + ci + r.idx[i]%3
			grad[a] += r.val[i] * r.r
			for j := range r.n {
				if cj := q.column[r.idx[j]/3]; cj >= 0 {
					if b := base + cj + r.idx[j]%3; b <= a {
						h.Add(a, b, r.val[i]*r.val[j])
					}
				}
			}
		}
	}
	for t := range p.n {
		base = t * q.size
		p.visit(t, add)
	}
	p.temporal(q, func(o, a, stride, fstride int, k []float64, w float64) {
		d := 0.0
		for i, c := range k {
			d += c * p.x[o+i*fstride]
		}
		for i, ci := range k {
			grad[a+i*stride] += w * ci * d
			for j := 0; j <= i; j++ {
				h.Add(a+i*stride, a+j*stride, w*ci*k[j])
			}
		}
	})
}

var (
	accelStencil = []float64{1, -2, 1}
	stillStencil = []float64{-1, 1}
)

// temporal calls emit for every residual along time of a part: weight w times
// the square of the stencil k over the unknown at p.x[o], p.x[o+fstride], ...,
// which are the unknowns a, a+stride, ... of the part.
func (p *problem) temporal(q *part, emit func(o, a, stride, fstride int, k []float64, w float64)) {
	for i, point := range q.points {
		c := slices.Index(footJoints[:], freeJoints[point])
		for k := range 3 {
			w := p.accelWeight(k)
			for t := 0; t < p.n; t++ {
				o, a := t*frameVars+3*point+k, t*q.size+3*i+k
				if t+2 < p.n {
					emit(o, a, q.size, frameVars, accelStencil, w)
				}
				if t+1 < p.n && c >= 0 && p.still[t][c] > 0 {
					emit(o, a, q.size, frameVars, stillStencil, p.stillWeight(t, c))
				}
			}
		}
	}
}

// cost returns half the sum of squares of a part at the current solution.
func (p *problem) cost(q *part) float64 {
	sum := 0.0
	add := func(r *row) {
		if q.uses(r) {
			sum += r.r * r.r
		}
	}
	for t := range p.n {
		p.visit(t, add)
	}
	p.temporal(q, func(o, _, _, fstride int, k []float64, w float64) {
		d := 0.0
		for i, c := range k {
			d += c * p.x[o+i*fstride]
		}
		sum += w * d * d
	})
	return sum / 2
}
