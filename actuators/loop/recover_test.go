package loop_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const twoDegrees = 2 * math.Pi / 180

// stall lets the host be away for d, and then run one tick.
func (b *onBus) stall(d time.Duration) {
	skipped := int64(d/tick) - 1
	b.line.Advance(d - tick)
	b.step(skipped)
	b.line.Advance(tick)
}

// torqueOns lists the ids of each packet that switched torque on, and whether goals went
// out before it.
func torqueOns(sent []dxl.Packet) (ids []byte, goalsFirst bool) {
	goals := false
	for i := range sent {
		p := &sent[i]
		goals = goals || writes(p, dxl.GoalPosition.Addr())
		if !writes(p, dxl.TorqueEnable.Addr()) {
			continue
		}
		for k := 4; k+1 < len(p.Params); k += 2 {
			if p.Params[k+1] == 1 {
				ids, goalsFirst = append(ids, p.Params[k]), goals
			}
		}
	}
	return ids, goalsFirst
}

// The tick after a stall decides first: a robot that is let go in it gets no torque.
func TestNoTorqueInTheTickThatLetsGo(t *testing.T) {
	for name, letGo := range map[string]func(b *onBus){
		"e-stop":      func(b *onBus) { b.l.Request(mode.EStop) },
		"stop button": func(b *onBus) { b.l.External(mode.EStopOpen, true) },
		"port gone":   func(b *onBus) { b.wire.lose = func(*dxl.Packet) bool { return true } },
	} {
		t.Run(name, func(t *testing.T) {
			b := newOnBus(t, 0)
			b.fly(5 * time.Second)
			if b.l.Mode() != mode.Hold {
				t.Fatalf("in %v", b.l.Mode())
			}
			letGo(b)
			b.wire.sent = b.wire.sent[:0]
			b.stall(300 * time.Millisecond)
			for range 20 {
				b.step(0)
			}
			if ids, _ := torqueOns(b.wire.sent); len(ids) > 0 {
				t.Errorf("torque was switched on for servos %v", ids)
			}
			if m := b.l.Mode(); m != mode.Cut && m != mode.Fault {
				t.Errorf("in %v", m)
			}
		})
	}
}

// Short stalls are taken up, from where the servos stand; after long ones the robot sits
// down. Nothing steps.
func TestStallsOfAnyLength(t *testing.T) {
	for _, tt := range []struct {
		stall time.Duration
		end   mode.State
		why   mode.Reason
		takes int64
	}{
		{50 * time.Millisecond, mode.Hold, mode.NoReason, 0},
		{300 * time.Millisecond, mode.Hold, mode.NoReason, 1},
		{500 * time.Millisecond, mode.Hold, mode.NoReason, 1},
		{530 * time.Millisecond, mode.Disarmed, mode.Caused(mode.LoopOverrun), 1},
		{10 * time.Second, mode.Disarmed, mode.Caused(mode.LoopOverrun), 1},
		{time.Minute, mode.Disarmed, mode.Caused(mode.LoopOverrun), 1},
	} {
		t.Run(fmt.Sprint(tt.stall), func(t *testing.T) {
			b := newOnBus(t, 0)
			b.fly(5 * time.Second)
			before := b.pose()
			b.stall(tt.stall)
			b.steady(before, 5*time.Second)
			s := b.l.Result()
			if b.l.Mode() != tt.end || s.FirstCause != tt.why || s.TakenUp != tt.takes {
				t.Errorf("ends in %v because of %q, taken up %d times; want %v, %q, %d", b.l.Mode(), s.FirstCause, s.TakenUp, tt.end, tt.why, tt.takes)
			}
			if on := b.line.TorqueOn(); on != 0 && tt.end == mode.Disarmed {
				t.Errorf("%d servos carry torque", on)
			}
		})
	}
}

// pose is where the joints really are.
func (b *onBus) pose() []float64 {
	var truth busemu.Truth
	b.line.Truth(&truth)
	return append([]float64(nil), truth.QPos...)
}

// steady lets the loop run, and fails where a joint makes more than two degrees in a tick.
func (b *onBus) steady(was []float64, d time.Duration) {
	b.t.Helper()
	for range int(d / tick) {
		b.step(0)
		b.line.Advance(tick)
		is := b.pose()
		for j := range is {
			if math.Abs(is[j]-was[j]) > twoDegrees {
				b.t.Fatalf("tick %d: joint %d goes from %g to %g rad", b.tick, j, was[j], is[j])
			}
		}
		was = is
	}
}

// Only servos that say they were stopped are taken up, after their goals: one that
// restarted meanwhile stays without torque, and is noticed.
func TestTakingUpIsForStoppedServosOnly(t *testing.T) {
	b := newOnBus(t, 0)
	b.fly(5 * time.Second)
	if err := b.line.Inject(busemu.Fault{Kind: busemu.FaultReboot, ID: 9, P: 1, At: b.line.Now() + 50*time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	b.wire.sent = b.wire.sent[:0]
	b.stall(300 * time.Millisecond)
	ids, goalsFirst := torqueOns(b.wire.sent)
	for _, id := range ids {
		if id == 9 {
			t.Error("torque was switched on for a servo that had restarted")
		}
	}
	if len(ids) > 0 && !goalsFirst {
		t.Error("torque before goals")
	}
	b.fly(5 * time.Second)
	if s := b.l.Result(); s.FirstCause != mode.Caused(mode.TorqueLost) || b.l.Mode() != mode.Fault || b.line.TorqueOn() != 0 {
		t.Errorf("%v because of %q, %d servos carry torque", b.l.Mode(), s.FirstCause, b.line.TorqueOn())
	}
	b = newOnBus(t, 0)
	b.fly(5 * time.Second)
	b.wire.sent = b.wire.sent[:0]
	b.stall(300 * time.Millisecond)
	if ids, goalsFirst = torqueOns(b.wire.sent); len(ids) != 20 || !goalsFirst {
		t.Errorf("torque for servos %v, goals before it: %v; want all 20, true", ids, goalsFirst)
	}
}

// The first goals are lost, once or more, and each servo still holds one from before that
// is far away: nothing may kick.
func TestLostFirstGoalsDoNotKick(t *testing.T) {
	for lost := range 6 {
		b := newOnBus(t, 0)
		b.fly(900 * time.Millisecond)
		for s := dxl.ID(1); s <= 20; s++ {
			bus := dxl.NewBus(b.wire, dxl.Config{})
			lo, err1 := dxl.Read(bus, s, dxl.MinPosition)
			hi, err2 := dxl.Read(bus, s, dxl.MaxPosition)
			stale := lo
			if s%2 == 0 {
				stale = hi
			}
			if err := dxl.Write(bus, s, dxl.GoalPosition, stale); err != nil || err1 != nil || err2 != nil {
				t.Fatal(err, err1, err2)
			}
		}
		left := lost
		b.wire.lose = func(p *dxl.Packet) bool {
			if writes(p, dxl.GoalPosition.Addr()) && left > 0 {
				left--
				return true
			}
			return false
		}
		before := b.pose()
		b.l.Request(mode.Arm)
		b.tick = 101 // fly would ask a second time
		b.steady(before, 4*time.Second)
		if b.l.Mode() != mode.Hold || left != 0 || b.line.TorqueOn() != 20 {
			t.Errorf("%d goals lost: in %v, %d still to lose, %d servos carry torque", lost, b.l.Mode(), left, b.line.TorqueOn())
		}
	}
}

// A servo that does not take a setting is not armed: torque stays off, and the refusal
// names it.
func TestArmingIsRefusedWhereASettingDoesNotHold(t *testing.T) {
	b := newOnBus(t, 0)
	b.fly(900 * time.Millisecond)
	if err := dxl.Write(dxl.NewBus(b.wire, dxl.Config{}), 9, dxl.PositionPGain, 300); err != nil {
		t.Fatal(err)
	}
	b.wire.lose = func(p *dxl.Packet) bool { return writes(p, dxl.PositionPGain.Addr()) }
	b.wire.sent = b.wire.sent[:0]
	states := b.fly(2 * time.Second)
	if ids, _ := torqueOns(b.wire.sent); len(ids) > 0 || b.l.Mode() != mode.Disarmed || len(states) < 3 || states[1] != mode.Arming {
		t.Errorf("states %v, torque for servos %v", states, ids)
	}
	want := "servo 9 (r_hip_pitch): position P gain is 300; legal: 800"
	if got := b.said.String(); got != want {
		t.Errorf("refused because %q, want %q", got, want)
	}
	b.wire.lose = nil // it was the cable
	b.l.Request(mode.Arm)
	b.fly(3 * time.Second)
	if b.l.Mode() != mode.Hold {
		t.Errorf("in %v after the servo takes settings again", b.l.Mode())
	}
}
