package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// reachEasy is a share of the stretched leg. A leg that is nearly straight turns its knee wildly for the slightest
// reach, so what lies beyond this, or beyond the standing pose if that is more stretched, is drawn in ever more; of what
// is left to the stretched leg, only reachUse is ever used.
const (
	reachEasy = 0.90
	reachUse  = 0.75
	hipsS     = 0.08 // width of the smoothing of the hips' path
)

// drawnIn bends distances beyond the easy reach of a leg of length one into what may be used, without a corner.
func drawnIn(far, easy float64) float64 {
	if far <= easy {
		return far
	}
	room := reachUse * (1 - easy)
	return easy + room*math.Tanh((far-easy)/room)
}

// reach brings the distance from hip to ankle of leg s into what the leg reaches.
func (r *Retargeter) reach(far float64, s int) float64 {
	leg := r.an.Legs[s].ThighM + r.an.Legs[s].ShankM
	return leg * drawnIn(far/leg, r.reachEasy)
}

// hipsAt returns where the hip joints are at frame t: where the solution that is known has them, else where balance and
// posture place them.
func (pl *planner) hipsAt(t int) (hips [2]spatial.Vec3) {
	tg := &pl.out.targets[t]
	for s := range hips {
		hip := tg.rootRot.Rotate(pl.r.hipFromMid[s])
		if pl.hips != nil {
			hips[s] = spatial.Vec3{pl.hips[t][s][0], pl.hips[t][s][1], tg.hipWantM + hip[2]}
		} else {
			hips[s] = hip.Add(spatial.Vec3{tg.com[0] - pl.r.standCom[0], tg.com[1] - pl.r.standCom[1], tg.hipWantM})
		}
	}
	return hips
}

// inReach lowers the hips to where the standing legs reach the floor without going straight, and pulls swinging feet to
// where the leg reaches them from the hips.
func (pl *planner) inReach() {
	o, r := pl.out, pl.r
	n := len(o.targets)
	lower := make([]float64, n)
	for t := range o.targets {
		tg := &o.targets[t]
		hips := pl.hipsAt(t)
		for s := range tg.foot {
			if !tg.foot[s].on {
				continue
			}
			v := hips[s].Sub(tg.foot[s].want.Add(spatial.Vec3{0, 0, r.an.Legs[s].AnkleHeightM}))
			if far := v.Norm(); far > 0 {
				flat, near := math.Hypot(v[0], v[1]), r.reach(far, s)
				lower[t] = math.Max(lower[t], v[2]-math.Sqrt(math.Max(near*near-flat*flat, 0)))
			}
		}
	}
	gauss(lower, 0.04*pl.fps, make([]float64, n))
	for t := range o.targets {
		tg := &o.targets[t]
		tg.hipM = tg.hipWantM - lower[t]
		hips := pl.hipsAt(t)
		for s := range tg.foot {
			ft := &tg.foot[s]
			ft.at = ft.want
			if ft.on {
				continue
			}
			hip := hips[s].Sub(spatial.Vec3{0, 0, lower[t]})
			v := ft.want.Add(spatial.Vec3{0, 0, r.an.Legs[s].AnkleHeightM}).Sub(hip)
			if n, far := v.Norm(), r.reach(v.Norm(), s); n > far {
				// Keep the height, so that the foot does not touch the floor; shorten the way sideways.
				flat := math.Sqrt(math.Max(far*far-v[2]*v[2], 0)) / math.Max(math.Hypot(v[0], v[1]), 1e-9)
				near := spatial.Vec3{hip[0] + v[0]*math.Min(flat, 1), hip[1] + v[1]*math.Min(flat, 1), ft.want[2]}
				ft.at = near.Lerp(ft.want, ft.grip)
			}
		}
	}
}

// keepHips notes where the present solution has the hips, without its jolts: what is drawn in by it would repeat them.
func (w *work) keepHips() {
	n := len(w.q)
	hips := make([][2]spatial.Vec3, n)
	for t := range w.q {
		w.r.kin.Forward(w.s.d, w.q[t])
		for s := range w.r.an.Legs {
			hips[t][s] = w.r.an.Legs[s].Hip.At(w.s.d)
		}
	}
	buf, buf2 := make([]float64, n), make([]float64, n)
	for s := range w.r.an.Legs {
		for k := 0; k < 2; k++ {
			gaussEach(n, hipsS*w.o.FPS, func(t int) *float64 { return &hips[t][s][k] }, buf, buf2)
		}
	}
	w.pl.hips = hips
}
