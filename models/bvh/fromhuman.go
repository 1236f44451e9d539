package bvh

import (
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The skeleton that motions are written with: a T pose, y up, facing z, the person's left at +x, with the names that most
// programs know. A joint's place in the list is its place in the file.
const (
	outHips   = 0
	outLegs   = 1 // left: upper leg, leg, foot, toes; then right
	outSpine  = 9
	outChest  = 10
	outNeck   = 11
	outHead   = 12
	outCrown  = 13
	outArms   = 14 // left: arm, forearm, hand, knuckles; then right
	outJoints = 22
)

// crownShare is the top of the head above the ears as a share of stature (Winter, Biomechanics, figure 4.1).
const crownShare = 0.064

// FromHuman writes a motion as a file whose unit is unitM metres: 1 for metres, as Blender takes it; 0.01 for
// centimetres. Bones are as long as they are in the median of the frames; where the motion's own differ, directions are
// kept. Confidence, contacts and heels have no place in the format.
func FromHuman(m *human.Motion, unitM float64) (*File, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if !(unitM >= 1e-4 && unitM <= 10) {
		return nil, fmt.Errorf("bvh: %w: a unit of %g m; legal: 0.0001 to 10", ErrOption, unitM)
	}
	f, err := Build(outSkeleton(m, unitM), 1/m.FPS)
	if err != nil {
		return nil, err
	}
	for t := range m.Frames {
		at, turn := outFrame(&m.Frames[t], unitM)
		f.Append(at, turn)
	}
	return f, nil
}

// fileAxes turns our axes (x ahead, y left, z up) to the file's (z ahead, x left, y up).
func fileAxes(v spatial.Vec3) spatial.Vec3 { return spatial.Vec3{v[1], v[2], v[0]} }

// outSkeleton lays the person out in a T pose.
func outSkeleton(m *human.Motion, unitM float64) []Bone {
	long := func(a, b human.Joint) float64 { return medianLength(m, a, b) / unitM }
	bones := make([]Bone, outJoints)
	bones[outHips] = Bone{Name: "Hips", Parent: -1}
	for s, side := range [2]string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		leg, arm := outLegs+4*s, outArms+4*s
		hip, shoulder := human.LHip, human.LShoulder
		if s == 1 {
			hip, shoulder = human.RHip, human.RShoulder
		}
		toes := medianIn(m, hip+2, hip+4).Scale(1 / unitM)
		bones[leg] = Bone{Name: side + "UpLeg", Parent: outHips, Offset: spatial.Vec3{x * long(human.LHip, human.RHip) / 2, 0, 0}}
		bones[leg+1] = Bone{Name: side + "Leg", Parent: leg, Offset: spatial.Vec3{0, -long(hip, hip+1), 0}}
		bones[leg+2] = Bone{Name: side + "Foot", Parent: leg + 1, Offset: spatial.Vec3{0, -long(hip+1, hip+2), 0}}
		bones[leg+3] = Bone{Name: side + "ToeBase", Parent: leg + 2, Offset: fileAxes(toes)}
		bones[arm] = Bone{Name: side + "Arm", Parent: outChest, Offset: spatial.Vec3{x * long(human.LShoulder, human.RShoulder) / 2, 0, 0}}
		bones[arm+1] = Bone{Name: side + "ForeArm", Parent: arm, Offset: spatial.Vec3{x * long(shoulder, shoulder+1), 0, 0}}
		bones[arm+2] = Bone{Name: side + "Hand", Parent: arm + 1, Offset: spatial.Vec3{x * long(shoulder+1, shoulder+2), 0, 0}}
		bones[arm+3] = Bone{Name: side + "Hand/end", Parent: arm + 2, Offset: spatial.Vec3{x * long(shoulder+2, shoulder+3), 0, 0}, Fixed: true}
	}
	// Two joints at one place: the trunk may lean against hips and shoulders.
	bones[outSpine] = Bone{Name: "Spine", Parent: outHips}
	bones[outChest] = Bone{Name: "Spine1", Parent: outSpine, Offset: spatial.Vec3{0, long(human.Pelvis, human.Chest), 0}}
	bones[outNeck] = Bone{Name: "Neck", Parent: outChest}
	bones[outHead] = Bone{Name: "Head", Parent: outNeck, Offset: spatial.Vec3{0, long(human.Chest, human.Head), 0}}
	bones[outCrown] = Bone{Name: "Head/end", Parent: outHead, Offset: spatial.Vec3{0, crownShare * m.Meta.SubjectHeightM / unitM, 0}, Fixed: true}
	return bones
}

// outFrame gives the places and turns of a pose against the parents.
func outFrame(p *human.Pose, unitM float64) (at []spatial.Vec3, turn []spatial.Quat) {
	world := make([]spatial.Quat, outJoints)
	rot := func(j human.Joint) spatial.Quat { // the same turn in the file's axes
		q := p.Rotations[j]
		v := fileAxes(spatial.Vec3{q[1], q[2], q[3]})
		return spatial.Quat{q[0], v[0], v[1], v[2]}
	}
	along := func(q spatial.Quat, rest spatial.Vec3, a, b human.Joint) spatial.Quat {
		want := fileAxes(p.Positions[b].Sub(p.Positions[a]))
		if want.Norm() < 1e-6 {
			return q
		}
		return spatial.Between(q.Rotate(rest), want).Mul(q).Normalize()
	}
	up, down := spatial.Vec3{0, 1, 0}, spatial.Vec3{0, -1, 0}
	left := spatial.Vec3{1, 0, 0}
	world[outHips] = along(rot(human.Pelvis), left, human.RHip, human.LHip)
	world[outSpine] = along(world[outHips], up, human.Pelvis, human.Chest)
	world[outChest] = along(rot(human.Chest), left, human.RShoulder, human.LShoulder)
	world[outNeck] = along(world[outChest], up, human.Chest, human.Head)
	world[outHead], world[outCrown] = rot(human.Head), rot(human.Head)
	for s := range 2 {
		leg, arm := outLegs+4*s, outArms+4*s
		hip, shoulder, out := human.LHip, human.LShoulder, left
		if s == 1 {
			hip, shoulder, out = human.RHip, human.RShoulder, left.Scale(-1)
		}
		world[leg] = along(rot(hip), down, hip, hip+1)
		world[leg+1] = along(rot(hip+1), down, hip+1, hip+2)
		world[leg+2], world[leg+3] = rot(hip+2), rot(hip+2)
		// Our rest pose has the arms hanging, the file's has them stretched out.
		hang := spatial.Between(out, down)
		for k := range human.Joint(3) {
			world[arm+int(k)] = along(rot(shoulder+k).Mul(hang), out, shoulder+k, shoulder+k+1)
		}
		world[arm+3] = world[arm+2]
	}
	at, turn = make([]spatial.Vec3, outJoints), make([]spatial.Quat, outJoints)
	at[outHips], turn[outHips] = fileAxes(p.Positions[human.Pelvis]).Scale(1/unitM), world[outHips]
	for i := 1; i < outJoints; i++ {
		turn[i] = world[outParent(i)].Inv().Mul(world[i]).Normalize()
	}
	return at, turn
}

// outParent is the joint that joint i hangs on.
func outParent(i int) int {
	switch i {
	case outLegs, outLegs + 4, outSpine:
		return outHips
	case outArms, outArms + 4:
		return outChest
	}
	return i - 1
}

// medianLength is the distance of two joints in the middle of all frames.
func medianLength(m *human.Motion, a, b human.Joint) float64 {
	all := make([]float64, len(m.Frames))
	for t := range m.Frames {
		all[t] = m.Frames[t].Positions[a].Sub(m.Frames[t].Positions[b]).Norm()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// medianIn is the place of joint b in the axes of segment a, axis by axis.
func medianIn(m *human.Motion, a, b human.Joint) (out spatial.Vec3) {
	var all [3][]float64
	for t := range m.Frames {
		p := &m.Frames[t]
		v := p.Rotations[a].Inv().Rotate(p.Positions[b].Sub(p.Positions[a]))
		for k := range all {
			all[k] = append(all[k], v[k])
		}
	}
	for k := range all {
		slices.Sort(all[k])
		out[k] = all[k][len(all[k])/2]
	}
	return out
}
