package dynamixel_test

import (
	"math"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

func TestConformsOnTheEmulatedBus(t *testing.T) {
	drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
		b := newBench(t, nil, dynamixel.Options{})
		return drivertest.Rig{
			Driver: b.drv, Joints: len(b.desc.Joints), SafeRad: b.safePose(), ResolutionRad: math.Pi / 4096 * 1.01,
			Pass: func() { b.line.Advance(10 * time.Millisecond) }, Cut: func() { b.wire.gone = true },
			Torque: b.line.TorqueOn,
		}
	})
}

// The same on a line that takes its time, in time of its own.
func TestConformsOnALineThatTakesTime(t *testing.T) {
	const margin = 4 * time.Millisecond
	drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
		b := newBench(t, nil, dynamixel.Options{})
		wire := busemu.NewTimedWire(b.line, b.desc.Buses[0].Baud)
		var err error
		if b.drv, err = dynamixel.New(b.desc, "body", wire, dynamixel.Options{Now: wire.Now, Margin: margin}); err != nil {
			t.Fatal(err)
		}
		return drivertest.Rig{
			Driver: b.drv, Joints: len(b.desc.Joints), SafeRad: b.safePose(), ResolutionRad: math.Pi / 4096 * 1.01,
			Pass: func() { wire.PassUntil(wire.Now().Add(10 * time.Millisecond)) },
			Now:  wire.Now, Torque: b.line.TorqueOn,
			Hold: func(d time.Duration) {
				if b.line.ClearFaults(); d > 0 {
					b.line.Inject(busemu.Fault{Kind: busemu.FaultDelay, P: 1, Delay: d + margin})
				}
			},
		}
	})
}
