// Package sensed is what a robot knows of itself: the measured quantities that a
// controller decides by, in the words that both sides of the control loop share.
//
// Not here: how they are measured (actuators/driver), what a policy makes of them
// (policy/obs). Slices belong to whoever measures; a reader keeps none of them.
package sensed

import "github.com/mitori-robotics/mitori/models/spatial"

// Robot is one measurement. Joint slices are in the order of the description.
type Robot struct {
	PosRad     []float64
	VelRadPerS []float64
	// GyroRadPerS is the body rate and GravityDir the unit vector along which gravity
	// pulls, both in the trunk frame; upright is (0, 0, -1).
	GyroRadPerS spatial.Vec3
	GravityDir  spatial.Vec3
}
