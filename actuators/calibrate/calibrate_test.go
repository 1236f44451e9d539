package calibrate_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/calibrate"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// bench is a robot whose servos are mounted otherwise than its description says, and a
// person who moves it by hand.
type bench struct {
	t     *testing.T
	desc  *robot.Description
	plant *busemu.Ideal
	world *busemu.World
	truth []robot.Joint // signs, offsets and mechanical ends, in truth
	said  strings.Builder
	asks  []string
	// hand does what a text asks for; tests may spoil it. It returns false to leave.
	hand func(text string) bool
}

func newBench(t *testing.T, mount func(j int, truth *robot.Joint)) *bench {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := busemu.ForRobot(d)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, desc: d, plant: busemu.NewIdeal(d.Servos(), time.Millisecond)}
	for j := range d.Joints {
		truth := d.Joints[j]
		truth.MinRad, truth.MaxRad = truth.MinRad-0.1, truth.MaxRad+0.1 // where it ends
		if mount != nil {
			mount(j, &truth)
		}
		b.truth = append(b.truth, truth)
		lines[0].Servos[j].Sign, lines[0].Servos[j].OffsetRad = truth.Sign, truth.OffsetRad
	}
	if b.world, err = busemu.NewWorld(b.plant, lines...); err != nil {
		t.Fatal(err)
	}
	b.hand = b.skilled
	return b
}

// put places a joint by hand.
func (b *bench) put(name string, rad float64) {
	b.plant.Set(b.desc.JointIndex(name), rad)
	b.world.Advance(2 * time.Millisecond)
}

// joint is the one that a text names.
func joint(text string) string { return strings.Fields(text)[1] }

// skilled does what is asked.
func (b *bench) skilled(text string) bool {
	switch {
	case strings.Contains(text, "zero pose"):
		for _, j := range b.desc.Joints {
			b.put(j.Name, 0)
		}
	case strings.Contains(text, "alone"):
		b.put(joint(text), 0.4*room(b.truth[b.desc.JointIndex(joint(text))]))
	case strings.Contains(text, "one end"):
		b.put(joint(text), b.truth[b.desc.JointIndex(joint(text))].MinRad)
	case strings.Contains(text, "other end"):
		b.put(joint(text), b.truth[b.desc.JointIndex(joint(text))].MaxRad)
	}
	return true
}

// room keeps a positive move within the joint's way: who cannot move an elbow forward far
// is asked to, and moves it as far as it goes.
func room(j robot.Joint) float64 { return min(1, j.MaxRad/0.4) }

func (b *bench) session() *calibrate.Session {
	bus := dynamixel.NewBench(busemu.NewWire(b.world.Lines[0]), 3_000_000)
	return &calibrate.Session{
		Bus: bus, Robot: b.desc, Joints: b.desc.JointsOn("body"), Offsets: true, Signs: true, Ranges: true,
		Gesture: func(j int) string { return "it turns as " + b.desc.Joints[j].Name + " does" },
		Ask: func(text string) error {
			b.asks = append(b.asks, text)
			if !b.hand(text) {
				return io.EOF
			}
			return nil
		},
		Tell: func(f string, args ...any) { fmt.Fprintf(&b.said, f+"\n", args...) },
	}
}

// However the servos are mounted, what is found is the truth.
func TestWhatIsFoundIsTrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 5 {
		b := newBench(t, func(_ int, j *robot.Joint) {
			middle := (j.MinRad + j.MaxRad) / 2 // of the servo's turn, roughly: as people mount horns
			j.Sign = float64(1 - 2*rng.IntN(2))
			j.OffsetRad = middle + 0.3*(rng.Float64()-0.5)
			if rng.IntN(3) == 0 { // it ends earlier than the description says
				j.MinRad, j.MaxRad = j.MinRad*0.6, j.MaxRad-0.25
			}
			j.MaxRad = max(j.MaxRad, 0.16)
		})
		found, err := b.session().Run()
		if err != nil || len(found) != 20 || len(b.asks) != 61 {
			t.Fatalf("%v; %d questions\n%s", err, len(b.asks), b.said.String())
		}
		for k, f := range found {
			truth, was := b.truth[k], b.desc.Joints[k]
			if f.Sign != truth.Sign || math.Abs(f.OffsetRad-truth.OffsetRad) > 0.001 {
				t.Errorf("%s: sign %g, offset %.4f; in truth %g, %.4f", f.Joint, f.Sign, f.OffsetRad, truth.Sign, truth.OffsetRad)
			}
			if f.MinRad < truth.MinRad || f.MaxRad > truth.MaxRad || f.MinRad < was.MinRad || f.MaxRad > was.MaxRad {
				t.Errorf("%s: %.3f to %.3f, ends at %.3f and %.3f", f.Joint, f.MinRad, f.MaxRad, truth.MinRad, truth.MaxRad)
			}
			if f.MinRad > max(truth.MinRad, was.MinRad)+0.03 || f.MaxRad < min(truth.MaxRad, was.MaxRad)-0.03 {
				t.Errorf("%s: %.3f to %.3f is less than it can", f.Joint, f.MinRad, f.MaxRad)
			}
		}
	}
}

// A robot that is as its description says needs no change.
func TestNothingToChange(t *testing.T) {
	b := newBench(t, func(_ int, j *robot.Joint) { j.MaxRad = max(j.MaxRad, 0.16) })
	found, err := b.session().Run()
	if err != nil || len(calibrate.Changes(found)) != 0 {
		t.Errorf("%v, %+v", err, calibrate.Changes(found))
	}
	b = newBench(t, func(j int, truth *robot.Joint) {
		if truth.MaxRad = max(truth.MaxRad, 0.16); j == 3 {
			truth.Sign, truth.OffsetRad = -1, 0.3
		}
	})
	found, err = b.session().Run()
	if c := calibrate.Changes(found); err != nil || len(c) != 1 || c[0].Joint != "l_knee" || *c[0].Sign != -1 || math.Abs(*c[0].OffsetRad-0.3) > 0.001 || c[0].MinRad != nil {
		t.Errorf("%v, %+v", err, c)
	}
}

// What makes no sense is told by name, asked for again, and refused in the end.
func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	for what, c := range map[string]struct {
		at    string // the question at which the hand slips
		slip  func(b *bench, text string)
		words []string
	}{
		"not moved":     {"move l_knee alone", func(*bench, string) {}, []string{"l_knee (servo 4) did not move", "0.15 are needed"}},
		"another moved": {"move l_knee alone", func(b *bench, _ string) { b.put("r_knee", 0.8) }, []string{"l_knee (servo 4) did not move", "r_knee (servo 10, by -0.80 rad) did", "exchanged"}},
		"two moved": {"move l_knee alone", func(b *bench, _ string) { b.put("r_knee", 0.8); b.put("l_knee", 0.8) },
			[]string{"l_knee (servo 4, by +0.80 rad) moved, and so did r_knee"}},
		"end not reached": {"move l_knee to its other end", func(b *bench, _ string) { b.put("l_knee", 0.0) }, []string{"l_knee (servo 4) did not move", "0.20 are needed"}},
		"zero outside":    {"move l_knee to its other end", func(b *bench, _ string) { b.put("l_knee", -0.5) }, []string{"l_knee turns from -0.50 to -0.15", "does not lie in between"}},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, func(_ int, j *robot.Joint) { j.MaxRad = max(j.MaxRad, 0.16) })
			slips := 0
			b.hand = func(text string) bool {
				if strings.Contains(text, c.at) {
					slips++
					c.slip(b, text)
					return true
				}
				return b.skilled(text)
			}
			_, err := b.session().Run()
			if !errors.Is(err, servotool.ErrRefused) || slips != 3 {
				t.Fatalf("after %d slips: %v", slips, err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) || !strings.Contains(b.said.String(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			b = newBench(t, func(_ int, j *robot.Joint) { j.MaxRad = max(j.MaxRad, 0.16) })
			once := false
			b.hand = func(text string) bool {
				if strings.Contains(text, c.at) && !once {
					once = true
					c.slip(b, text)
					return true
				}
				if strings.Contains(text, c.at) { // and everything back
					b.put("r_knee", 0)
				}
				return b.skilled(text)
			}
			if _, err := b.session().Run(); err != nil {
				t.Errorf("one slip ends it: %v", err)
			}
		})
	}
}

func TestRefusedBeforeAnybodyIsAsked(t *testing.T) {
	b := newBench(t, nil)
	_ = dxl.Write(dxl.NewBus(busemu.NewWire(b.world.Lines[0]), dxl.Config{Baud: 3_000_000, Margin: time.Second}), 3, dxl.TorqueEnable, 1)
	if _, err := b.session().Run(); !errors.Is(err, servotool.ErrRefused) || !strings.Contains(err.Error(), "servo 3 (l_hip_pitch)") || len(b.asks) > 0 {
		t.Errorf("%v after %d questions", err, len(b.asks))
	}
	b = newBench(t, nil)
	b.world.Lines[0].Inject(busemu.Fault{Kind: busemu.FaultSilence, ID: 7, P: 1})
	if _, err := b.session().Run(); !errors.Is(err, servotool.ErrSilent) || !strings.Contains(err.Error(), "r_hip_yaw") {
		t.Error(err)
	}
}

// trembling is a robot that nobody holds still while it is read.
type trembling struct {
	servotool.Bus
	n *int
}

func (s trembling) PositionRad(id uint8) (float64, error) {
	q, err := s.Bus.PositionRad(id)
	if id == 4 {
		*s.n++
		q += 0.02 * float64(*s.n%2)
	}
	return q, err
}

func TestAPoseThatIsNotHeld(t *testing.T) {
	b := newBench(t, nil)
	s, n := b.session(), 0
	s.Bus = trembling{s.Bus, &n}
	if _, err := s.Run(); !errors.Is(err, servotool.ErrRefused) || !strings.Contains(err.Error(), "l_knee (by 0.020 rad)") || strings.Contains(err.Error(), "r_knee") {
		t.Error(err)
	}
}

// A servo whose turn ends within its joint's range is told how to be mounted.
func TestAHornThatIsMountedWrongly(t *testing.T) {
	b := newBench(t, func(j int, truth *robot.Joint) {
		if j == 3 {
			truth.OffsetRad = -2.5
		}
	})
	s := b.session()
	s.Signs, s.Ranges = false, false
	_, err := s.Run()
	if !errors.Is(err, servotool.ErrRefused) || !strings.Contains(err.Error(), "l_knee (servo 4): its range is") || !strings.Contains(err.Error(), "mount its horn about 152 degrees further") {
		t.Error(err)
	}
}

// Only what is asked for is found, and nobody who leaves is waited for.
func TestPartsAndLeaving(t *testing.T) {
	b := newBench(t, nil)
	s := b.session()
	s.Signs, s.Ranges, s.Only = false, false, []int{3}
	if found, err := s.Run(); err != nil || len(found) != 20 || len(b.asks) != 1 {
		t.Errorf("%d found, %d questions, %v", len(found), len(b.asks), err)
	}
	s = b.session()
	s.Offsets, s.Ranges, s.Only, b.asks = false, false, []int{3}, nil
	if found, err := s.Run(); err != nil || len(found) != 20 || len(b.asks) != 1 || found[3].OffsetRad != 0 {
		t.Errorf("%d found, %d questions, %v", len(found), len(b.asks), err)
	}
	b.hand = func(string) bool { return false }
	if _, err := b.session().Run(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
