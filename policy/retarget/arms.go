package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
)

// Weights of the arm paths, against 1 for the square of an angle of the upper arm.
const (
	armBend   = 15   // of the second difference between frames at 50 frames/s: halves what moves at 4 Hz
	armMove   = 0.02 // of the first difference: no wandering where a direction leaves a joint open
	armRest   = 2e-3 // towards the standing pose
	armLead   = 1    // towards the blend with the standing pose in lead-in and lead-out
	armPin    = 1e4  // at the first and last frame
	armLimit  = 100  // per rad beyond a joint limit
	armSpeed  = 1    // beyond the speed limit, first round; ten times more every round
	armUse    = 0.95 // of the speed limit
	armRounds = 6
	armDraft  = 3
	armClear  = 300   // per leg length that an arm comes too near to another part
	armGapM   = 0.004 // this near is too near
	armSafe   = 0.1   // of the leg: farther away than this at first, it is not looked at again
)

// armPaths finds the arms' joint paths over all frames at once, for the trunk's path as it is. Frame by frame, an arm
// that points along a joint axis or is straight has joints that turn wildly for nothing; over the whole path the
// smoothest of all good ways is found, within the speed limits. Gauss-Newton; the equations are banded, as only
// frames up to two apart are coupled.
//
// A draft also finds by how much the motion must be slower for the arms: see armLag.
func (w *work) armPaths(draft bool) {
	if draft {
		w.armNeed = make([]float64, len(w.q)-1)
	}
	if !w.r.an.HasArms {
		return
	}
	for a := range w.r.an.Arms {
		arm := &w.r.an.Arms[a]
		var dofs []int
		for _, i := range arm.Dofs {
			if w.r.dofQ[i] > 0 { // described by robot.yaml
				dofs = append(dofs, i)
			}
		}
		if len(dofs) > 0 {
			p := &armPath{w: w, arm: arm, side: a, dofs: dofs, draft: draft}
			if draft {
				p.free = true
				p.solve()
				best := p.retry(p.errors())
				p.free = false
				p.solve()
				p.lag(best)
				continue
			}
			p.solve()
		}
	}
}

// armPath is one arm's problem. Unknowns are numbered frame by frame.
type armPath struct {
	w     *work
	arm   *anatomy.Arm
	side  int
	dofs  []int
	n     int // joints
	draft bool
	free  bool // without speed limits
	lost  bool // far from a solution
	band  bandMatrix
	g     []float64
	hard  float64        // weight of the speed limit in this round
	near  feasible.Pairs // shapes of this arm and of what it may touch
	safe  []bool         // frames in which the arm was far from everything at first
}

func (p *armPath) solve() {
	frames := len(p.w.q)
	p.n = len(p.dofs)
	p.band = newBand(frames*p.n, 3*p.n-1)
	p.g = make([]float64, frames*p.n)
	p.safe = make([]bool, frames)
	p.hard = armSpeed
	p.near = p.w.r.check.PairsOf(func(a, b int) bool { return p.carries(a) != p.carries(b) })
	rounds := armRounds
	if p.draft && !p.lost {
		rounds = armDraft
	}
	for round := 0; round < rounds; round++ {
		p.band.clear()
		clear(p.g)
		for t := 0; t < frames; t++ {
			p.pose(t, round == 0)
		}
		p.smooth(frames)
		p.band.solve(p.g)
		for t := 0; t < frames; t++ {
			for k, i := range p.dofs {
				q := &p.w.q[t][p.w.r.dofQ[i]]
				*q = clamp(*q+clamp(p.g[t*p.n+k], -0.5, 0.5), p.w.r.lo[i]-0.05, p.w.r.hi[i]+0.05)
			}
		}
		p.hard *= 10
	}
	for t := 0; t < frames; t++ {
		for _, i := range p.dofs {
			q := &p.w.q[t][p.w.r.dofQ[i]]
			*q = clamp(*q, p.w.r.lo[i], p.w.r.hi[i])
		}
	}
}

// pull adds weight (q - want)^2 for one joint of one frame.
func (p *armPath) pull(t, k int, weight, want float64) {
	u := t*p.n + k
	p.band.add(u, u, weight)
	p.g[u] += weight * (want - p.w.q[t][p.w.r.dofQ[p.dofs[k]]])
}

// pose adds what frame t asks for: the person's directions in the motion, the blend in the lead.
func (p *armPath) pose(t int, first bool) {
	w, r := p.w, p.w.r
	tg := &w.plan.targets[t]
	for k, i := range p.dofs {
		at := r.dofQ[i]
		p.pull(t, k, armRest, r.an.Ref[at])
		if q := w.q[t][at]; q < r.lo[i] || q > r.hi[i] {
			p.pull(t, k, armLimit, clamp(q, r.lo[i], r.hi[i]))
		}
		if tg.lead > 0 {
			near := w.plan.lead[0]
			if t >= near {
				near = len(w.q) - w.plan.lead[1] - 1
			}
			p.pull(t, k, armLead, w.q[near][at]*(1-tg.lead)+r.an.Ref[at]*tg.lead)
		}
		if t == 0 || t == len(w.q)-1 {
			p.pull(t, k, armPin, r.an.Ref[at])
		}
	}
	d := w.s.d
	if !p.draft && !p.safe[t] {
		r.kin.Forward(d, w.q[t])
		p.safe[t] = p.clear(t) && first
	}
	if tg.lead > 0 {
		return
	}
	r.kin.ForwardPath(d, w.q[t], p.arm.End.Body)
	shoulder, elbow, end := p.arm.Shoulder.At(d), p.arm.Elbow.At(d), p.arm.End.At(d)
	p.direction(t, shoulder, elbow, p.arm.Shoulder.Body, p.arm.Elbow.Body, tg.upper[p.side], wUpper)
	if p.arm.HasElbow {
		p.direction(t, elbow, end, p.arm.Elbow.Body, p.arm.End.Body, tg.arm[p.side], wArm)
	}
}

// carries reports whether the arm moves the body.
func (p *armPath) carries(body int) bool { return moves(p.w.r.kin.Path(body), p.dofs[0]) }

// clear pushes the arm away from what it touches or nearly touches, and reports whether nothing was anywhere near.
func (p *armPath) clear(t int) bool {
	safe := true
	w, d := p.w, p.w.s.d
	weight := armClear / (w.plan.scale * w.plan.scale)
	w.r.check.Close(d, p.near, armSafe*w.plan.scale, func(a, b int, onA, onB spatial.Vec3, gap float64) {
		safe = false
		if gap > armGapM {
			return
		}
		body, at, away := a, onA, onA.Sub(onB)
		if p.carries(b) {
			body, at, away = b, onB, onB.Sub(onA)
		}
		away = away.Unit(spatial.Vec3{0, 0, 1})
		path := w.r.kin.Path(body)
		var cols [16]float64
		for k, i := range p.dofs[:min(len(p.dofs), len(cols))] {
			if !moves(path, i) {
				continue
			}
			cols[k] = away.Dot(d.DofLin[i].Add(d.DofAng[i].Cross(at)))
			p.g[t*p.n+k] += weight * cols[k] * (armGapM - gap)
			for m := 0; m <= k; m++ {
				p.band.add(t*p.n+k, t*p.n+m, weight*cols[k]*cols[m])
			}
		}
	})
	return safe
}

// direction adds the squared difference between the direction from a to b and the wanted one.
func (p *armPath) direction(t int, a, b spatial.Vec3, ba, bb int, want spatial.Vec3, weight float64) {
	d := p.w.s.d
	v := b.Sub(a)
	inv := 1 / math.Max(v.Norm(), 1e-6)
	dir := v.Scale(inv)
	e := want.Sub(dir)
	var cols [16]spatial.Vec3
	for k, i := range p.dofs[:min(len(p.dofs), len(cols))] {
		if !moves(p.w.r.kin.Path(bb), i) {
			continue
		}
		var c spatial.Vec3
		if moves(p.w.r.kin.Path(ba), i) {
			c = d.DofAng[i].Cross(v)
		} else {
			c = d.DofLin[i].Add(d.DofAng[i].Cross(b))
		}
		cols[k] = c.Sub(dir.Scale(dir.Dot(c))).Scale(inv)
		p.g[t*p.n+k] += weight * cols[k].Dot(e)
		for m := 0; m <= k; m++ {
			p.band.add(t*p.n+k, t*p.n+m, weight*cols[k].Dot(cols[m]))
		}
	}
}

// moves reports whether dof i is on a path.
func moves(path []int, i int) bool {
	for k := len(path) - 1; k >= 0 && path[k] >= i; k-- {
		if path[k] == i {
			return true
		}
	}
	return false
}

// smooth couples the frames.
func (p *armPath) smooth(frames int) {
	r, fps := p.w.r, p.w.o.FPS
	bend := armBend * math.Pow(fps/50, 4)
	stencil := [3]float64{1, -2, 1}
	for k, i := range p.dofs {
		at := r.dofQ[i]
		q := func(t int) float64 { return p.w.q[t][at] }
		for t := 1; t+1 < frames; t++ {
			bent := q(t-1) - 2*q(t) + q(t+1)
			for x := 0; x < 3; x++ {
				p.g[(t-1+x)*p.n+k] -= bend * stencil[x] * bent
				for y := 0; y <= x; y++ {
					p.band.add((t-1+x)*p.n+k, (t-1+y)*p.n+k, bend*stencil[x]*stencil[y])
				}
			}
		}
		most := r.speed[i] * armUse / fps
		for t := 0; t+1 < frames; t++ {
			step := q(t+1) - q(t)
			weight, over := armMove, step
			if !p.free && math.Abs(step) > most {
				weight, over = armMove+p.hard, (armMove*step+p.hard*(step-math.Copysign(most, step)))/(armMove+p.hard)
			}
			a, b := t*p.n+k, (t+1)*p.n+k
			p.g[a] += weight * over
			p.g[b] -= weight * over
			p.band.add(a, a, weight)
			p.band.add(b, b, weight)
			p.band.add(b, a, -weight)
		}
	}
}

// bandMatrix is a symmetric positive matrix with a band of half width b: row i holds columns i-b..i.
type bandMatrix struct {
	n, b int
	v    []float64
}

func newBand(n, b int) bandMatrix { return bandMatrix{n, b, make([]float64, n*(b+1))} }

func (m *bandMatrix) clear() { clear(m.v) }

// add adds to entry (i, j), j <= i.
func (m *bandMatrix) add(i, j int, x float64) { m.v[i*(m.b+1)+j-i+m.b] += x }

// solve replaces g by the solution of M x = g and M by its Cholesky factor.
func (m *bandMatrix) solve(g []float64) {
	w := m.b + 1
	for i := 0; i < m.n; i++ {
		row := m.v[i*w : (i+1)*w]
		for j := max(0, i-m.b); j <= i; j++ {
			s := row[j-i+m.b]
			other := m.v[j*w : (j+1)*w]
			for k := max(0, i-m.b); k < j; k++ {
				s -= row[k-i+m.b] * other[k-j+m.b]
			}
			if j == i {
				row[m.b] = math.Sqrt(math.Max(s, 1e-12))
			} else {
				row[j-i+m.b] = s / other[m.b]
			}
		}
		s := g[i]
		for k := max(0, i-m.b); k < i; k++ {
			s -= row[k-i+m.b] * g[k]
		}
		g[i] = s / row[m.b]
	}
	for i := m.n - 1; i >= 0; i-- {
		g[i] /= m.v[i*w+m.b]
		for k := max(0, i-m.b); k < i; k++ {
			g[k] -= m.v[i*w+k-i+m.b] * g[i]
		}
	}
}
