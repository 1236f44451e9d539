package loop_test

import (
	"math"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
)

// hotFlight is what became of a robot that stands on a knee that gets hot.
type hotFlight struct {
	cause   mode.Reason
	end     mode.State
	after   time.Duration // until the robot began to sit down
	sagRad  float64       // how far the knee gave way while the robot stood, at most
	least   float64       // share of its torque that it was left with while it stood
	sitting float64       // likewise while it sat down
	alerts  bool          // a servo has switched itself off
}

// standHot lets kata20 stand with a load on one knee, a share of its stall torque, until it
// sits down, or for ten minutes.
func standHot(t *testing.T, share float64, change func(*loop.Config)) hotFlight {
	t.Helper()
	const knee = 3
	b := newOnBusWith(t, func(c *loop.Config) {
		c.Thresholds.StallShare = 0.95 // it stands: nothing else is wrong with it
		for j := range c.Health {
			c.Health[j].TempDerateC = 65
		}
		change(c)
	})
	o := hotFlight{least: 1, sitting: 1}
	began := time.Duration(0)
	b.see = func(s *trace.Sample) {
		now := time.Duration(s.Tick) * tick
		o.alerts = o.alerts || s.Robot.Alert[knee] != 0
		switch {
		case s.Mode == mode.Hold && began == 0:
			began = now
		case s.Mode == mode.Hold && now > began+2*time.Second:
			o.sagRad = max(o.sagRad, math.Abs(s.GoalRad[knee]-s.Robot.PosRad[knee]))
			if s.Tick%5 == 0 {
				o.least = min(o.least, duty(b, knee))
			}
		case s.Mode == mode.Settle && s.From == mode.Hold:
			o.after = now - began
		case s.Mode == mode.Settle:
			o.sitting = min(o.sitting, duty(b, knee))
		}
	}
	b.fly(4 * time.Second)
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b.body.LoadNm = make([]float64, len(desc.Joints))
	b.body.LoadNm[knee] = share * desc.ServoOf(knee).StallTorqueNm
	for b.tick < int64(10*time.Minute/tick) && b.l.Mode().Energised() {
		b.fly(time.Second)
	}
	o.cause, o.end = b.l.Result().FirstCause, b.l.Mode()
	return o
}

// duty is what a servo's own register says it may use of its torque.
func duty(b *onBus, joint int) float64 {
	const all = 885
	return float64(dxl.GoalPWM.Get(b.line.Lines[0].Memory()[joint][dxl.GoalPWM:])) / all
}

// feeble has windings that warm quickly and get little torque then.
func feeble(c *loop.Config) { c.Thresholds.Winding.KPerA2, c.Thresholds.WindingWeakest = 60, 0.2 }

// A robot that stands on a knee that gets hot sits down before the knee may use less than
// it needs, and before its servo switches itself off; sitting down it has all of its torque.
func TestAHotJointSitsDownBeforeItIsWeak(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of virtual time")
	}
	for share, change := range map[float64]func(*loop.Config){0.6: feeble, 0.85: func(*loop.Config) {}} {
		o := standHot(t, share, change)
		t.Logf("a knee at %.0f %% of its stall torque: sits down after %v with %.0f %% allowed, gave way by %.3f rad",
			100*share, o.after, 100*o.least, o.sagRad)
		if o.cause != mode.Caused(mode.Overheated) || o.end != mode.Disarmed || o.alerts {
			t.Errorf("%g: ends in %v because of %q, switched itself off: %v", share, o.end, o.cause, o.alerts)
		}
		if o.sagRad > 0.25 || o.least < share || o.sitting < 1 {
			t.Errorf("%g: gave way by %.3f rad, was left with %g of its torque, %g while it sat down", share, o.sagRad, o.least, o.sitting)
		}
	}
}

// What that is for: without the reserve the knee gives way under the standing robot, and
// without any of it the servo ends it.
func TestAHotJointThatNobodyMinds(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of virtual time")
	}
	weak := standHot(t, 0.6, func(c *loop.Config) {
		feeble(c)
		c.Thresholds.TorqueReserve = 0
	})
	if weak.sagRad < 0.4 || weak.least > 0.6 {
		t.Errorf("with no reserve it gave way by %.3f rad, left with %g of its torque; the test shows nothing", weak.sagRad, weak.least)
	}
	never := standHot(t, 0.85, func(c *loop.Config) {
		c.Thresholds.WindingStopC, c.Thresholds.WindingDerateC = 1e4, 1e4-1
		for j := range c.Health {
			c.Health[j].TempStopC, c.Health[j].TempDerateC = 1e4, 0
		}
	})
	if !never.alerts {
		t.Errorf("the servo did not switch itself off: ends in %v because of %q", never.end, never.cause)
	}
}
