package replay

import (
	"context"
	"math"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// bus is a driver whose servos answer as they did in the recording. What is asked for
// and was not asked for then is refused; that shows in the tick's calls.
type bus struct {
	t     *recorder.Tick // the present one
	nowNs int64          // the loop's clock: it stands still but for what took time
}

// Connect implements driver.Driver.
func (b *bus) Connect(context.Context) (driver.Identity, error) { return driver.Identity{}, nil }

// Read implements driver.Driver.
func (b *bus) Read(dst *driver.State) error {
	t := b.t
	b.nowNs += nanoseconds(t.BusUs)
	copy(dst.PosRad, t.PosRad)
	copy(dst.VelRadPerS, t.VelRadS)
	copy(dst.CurrentA, t.CurrentA)
	copy(dst.Fresh, t.Fresh)
	copy(dst.AgeS, t.AgeS)
	copy(dst.SlowAgeS, t.SlowAgeS)
	copy(dst.TempC, t.TempC)
	copy(dst.BusV, t.BusV)
	copy(dst.TorqueOn, t.TorqueOn)
	copy(dst.Stopped, t.Stopped)
	for j, bits := range t.Alert {
		dst.Alert[j] = uint8(bits)
	}
	dst.Reading = imu.Reading{
		GyroRadPerS: spatial.Vec3(t.GyroRadS), GravityDir: spatial.Vec3(t.Gravity), IMUFresh: t.IMUFresh,
		IMUSample: t.IMUSample,
		Buttons:   t.Buttons, PowerCut: t.PowerCut,
	}
	dst.Unfit = t.Unfit
	dst.Transactions, dst.Failures, dst.Asides, dst.AsideFailures = t.Transactions, t.Failures, t.Asides, t.AsideFailures
	return t.Calls.Read.Err()
}

// Write implements driver.Driver.
func (b *bus) Write(applied, _ []float64) error { return b.goals(b.t.Calls.Write, applied) }

// TakeUp implements driver.Driver.
func (b *bus) TakeUp(applied, _ []float64) error { return b.goals(b.t.Calls.TakeUp, applied) }

// goals gives back what was applied at the end of the tick: nobody looks at it before.
func (b *bus) goals(a trace.Answer, applied []float64) error {
	if a != trace.NotAsked {
		copy(applied, b.t.GoalRad)
	}
	return a.Err()
}

// Prepare implements driver.Driver.
func (b *bus) Prepare() error { return b.t.Calls.Prepare.Err() }

// Limit implements driver.Driver; what came of it decides nothing.
func (b *bus) Limit([]float64) error { return nil }

// Torque implements driver.Driver.
func (b *bus) Torque(on bool) error {
	if on {
		return b.t.Calls.TorqueOn.Err()
	}
	return b.t.Calls.TorqueOff.Err()
}

// Cut implements driver.Driver.
func (b *bus) Cut() error { return nil }

// Halt implements driver.Driver.
func (b *bus) Halt() error { return nil }

// now is the clock of a replayed loop.
func (b *bus) now() int64 { return b.nowNs }

// nanoseconds is the whole number of nanoseconds that was recorded as microseconds.
func nanoseconds(us float64) int64 { return int64(math.Round(us * 1e3)) }

var _ driver.Driver = (*bus)(nil)
