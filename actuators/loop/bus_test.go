package loop_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
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
	body *busemu.Ideal
	drv  driver.Driver
	wire *tap
	time *busemu.TimedWire // nil: answers take no time
	ring *trace.Ring
	said driver.Unfit // why arming was given up
	see  func(s *trace.Sample)
	tick int64
}

// now is the clock of the line.
func (b *onBus) now() time.Time {
	if b.time != nil {
		return b.time.Now()
	}
	return time.Unix(0, int64(b.line.Now()))
}

// passFrom lets the rest of a tick pass that began then; one that took longer makes the
// next one late.
func (b *onBus) passFrom(began time.Time) {
	if b.time != nil {
		b.time.PassUntil(began.Add(tick))
	} else {
		b.line.Advance(tick)
	}
}

// step runs one tick after skipped ones.
func (b *onBus) step(skipped int64) {
	b.tick += skipped
	b.l.Tick(loop.Instant{Tick: b.tick, Skipped: skipped, MonoNs: b.tick * int64(tick)})
	b.tick++
	for s := b.ring.Next(); s != nil; s = b.ring.Next() {
		if b.see != nil {
			b.see(s)
		}
		if s.Why == mode.ServosUnfit {
			b.said = s.Robot.Unfit
		}
		b.ring.Release()
	}
}

// tap is a wire that remembers what was sent, and loses what it is told to lose.
type tap struct {
	dxl.Port
	sent []dxl.Packet
	lose func(p *dxl.Packet) bool // nil: nothing
}

// Write implements dxl.Port.
func (w *tap) Write(b []byte) (int, error) {
	dec := dxl.NewDecoder(4096)
	dec.Feed(b)
	var p dxl.Packet
	if dec.Next(&p) == dxl.Got {
		p.Params = slices.Clone(p.Params)
		w.sent = append(w.sent, p)
		if w.lose != nil && w.lose(&p) {
			return len(b), nil
		}
	}
	return w.Port.Write(b)
}

// writes tells whether p is a sync write of a register.
func writes(p *dxl.Packet, addr uint16) bool {
	return p.Instruction == dxl.InstSyncWrite && len(p.Params) > 4 && int(p.Params[0])|int(p.Params[1])<<8 == int(addr)
}

func newOnBus(t *testing.T, tiltAt time.Duration, faults ...string) *onBus {
	t.Helper()
	return newBus(t, tiltAt, func(l *busemu.Line) (dxl.Port, *busemu.TimedWire) {
		return busemu.NewWire(l), nil
	}, faults...)
}

// newTimedBus is newOnBus on a line that takes its time: 3 Mbit/s, and what delays say.
func newTimedBus(t *testing.T, spoil func(*busemu.TimedWire) dxl.Port, faults ...string) *onBus {
	t.Helper()
	return newBus(t, 0, func(l *busemu.Line) (dxl.Port, *busemu.TimedWire) {
		w := busemu.NewTimedWire(l, 3_000_000)
		return spoil(w), w
	}, faults...)
}

// newOnBusWith is newOnBus with a configuration that change has changed.
func newOnBusWith(t *testing.T, change func(*loop.Config)) *onBus {
	t.Helper()
	return lockstep(t, setting{change: change})
}

func newBus(t *testing.T, tiltAt time.Duration, open func(*busemu.Line) (dxl.Port, *busemu.TimedWire), faults ...string) *onBus {
	t.Helper()
	return newSet(t, setting{tips: tiltAt}, open, faults...)
}

// setting is what differs from one robot on the bus to another.
type setting struct {
	ctl    loop.Controller // nil: none
	tips   time.Duration   // when the trunk falls over; 0: never
	change func(*loop.Config)
}

// newSet is newBus with a setting.
func newSet(t *testing.T, set setting, open func(*busemu.Line) (dxl.Port, *busemu.TimedWire), faults ...string) *onBus {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	n := len(desc.Joints)
	plant := busemu.NewIdeal(desc.Servos(), 2*time.Millisecond)
	plant.TipsAt = set.tips
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	line, err := busemu.NewWorld(plant, cfg...)
	if err != nil {
		t.Fatal(err)
	}
	line.Untimed = true
	port, timed := open(line.Lines[0])
	b := &onBus{t: t, line: line, body: plant, wire: &tap{Port: port}, time: timed}
	servos, err := dynamixel.New(desc, "body", b.wire, dynamixel.Options{Now: b.now})
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
	b.drv = drv
	for _, text := range faults {
		b.inject(text)
	}
	lc := loop.Config{
		RateHz: 100, ControlEvery: 2, MinRamp: loop.MinRamp,
		Thresholds: guard.DefaultThresholds(desc.Battery.WarnV, desc.Battery.StopV),
		StandRad:   make([]float64, n), SettleRad: make([]float64, n),
	}
	lc.Thresholds.StopButtons = stopButton
	for j, d := range desc.Joints {
		lc.Limits = append(lc.Limits, guard.Joint{MinRad: d.MinRad, MaxRad: d.MaxRad, GentleRadPerS: 1.5, FullRadPerS: 8, AccelRadPerS2: 1600})
		lc.Health = append(lc.Health, guard.Health{Leg: j < 12, StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70})
		lc.StandRad[j] = min(max(0.2, d.MinRad), d.MaxRad)
	}
	b.ring = trace.NewRing(4, n)
	if set.change != nil {
		set.change(&lc)
	}
	l, err := loop.New(lc, drv, set.ctl, b.ring)
	if err != nil {
		t.Fatal(err)
	}
	b.l = l
	return b
}

// inject makes a fault of the line; its times are on the world's clock.
func (b *onBus) inject(text string) {
	b.t.Helper()
	f, err := busemu.ParseFault(text)
	if err == nil {
		err = b.line.Inject(f)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// fly runs the loop for a time, arming after one second, and returns the states
// that it passed.
func (b *onBus) fly(d time.Duration) (states []mode.State) {
	last := mode.State(255)
	for range int(d / tick) {
		if b.tick == 100 {
			b.l.Request(mode.Arm)
		}
		began := b.now()
		b.step(0)
		b.passFrom(began)
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
		{"stop button", "button:v=6,at=4s", 0, mode.Fault, mode.Caused(mode.EStopOpen), 0, true},
		{"another button", "button:v=4,at=4s", 0, mode.Hold, mode.NoReason, 20, false},
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

// stopButton is the hub's "start", which these robots have as their stop.
const stopButton = 1 << 1

// Nobody arms with the stop button pressed; a press that was let go of leaves a fault
// that must be reset, however short it was.
func TestStopButton(t *testing.T) {
	b := newOnBus(t, 0, "button:v=2,for=3s", "button:v=2,at=8s,for=50ms")
	b.fly(2 * time.Second)
	if s := b.l.Result(); s.Armed != 0 || b.l.Mode() != mode.Disarmed {
		t.Fatalf("armed %d times with the button pressed, in %v", s.Armed, b.l.Mode())
	}
	b.fly(2 * time.Second)
	b.l.Request(mode.Arm)
	if b.fly(3 * time.Second); b.l.Mode() != mode.Hold {
		t.Fatalf("in %v after the button was let go of", b.l.Mode())
	}
	if b.fly(5 * time.Second); b.l.Mode() != mode.Fault || b.line.TorqueOn() != 0 {
		t.Errorf("in %v after a press of 50 ms, %d servos with torque", b.l.Mode(), b.line.TorqueOn())
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
