package loop

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// witness is a fake that says what was done to its torque.
type witness struct {
	*drivertest.Fake
	l       *Loop
	t       *testing.T
	deaf    bool
	turnOns int
}

func (w *witness) Torque(on bool) error {
	m := w.l.machine
	if on {
		w.turnOns++
		if taken := m.TakesUp() && w.Stopped; !taken && (m.State != mode.Arming || m.Torque != mode.TorqueRising) {
			w.t.Fatalf("torque switched on in %v, torque %d", m.State, m.Torque)
		}
	} else if m.State.Energised() {
		w.t.Fatalf("torque switched off in %v", m.State)
	}
	if w.deaf {
		return errors.New("no answer")
	}
	return w.Fake.Torque(on)
}

func (w *witness) Write(applied, goals []float64) error {
	if m := w.l.machine; !m.State.Energised() {
		w.t.Fatalf("goals written in %v", m.State)
	}
	return w.Fake.Write(applied, goals)
}

// guest is a controller that looks where it is entered and used.
type guest struct {
	clip
	l *Loop
	t *testing.T
}

func (g *guest) Enter(hold []float64) {
	if m := g.l.machine; m.State != mode.Hold || m.Torque != mode.TorqueOn || !g.l.ramp.done() {
		g.t.Fatalf("entered in %v, torque %d, ramp done %v", m.State, m.Torque, g.l.ramp.done())
	}
	g.clip.Enter(hold)
}

// Random operators, faults of the bus, hot servos, falls, controllers that fail and
// servos that do not listen: torque goes on in arming only, goals are written only
// with it, and the controller gets the robot only where it stands.
func TestRandomFlightsKeepTorqueAndControllerInTheirPlaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(26, 8))
	armed, entered := 0, 0
	for range 80 {
		w := &witness{Fake: drivertest.NewFake(3), t: t}
		g := &guest{clip: clip{periods: 20}, t: t}
		l, err := New(config(3), w, g, trace.NewRing(4, 3))
		if err != nil {
			t.Fatal(err)
		}
		w.l, g.l = l, l
		var pending []shared.Ticket
		for tick := range int64(2500) {
			switch rng.IntN(240) {
			case 0, 1:
				l.Request(mode.Request(rng.IntN(int(mode.EStop))))
			case 2, 3, 4:
				if k, err := l.Ask([]mode.Request{mode.Arm, mode.Reset, mode.Activate}[rng.IntN(3)]); err == nil {
					pending = append(pending, k)
				}
			case 5:
				w.deaf = rng.IntN(3) == 0
			case 6:
				w.Stopped = w.TorqueOn && rng.IntN(3) == 0
			case 7:
				w.Gone = rng.IntN(12) == 0
			case 8:
				g.err, g.nan = nil, rng.IntN(6) == 0
			case 9:
				w.TempC = []float64{35, 35, 35, 75}[rng.IntN(4)]
			case 10:
				w.GyroRadPerS = [3]float64{}
				if rng.IntN(6) == 0 {
					w.GyroRadPerS[0] = 7
				}
			case 11:
				if rng.IntN(6) == 0 {
					l.Request(mode.EStop)
				}
			}
			l.Tick(Instant{Tick: tick, MonoNs: tick * 1e7})
			if l.ring.Next() != nil {
				l.ring.Release()
			}
			for _, k := range pending {
				if _, ok := k.Poll(); !ok {
					t.Fatal("a tick left a command without an answer")
				}
			}
			pending = pending[:0]
		}
		armed += int(l.Result().Armed)
		entered += g.entered
	}
	if armed < 50 || entered < 20 {
		t.Errorf("armed %d times, entered %d times: not enough was tried", armed, entered)
	}
}

// Servos that once did not take torque are no reason to refuse a reset for ever.
func TestResetAfterServosIgnoredTorqueOn(t *testing.T) {
	r := newRig(t, false)
	r.steps(20)
	r.fake.Deaf = true
	r.l.Request(mode.Arm)
	r.until(mode.Fault, 3*time.Second)
	r.fake.Deaf = false
	r.steps(3)
	r.l.Request(mode.Reset)
	r.step()
	if r.l.Mode() != mode.Disarmed {
		t.Fatalf("reset refused: %v", r.last.Why)
	}
	r.arm()
}
