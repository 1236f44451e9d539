// Package flight is one run of a robot from the first tick to torque-off, around the
// control loop and outside its real-time thread: it runs the loop and catches what
// goes wrong ([Operate]), takes in the loop's samples ([Watch]) to record them, follow
// a mission and tell people, answers operators' commands with the loop's own decision
// ([Commands]), and says how it all ended ([Fill], [Outcome]).
//
// What is not here: the loop itself (actuators/loop), where people are (a terminal, a
// broker: [Teller], [Link]), which bus and which policy (the command that wires them).
// Each type says which goroutines may use it.
package flight

import (
	"context"

	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// Teller tells people nearby. It may be used from any goroutine and never waits.
type Teller interface {
	Event(format string, args ...any)
	Status(s record.Status)
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
