// Package drivertest holds what every author of a driver needs to test it and
// what uses drivers: [Conform], the conformance suite of the driver contract,
// and [Fake], a robot of ideal joints in memory with faults to inject.
package drivertest

import (
	"context"
	"math"

	"github.com/mitori-robotics/mitori/actuators/driver"
)

// Fake is a driver whose joints follow their goals at a limited speed, once per
// Read. It has an inertial sensor, as a composite driver has. Its fields may be changed between calls. It belongs to one goroutine.
type Fake struct {
	PosRad   []float64
	GoalRad  []float64
	TorqueOn bool
	SpeedRad float64 // per Read
	// RangeRad is how far joints go to either side; goals beyond it are applied at it.
	RangeRad float64

	// Faults.
	Silent      []bool // servos that do not answer
	Gone        bool   // the port
	IMUSilent   bool
	Deaf        bool // torque commands are ignored
	Stopped     bool // by the servos' own watchdog: goals are refused until torque is commanded on
	GravityDir  [3]float64
	GyroRadPerS [3]float64
	TempC       float64
	BusV        float64
	Alert       uint8

	// What happened.
	Writes int
	Halted bool

	reads uint16
}

// NewFake returns a healthy upright robot of n joints at zero, torque off.
func NewFake(n int) *Fake {
	return &Fake{
		PosRad: make([]float64, n), GoalRad: make([]float64, n), Silent: make([]bool, n), SpeedRad: 0.1, RangeRad: math.Pi,
		GravityDir: [3]float64{0, 0, -1}, TempC: 35, BusV: 12,
	}
}

// Connect implements driver.Driver.
func (f *Fake) Connect(context.Context) (driver.Identity, error) {
	id := driver.Identity{IMU: true}
	for j := range f.PosRad {
		id.Servos = append(id.Servos, driver.Servo{ID: uint8(j + 1)})
	}
	return id, nil
}

// Read implements driver.Driver.
func (f *Fake) Read(dst *driver.State) error {
	f.reads++
	dst.Transactions++
	dst.IMUFresh = false
	if f.Gone {
		clear(dst.Fresh)
		dst.Failures++
		return driver.ErrLinkLost
	}
	missing := false
	for j := range f.PosRad {
		v := 0.0
		if f.TorqueOn && !f.Stopped {
			v = min(max(f.GoalRad[j]-f.PosRad[j], -f.SpeedRad), f.SpeedRad)
			f.PosRad[j] += v
		}
		dst.Fresh[j], dst.Stopped[j] = !f.Silent[j], f.Stopped
		if f.Silent[j] {
			missing = true
			continue
		}
		dst.PosRad[j], dst.VelRadPerS[j], dst.CurrentA[j] = f.PosRad[j], v*100, 0.1
		dst.TempC[j], dst.BusV[j], dst.Alert[j], dst.TorqueOn[j] = f.TempC, f.BusV, f.Alert, f.TorqueOn
	}
	if !f.IMUSilent {
		dst.IMUFresh, dst.IMUSample = true, f.reads
		dst.GravityDir, dst.GyroRadPerS = f.GravityDir, f.GyroRadPerS
	}
	if missing {
		dst.Failures++
		return driver.ErrPartial
	}
	return nil
}

// Write implements driver.Driver.
func (f *Fake) Write(applied, goalsRad []float64) error {
	for _, q := range goalsRad {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return driver.ErrNotFinite
		}
	}
	if f.Gone {
		return driver.ErrLinkLost
	}
	f.Writes++
	for j, q := range goalsRad {
		applied[j] = min(max(q, -f.RangeRad), f.RangeRad)
	}
	if !f.Stopped {
		copy(f.GoalRad, applied)
	}
	return nil
}

// Torque implements driver.Driver.
func (f *Fake) Torque(on bool) error {
	if f.Gone {
		return driver.ErrLinkLost
	}
	if f.Deaf {
		return driver.ErrPartial
	}
	f.TorqueOn = on
	if on && f.Stopped {
		f.Stopped = false
		copy(f.GoalRad, f.PosRad)
	}
	for _, s := range f.Silent {
		if s {
			return driver.ErrPartial
		}
	}
	return nil
}

// Halt implements driver.Driver.
func (f *Fake) Halt() error {
	f.Halted, f.TorqueOn = true, false
	return nil
}

var _ driver.Driver = (*Fake)(nil)
