package driver

import "context"

// Finding is what a look at one servo found.
type Finding struct {
	Servo
	Answers bool
	Torque  bool
	Faults  []string // what Connect would refuse, in words
	Changes []string // settings that would be changed before the robot moves, in words
}

// Survey is what a look at the servos of a bus, or of a robot, found.
type Survey struct {
	Servos  []Finding // in joint order
	IMU     bool      // an inertial sensor answers
	Faults  []string  // of what is no servo
	Changes []string  // likewise
}

// Surveyor is a Driver that looks at servos and changes nothing: after Survey it may be
// read, and whatever would write to a servo, Torque and Cut and Halt included, does not.
type Surveyor interface {
	// Survey takes the place of Connect. It finds every servo and what it holds, and says
	// what Connect would refuse and change. The error is for a port that is gone.
	Survey(ctx context.Context) (Survey, error)
	Read(dst *State) error
	Halt() error
}
