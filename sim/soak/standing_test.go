//go:build mujoco && cgo

package soak

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/sim/busemu"
	"github.com/mitori-robotics/mitori/sim/plant"
)

// posesVariable is how many robots are stood up; each takes four seconds of physics.
const posesVariable = "MITORI_SOAK_POSES"

// In physics: poses in which the robot stands on its own feet, and robotd is started. None
// falls; "make soak" tries 200.
func TestStandingRobotsDoNotFall(t *testing.T) {
	b := kata20(t)
	rng := rand.New(rand.NewPCG(200, 10))
	n := number(t, posesVariable, poses/10)
	stood := 0
	for tried := 0; stood < n; tried++ {
		if tried > 3*n {
			t.Fatalf("only %d of %d random poses stand by themselves", stood, tried)
		}
		if startStanding(t, b, rng) {
			stood++
		}
	}
	t.Logf("%d robots on their feet", stood)
}

// startStanding puts one robot on its feet, as another program would, and starts robotd;
// false: nobody stands in this pose.
func startStanding(t *testing.T, b *body.Body, rng *rand.Rand) bool {
	t.Helper()
	p, err := plant.New(b, plant.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s := newStanding(t, b, p)
	var truth busemu.Truth
	s.world.Truth(&truth)
	rule := fall.Of(truth.TrunkHeightM)
	fell := func() bool {
		s.world.Truth(&truth)
		return rule.Fallen(truth.TrunkHeightM, truth.TiltRad)
	}
	s.moveTo(t, b, squat(b, rng))
	s.world.Hold(false)
	s.pass(1500 * time.Millisecond)
	if fell() {
		return false
	}
	s.see.jumps = nil
	if err := s.start(b, false); !errors.Is(err, driver.ErrEnergised) {
		t.Fatal(err)
	}
	s.pass(1500 * time.Millisecond)
	if fell() || s.world.TorqueOn() != len(b.Desc.Joints) || len(s.see.jumps) > 0 {
		t.Errorf("fell %v, %d servos hold, steps %v", fell(), s.world.TorqueOn(), s.see.jumps)
	}
	// What this test looks for can be seen: who is let go falls.
	if err := s.start(b, true); err != nil {
		t.Fatal(err)
	}
	s.pass(1500 * time.Millisecond)
	if !fell() || s.world.TorqueOn() != 0 {
		t.Errorf("let go: fell %v, %d servos hold", fell(), s.world.TorqueOn())
	}
	return true
}

// squat is a pose that a robot may stand in: legs bent more or less, arms anywhere near.
func squat(b *body.Body, rng *rand.Rand) []float64 {
	pose, bend := make([]float64, len(b.StandRad)), 0.5+rng.Float64()
	for j, q := range b.StandRad {
		d := b.Desc.Joints[j]
		if pose[j] = q * bend; b.Joints[j].Limb != body.Leg {
			pose[j] = q + 0.6*(rng.Float64()-0.5)
		}
		pose[j] = min(max(pose[j]+0.01*(rng.Float64()-0.5), d.MinRad), d.MaxRad)
	}
	return pose
}

// moveTo leads all joints to pose within a second.
func (s *standing) moveTo(t *testing.T, b *body.Body, pose []float64) {
	t.Helper()
	ids := make([]dxl.ID, len(pose))
	for j, d := range b.Desc.Joints {
		ids[j] = dxl.ID(d.ID)
	}
	w, err := dxl.NewGoalWriter(dxl.NewBus(s.wire, dxl.Config{Baud: s.wire.Baud, Now: s.wire.Now}), ids)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]dxl.PositionCount, len(pose))
	const steps = 100
	for k := 1; k <= steps; k++ {
		for j, q := range pose {
			d, servo := b.Desc.Joints[j], b.Desc.ServoOf(j).Entry
			at := b.StandRad[j] + (q-b.StandRad[j])*float64(k)/steps
			counts[j] = dxl.PositionCount(servo.PositionCount((at - d.OffsetRad) * d.Sign))
		}
		if err := w.Write(counts); err != nil {
			t.Fatal(err)
		}
		s.pass(10 * time.Millisecond)
	}
}
