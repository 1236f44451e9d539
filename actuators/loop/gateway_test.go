package loop_test

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
)

// lonely is a robot on the emulated bus whose gateway beats for a while after arming.
func lonely(t *testing.T, beats time.Duration) (*onBus, *shared.Desk) {
	t.Helper()
	desk := &shared.Desk{}
	b := newOnBusWith(t, func(c *loop.Config) { c.Gateway = desk })
	for b.tick < int64(beats/tick) {
		desk.BeatGateway()
		b.fly(tick)
	}
	return b, desk
}

// A gateway that dies or stands still: within half a second the robot settles, torque goes
// off, the servos' watchdogs too, and the loop is at its end. The other coming back, or
// asking for anything, changes nothing.
func TestGatewayLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		beats time.Duration
		back  bool
	}{{"while holding", 5 * time.Second, false}, {"while arming", 2 * time.Second, false}, {"and comes back", 5 * time.Second, true}} {
		t.Run(tt.name, func(t *testing.T) {
			b, desk := lonely(t, tt.beats)
			if b.line.TorqueOn() == 0 {
				t.Fatalf("in %v without torque: the test shows nothing", b.l.Mode())
			}
			b.fly(480 * time.Millisecond)
			if b.l.Mode() == mode.Settle || b.l.Finished() {
				t.Fatalf("in %v before the time", b.l.Mode())
			}
			if b.fly(30 * time.Millisecond); b.l.Mode() != mode.Settle {
				t.Fatalf("in %v after 510 ms", b.l.Mode())
			}
			for range 600 {
				if tt.back {
					desk.BeatGateway()
					desk.Request(mode.Arm)
				}
				b.fly(tick)
			}
			s := b.l.Result()
			if b.l.Mode() != mode.Disarmed || b.line.TorqueOn() != 0 || !s.TorqueOff || !b.l.Finished() || s.Armed != 1 ||
				s.FirstCause != mode.Caused(mode.GatewayLost) {
				t.Errorf("in %v because of %q, %d servos with torque, armed %d times, at its end: %v",
					b.l.Mode(), s.FirstCause, b.line.TorqueOn(), s.Armed, b.l.Finished())
			}
		})
	}
}

// Disarmed it ends as well; and it does not while the gateway is there.
func TestGatewayLostWhileDisarmed(t *testing.T) {
	b, desk := lonely(t, 900*time.Millisecond)
	if b.l.Finished() {
		t.Fatal("at its end with a gateway")
	}
	b.fly(90 * time.Millisecond)
	desk.BeatGateway()
	for range 60 {
		b.step(0)
		b.passFrom(b.now())
	}
	if !b.l.Finished() || b.l.Result().Armed != 0 {
		t.Errorf("at its end: %v", b.l.Finished())
	}
}

// An e-stop is stronger than the loss.
func TestEStopAfterGatewayLost(t *testing.T) {
	b, desk := lonely(t, 5*time.Second)
	b.fly(600 * time.Millisecond)
	desk.Insist()
	if b.fly(100 * time.Millisecond); b.l.Mode() != mode.Fault || b.line.TorqueOn() != 0 {
		t.Errorf("in %v, %d servos with torque", b.l.Mode(), b.line.TorqueOn())
	}
}
