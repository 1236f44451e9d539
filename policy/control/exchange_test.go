package control

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// with is a player of a bundle that change has changed.
func with(t *testing.T, bias float32, change func(b *bundle.Bundle, desc *robot.Description)) *Player {
	t.Helper()
	b, desc := made(t, bias, nil)
	if change != nil {
		change(b, desc)
	}
	p, err := New(b, desc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Another policy, which pushes every joint elsewhere, is taken over only while the robot
// stands, and no command steps further than the policies' own limit.
func TestExchangeDoesNotJump(t *testing.T) {
	a, other := with(t, -0.9, nil), with(t, 0.9, nil)
	_, desc := made(t, 0, nil)
	limit := 0.0
	for _, s := range obs.DefaultSpec(desc).Action.MaxStepRad {
		limit = max(limit, s)
	}
	x := NewExchange(a)
	n := len(desc.Joints)
	s := &sensed.Robot{PosRad: make([]float64, n), VelRadPerS: make([]float64, n), GravityDir: [3]float64{0, 0, -1}}
	dst, was := make([]float64, n), make([]float64, n)
	x.Enter(dst)
	largest := 0.0
	act := func(play bool) (standing bool) {
		t.Helper()
		copy(was, dst)
		standing, err := x.Act(dst, s, play)
		if err != nil {
			t.Fatal(err)
		}
		for j := range dst {
			largest = max(largest, math.Abs(dst[j]-was[j]))
		}
		return standing
	}
	for range 50 {
		act(false)
	}
	act(true)
	if err := x.Offer(other); err != nil {
		t.Fatal(err)
	}
	rest := dst[0]
	for !act(false) {
		if x.Taken() != 0 {
			t.Fatal("taken over in a motion")
		}
	}
	if x.Taken() != 0 {
		t.Fatal("taken over in a motion, which it ended")
	}
	largest = 0
	for range 50 {
		act(false)
	}
	if x.Taken() != 1 || math.Abs(dst[0]-rest) < 0.1 {
		t.Errorf("taken over %d times; joint 0 went from %.2f to %.2f rad", x.Taken(), rest, dst[0])
	}
	if largest > limit+1e-9 || largest < limit/2 {
		t.Errorf("a step of %.4f rad at the exchange, the policies' limit is %.4f", largest, limit)
	}
	t.Logf("largest step %.4f rad, limit %.4f rad", largest, limit)
	if x.Withdraw() {
		t.Error("withdrawn after it was taken")
	}
	if err := x.Offer(a); err != nil || !x.Withdraw() {
		t.Errorf("not withdrawn (%v)", err)
	}
	if act(false); x.Taken() != 1 {
		t.Error("taken over after it was withdrawn")
	}
	if n := testing.AllocsPerRun(10, func() { _ = x.Offer(a); act(false) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestExchangeRefusesWhatDoesNotFit(t *testing.T) {
	x := NewExchange(with(t, 0, nil))
	elsewhere := with(t, 0, func(b *bundle.Bundle, desc *robot.Description) {
		knee := desc.JointIndex("l_knee")
		for _, c := range b.Clips {
			for _, f := range c.Frames {
				f.JointPosRad[knee] += 0.5
			}
		}
	})
	if err := x.Offer(elsewhere); err == nil || !strings.Contains(err.Error(), "where the robot stands") {
		t.Errorf("another pose: %v", err)
	}
	faster := with(t, 0, nil)
	faster.periodS = 0.01
	if err := x.Offer(faster); err == nil || !strings.Contains(err.Error(), "legal: every 0.02 s") {
		t.Errorf("another rate: %v", err)
	}
	if x.Withdraw() {
		t.Error("what was refused was offered all the same")
	}
}
