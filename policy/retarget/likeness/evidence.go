// Package likeness says whether a robot's motion is still the person's: limb directions, the way over the floor, the
// height of the hips, the heading, and how much longer it takes.
//
// It sees only where both bodies were, instant by instant, and knows nothing of how the motion was made, so that an
// error of the retargeting's own reading cannot hide from it. Evidence in, findings out; nothing is kept, everything
// may be called from any goroutine. Not here: gathering the evidence (policy/retarget), whether servos can do the
// motion (policy/feasible).
package likeness

import (
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Joint indexes the points of a body that are compared. Left is the body's own left.
type Joint int

// The joints. A robot without arms has no shoulders, elbows and wrists; see Posture.Has.
const (
	LHip Joint = iota
	LKnee
	LAnkle
	RHip
	RKnee
	RAnkle
	LShoulder
	LElbow
	LWrist
	RShoulder
	RElbow
	RWrist
	NumJoints int = iota
)

// Posture is one body at one instant.
type Posture struct {
	At  [NumJoints]spatial.Vec3 // m, world, z up, floor at 0
	Has [NumJoints]bool         // where At means something
	Up  spatial.Vec3            // direction of the trunk, unit
}

// Sample is what the robot does at an instant and what the person did then.
type Sample struct {
	PersonS       float64 // time in the person's motion, never falling from sample to sample
	RobotS        float64 // time in the robot's motion
	Person, Robot Posture
	// Still says that the person's legs were not seen, so that the robot's stand still by intent: way, height and
	// heading are not compared, and what the person went or turned meanwhile is not held against the robot later.
	Still bool
}

// Evidence is a whole motion, lead-in and lead-out left out.
type Evidence struct {
	PersonLegM, RobotLegM float64 // thigh and shank
	// Amplify is the factor by which steps were to be widened, 1 for none.
	Amplify float64
	// Stretch is how many times as long the motion became as was asked for.
	Stretch float64
	Samples []Sample
}
