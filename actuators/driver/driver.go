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
// one goroutine; after Connect, Read and Write allocate nothing.
package driver

import (
	"context"
	"errors"

	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Driver moves joints. Conformance: package drivertest.
type Driver interface {
	// Connect finds every servo, checks identity and settings, configures
	// what may be configured, and leaves torque off. It may allocate and may
	// take seconds. Errors name the servo, the value and the legal values.
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

	// Torque switches every servo on or off. On takes up servos that their own
	// watchdog has stopped. Off is attempted on every servo
	// even when some do not answer. The error is nil only when every servo
	// confirmed.
	Torque(on bool) error

	// Halt switches torque off as far as possible and releases the port. It
	// may be called at any time and more than once.
	Halt() error
}

// The errors that callers branch on. They are returned bare by Read and Write,
// so that a tick allocates nothing.
var (
	ErrPartial   = errors.New("driver: some servos did not answer")
	ErrLinkLost  = errors.New("driver: the link to the servos is gone")
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

// State is what the bus has told so far. Slices have one entry per joint; the
// caller allocates them once with [NewState].
type State struct {
	PosRad     []float64
	VelRadPerS []float64
	CurrentA   []float64
	Fresh      []bool // answered in the latest read

	// Reading is what the inertial sensor told, a source of its own: package multi
	// brings both together. A driver of servos alone leaves it as it is.
	imu.Reading

	// The slow registers, one joint and bus per read.
	TempC    []float64
	BusV     []float64
	Alert    []uint8 // hardware error bits; 0 is healthy
	TorqueOn []bool
	// Stopped says that a servo heard nothing for so long that its own watchdog
	// stopped it where it is: it refuses goals until Torque(true).
	Stopped []bool

	// Transactions and Failures count bus exchanges since Connect.
	Transactions uint64
	Failures     uint64
}

// NewState returns an upright state of n joints at zero.
func NewState(n int) *State {
	return &State{
		PosRad: make([]float64, n), VelRadPerS: make([]float64, n), CurrentA: make([]float64, n),
		Fresh: make([]bool, n), Reading: imu.Reading{GravityDir: spatial.Vec3{0, 0, -1}},
		TempC: make([]float64, n), BusV: make([]float64, n), Alert: make([]uint8, n), TorqueOn: make([]bool, n),
		Stopped: make([]bool, n),
	}
}

// Joints returns how many joints the state describes.
func (s *State) Joints() int { return len(s.PosRad) }

// CopyTo copies s into dst of the same size without allocating.
func (s *State) CopyTo(dst *State) {
	if len(dst.PosRad) != len(s.PosRad) {
		panic("driver: states of different size")
	}
	pos, vel, cur, fresh := dst.PosRad, dst.VelRadPerS, dst.CurrentA, dst.Fresh
	temp, volt, alert, torque, stopped := dst.TempC, dst.BusV, dst.Alert, dst.TorqueOn, dst.Stopped
	*dst = *s
	dst.PosRad, dst.VelRadPerS, dst.CurrentA, dst.Fresh = pos, vel, cur, fresh
	dst.TempC, dst.BusV, dst.Alert, dst.TorqueOn, dst.Stopped = temp, volt, alert, torque, stopped
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
