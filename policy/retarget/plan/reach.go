package plan

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// hipsS is the width of the smoothing of the hips' path.
const hipsS = 0.08

// Hips returns where a solution q (position vectors by frame) has the hip joints, without its jolts: what is drawn in
// by it would repeat them.
func Hips(r *physique.Robot, q [][]float64, fps float64) [][2]spatial.Vec3 {
	n, d := len(q), r.Kin.NewData()
	hips := make([][2]spatial.Vec3, n)
	for t := range q {
		r.Kin.Forward(d, q[t])
		for s := range r.An.Legs {
			hips[t][s] = r.An.Legs[s].Hip.At(d)
		}
	}
	var smooth curve.Gauss
	for s := range r.An.Legs {
		for k := 0; k < 2; k++ {
			smooth.Each(n, hipsS*fps, func(t int) *float64 { return &hips[t][s][k] })
		}
	}
	return hips
}

// InReach returns the plan with the hips lowered to where the standing legs reach the floor without going straight,
// and swinging feet pulled to where the leg reaches them. hips says where the hip joints are (see Hips); nil takes
// them to be where balance and posture place them.
func (p *Plan) InReach(hips [][2]spatial.Vec3) *Plan {
	out := *p
	out.Targets = append([]Target(nil), p.Targets...)
	lower := out.lowered(hips)
	for t := range out.Targets {
		tg := &out.Targets[t]
		tg.HipM = tg.HipWantM - lower[t]
		at := out.hipsAt(t, hips)
		for s := range tg.Foot {
			ft := &tg.Foot[s]
			ft.At = ft.Want
			if !ft.On {
				ft.At = out.drawn(ft, s, at[s].Sub(spatial.Vec3{0, 0, lower[t]}))
			}
		}
	}
	return &out
}

// hipsAt returns where the hip joints are at frame t: where the solution that is known has them, else where balance and
// posture place them.
func (p *Plan) hipsAt(t int, known [][2]spatial.Vec3) (hips [2]spatial.Vec3) {
	tg, r := &p.Targets[t], p.Robot
	for s := range hips {
		hip := tg.RootRot.Rotate(r.HipFromMid[s])
		if known != nil {
			hips[s] = spatial.Vec3{known[t][s][0], known[t][s][1], tg.HipWantM + hip[2]}
		} else {
			hips[s] = hip.Add(spatial.Vec3{tg.Com[0] - r.StandCom[0], tg.Com[1] - r.StandCom[1], tg.HipWantM})
		}
	}
	return hips
}

// lowered returns by how much the hips must come down at each frame for the standing legs.
func (p *Plan) lowered(known [][2]spatial.Vec3) []float64 {
	lower := make([]float64, len(p.Targets))
	for t := range p.Targets {
		tg := &p.Targets[t]
		hips := p.hipsAt(t, known)
		for s := range tg.Foot {
			if !tg.Foot[s].On {
				continue
			}
			v := hips[s].Sub(tg.Foot[s].Want.Add(spatial.Vec3{0, 0, p.Robot.An.Legs[s].AnkleHeightM}))
			if far := v.Norm(); far > 0 {
				flat, near := math.Hypot(v[0], v[1]), p.Robot.Drawn(far, s)
				lower[t] = math.Max(lower[t], v[2]-math.Sqrt(math.Max(near*near-flat*flat, 0)))
			}
		}
	}
	var smooth curve.Gauss
	smooth.Smooth(lower, 0.04*p.FPS)
	return lower
}

// drawn returns where the swinging foot s of a leg that hangs from hip goes: it keeps its height, so that it does not
// touch the floor; what is too far is made shorter sideways.
func (p *Plan) drawn(ft *FootTarget, s int, hip spatial.Vec3) spatial.Vec3 {
	v := ft.Want.Add(spatial.Vec3{0, 0, p.Robot.An.Legs[s].AnkleHeightM}).Sub(hip)
	far := p.Robot.Drawn(v.Norm(), s)
	if v.Norm() <= far {
		return ft.Want
	}
	flat := math.Sqrt(math.Max(far*far-v[2]*v[2], 0)) / math.Max(math.Hypot(v[0], v[1]), 1e-9)
	near := spatial.Vec3{hip[0] + v[0]*math.Min(flat, 1), hip[1] + v[1]*math.Min(flat, 1), ft.Want[2]}
	return near.Lerp(ft.Want, ft.Grip)
}
