package loop

import (
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// What servos may use of their torque is sent when it changes, again and again for a second,
// since nobody confirms it, then once a second; in the tick in which the robot begins to sit
// down they have all of it. None of it allocates.
func TestTorqueLimitsAreRepeatedAndLifted(t *testing.T) {
	c := config(3)
	for j := range c.Health {
		c.Health[j].TempDerateC = 65
	}
	fake, ring := drivertest.NewFake(3), trace.NewRing(4, 3)
	l, err := New(c, fake, nil, ring)
	if err != nil {
		t.Fatal(err)
	}
	tick := int64(0)
	step := func() {
		l.Tick(Instant{Tick: tick, MonoNs: tick * 1e7})
		tick++
		if s := ring.Next(); s != nil {
			ring.Release()
		}
	}
	steps := func(n int) {
		for range n {
			step()
		}
	}
	steps(50)
	l.Request(mode.Arm)
	if steps(400); l.Mode() != mode.Hold || fake.Limits != 0 {
		t.Fatalf("in %v, told %d times although nobody is warm", l.Mode(), fake.Limits)
	}
	fake.TempC = 67.5
	if steps(1); fake.Limits != 1 || fake.Share[0] != 0.74 {
		t.Fatalf("told %d times, share %g; want once, three quarters", fake.Limits, fake.Share[0])
	}
	if steps(100); fake.Limits != 11 {
		t.Errorf("told %d times in the first second, want 11", fake.Limits)
	}
	fake.Share[1] = 1 // as if none of them had arrived
	if steps(100); fake.Limits != 12 || fake.Share[1] != 0.74 {
		t.Errorf("told %d times after two seconds, share %g", fake.Limits, fake.Share[1])
	}
	if n := testing.AllocsPerRun(300, step); n != 0 {
		t.Errorf("%g allocations", n)
	}
	l.Request(mode.Disarm)
	if step(); l.Mode() != mode.Settle || fake.Share[0] != 1 {
		t.Errorf("in %v with %g of its torque", l.Mode(), fake.Share[0])
	}
	told := fake.Limits
	if steps(50); l.Mode() != mode.Settle || fake.Limits != told+5 {
		t.Errorf("in %v, told %d more times in half a second, want 5", l.Mode(), fake.Limits-told)
	}
}
