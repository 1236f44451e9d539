package solve

import (
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// landmarks returns the two landmarks whose mean is joint j.
func landmarks(j human.Joint) (a, b int) {
	switch j {
	case human.Pelvis:
		return landmark.LHip, landmark.RHip
	case human.Chest:
		return landmark.LShoulder, landmark.RShoulder
	case human.Head:
		return landmark.LEar, landmark.REar
	case human.Nose:
		return landmark.Nose, landmark.Nose
	case human.LHand:
		return landmark.LPinky, landmark.LIndex
	case human.RHand:
		return landmark.RPinky, landmark.RIndex
	}
	l := single[j]
	return l, l
}

// single maps the joints that are one landmark.
var single = [human.NumJoints]int{
	human.LShoulder: landmark.LShoulder, human.LElbow: landmark.LElbow, human.LWrist: landmark.LWrist,
	human.RShoulder: landmark.RShoulder, human.RElbow: landmark.RElbow, human.RWrist: landmark.RWrist,
	human.LHip: landmark.LHip, human.LKnee: landmark.LKnee, human.LAnkle: landmark.LAnkle,
	human.LHeel: landmark.LHeel, human.LToe: landmark.LToe,
	human.RHip: landmark.RHip, human.RKnee: landmark.RKnee, human.RAnkle: landmark.RAnkle,
	human.RHeel: landmark.RHeel, human.RToe: landmark.RToe,
}

func (s *stream) jointWorld(t int, j human.Joint) spatial.Vec3 {
	a, b := landmarks(j)
	return s.worldAt(t, a).Lerp(s.worldAt(t, b), 0.5)
}

func (s *stream) jointPx(t int, j human.Joint) [2]float64 {
	a, b := landmarks(j)
	return [2]float64{(s.px[a][0][t] + s.px[b][0][t]) / 2, (s.px[a][1][t] + s.px[b][1][t]) / 2}
}

func (s *stream) jointConf(t int, j human.Joint) float64 {
	a, b := landmarks(j)
	return (s.conf[a][t] + s.conf[b][t]) / 2
}

// boneKind names a length that both sides of the body share.
type boneKind int

const (
	trunk boneKind = iota
	hipWidth
	shoulderWidth
	neck
	upperArm
	forearm
	hand
	thigh
	shank
	ankleHeel
	heelToe
	ankleToe
	numBoneKinds int = iota
)

var boneNames = [numBoneKinds]string{"trunk", "hip_width", "shoulder_width", "neck", "upper_arm",
	"forearm", "hand", "thigh", "shank", "ankle_heel", "heel_toe", "ankle_toe"}

// markRatio is each length as a share of stature between the points that the network
// marks: triangulated from four calibrated views of an adult and blended with Winter,
// Biomechanics, figure 4.1.
var markRatio = [numBoneKinds]float64{trunk: 0.300, hipWidth: 0.106, shoulderWidth: 0.208, neck: 0.114,
	upperArm: 0.168, forearm: 0.150, hand: 0.048, thigh: 0.234, shank: 0.222,
	ankleHeel: 0.046, heelToe: 0.132, ankleToe: 0.108}

// boneRatio is each length between joints as a share of stature; feet between the
// network's marks. Winter, Biomechanics, figure 4.1 (after Drillis and Contini), with
// hips and shoulders at the joint centres; the trunk and the upper arm are halfway to
// what four calibrated views of a man show, and the shank ends at the network's ankle
// (see ankleSeenHeight).
var boneRatio = [numBoneKinds]float64{trunk: 0.294, hipWidth: 0.100, shoulderWidth: 0.216, neck: 0.115,
	upperArm: 0.174, forearm: 0.148, hand: 0.055, thigh: 0.240, shank: 0.217,
	ankleHeel: 0.046, heelToe: 0.132, ankleToe: 0.108}

// Where the network's foot landmarks lie in a foot flat on the floor, and where
// the skeleton has ankle, heel and toe, as shares of stature: ahead of the ankle
// and above the sole. The landmarks' heights were triangulated like boneRatio.
const (
	ankleSeenHeight = 0.062
	heelSeenHeight  = 0.031
	toeSeenHeight   = 0.015
	heelSeenAhead   = -0.034
	toeSeenAhead    = 0.097

	ankleHeight = 0.043
	heelAhead   = -0.032
	toeAhead    = 0.108
)

// bone is a rigid link from joint a to joint b.
type bone struct {
	a, b human.Joint
	kind boneKind
}

// bones lists the links of the fit; the three of a foot make it a rigid
// triangle. Pelvis and chest are the middles of hips and shoulders.
var bones = [...]bone{
	{human.Pelvis, human.Chest, trunk},
	{human.RHip, human.LHip, hipWidth},
	{human.RShoulder, human.LShoulder, shoulderWidth},
	{human.Chest, human.Head, neck},
	{human.LShoulder, human.LElbow, upperArm}, {human.RShoulder, human.RElbow, upperArm},
	{human.LElbow, human.LWrist, forearm}, {human.RElbow, human.RWrist, forearm},
	{human.LWrist, human.LHand, hand}, {human.RWrist, human.RHand, hand},
	{human.LHip, human.LKnee, thigh}, {human.RHip, human.RKnee, thigh},
	{human.LKnee, human.LAnkle, shank}, {human.RKnee, human.RAnkle, shank},
	{human.LAnkle, human.LHeel, ankleHeel}, {human.RAnkle, human.RHeel, ankleHeel},
	{human.LHeel, human.LToe, heelToe}, {human.RHeel, human.RToe, heelToe},
	{human.LAnkle, human.LToe, ankleToe}, {human.RAnkle, human.RToe, ankleToe},
}

// freeJoints are the unknowns of the fit; the other joints follow from them.
var freeJoints = [...]human.Joint{
	human.Head,
	human.LShoulder, human.LElbow, human.LWrist, human.LHand,
	human.RShoulder, human.RElbow, human.RWrist, human.RHand,
	human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe,
	human.RHip, human.RKnee, human.RAnkle, human.RHeel, human.RToe,
}

const numFree = len(freeJoints)

// freeIndex is the place of a joint in freeJoints, -1 for the others.
var freeIndex = func() (at [human.NumJoints]int) {
	for j := range at {
		at[j] = -1
	}
	for i, j := range freeJoints {
		at[j] = i
	}
	return at
}()

// ends expresses joint j as the mean of two unknowns (the same one twice when
// it is an unknown itself).
func ends(j human.Joint) (a, b int) {
	switch j {
	case human.Pelvis:
		return freeIndex[human.LHip], freeIndex[human.RHip]
	case human.Chest:
		return freeIndex[human.LShoulder], freeIndex[human.RShoulder]
	}
	return freeIndex[j], freeIndex[j]
}
