package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// skeleton builds the positions of all frames in world axes (floor at zero) with
// exactly the subject's bone lengths. Feet stay where lockFeet puts them and the
// knees bend by the cosine rule; the rest of the body follows the fitted
// directions outwards from the pelvis. c is adjusted to the feet.
func (p *problem) skeleton(world func(spatial.Vec3) spatial.Vec3, c contacts) [][human.NumJoints]spatial.Vec3 {
	size := footOf(p.heightM)
	var feet [2][]sole
	for side, h := range hipJoints {
		feet[side] = make([]sole, p.n)
		for t := range p.n {
			at := func(j human.Joint) spatial.Vec3 { return world(p.joint(t, j)) }
			feet[side][t] = p.foot(at(h+1), at(h+2), at(h+3), at(h+4))
		}
		lockFeet(feet[side], side, c, p.ground, size, p.fps)
	}
	ankle := spatial.Vec3{0, 0, ankleHeight * p.heightM}
	// The skeleton's ankle lies deeper in the foot than the network's.
	shankM := p.length[shank] + (ankleSeenHeight-ankleHeight)*p.heightM
	out := make([][human.NumJoints]spatial.Vec3, p.n)
	hips, ankles := make([][2]spatial.Vec3, p.n), make([][2]spatial.Vec3, p.n)
	for t := range out {
		p.upperBody(t, world, &out[t])
		for side, h := range hipJoints {
			hips[t][side], ankles[t][side] = out[t][h], feet[side][t].place(ankle)
		}
	}
	down := reach(hips, ankles, c, straightLeg*(p.length[thigh]+shankM), p.fps)
	for t := range out {
		for j := range out[t] {
			out[t][j][2] -= down[t]
		}
		for side, h := range hipJoints {
			// A knee in line with its leg bends towards where the pelvis faces.
			ahead := world(p.joint(t, human.Pelvis).Add(p.forward[t])).Sub(world(p.joint(t, human.Pelvis)))
			knee := world(p.joint(t, h+1)).Add(ahead.Scale(kneeHintM))
			foot := feet[side][t]
			out[t][h+1], out[t][h+2] = twoBone(out[t][h], ankles[t][side], knee, p.length[thigh], shankM)
			short := out[t][h+2].Sub(ankles[t][side])
			foot.origin = foot.origin.Add(short)
			if short.Norm() > outOfReachM {
				for k := 2 * side; k < 2*side+2; k++ {
					c[t][k] = math.Min(c[t][k], releasedTouch)
				}
			}
			out[t][h+3], out[t][h+4] = foot.place(size.heel), foot.place(size.toe)
		}
	}
	return out
}

// upperBody places everything but legs and landmark.Nose.
func (p *problem) upperBody(t int, world func(spatial.Vec3) spatial.Vec3, out *[human.NumJoints]spatial.Vec3) {
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
}

// foot finds the sole from the three landmarks of a foot. Its roll follows the shank:
// the three landmarks lie too near to a line to tell it.
func (p *problem) foot(knee, ankle, heel, toe spatial.Vec3) sole {
	ahead := toe.Sub(heel).Unit(spatial.Vec3{1, 0, 0})
	left := knee.Sub(ankle).Cross(ahead).Unit(spatial.Vec3{0, 1, 0})
	// From heel to toe the landmarks of a flat foot slope down a little.
	slope := math.Atan2(heelSeenHeight-toeSeenHeight, toeSeenAhead-heelSeenAhead)
	turn := spatial.FromAxes(ahead, left, ahead.Cross(left)).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -slope))
	mean := ankle.Add(heel).Add(toe).Scale(1.0 / 3)
	const x, z = (heelSeenAhead + toeSeenAhead) / 3, (ankleSeenHeight + heelSeenHeight + toeSeenHeight) / 3
	origin := mean.Sub(turn.Rotate(spatial.Vec3{x * p.heightM, 0, z * p.heightM}))
	// Sideways the ankle alone says where the foot is: the network sees the heel of a
	// foot that points at it too near to the other foot.
	_, across, _ := turn.Axes()
	return sole{origin.Add(across.Scale(across.Dot(ankle.Sub(origin)))), turn}
}

// outOfReachM is how far a foot may be pulled off its place before it no longer
// counts as touching.
const outOfReachM = 0.01

// kneeHintM is how far forward a knee is assumed where the fit has it in line.
const kneeHintM = 0.05

// twoBone places the knee of a leg from hip towards ankle with bones of length
// a and b, bent to the side of hint. An ankle almost out of reach is moved
// towards the hip, gently.
func twoBone(hip, ankle, hint spatial.Vec3, a, b float64) (knee, foot spatial.Vec3) {
	d := ankle.Sub(hip)
	axis := d.Unit(spatial.Vec3{0, 0, -1})
	r := math.Max(abs(a-b)+1e-6, softLimit(d.Norm(), 0.999*(a+b), (0.999-straightLeg)*(a+b)))
	foot = hip.Add(axis.Scale(r))
	along := (a*a - b*b + r*r) / (2 * r)
	side := hint.Sub(hip)
	side = side.Sub(axis.Scale(side.Dot(axis))).Unit(spatial.Vec3{1, 0, 0})
	side = side.Sub(axis.Scale(side.Dot(axis))).Unit(spatial.Vec3{0, 1, 0})
	knee = hip.Add(axis.Scale(along)).Add(side.Scale(math.Sqrt(math.Max(0, a*a-along*along))))
	return knee, foot
}

// softLimit returns x up to limit - soft, and above bends smoothly towards limit,
// never beyond.
func softLimit(x, limit, soft float64) float64 {
	edge := limit - soft
	if x <= edge {
		return x
	}
	return edge + soft*(1-math.Exp(-(x-edge)/soft))
}
