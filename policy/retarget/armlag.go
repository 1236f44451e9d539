package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	armLagRad = 0.25 // by which a fast arm may miss a direction before the motion is slowed down for it
	armFull   = 0.97 // of the speed in use: an arm this fast is as fast as it can be
	armLost   = 0.6  // rad: an arm without speed limits that misses by this has turned itself into a corner
	armFound  = 0.2
)

// errors returns, for every frame, how far the farthest off of the arm's segments is from where it shall point, in rad.
func (p *armPath) errors() []float64 {
	w, d := p.w, p.w.s.d
	out := make([]float64, len(w.q))
	angle := func(a, b, want spatial.Vec3) float64 { return math.Acos(clamp(b.Sub(a).Unit(want).Dot(want), -1, 1)) }
	for t := range w.q {
		tg := &w.plan.targets[t]
		if tg.lead > 0 {
			continue
		}
		w.r.kin.ForwardPath(d, w.q[t], p.arm.End.Body)
		elbow := p.arm.Elbow.At(d)
		out[t] = angle(p.arm.Shoulder.At(d), elbow, tg.upper[p.side])
		if p.arm.HasElbow {
			out[t] = math.Max(out[t], angle(elbow, p.arm.End.At(d), tg.arm[p.side]))
		}
	}
	return out
}

// retry starts again from the standing pose where the arm has turned itself into a corner of its joint limits, takes
// what is better, and returns its errors.
func (p *armPath) retry(miss []float64) []float64 {
	w := p.w
	from := make([]bool, len(miss))
	lost := false
	for t := range miss {
		from[t] = miss[t] > armLost || t > 0 && from[t-1] && miss[t] > armFound
		lost = lost || from[t]
	}
	if !lost {
		return miss
	}
	for t := len(miss) - 2; t >= 0; t-- {
		from[t] = from[t] || from[t+1] && (miss[t] > armFound || w.plan.targets[t].lead > 0)
	}
	old := make([]float64, 0, len(miss)*p.n)
	for t := range miss {
		for _, i := range p.dofs {
			q := &w.q[t][w.r.dofQ[i]]
			old = append(old, *q)
			if from[t] {
				*q = w.r.an.Ref[w.r.dofQ[i]]
			}
		}
	}
	p.lost = true
	p.solve()
	p.lost = false
	again := p.errors()
	sum := 0.0
	for t := range miss {
		sum += again[t]*again[t] - miss[t]*miss[t]
	}
	if sum < 0 {
		return again
	}
	for t := range miss {
		for k, i := range p.dofs {
			w.q[t][w.r.dofQ[i]] = old[t*p.n+k]
		}
	}
	return miss
}

// lag notes by how much the motion must be slower for this arm. An arm cuts a corner rather than slow everything down:
// while it is as fast as it can be, it may miss its directions by armLagRad more than an arm without limits would (best).
// What is beyond is won by more time, for just as long as the arm is at its limit.
func (p *armPath) lag(best []float64) {
	w := p.w
	miss := p.errors()
	full := func(t int) float64 { // the limit of the first joint that is at it, 0 for none
		for _, i := range p.dofs {
			most := w.r.speed[i] * armUse
			if at := w.r.dofQ[i]; math.Abs(w.q[t+1][at]-w.q[t][at])*w.o.FPS > armFull*most {
				return most
			}
		}
		return 0
	}
	for a := 0; a < len(w.armNeed); {
		if full(a) == 0 {
			a++
			continue
		}
		b, worst, way := a, 0.0, 0.0
		for ; b < len(w.armNeed) && full(b) > 0; b++ {
			worst = math.Max(worst, math.Max(miss[b]-best[b], miss[b+1]-best[b+1]))
			way += full(b) / w.o.FPS
		}
		if worst > armLagRad {
			for t := a; t < b; t++ {
				w.armNeed[t] = math.Max(w.armNeed[t], 1+(worst-armLagRad)/way)
			}
		}
		a = b
	}
}
