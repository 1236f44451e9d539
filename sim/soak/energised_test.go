package soak

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// found robots: as a run that was killed leaves them, standing in any pose, with torque.

const poses = 200

// standing is an energised robot without a runtime.
type standing struct {
	world *busemu.World
	wire  *busemu.TimedWire
	see   *witness
}

// newStanding energises every servo of b's robot where it is, as a runtime that was killed
// had, and lets it stand for a moment.
func newStanding(t *testing.T, b *body.Body, plant busemu.Plant) *standing {
	t.Helper()
	lines, err := busemu.ForRobot(b.Desc)
	if err != nil {
		t.Fatal(err)
	}
	s := &standing{see: newWitness(plant, len(b.Desc.Joints))}
	if s.world, err = busemu.NewWorld(s.see, lines...); err != nil {
		t.Fatal(err)
	}
	s.wire = busemu.NewTimedWire(s.world.Lines[0], b.Desc.Buses[0].Baud)
	bus := dxl.NewBus(s.wire, dxl.Config{Baud: s.wire.Baud, Now: s.wire.Now})
	for _, j := range b.Desc.Joints {
		if err := dxl.Write(bus, dxl.ID(j.ID), dxl.TorqueEnable, 1); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *standing) pass(d time.Duration) { s.wire.PassUntil(s.wire.Now().Add(d)) }

// start connects as robotd does.
func (s *standing) start(b *body.Body, release bool) error {
	drv, err := dynamixel.New(b.Desc, b.Desc.Buses[0].Name, s.wire, dynamixel.Options{Now: s.wire.Now, Release: release})
	if err != nil {
		return err
	}
	_, err = drv.Connect(context.Background())
	drv.Halt()
	return err
}

// posed is an ideal robot in a random pose anywhere in its range.
func posed(b *body.Body, rng *rand.Rand) *busemu.Ideal {
	p := busemu.NewIdeal(b.Desc.Servos(), plantStep)
	for j, d := range b.Desc.Joints {
		p.Set(j, d.MinRad+rng.Float64()*(d.MaxRad-d.MinRad))
	}
	return p
}

// angles are the true ones.
func (s *standing) angles() []float64 {
	var truth busemu.Truth
	s.world.Truth(&truth)
	return append([]float64(nil), truth.QPos...)
}

// robotd that is started on a robot with torque refuses, and changes nothing: it goes on
// holding where it is. Asked to release it, it switches that torque off, and moves nothing.
func TestStartOnAnEnergisedRobot(t *testing.T) {
	b := kata20(t)
	rng := rand.New(rand.NewPCG(200, 9))
	for n := range poses {
		s := newStanding(t, b, posed(b, rng))
		s.pass(100 * time.Millisecond)
		was := s.angles()
		for range 1 + rng.IntN(3) { // again and again, as a service manager does
			if err := s.start(b, false); !errors.Is(err, driver.ErrEnergised) {
				t.Fatalf("pose %d: %v", n, err)
			}
			s.pass(50 * time.Millisecond)
		}
		if on := s.world.TorqueOn(); on != len(b.Desc.Joints) {
			t.Fatalf("pose %d: %d servos hold", n, on)
		}
		if err := s.start(b, true); err != nil {
			t.Fatalf("pose %d: release: %v", n, err)
		}
		s.pass(50 * time.Millisecond)
		if on := s.world.TorqueOn(); on != 0 {
			t.Fatalf("pose %d: %d servos carry torque after their release", n, on)
		}
		for j, q := range s.angles() {
			if math.Abs(q-was[j]) > 1e-3 {
				t.Fatalf("pose %d: joint %d went from %g to %g rad", n, j, was[j], q)
			}
		}
		if len(s.see.jumps) > 0 {
			t.Fatalf("pose %d: steps %v", n, s.see.jumps)
		}
	}
}
