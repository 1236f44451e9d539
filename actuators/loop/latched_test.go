package loop

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// A loop that begins latched sends no goal, refuses to arm until somebody has reset it, and is then as any other.
func TestBeginsLatched(t *testing.T) {
	r := newRig(t, false)
	cfg := config(3)
	cfg.Latched = true
	l, err := New(cfg, r.fake, nil, r.ring)
	if err != nil {
		t.Fatal(err)
	}
	r.l = l
	r.steps(20)
	if r.last.Mode != mode.Fault || !r.last.TorqueOff {
		t.Fatalf("begins in %v, torque off %v", r.last.Mode, r.last.TorqueOff)
	}
	r.l.Request(mode.Arm)
	if r.step(); r.last.Why != mode.FaultLatched || r.last.Mode != mode.Fault {
		t.Errorf("arm: %v, %v", r.last.Why, r.last.Mode)
	}
	r.l.Request(mode.Reset)
	r.until(mode.Disarmed, time.Second)
	r.arm()
}
