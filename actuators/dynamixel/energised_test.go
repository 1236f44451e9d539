package dynamixel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const twoDegrees = 2 * math.Pi / 180

// raw is the bus as another program speaks to it.
func (b *bench) raw() *dxl.Bus {
	return dxl.NewBus(b.wire, dxl.Config{Baud: b.desc.Buses[0].Baud, Margin: time.Second})
}

// successor is the driver of the next robotd on the same bus.
func (b *bench) successor(t *testing.T, opt dynamixel.Options) *dynamixel.Driver {
	t.Helper()
	d, err := dynamixel.New(b.desc, "body", b.wire, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pose is a random one within the joints' limits.
func (b *bench) pose(rng *rand.Rand) []float64 {
	q := make([]float64, len(b.desc.Joints))
	for i, j := range b.desc.Joints {
		q[i] = j.MinRad + 0.02 + rng.Float64()*(j.MaxRad-j.MinRad-0.04)
	}
	return q
}

// abandon lets the robot carry torque in a pose, and its host be silent for a while.
func (b *bench) abandon(t *testing.T, pose []float64, silence time.Duration) {
	t.Helper()
	for j, q := range pose {
		b.plant.Set(j, q)
	}
	b.line.Advance(10 * time.Millisecond)
	b.energise(t)
	b.line.Advance(silence)
}

// Starting on a robot that carries torque, as after kill -9 and with a service manager
// that starts anew: nothing falls, nothing moves, nothing is written.
func TestConnectLeavesAnEnergisedRobotAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 200))
	for n := range 200 {
		b := newBench(t, nil, dynamixel.Options{})
		pose := b.pose(rng)
		b.abandon(t, pose, time.Duration(rng.IntN(400))*time.Millisecond)
		off := map[int]bool{} // some servos may have lost their torque
		for range rng.IntN(3) * rng.IntN(8) {
			j := rng.IntN(20)
			off[j] = true
			_ = dxl.Write(b.raw(), dxl.ID(b.desc.Joints[j].ID), dxl.TorqueEnable, 0)
		}
		next := b.successor(t, dynamixel.Options{})
		_, err := next.Connect(context.Background())
		if want := fmt.Sprintf("%d of 20 servos carry torque", 20-len(off)); !errors.Is(err, driver.ErrEnergised) ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--release") {
			t.Fatalf("pose %d: %v, want %q and what to do", n, err, want)
		}
		_ = next.Halt()
		b.line.Advance(time.Second)
		if got := b.line.TorqueOn(); got != 20-len(off) {
			t.Fatalf("pose %d: %d servos carry torque, want %d", n, got, 20-len(off))
		}
		var truth busemu.Truth
		b.line.Truth(&truth)
		for j, q := range truth.QPos {
			if math.Abs(q-pose[j]) > twoDegrees/4 {
				t.Fatalf("pose %d: %s is at %g rad, was at %g", n, b.desc.Joints[j].Name, q, pose[j])
			}
		}
	}
}

// A person who supports the robot may have it released.
func TestReleaseSwitchesTorqueOff(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	b.abandon(t, b.safePose(), time.Second)
	next := b.successor(t, dynamixel.Options{Release: true})
	id, err := next.Connect(context.Background())
	if err != nil || b.line.TorqueOn() != 0 || len(id.Changed) != 20 || id.Changed[0] != "servo 1: torque on -> off" {
		t.Errorf("%v; %d servos carry torque; changed %v", err, b.line.TorqueOn(), id.Changed)
	}
}

// What somebody left in a servo is refused by name, with the value, the legal ones and
// what to do, and all of it at once.
func TestConnectRefusesWhatDoesNotFit(t *testing.T) {
	set := map[dxl.ID]func(*dxl.Bus, dxl.ID) error{
		2:  func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.SecondaryID, 9) },
		4:  func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.PWMLimit, 60) },
		5:  func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.CurrentLimit, 20) },
		6:  func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.Shutdown, 0x10) },
		7:  func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.TemperatureLimit, 60) },
		13: func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.HomingOffset, 700) },
		14: func(b *dxl.Bus, id dxl.ID) error { return dxl.Write(b, id, dxl.HomingOffset, -2000) },
	}
	b := newBench(t, func(c *busemu.LineConfig) {
		c.Servos[2].Type.Name, c.Servos[2].Type.Factory.Firmware = "old", 37
		other := c.Servos[9].Type
		other.Name, other.ModelNumber = "xm430-w210", 1030
		c.Servos[9].Type = other
	}, dynamixel.Options{})
	for id, f := range set {
		if err := f(b.raw(), id); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.drv.Connect(context.Background())
	if !errors.Is(err, driver.ErrUnfit) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"servo 2 (l_hip_roll): secondary id is 9; legal: 255; ",
		"servo 3 (l_hip_pitch): firmware 37; legal: 38 or newer; ",
		"servo 4 (l_knee): PWM limit is 60; legal: 885; it weakens the joint: write register 36 with torque off",
		"servo 5 (l_ankle_pitch): current limit is 20; legal: 855 (the stall current) or more; ",
		"servo 6 (l_ankle_roll): shutdown mask is 16; legal: 52 (overheating+electrical shock+overload) or more; ",
		"servo 7 (r_hip_yaw): temperature limit is 60; legal: 80 to 80; ",
		"servo 10 (r_knee): model number 1030 (XM430-W210); legal: 1020 (xm430-w350); ",
		"servo 13 (l_shoulder_pitch): homing offset is 700; legal: 0; ",
		"servo 14 (l_shoulder_roll): homing offset is -2000; legal: 0; ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal does not say %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 8 {
		t.Errorf("%d lines, want one for each of 9 faults:\n%v", n+1, err)
	}
	if v, _ := dxl.Read(b.raw(), 1, dxl.MinPosition); v != 0 {
		t.Error("a robot that was refused was changed")
	}
}

// A servo that was told to answer pings or reads alone is told to answer.
func TestConnectMakesServosAnswer(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	for id, level := range map[dxl.ID]uint8{5: 0, 6: 1} {
		_ = dxl.Write(b.raw(), id, dxl.StatusReturnLevel, level)
	}
	b.connect(t)
	for _, id := range []dxl.ID{5, 6} {
		if v, err := dxl.Read(b.raw(), id, dxl.StatusReturnLevel); v != 2 || err != nil {
			t.Errorf("servo %d: level %d, %v", id, v, err)
		}
	}
}

// A clean end leaves the servos to the next program: torque on, half a second of
// thinking, a goal, as the vendor's examples do.
func TestTheNextProgramFindsTheServosUsable(t *testing.T) {
	for _, disarmed := range []bool{false, true} {
		b := newBench(t, nil, dynamixel.Options{})
		b.energise(t)
		if disarmed { // and killed later, without a clean end
			if err := b.drv.Torque(false); err != nil {
				t.Fatal(err)
			}
		} else if err := b.drv.Halt(); err != nil {
			t.Fatal(err)
		}
		bus := b.raw()
		for _, j := range b.desc.Joints {
			id := dxl.ID(j.ID)
			if err := dxl.Write(bus, id, dxl.TorqueEnable, 1); err != nil {
				t.Fatal(err)
			}
			b.line.Advance(500 * time.Millisecond)
			if err := dxl.Write(bus, id, dxl.GoalPosition, 2048); err != nil {
				t.Fatalf("servo %d: a goal half a second after torque-on: %v", id, err)
			}
			if w, _ := dxl.Read(bus, id, dxl.BusWatchdog); w != 0 {
				t.Errorf("servo %d: bus watchdog %d", id, w)
			}
		}
	}
}

// RAM is set before every torque-on: what a reboot, or another program, left there does
// not fly.
func TestPrepareSetsWhatAServoForgot(t *testing.T) {
	b := newBenchOf(t, unusual{robot: func(d *robot.Description) {
		s := d.ServoTypes["xm430-w350"]
		s.PositionPGain = 300
		d.ServoTypes = map[string]robot.ServoType{"xm430-w350": s}
	}}, dynamixel.Options{})
	s, applied := b.energise(t)
	if err := b.drv.Torque(false); err != nil {
		t.Fatal(err)
	}
	b.line.Inject(busemu.Fault{Kind: busemu.FaultReboot, ID: 9, P: 1})
	b.line.Advance(20 * time.Millisecond)
	bus := b.raw()
	for _, err := range []error{
		dxl.Write(bus, 3, dxl.GoalPWM, 60), dxl.Write(bus, 4, dxl.ProfileVelocity, 5),
		dxl.Write(bus, 5, dxl.PositionIGain, 100), dxl.Write(bus, 6, dxl.FeedForward1Gain, 7),
		dxl.Write(bus, 7, dxl.ProfileAccel, 7), dxl.Write(bus, 8, dxl.PositionDGain, 7),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if v, _ := dxl.Read(bus, 9, dxl.PositionPGain); v != 800 {
		t.Fatalf("the rebooted servo has gain %d; nothing is tested", v)
	}
	_ = b.drv.Read(s)
	b.prepare(t, applied, s.PosRad)
	for _, j := range b.desc.Joints {
		id := dxl.ID(j.ID)
		p, _ := dxl.Read(bus, id, dxl.PositionPGain)
		i, _ := dxl.Read(bus, id, dxl.PositionIGain)
		d, _ := dxl.Read(bus, id, dxl.PositionDGain)
		ff, _ := dxl.Read(bus, id, dxl.FeedForward1Gain)
		pwm, _ := dxl.Read(bus, id, dxl.GoalPWM)
		pv, _ := dxl.Read(bus, id, dxl.ProfileVelocity)
		pa, _ := dxl.Read(bus, id, dxl.ProfileAccel)
		w, _ := dxl.Read(bus, id, dxl.BusWatchdog)
		if p != 300 || i != 0 || d != 0 || ff != 0 || pwm != 885 || pv != 0 || pa != 0 || w != 10 {
			t.Errorf("servo %d: gains %d %d %d, feed-forward %d, goal PWM %d, profile %d %d, watchdog %d",
				id, p, i, d, ff, pwm, pv, pa, w)
		}
	}
}
