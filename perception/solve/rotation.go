package solve

import (
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Segment frames: z from the far end of a limb to its near end (up in the rest
// pose), y to the person's left (the hinge axis of knees and elbows), x = y x z
// forward. The hinge axis of a limb is the normal of its two bones; the
// straighter the limb, the more it follows a hint from the neighbouring
// segments instead.
const (
	hingeHint     = 0.20  // weight of the hint against the sine of the bend
	nosePitchDown = -0.07 // rad; slope from the ears to the landmark.Nose that the network sees on a level head
)

// fillRotations computes every segment rotation of the pose from its positions.
// knuckle is the direction from the little finger to the index finger, left and
// right; stance is the probability that a foot is flat on the floor.
func fillRotations(p *human.Pose, noseDir spatial.Vec3, earDir spatial.Vec3, knuckle [2]spatial.Vec3, stance [2]float64) {
	at := &p.Positions
	zUp := spatial.Vec3{0, 0, 1}
	spine := at[human.Chest].Sub(at[human.Pelvis]).Unit(zUp)
	pelvis := frameYZ(at[human.LHip].Sub(at[human.RHip]), spine)
	chest := frameYZ(at[human.LShoulder].Sub(at[human.RShoulder]), spine)
	p.Rotations[human.Pelvis], p.Rotations[human.Chest] = pelvis, chest

	y := earDir.Unit(spatial.Vec3{0, 1, 0})
	x := noseDir.Sub(y.Scale(noseDir.Dot(y))).Unit(spatial.Vec3{1, 0, 0})
	head := spatial.FromAxes(x, y, x.Cross(y)).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -nosePitchDown)).Normalize()
	p.Rotations[human.Head], p.Rotations[human.Nose] = head, head

	for side, s := range [2]human.Joint{human.LShoulder, human.RShoulder} {
		upper := at[s+1].Sub(at[s]).Unit(spatial.Vec3{0, 0, -1})
		lower := at[s+2].Sub(at[s+1]).Unit(upper)
		_, cy, cz := chest.Axes()
		hint := spatial.Between(cz.Scale(-1), upper).Rotate(cy)
		axis := lower.Cross(upper).Add(hint.Scale(hingeHint))
		p.Rotations[s] = frameZY(upper.Scale(-1), axis)
		p.Rotations[s+1] = frameZY(lower.Scale(-1), axis)
		palm := at[s+3].Sub(at[s+2]).Unit(lower)
		fx, _, _ := p.Rotations[s+1].Axes()
		p.Rotations[s+2] = frameZX(palm.Scale(-1), knuckle[side].Unit(fx).Add(fx.Scale(0.5)))
		p.Rotations[s+3] = p.Rotations[s+2]
	}
	for side, h := range [2]human.Joint{human.LHip, human.RHip} {
		upper := at[h+1].Sub(at[h]).Unit(spatial.Vec3{0, 0, -1})
		lower := at[h+2].Sub(at[h+1]).Unit(upper)
		sole := at[h+4].Sub(at[h+3]).Unit(spatial.Vec3{1, 0, 0})
		_, py, pz := pelvis.Axes()
		hint := spatial.Between(pz.Scale(-1), upper).Rotate(py)
		// The foot tells where a straight leg's knee points.
		foot := lower.Scale(-1).Cross(sole).Unit(hint)
		axis := upper.Cross(lower).Add(hint.Add(foot).Scale(hingeHint / 2))
		p.Rotations[h] = frameZY(upper.Scale(-1), axis)
		p.Rotations[h+1] = frameZY(lower.Scale(-1), axis)
		_, sy, _ := p.Rotations[h+1].Axes()
		level := zUp.Cross(sole).Unit(sy)
		y := sy.Lerp(level, stance[side])
		z := sole.Cross(y).Unit(zUp)
		f := spatial.FromAxes(sole, z.Cross(sole), z)
		p.Rotations[h+2], p.Rotations[h+3], p.Rotations[h+4] = f, f, f
	}
}

// frameYZ returns the frame with the given y axis and z as near z as possible.
func frameYZ(y, z spatial.Vec3) spatial.Quat {
	y = y.Unit(spatial.Vec3{0, 1, 0})
	x := y.Cross(z).Unit(spatial.Vec3{1, 0, 0})
	return spatial.FromAxes(x, y, x.Cross(y))
}

// frameZY returns the frame with the given z axis and y as near y as possible.
func frameZY(z, y spatial.Vec3) spatial.Quat {
	z = z.Unit(spatial.Vec3{0, 0, 1})
	x := y.Cross(z).Unit(spatial.Vec3{1, 0, 0})
	return spatial.FromAxes(x, z.Cross(x), z)
}

// frameZX returns the frame with the given z axis and x as near x as possible.
func frameZX(z, x spatial.Vec3) spatial.Quat {
	z = z.Unit(spatial.Vec3{0, 0, 1})
	y := z.Cross(x).Unit(spatial.Vec3{0, 1, 0})
	return spatial.FromAxes(y.Cross(z), y, z)
}
