// Package trace carries what each tick saw and did from the control loop to
// whoever wants to know: the flight recorder, the status line, the command link.
//
// A [Ring] is a fixed number of records between exactly one producer (the loop) and
// one consumer, which may be another process: the memory may be shared. Neither side
// ever waits for the other: when the consumer is too slow, samples are dropped and
// counted. Filling a sample allocates nothing and takes no lock.
//
// What is not here: where shared memory comes from (package shared), files (recorder).
package trace

import (
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// Sample is one tick. Joint slices are in the order of the robot description.
type Sample struct {
	MonoNs  int64 // at which the tick started, on a clock that nobody sets
	WallNs  int64 // the same as Unix time: a label, it may jump
	Tick    int64
	LateNs  int64 // against the tick's deadline
	BusNs   int64 // from the start of the tick until state had been read
	ActNs   int64 // spent in the controller
	Skipped int64 // ticks skipped just before this one

	Mode       mode.State
	From       mode.State // before this tick
	Why        mode.Reason
	Request    mode.Request // the strongest that was asked for in this tick
	Refused    bool
	Failing    mode.Checks
	Conditions mode.Conditions

	WantRad  []float64 // asked for, before the guard
	GoalRad  []float64 // as really sent
	Guard    guard.Report
	Robot    driver.State
	WindingC []float64 // estimated, see guard.Monitor
	Torque   []float64 // share of its torque that each joint may use for its heat
	Pace     []float64 // share of its speed likewise
	TiltRad  float64
	SupplyV  float64
	// Between what the battery's charge lies, 0 to 1, and the current that it gives; 0, 1
	// and 0 where no battery is described.
	ChargeLow, ChargeHigh, SupplyA float64

	TorqueOff bool // confirmed by every servo
	Phase     float64
	Playing   bool // the controller is in a motion, in hold and settle too: it ends it

	// What else decided the tick, and what it came to: a replay needs all of it.
	Asked     Asked
	Outside   mode.Conditions // set from outside the loop
	Calls     Calls
	Act       Act
	Machine   mode.Machine // after the tick's work
	SentRad   []float64    // after the guard, as handed to the driver; of ticks with Calls.Write
	TakeUpRad []float64    // likewise; of ticks with Calls.TakeUp
	CatchUp   bool         // commands are gentle until they have caught up with taken-up servos
}

// newSample returns a sample for a robot of that many joints.
func newSample(joints int) Sample {
	return Sample{
		WantRad: make([]float64, joints), GoalRad: make([]float64, joints), WindingC: make([]float64, joints),
		Torque: make([]float64, joints), Pace: make([]float64, joints),
		SentRad: make([]float64, joints), TakeUpRad: make([]float64, joints),
		Robot: *driver.NewState(joints),
	}
}

// Clone returns a copy that stays as it is.
func (s *Sample) Clone() *Sample {
	dst := newSample(s.Robot.Joints())
	s.CopyTo(&dst)
	return &dst
}

// CopyTo copies s into dst, a clone of a sample of the same robot, without allocating.
func (s *Sample) CopyTo(dst *Sample) {
	was := *dst
	s.Robot.CopyTo(&was.Robot)
	*dst = *s
	dst.Robot = was.Robot
	for _, c := range [...]struct {
		to  *[]float64
		own []float64
	}{
		{&dst.WantRad, was.WantRad}, {&dst.GoalRad, was.GoalRad}, {&dst.WindingC, was.WindingC}, {&dst.Torque, was.Torque},
		{&dst.Pace, was.Pace}, {&dst.SentRad, was.SentRad}, {&dst.TakeUpRad, was.TakeUpRad},
	} {
		copy(c.own, *c.to)
		*c.to = c.own
	}
}
