// Package drivertest holds what every author of a driver needs to test it and
// what uses drivers: [Conform], the conformance suite of the driver contract,
// and [Fake], a robot of ideal joints in memory with faults to inject.
package drivertest

import (
	"context"
	"math"
	"slices"
	"time"

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
	SlowSilent  bool // slow registers are not answered
	Deaf        bool // torque commands are ignored
	Stopped     bool // by the servos' own watchdog: goals are refused until they are taken up
	Lose        int  // Writes from now on that never arrive
	Unfit       driver.Unfit
	GravityDir  [3]float64
	GyroRadPerS [3]float64
	TempC       float64
	BusV        float64
	Alert       uint8

	// What happened.
	Writes int
	Share  []float64 // of its torque that each servo may use
	Limits int       // times that it was told so
	Cuts   int       // a Fake is cut by its own goroutine only
	Halted bool

	sent   []float64 // goals of the latest Write, arrived or not
	reads  uint16
	passed time.Duration
}

// Now is its clock.
func (f *Fake) Now() time.Time { return time.Unix(0, 0).Add(f.passed) }

// FakePeriodS is how much time passes between the Reads of a Fake, in seconds.
const FakePeriodS = 0.01

// NewFake returns a healthy upright robot of n joints at zero, torque off.
func NewFake(n int) *Fake {
	f := &Fake{
		PosRad: make([]float64, n), GoalRad: make([]float64, n), Silent: make([]bool, n), sent: make([]float64, n), SpeedRad: 0.1, RangeRad: math.Pi,
		GravityDir: [3]float64{0, 0, -1}, TempC: 35, BusV: 12, Share: make([]float64, n),
	}
	f.unlimited()
	return f
}

// Connect implements driver.Driver.
func (f *Fake) Connect(context.Context) (driver.Identity, error) {
	f.Cuts = 0
	id := driver.Identity{IMU: true}
	for j := range f.PosRad {
		id.Servos = append(id.Servos, driver.Servo{ID: uint8(j + 1)})
	}
	return id, nil
}

// Read implements driver.Driver.
func (f *Fake) Read(dst *driver.State) error {
	f.reads++
	f.passed += time.Duration(FakePeriodS * float64(time.Second))
	dst.Transactions++
	dst.IMUFresh, dst.Unfit = false, f.Unfit
	for j := range f.PosRad { // what is heard of below is young again
		dst.AgeS[j] += FakePeriodS
		dst.SlowAgeS[j] += FakePeriodS
	}
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
		dst.AgeS[j] = 0
		if !f.SlowSilent {
			dst.TempC[j], dst.BusV[j], dst.Alert[j], dst.TorqueOn[j], dst.SlowAgeS[j] = f.TempC, f.BusV, f.Alert, f.TorqueOn, 0
		}
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
	switch {
	case f.Gone:
		return driver.ErrLinkLost
	case f.Cuts > 0:
		return driver.ErrCut
	}
	f.Writes++
	for j, q := range goalsRad {
		applied[j] = min(max(q, -f.RangeRad), f.RangeRad)
	}
	copy(f.sent, applied)
	if f.Lose > 0 {
		f.Lose--
	} else if !f.Stopped {
		copy(f.GoalRad, applied)
	}
	return nil
}

// Prepare implements driver.Driver.
func (f *Fake) Prepare() error {
	switch {
	case f.Gone:
		return driver.ErrLinkLost
	case f.Cuts > 0:
		return driver.ErrCut
	case f.Unfit.Joint != "" || slices.Contains(f.Silent, true) || !slices.Equal(f.sent, f.GoalRad):
		return driver.ErrPartial
	}
	return nil
}

// TakeUp implements driver.Driver.
func (f *Fake) TakeUp(applied, goalsRad []float64) error {
	switch {
	case f.Gone:
		return driver.ErrLinkLost
	case f.Cuts > 0:
		return driver.ErrCut
	}
	stopped := f.Stopped
	f.Stopped = false
	if err := f.Write(applied, goalsRad); err != nil {
		return err
	}
	if err := f.Prepare(); err != nil {
		f.Stopped = stopped
		return err
	}
	return nil
}

// Limit implements driver.Driver.
func (f *Fake) Limit(share []float64) error {
	switch {
	case f.Gone:
		return driver.ErrLinkLost
	case f.Cuts > 0:
		return driver.ErrCut
	}
	f.Limits++
	copy(f.Share, share)
	return nil
}

// Torque implements driver.Driver.
func (f *Fake) Torque(on bool) error {
	if f.Gone {
		return driver.ErrLinkLost
	}
	switch {
	case on && f.Cuts > 0:
		return driver.ErrCut
	case f.Deaf:
		return driver.ErrPartial
	}
	if f.TorqueOn = on; !on {
		f.unlimited()
	}
	for _, s := range f.Silent {
		if s {
			return driver.ErrPartial
		}
	}
	return nil
}

func (f *Fake) unlimited() {
	for j := range f.Share {
		f.Share[j] = 1
	}
}

// Cut implements driver.Driver.
func (f *Fake) Cut() error {
	if f.Gone {
		return driver.ErrLinkLost
	}
	f.Cuts++
	f.TorqueOn = false
	return nil
}

// Halt implements driver.Driver.
func (f *Fake) Halt() error {
	f.Halted, f.TorqueOn = true, false
	return nil
}

var _ driver.Driver = (*Fake)(nil)
