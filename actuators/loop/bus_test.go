package loop_test

import (
	"context"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const tick = 10 * time.Millisecond

// onBus is kata20 behind the emulated bus, byte for byte, in lockstep: no wall
// time, so every run is the same.
type onBus struct {
	t    *testing.T
	l    *loop.Loop
	line *busemu.World
	tick int64
}

func newOnBus(t *testing.T, tiltAt time.Duration, faults ...string) *onBus {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	n := len(desc.Joints)
	plant := busemu.NewIdeal(desc.Servos(), 2*time.Millisecond)
	plant.TipsAt = tiltAt
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	line, err := busemu.NewWorld(plant, cfg...)
	if err != nil {
		t.Fatal(err)
	}
	line.Untimed = true
	servos, err := dynamixel.New(desc, "body", busemu.NewWire(line.Lines[0]), dynamixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drv, err := multi.New(multi.Config{Joints: n, Buses: []multi.Bus{{Name: "body", Driver: servos, Joints: desc.JointsOn("body"), IMU: servos.IMU()}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, text := range faults {
		f, err := busemu.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := line.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	lc := loop.Config{
		RateHz: 100, ControlEvery: 2, MinRamp: loop.MinRamp,
		Thresholds: guard.DefaultThresholds(desc.Battery.WarnV, desc.Battery.StopV),
		StandRad:   make([]float64, n), SettleRad: make([]float64, n),
	}
	for j, d := range desc.Joints {
		lc.Limits = append(lc.Limits, guard.Joint{MinRad: d.MinRad, MaxRad: d.MaxRad, GentleRadPerS: 1.5, FullRadPerS: 8, AccelRadPerS2: 1600})
		lc.Health = append(lc.Health, guard.Health{Leg: j < 12, StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70})
		lc.StandRad[j] = min(max(0.2, d.MinRad), d.MaxRad)
	}
	l, err := loop.New(lc, drv, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &onBus{t: t, l: l, line: line}
}

// fly runs the loop for a time, arming after one second, and returns the states
// that it passed.
func (b *onBus) fly(d time.Duration) (states []mode.State) {
	last := mode.State(255)
	for range int(d / tick) {
		if b.tick == 100 {
			b.l.Request(mode.Arm)
		}
		b.l.Tick(loop.Instant{Tick: b.tick})
		b.tick++
		b.line.Advance(tick)
		if m := b.l.Mode(); m != last {
			states, last = append(states, m), m
		}
	}
	return states
}

func TestFaultsOnTheBusEndInTheTabledState(t *testing.T) {
	tests := []struct {
		name, fault string
		tilt        time.Duration
		end         mode.State
		why         mode.Reason
		torqueOn    int  // servos with torque at the end
		known       bool // torque-off confirmed
	}{
		{"healthy", "crc:p=0", 0, mode.Hold, mode.NoReason, 20, false},
		{"damaged answers", "crc:p=0.01", 0, mode.Hold, mode.NoReason, 20, false},
		{"junk before answers", "noise:p=0.05", 0, mode.Hold, mode.NoReason, 20, false},
		{"hopeless line", "crc:p=0.6,at=4s", 0, mode.Fault, mode.Caused(mode.IMULost), 0, true},
		{"leg servo silent", "silence:id=5,at=4s", 0, mode.Fault, mode.Caused(mode.LegServoLost), 1, false},
		{"arm servo silent", "silence:id=16,at=4s", 0, mode.Disarmed, mode.Caused(mode.ArmServoLost), 1, false},
		{"hub silent", "silence:id=200,at=4s", 0, mode.Fault, mode.Caused(mode.IMULost), 0, true},
		{"all silent", "silence:at=4s", 0, mode.Fault, mode.Caused(mode.LinkLost), 20, false},
		{"over-temperature", "heat:id=3,v=75,at=4s", 0, mode.Disarmed, mode.Caused(mode.Overheated), 0, true},
		{"IMU frozen", "imu:at=4s", 0, mode.Fault, mode.Caused(mode.IMULost), 0, true},
		{"servo restarts", "reboot:id=9,at=4s", 0, mode.Fault, mode.Caused(mode.TorqueLost), 0, true},
		{"brown-out", "brownout:v=9.2,at=4s", 0, mode.Disarmed, mode.Caused(mode.ServoAlert), 0, true},
		{"low battery", "brownout:v=9.7,at=4s", 0, mode.Disarmed, mode.Caused(mode.VoltageLow), 0, true},
		{"fall", "crc:p=0", 4 * time.Second, mode.Fault, mode.Caused(mode.Falling), 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newOnBus(t, tt.tilt, tt.fault)
			states := b.fly(15 * time.Second)
			s := b.l.Result()
			if s.Armed != 1 || b.l.Mode() != tt.end {
				t.Errorf("armed %d times, states %v, want %v at the end", s.Armed, states, tt.end)
			}
			if s.FirstCause != tt.why {
				t.Errorf("cause %q, want %q", s.FirstCause, tt.why)
			}
			if got := b.line.TorqueOn(); got != tt.torqueOn {
				t.Errorf("%d servos have torque, want %d", got, tt.torqueOn)
			}
			if s.TorqueOff != tt.known {
				t.Errorf("torque-off confirmed: %v, want %v", s.TorqueOff, tt.known)
			}
			if s.Fell != (tt.tilt > 0) {
				t.Errorf("fell %v", s.Fell)
			}
		})
	}
}

func TestSameFaultsSameFlight(t *testing.T) {
	a := newOnBus(t, 0, "crc:p=0.02", "drop:p=0.01")
	b := newOnBus(t, 0, "crc:p=0.02", "drop:p=0.01")
	a.fly(6 * time.Second)
	b.fly(6 * time.Second)
	x, y := a.l.Result(), b.l.Result()
	if x.PartialReads != y.PartialReads || x.BusFailures != y.BusFailures || x.PartialReads == 0 || x.MaxTempC != y.MaxTempC {
		t.Errorf("%d and %d partial reads, %d and %d failures", x.PartialReads, y.PartialReads, x.BusFailures, y.BusFailures)
	}
}
