// Package flight is one run of a robot from the first tick to torque-off, around the
// control loop and outside its real-time thread, in two halves that share a desk and a
// ring of samples and may be two processes.
//
// The loop's half runs the loop with its supervisor and catches what goes wrong
// ([Operate]). The gateway's half passes orders on, shows that it is there and watches
// the other ([Attend]); takes in the loop's samples to record them, follow a mission and
// tell people ([Watch]); answers operators' commands with the loop's own decision
// ([Commands]); switches torque off where no loop is left ([Rescue]); and says how it all
// ended ([Fill], [Outcome]).
//
// What is not here: the loop itself (actuators/loop), the memory between the halves
// (actuators/shared), where people are (a terminal, a broker: [Teller], [Link]), which
// bus and which policy, and processes (the command that wires them). Each type says which
// goroutines may use it.
package flight

import (
	"context"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// Teller tells people nearby. It may be used from any goroutine and never waits.
type Teller interface {
	Event(format string, args ...any)
	Status(s record.Status)
}

// Mission is the operator that a command line describes. It is a function of the samples
// that it sees, and never waits.
type Mission interface {
	// Step takes in a sample and returns what to ask of the loop, and whether the mission
	// is over and the loop is to stop.
	Step(x *trace.Sample) (ask mode.Request, stop bool)
}

// Link tells operators far away. It never waits.
type Link interface {
	State(s record.Status)
	Event(e record.Event)
}

// Meter counts what the loop does, and keeps the sample only by copying it. It never waits.
type Meter interface {
	Take(s *trace.Sample)
}

// Orders end a flight from outside: the first settles the robot, who insists cuts
// torque at once.
type Orders interface {
	Context() context.Context // done at the first order
	Insisted() <-chan struct{}
	Cause() string // the first order in words
}
