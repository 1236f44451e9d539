package demonstrator

import (
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// body is the demonstrator's skeleton: constant lengths, so every joint follows
// its parent rigidly: position = parent position + parent rotation * offset.
type body struct {
	heightM float64
	offset  [human.NumJoints]spatial.Vec3 // from the parent, in the parent's segment, at rest
	thighM  float64
	shankM  float64
	ankleM  float64 // height of the ankle over a flat sole
}

// newBody scales an average adult to the given height. Lengths as fractions of
// body height follow Drillis and Contini (1966) as tabulated in Winter,
// Biomechanics and Motor Control of Human Movement, fig. 4.1, with hip and
// shoulder at the joint centres rather than at the bony landmarks.
func newBody(heightM float64) *body {
	b := &body{heightM: heightM}
	h := heightM
	b.ankleM, b.shankM, b.thighM = 0.043*h, 0.242*h, 0.240*h
	set := func(left human.Joint, x, y, z float64) {
		b.offset[left] = spatial.Vec3{x * h, y * h, z * h}
		b.offset[left.Mirror()] = spatial.Vec3{x * h, -y * h, z * h}
	}
	set(human.Chest, 0, 0, 0.290)
	set(human.Head, 0.008, 0, 0.115)
	set(human.Nose, 0.066, 0, 0)
	set(human.LShoulder, 0, 0.108, 0)
	set(human.LElbow, 0, 0, -0.176)
	set(human.LWrist, 0, 0, -0.146)
	set(human.LHand, 0, 0, -0.055)
	set(human.LHip, 0, 0.050, 0)
	set(human.LKnee, 0, 0, -0.240)
	set(human.LAnkle, 0, 0, -0.242)
	set(human.LHeel, -0.032, 0, -0.043)
	set(human.LToe, 0.108, 0, -0.043)
	return b
}

// place fills all joint positions from the pelvis and the segment rotations.
func (b *body) place(p *human.Pose) {
	for j := human.Joint(1); int(j) < human.NumJoints; j++ {
		up := j.Parent()
		p.Positions[j] = p.Positions[up].Add(p.Rotations[up].Rotate(b.offset[j]))
	}
}

// segmentMass is one rigid piece of the body for the centre of mass: a share of
// the body mass at a fraction of the way from one joint to another.
type segmentMass struct {
	from, to human.Joint
	share    float64
	at       float64
}

// Shares and centres after de Leva (1996), male; the head's lies between the
// ears and the trunk's a little above half way.
var (
	midlineMasses = [...]segmentMass{
		{human.Head, human.Head, 0.0694, 0},
		{human.Chest, human.Pelvis, 0.4346, 0.45},
	}
	leftMasses = [...]segmentMass{
		{human.LShoulder, human.LElbow, 0.0271, 0.577},
		{human.LElbow, human.LWrist, 0.0162, 0.457},
		{human.LWrist, human.LHand, 0.0061, 0.79},
		{human.LHip, human.LKnee, 0.1416, 0.410},
		{human.LKnee, human.LAnkle, 0.0433, 0.446},
		{human.LHeel, human.LToe, 0.0137, 0.442},
	}
)

// centreOfMass returns the body's centre of mass in the frame of p.
func centreOfMass(p *human.Pose) spatial.Vec3 {
	var sum spatial.Vec3
	total := 0.0
	add := func(from, to human.Joint, s segmentMass) {
		sum = sum.Add(p.Positions[from].Lerp(p.Positions[to], s.at).Scale(s.share))
		total += s.share
	}
	for _, s := range midlineMasses {
		add(s.from, s.to, s)
	}
	for _, s := range leftMasses {
		add(s.from, s.to, s)
		add(s.from.Mirror(), s.to.Mirror(), s)
	}
	return sum.Scale(1 / total)
}
