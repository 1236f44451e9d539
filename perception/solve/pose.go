package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// pose builds frame t in world axes with exactly the subject's bone lengths.
// Legs keep hips and ankles of the fit and bend the knee by the cosine rule, so
// stance feet stay where the fit put them; the rest of the body follows the
// fitted directions outwards.
func (p *problem) pose(t int, world func(spatial.Vec3) spatial.Vec3, out *[human.NumJoints]spatial.Vec3) {
	l := &p.length
	at := func(j human.Joint) spatial.Vec3 { return world(p.joint(t, j)) }
	toward := func(from, a, b human.Joint, k boneKind) spatial.Vec3 {
		return out[from].Add(at(b).Sub(at(a)).Unit(spatial.Vec3{0, 0, -1}).Scale(l[k]))
	}
	out[human.Pelvis] = at(human.Pelvis)
	y := at(human.LHip).Sub(at(human.RHip)).Unit(spatial.Vec3{0, 1, 0}).Scale(l[hipWidth] / 2)
	out[human.LHip], out[human.RHip] = out[human.Pelvis].Add(y), out[human.Pelvis].Sub(y)
	out[human.Chest] = toward(human.Pelvis, human.Pelvis, human.Chest, trunk)
	y = at(human.LShoulder).Sub(at(human.RShoulder)).Unit(spatial.Vec3{0, 1, 0}).Scale(l[shoulderWidth] / 2)
	out[human.LShoulder], out[human.RShoulder] = out[human.Chest].Add(y), out[human.Chest].Sub(y)
	out[human.Head] = toward(human.Chest, human.Chest, human.Head, neck)
	for _, s := range [2]human.Joint{human.LShoulder, human.RShoulder} {
		out[s+1] = toward(s, s, s+1, upperArm)
		out[s+2] = toward(s+1, s+1, s+2, forearm)
		out[s+3] = toward(s+2, s+2, s+3, hand)
	}
	for _, h := range [2]human.Joint{human.LHip, human.RHip} {
		knee, ankle, heel, toe := h+1, h+2, h+3, h+4
		foot := p.foot(at(ankle), at(heel), at(toe))
		target := foot.place(spatial.Vec3{0, 0, ankleHeight * p.heightM})
		// The skeleton's ankle lies deeper in the foot than the network's.
		below := (ankleSeenHeight - ankleHeight) * p.heightM
		out[knee], out[ankle] = twoBone(out[h], target, at(knee), l[thigh], l[shank]+below)
		foot.origin = foot.origin.Add(out[ankle].Sub(target))
		out[heel] = foot.place(spatial.Vec3{heelAhead * p.heightM, 0, 0})
		out[toe] = foot.place(spatial.Vec3{toeAhead * p.heightM, 0, 0})
	}
}

// sole is the frame of a foot: origin on the sole below the ankle, x ahead,
// z out of the sole towards the ankle.
type sole struct {
	origin spatial.Vec3
	turn   spatial.Quat
}

func (s sole) place(v spatial.Vec3) spatial.Vec3 { return s.origin.Add(s.turn.Rotate(v)) }

// foot finds the sole from the three landmarks of a foot.
func (p *problem) foot(ankle, heel, toe spatial.Vec3) sole {
	ahead := toe.Sub(heel).Unit(spatial.Vec3{1, 0, 0})
	left := ankle.Sub(heel).Cross(ahead).Unit(spatial.Vec3{0, 1, 0})
	// From heel to toe the landmarks of a flat foot slope down a little.
	slope := math.Atan2(heelSeenHeight-toeSeenHeight, toeSeenAhead-heelSeenAhead)
	turn := spatial.FromAxes(ahead, left, ahead.Cross(left)).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -slope))
	mean := ankle.Add(heel).Add(toe).Scale(1.0 / 3)
	const x, z = (heelSeenAhead + toeSeenAhead) / 3, (ankleSeenHeight + heelSeenHeight + toeSeenHeight) / 3
	return sole{mean.Sub(turn.Rotate(spatial.Vec3{x * p.heightM, 0, z * p.heightM})), turn}
}

// twoBone places the knee of a leg from hip towards ankle with bones of length
// a and b, bent to the side of hint. An ankle out of reach is moved into reach.
func twoBone(hip, ankle, hint spatial.Vec3, a, b float64) (knee, foot spatial.Vec3) {
	d := ankle.Sub(hip)
	axis := d.Unit(spatial.Vec3{0, 0, -1})
	r := math.Max(abs(a-b)+1e-6, math.Min(d.Norm(), a+b-1e-6))
	foot = hip.Add(axis.Scale(r))
	along := (a*a - b*b + r*r) / (2 * r)
	side := hint.Sub(hip)
	side = side.Sub(axis.Scale(side.Dot(axis))).Unit(spatial.Vec3{1, 0, 0})
	side = side.Sub(axis.Scale(side.Dot(axis))).Unit(spatial.Vec3{0, 1, 0})
	knee = hip.Add(axis.Scale(along)).Add(side.Scale(math.Sqrt(math.Max(0, a*a-along*along))))
	return knee, foot
}
