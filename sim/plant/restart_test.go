//go:build mujoco && cgo

package plant

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// standing is a robot on its own feet in a random pose, with torque, whose host has died.
func standing(t *testing.T, desc *robot.Description, rng *rand.Rand) (*busemu.World, *busemu.Wire) {
	t.Helper()
	p := open(t, Config{})
	lines, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	w, err := busemu.NewWorld(p, lines...)
	if err != nil {
		t.Fatal(err)
	}
	w.Untimed = true
	wire := busemu.NewWire(w.Lines[0])
	drv, err := dynamixel.New(desc, "body", wire, dynamixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.Hold(true)
	goal, applied := make([]float64, len(desc.Joints)), make([]float64, len(desc.Joints))
	for j, d := range desc.Joints {
		reach := 0.6 // of arms, rad
		if j < 12 {
			reach = 0.03
		}
		goal[j] = min(max(p.scene.StandRad[j]+reach*(2*rng.Float64()-1), d.MinRad), d.MaxRad)
	}
	for n := range 250 { // the gantry lets go over a second, and the robot sways
		if err := drv.Write(applied, goal); err != nil {
			t.Fatal(err)
		}
		if n < 5 {
			_ = drv.Prepare()
		}
		if n == 5 {
			if err := drv.Torque(true); err != nil {
				t.Fatal(err)
			}
		}
		if n == 80 {
			w.Hold(false)
		}
		w.Advance(10 * time.Millisecond)
	}
	// Killed, and not started at once: the watchdogs stop the servos where they are, which is
	// not where they were told to be, and the robot sags by a degree or two more.
	w.Advance(time.Second + time.Duration(rng.IntN(500))*time.Millisecond)
	return w, wire
}

// A service manager starts robotd again on a standing robot: it does not fall, and no
// joint steps.
func TestStartingOnAStandingRobotLeavesItStanding(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	poses := 200
	if testing.Short() {
		poses = 10
	}
	rng := rand.New(rand.NewPCG(1, 200))
	largest, toppled := 0.0, 0
	for n := 0; n < poses; n++ {
		w, wire := standing(t, desc, rng)
		var before, after busemu.Truth
		w.Truth(&before)
		rule := fall.Of(0.28)
		if rule.Fallen(before.TrunkHeightM, before.TiltRad) {
			if toppled++; toppled > poses/4 {
				t.Fatalf("%d of the first %d poses do not stand by themselves", toppled, n+toppled)
			}
			n--
			continue
		}
		next, err := dynamixel.New(desc, "body", wire, dynamixel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := next.Connect(context.Background()); !errors.Is(err, driver.ErrEnergised) {
			t.Fatalf("pose %d: %v", n, err)
		}
		_ = next.Halt()
		const tick = 10 * time.Millisecond
		for range 150 {
			w.Advance(tick)
			w.Truth(&after)
			for j := 7; j < len(after.QPos); j++ { // after the trunk's position and orientation
				d := math.Abs(after.QPos[j] - before.QPos[j])
				if largest = max(largest, d); d > 2*math.Pi/180 {
					t.Fatalf("pose %d: coordinate %d has moved by %g rad", n, j, d)
				}
			}
		}
		if rule.Fallen(after.TrunkHeightM, after.TiltRad) || w.TorqueOn() != 20 {
			t.Fatalf("pose %d: trunk at %g m, tilted by %g rad, %d servos carry torque", n, after.TrunkHeightM, after.TiltRad, w.TorqueOn())
		}
	}
	t.Logf("%d poses (%d others toppled before), no joint moved by more than %.2f degrees", poses, toppled, largest*180/math.Pi)
}
