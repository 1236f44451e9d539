// Package driver is the contract between the control loop and whatever turns
// joint angles into motion: servos on a bus today, another bus tomorrow.
//
// Vocabulary: a joint is named by its index in the robot description; a goal is
// the angle a servo is asked to reach; a read is one bus transaction that
// refreshes the State; a slow register (temperature, voltage, error) is read
// for one servo per tick, in turn. A driver speaks joint angles in radians in
// the description's order and signs; ids, counts, mounting signs and offsets
// stay inside it.
//
// What is not here: the inertial sensor (package imu), limits on motion (package guard, which every command
// passes first), state machines, retries beyond one tick. A Driver is used by
// one goroutine, but for Cut; after Connect, all but Cut and Halt allocates nothing.
package driver

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Driver moves joints. Conformance: package drivertest.
type Driver interface {
	// Connect finds every servo, checks identity and settings, and configures what may
	// be configured. It switches no torque off: servos that carry it are left as they
	// are, and refused with [ErrEnergised], unless the driver was made to release them.
	// What does not fit is refused with [ErrUnfit], all faults at once; errors name the
	// servo, the value and the legal values. It may allocate and may take seconds.
	Connect(ctx context.Context) (Identity, error)

	// Read refreshes dst from the bus. Joints that did not answer keep their
	// old values and have Fresh false. The error is nil when all answered,
	// [ErrPartial] when some did not, [ErrLinkLost] when the port is gone.
	Read(dst *State) error

	// Write sends one goal per joint and stores in applied the goals as
	// really sent, after the servo's own range and resolution; goalsRad stays
	// as it is. It refuses a goal that is not finite: [ErrNotFinite], and sends
	// nothing. A goal beyond a servo's range is no fault. Where servos hang on
	// several buses and some bus takes no goals, the error is [ErrPartial], and
	// applied keeps what those servos were last sent.
	Write(applied, goalsRad []float64) error

	// Prepare makes the servos ready to carry torque: it sets what they forget in a
	// reset and reads it back, together with the goals of the last Write. It takes one
	// step a call, so that a tick stays short; the error is nil once every servo holds
	// everything, and State.Unfit then tells nothing. It is called in the ticks before
	// Torque(true), after a Write in the same tick.
	Prepare() error

	// Torque switches every servo on or off. Off is attempted on every servo
	// even when some do not answer. The error is nil only when every servo
	// confirmed.
	Torque(on bool) error

	// Limit lets each servo use that share of its torque at most, 0 to 1, from now on until
	// the next Limit; Torque(false) ends it. Nobody confirms it: who means it asks again.
	// The error is ErrLinkLost where nothing was sent, ErrPartial where some bus took nothing.
	Limit(share []float64) error

	// TakeUp lets servos go on that their own watchdog has stopped: it makes them take
	// goals again, sends goalsRad as Write does, and then, if every servo holds them,
	// switches torque on for those that were reported as stopped and for no other. An
	// error leaves them reported as stopped.
	TakeUp(applied, goalsRad []float64) error

	// Cut switches torque off at once, past whatever the driver is doing: it may be called
	// from any goroutine, also while another call hangs, and does not wait for that. Calls
	// that had begun send nothing more; from then until the next Connect, Write, Prepare,
	// Limit, TakeUp and Torque(true) return [ErrCut], and the rest goes on. The error is nil when torque-off
	// went out; whether servos obeyed, only Torque(false) tells.
	Cut() error

	// Halt switches torque off as far as possible and releases the port. It
	// may be called at any time and more than once.
	Halt() error
}

// The errors that wrap what Connect refuses.
var (
	ErrEnergised = errors.New("the robot is energised")
	ErrUnfit     = errors.New("servos do not fit the robot's description")
	ErrUnpowered = errors.New("the servos have no power") // from a driver that was made not to feed them
)

// The errors that callers branch on. They are returned bare by Read and Write,
// so that a tick allocates nothing.
var (
	ErrPartial   = errors.New("driver: some servos did not answer")
	ErrLinkLost  = errors.New("driver: the link to the servos is gone")
	ErrCut       = errors.New("driver: torque was switched off past the loop")
	ErrNotFinite = errors.New("driver: goal is not a finite number")
)

// Servo is what one servo says about itself.
type Servo struct {
	Joint    string
	ID       uint8
	Model    uint16
	Firmware uint8
}

// Identity is what Connect found.
type Identity struct {
	Servos  []Servo  // in joint order
	IMU     bool     // an inertial sensor answers
	Changed []string // settings that had to be changed, in words
}

// Unfit is one setting that one servo does not hold; the zero value is none.
type Unfit struct {
	Joint     string
	ID        uint8
	Setting   string // as people call it; empty: the servo did not answer
	Got, Want int64  // register values
}

// String says it in words; empty for none.
func (u Unfit) String() string {
	switch {
	case u.Joint == "":
		return ""
	case u.Setting == "":
		return fmt.Sprintf("servo %d (%s) does not answer", u.ID, u.Joint)
	}
	return fmt.Sprintf("servo %d (%s): %s is %d; legal: %d", u.ID, u.Joint, u.Setting, u.Got, u.Want)
}

// State is what the bus has told so far. Slices have one entry per joint; the
// caller allocates them once with [NewState].
type State struct {
	PosRad     []float64
	VelRadPerS []float64
	CurrentA   []float64
	Fresh      []bool // answered in the latest read, to what that read asked
	// AgeS is how old position, speed and current of a joint are at the end of the latest
	// read, in seconds since they were asked for: rather too much than too little. What
	// is fresh is as old as the read took at most. +Inf: never answered.
	AgeS []float64

	// Reading is what the inertial sensor told, a source of its own: package multi
	// brings both together. A driver of servos alone leaves it as it is.
	imu.Reading

	// The slow registers, one joint and bus per read; each again within SlowRound reads.
	// A temperature or voltage that was never read is not a number.
	TempC    []float64
	BusV     []float64
	Alert    []uint8 // hardware error bits; 0 is healthy
	TorqueOn []bool
	// Stopped says that a servo heard nothing for so long that its own watchdog
	// stopped it where it is: it refuses goals until TakeUp.
	Stopped []bool
	// SlowAgeS is how old the oldest of a joint's slow registers is, as AgeS.
	SlowAgeS []float64
	// Unfit is why the latest Prepare was not satisfied.
	Unfit Unfit

	// Transactions and Failures count bus exchanges since Connect.
	Transactions uint64
	Failures     uint64
	// Asides and AsideFailures are those of them that read slow registers or a sensor.
	Asides        uint64
	AsideFailures uint64
}

// SlowRound is within how many reads every slow register of n joints is read again, where
// servos answer.
func SlowRound(n int) int { return 4 * n }

// NewState returns an upright state of n joints at zero, of which nothing is known yet.
func NewState(n int) *State {
	s := &State{
		PosRad: make([]float64, n), VelRadPerS: make([]float64, n), CurrentA: make([]float64, n),
		Fresh: make([]bool, n), Reading: imu.Reading{GravityDir: spatial.Vec3{0, 0, -1}},
		TempC: make([]float64, n), BusV: make([]float64, n), Alert: make([]uint8, n), TorqueOn: make([]bool, n),
		Stopped: make([]bool, n), AgeS: make([]float64, n), SlowAgeS: make([]float64, n),
	}
	for j := range n {
		s.AgeS[j], s.SlowAgeS[j] = math.Inf(1), math.Inf(1)
		s.TempC[j], s.BusV[j] = math.NaN(), math.NaN()
	}
	return s
}

// Joints returns how many joints the state describes.
func (s *State) Joints() int { return len(s.PosRad) }

// CopyTo copies s into dst of the same size without allocating.
func (s *State) CopyTo(dst *State) {
	if len(dst.PosRad) != len(s.PosRad) {
		panic("driver: states of different size")
	}
	pos, vel, cur, fresh := dst.PosRad, dst.VelRadPerS, dst.CurrentA, dst.Fresh
	age, slowAge := dst.AgeS, dst.SlowAgeS
	temp, volt, alert, torque, stopped := dst.TempC, dst.BusV, dst.Alert, dst.TorqueOn, dst.Stopped
	*dst = *s
	dst.PosRad, dst.VelRadPerS, dst.CurrentA, dst.Fresh = pos, vel, cur, fresh
	dst.TempC, dst.BusV, dst.Alert, dst.TorqueOn, dst.Stopped = temp, volt, alert, torque, stopped
	dst.AgeS, dst.SlowAgeS = age, slowAge
	copy(dst.AgeS, s.AgeS)
	copy(dst.SlowAgeS, s.SlowAgeS)
	copy(dst.PosRad, s.PosRad)
	copy(dst.VelRadPerS, s.VelRadPerS)
	copy(dst.CurrentA, s.CurrentA)
	copy(dst.Fresh, s.Fresh)
	copy(dst.TempC, s.TempC)
	copy(dst.BusV, s.BusV)
	copy(dst.Alert, s.Alert)
	copy(dst.TorqueOn, s.TorqueOn)
	copy(dst.Stopped, s.Stopped)
}
