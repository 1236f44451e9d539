// Package physique holds what the stages of retargeting need to know of one robot: how far and how fast its joints may
// turn, what its standing pose looks like in numbers, where the soles are, how far the legs reach.
//
// Lengths are in metres, angles in rad, speeds in rad/s. Slices named by velocity index have the length NV of the
// kinematic model, joint by joint in its order. A Robot is immutable and may be shared between goroutines. Not here:
// binding a description to its model (models/body), a person's motion.
package physique

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	// SpeedShare is the part of a servo's no-load speed that a motion may ask for: beyond it no torque is left to speak
	// of (it falls linearly with speed). Tuned on kata20's demonstrations.
	SpeedShare = 0.7
	// leastBendRad is how bent the knees stay. Tuned: with less, knees turn faster than their servos for small reaches.
	leastBendRad = 0.2
	// limitGapRad is kept from every joint limit: room for the policy.
	limitGapRad = 0.02
	// reachEasy is a share of the stretched leg. A leg that is nearly straight turns its knee wildly for the slightest
	// reach, so what lies beyond this, or beyond the standing pose if that is more stretched, is drawn in.
	reachEasy = 0.90
	rootFree  = 6 // velocities of the free joint
)

// Robot is one robot.
type Robot struct {
	Desc *robot.Description
	Kin  *kin.Model
	An   *anatomy.Anatomy

	Active       []int     // velocity indices that may change: the free joint, then the described joints, rising
	DofQ         []int     // position index by velocity index; 0 where no described joint is
	LoRad, HiRad []float64 // by velocity index, with a gap to the limits
	SpeedRadPerS []float64 // by velocity index
	IsLeg, IsArm []bool    // by velocity index
	Joints       []int     // velocity index of each described joint
	HasWaist     bool

	ChestFromBody, HeadFromBody spatial.Quat
	HipMid                      spatial.Vec3    // in the root's frame
	HipFromMid                  [2]spatial.Vec3 // in the standing root's frame turned upright
	FootPoint                   [2]spatial.Vec3 // sole point below the ankle, foot frame
	SoleOffset                  [2]spatial.Vec3 // from that point to the sole's middle, sole frame

	// The standing pose: keyframe with the root over the origin.
	StandFeet                        [2]spatial.Vec3 // points of the floor below the ankles
	StandCom                         spatial.Vec3    // on the floor
	StandHipM, ComHeightM            float64
	WidestM                          float64 // feet may stand this far apart sideways
	ReachEasy                        float64 // share of the stretched leg that it reaches easily
	StandRoot, StandChest, StandHead spatial.Quat
}

// New measures a robot. It fails where the robot is no humanoid.
func New(b *body.Body) (*Robot, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, fmt.Errorf("retarget: %w", err)
	}
	r := &Robot{Desc: b.Desc, Kin: b.Kin, An: an, HasWaist: len(an.Waist) > 0}
	r.mapJoints(b.Joints)
	r.bendKnees()
	r.measureStand()
	return r, nil
}

// Hinges are the velocity indices of the described joints, rising.
func (r *Robot) Hinges() []int { return r.Active[rootFree:] }

// mapJoints notes the range and speed of each described joint.
func (r *Robot) mapJoints(joints []body.Joint) {
	nv := r.Kin.Tree.NV
	r.DofQ, r.LoRad, r.HiRad = make([]int, nv), make([]float64, nv), make([]float64, nv)
	r.SpeedRadPerS, r.IsLeg, r.IsArm = make([]float64, nv), make([]bool, nv), make([]bool, nv)
	used := make([]bool, nv)
	for k, j := range r.Desc.Joints {
		tj := &joints[k]
		i := tj.QVel
		used[i] = true
		r.DofQ[i] = tj.QPos
		gap, ref := math.Min(limitGapRad, (tj.MaxRad-tj.MinRad)/8), r.An.Ref[tj.QPos]
		r.LoRad[i], r.HiRad[i] = math.Min(tj.MinRad+gap, ref), math.Max(tj.MaxRad-gap, ref)
		r.SpeedRadPerS[i] = SpeedShare * r.Desc.ServoTypes[j.Servo].NoLoadSpeedRadPerS
		if j.SpeedLimitRadPerS > 0 {
			r.SpeedRadPerS[i] = math.Min(r.SpeedRadPerS[i], j.SpeedLimitRadPerS)
		}
		r.Joints = append(r.Joints, i)
	}
	first := r.Kin.Path(r.An.Root)
	r.Active = append(r.Active, first[len(first)-rootFree:]...)
	for i := range used {
		if used[i] {
			r.Active = append(r.Active, i)
		}
	}
	for s := range r.An.Legs {
		for _, i := range r.An.Legs[s].Dofs {
			r.IsLeg[i] = true
		}
		for _, i := range r.An.Arms[s].Dofs {
			r.IsArm[i] = true
		}
	}
}

// bendKnees keeps the knees from going straight (or through), where the slightest reach costs a great turn: at least
// as bent as leastBendRad, or as half of the standing pose if that is less.
func (r *Robot) bendKnees() {
	d := r.Kin.NewData()
	r.Kin.Forward(d, r.An.Ref)
	for s := range r.An.Legs {
		l := &r.An.Legs[s]
		path := r.Kin.Path(l.Knee.Body)
		i := path[len(path)-1]
		if r.DofQ[i] == 0 {
			continue
		}
		// The angle at which the leg is straight, from the bend that the standing pose has.
		thigh, shank := l.Knee.At(d).Sub(l.Hip.At(d)), l.Ankle.At(d).Sub(l.Knee.At(d))
		bend := spatial.Between(thigh, shank).Log().Dot(d.DofAng[i])
		least := math.Min(leastBendRad, math.Abs(bend)/2)
		if straight := r.An.Ref[r.DofQ[i]] - bend; bend > 0 {
			r.LoRad[i] = math.Max(r.LoRad[i], straight+least)
		} else if bend < 0 {
			r.HiRad[i] = math.Min(r.HiRad[i], straight-least)
		}
	}
}
