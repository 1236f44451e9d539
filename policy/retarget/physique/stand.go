package physique

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// measureStand reads off the standing pose what the plan is built from.
func (r *Robot) measureStand() {
	d := r.Kin.NewData()
	r.Kin.Forward(d, r.An.Ref)
	var hip spatial.Vec3
	for s := range r.An.Legs {
		l := &r.An.Legs[s]
		foot := d.BodyRot[l.Foot].Mul(l.FootFromSole)
		sole, ankle := d.Point(l.Foot, l.SoleCenter), l.Ankle.At(d)
		below := spatial.Vec3{ankle[0], ankle[1], sole[2]}
		r.FootPoint[s] = d.BodyRot[l.Foot].Inv().Rotate(below.Sub(d.BodyPos[l.Foot]))
		r.SoleOffset[s] = foot.Inv().Rotate(sole.Sub(below))
		r.StandFeet[s] = spatial.Vec3{below[0], below[1], 0}
		hip = hip.Add(l.Hip.At(d).Scale(0.5))
	}
	for s := range r.An.Legs {
		r.HipFromMid[s] = r.An.Legs[s].Hip.At(d).Sub(hip)
	}
	r.WidestM = r.widest(d)
	r.ReachEasy = reachEasy
	for s := range r.An.Legs {
		l := &r.An.Legs[s]
		stretched := l.Hip.At(d).Sub(l.Ankle.At(d)).Norm() / (l.ThighM + l.ShankM)
		r.ReachEasy = math.Max(r.ReachEasy, math.Min(stretched+1e-3, 0.999))
	}
	r.HipMid = d.BodyRot[r.An.Root].Inv().Rotate(hip.Sub(d.BodyPos[r.An.Root]))
	r.StandHipM, r.ComHeightM = hip[2], d.ComM[2]
	r.StandCom = spatial.Vec3{d.ComM[0], d.ComM[1], 0}
	r.StandRoot = d.BodyRot[r.An.Root]
	r.ChestFromBody = d.BodyRot[r.An.Chest].Inv()
	r.StandChest, r.StandHead = spatial.Identity(), spatial.Identity()
	if r.An.Head >= 0 {
		r.HeadFromBody = d.BodyRot[r.An.Head].Inv()
	}
}

// widest returns how far apart (m) the feet may stand sideways: with the hips over one foot, the other leg must reach
// out with a level sole, which the smallest of its roll joints bounds.
func (r *Robot) widest(d *kin.Data) float64 {
	l := &r.An.Legs[anatomy.Left]
	roll := 1.0
	for _, i := range l.Dofs {
		if r.DofQ[i] > 0 && math.Abs(d.DofAng[i][0]) > 0.7 {
			roll = math.Min(roll, math.Max(math.Abs(r.LoRad[i]), math.Abs(r.HiRad[i])))
		}
	}
	return math.Abs(l.Hip.At(d)[1]) + (l.ThighM+l.ShankM)*(math.Sin(roll)+0.02)
}

// Drawn brings the distance (m) from hip to ankle of leg s into what the leg reaches without going straight.
func (r *Robot) Drawn(farM float64, s int) float64 {
	leg := r.An.Legs[s].ThighM + r.An.Legs[s].ShankM
	return leg * drawnIn(farM/leg, r.ReachEasy)
}

// reachUse is how much of what is left between the easy reach and the stretched leg is ever used.
const reachUse = 0.75

// drawnIn bends distances beyond the easy reach of a leg of length one into what may be used, without a corner.
func drawnIn(far, easy float64) float64 {
	if far <= easy {
		return far
	}
	room := reachUse * (1 - easy)
	return easy + room*math.Tanh((far-easy)/room)
}

// Motion is a course of positions with its derivatives, frame by frame: Q by position index, Vel and Acc by velocity
// index, per s and s^2.
type Motion struct {
	Q, Vel, Acc [][]float64
	FPS         float64
}

// Derive finds velocities and accelerations of positions that follow each other fps times a second.
func (r *Robot) Derive(q [][]float64, fps float64) Motion {
	n, nv := len(q), r.Kin.Tree.NV
	m := Motion{Q: q, Vel: make([][]float64, n), Acc: make([][]float64, n), FPS: fps}
	flat := make([]float64, 2*n*nv)
	for t := range m.Vel {
		m.Vel[t], m.Acc[t] = flat[2*t*nv:(2*t+1)*nv], flat[(2*t+1)*nv:(2*t+2)*nv]
	}
	r.Kin.Derivatives(m.Vel, m.Acc, q, fps)
	return m
}

// Moves reports whether velocity index i is on a path of the kinematic model, whose indices rise.
func Moves(path []int, i int) bool {
	for k := len(path) - 1; k >= 0 && path[k] >= i; k-- {
		if path[k] == i {
			return true
		}
	}
	return false
}
