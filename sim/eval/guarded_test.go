package eval

import (
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const standM = 0.28

// script is an Env of one world without physics: it says what it is told to say,
// step by step, and keeps what it was commanded.
type script struct {
	layout rollout.Layout
	say    func(step int, r rollout.Row)
	step   int
	goals  [][]float64
}

func (s *script) Layout() rollout.Layout    { return s.layout }
func (s *script) SaveState(io.Writer) error { return nil }
func (s *script) LoadState(io.Reader) error { return nil }
func (s *script) Reset(_ []rollout.Start, _ rollout.Randomization, rows []float64) error {
	s.step = 0
	s.tell(rows)
	return nil
}

func (s *script) Step(targets, rows []float64) error {
	s.step++
	s.goals = append(s.goals, slices.Clone(targets))
	s.tell(rows)
	return nil
}

func (s *script) tell(rows []float64) {
	r := s.layout.Row(rows, 0)
	pose(r, standM, 0)
	if s.say != nil {
		s.say(s.step, r)
	}
}

// pose makes a row say that the root is at a height and tilted forward, as truth
// and as the sensors say.
func pose(r rollout.Row, heightM, tiltRad float64) {
	q := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, tiltRad)
	down := spatial.GravityInBase(q)
	copy(r.RootPosM, []float64{0, 0, heightM})
	copy(r.RootQuat, q[:])
	copy(r.Gravity, down[:])
}

func load(t *testing.T) *robot.Description {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hardware is how robotd drives the robot.
func hardware(t *testing.T, d *robot.Description, periodS float64) loop.Config {
	t.Helper()
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return flightConfig(b, periodS)
}

// scripted puts a script behind the guard of a robot.
func scripted(t *testing.T, d *robot.Description, say func(step int, r rollout.Row)) (*script, *guarded) {
	t.Helper()
	s := &script{layout: rollout.Layout{Worlds: 1, Joints: len(d.Joints), PeriodS: 1 / d.PolicyRateHz}, say: say}
	g, err := newGuarded(s, d, hardware(t, d, s.layout.PeriodS))
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

// Whatever a policy wants, the worlds get what the robot's limits allow; what is
// allowed passes to the bit, and every change is counted.
func TestEveryCommandPassesTheGuard(t *testing.T) {
	d := load(t)
	n := len(d.Joints)
	spec := obs.DefaultSpec(d)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name string
		next func(j int, last float64) float64
		harm bool // a change is due
	}{
		{"a policy within its limits", func(j int, last float64) float64 {
			a := &spec.Action
			return min(max(last+a.MaxStepRad[j]*(2*rng.Float64()-1), a.MinRad[j]), a.MaxRad[j])
		}, false},
		{"leaps", func(int, float64) float64 { return 6*rng.Float64() - 3 }, true},
		{"nonsense", func(j int, _ float64) float64 { return []float64{math.NaN(), math.Inf(1), -1e300}[j%3] }, true},
	} {
		s, g := scripted(t, d, nil)
		want, last := make([]float64, n), make([]float64, n)
		rows := make([]float64, s.layout.RowLen())
		if err := g.Reset([]rollout.Start{{TargetRad: last}}, rollout.Nominal(), rows); err != nil {
			t.Fatal(err)
		}
		changed, largest := 0, 0.0
		for range 200 {
			for j := range want {
				want[j] = c.next(j, want[j])
			}
			if err := g.Step(want, rows); err != nil {
				t.Fatal(err)
			}
			got := s.goals[len(s.goals)-1]
			for j, q := range got {
				a := &spec.Action
				if !(q >= a.MinRad[j] && q <= a.MaxRad[j]) || !(math.Abs(q-last[j]) <= 2*1.02*a.MaxStepRad[j]) {
					t.Fatalf("%s: joint %d goes from %g to %g rad", c.name, j, last[j], q)
				}
				if q != want[j] {
					changed++
					largest = math.Max(largest, math.Abs(q-want[j]))
				}
			}
			copy(last, got)
		}
		k := g.keepers[0].kept
		counted := k.commands == 200*n && k.changed == changed && (k.largestRad == largest || math.IsNaN(largest))
		if !counted || (changed > 0) != c.harm {
			t.Errorf("%s: counted %+v; %d of %d commands were changed, by up to %g rad", c.name, k, changed, 200*n, largest)
		}
	}
}

// What robotd would not go on with ends an episode, and nothing else does.
func TestFailsafesEndAnEpisode(t *testing.T) {
	d := load(t)
	second := int(d.PolicyRateHz)
	stall := func(r rollout.Row, nm float64) { r.TorqueNm[3], r.JointPosRad[3], r.JointVelRadPerS[3] = nm, 0.5, 0 }
	for _, c := range []struct {
		name string
		say  func(step int, r rollout.Row)
		want mode.Reason
	}{
		{"standing", nil, mode.NoReason},
		{"leaning", func(_ int, r rollout.Row) { pose(r, standM, 0.9) }, mode.NoReason},
		{"tilted beyond recovery", func(step int, r rollout.Row) {
			if step > 40 {
				pose(r, standM, 1.02)
			}
		}, mode.Caused(mode.Falling)},
		{"turning fast", func(step int, r rollout.Row) {
			if step > 40 {
				r.GyroRadPerS[0] = 7
			}
		}, mode.Caused(mode.Falling)},
		{"a blocked servo at its limit", func(step int, r rollout.Row) { stall(r, 4) }, mode.Caused(mode.Stalled)},
		{"a blocked servo that is let go in time", func(step int, r rollout.Row) {
			nm := 4.0
			if step%(second/3) == 0 {
				nm = 0
			}
			stall(r, nm)
		}, mode.NoReason},
		{"a loaded servo", func(step int, r rollout.Row) { stall(r, 2) }, mode.NoReason},
	} {
		_, g := scripted(t, d, c.say)
		rows, target := make([]float64, g.layout.RowLen()), make([]float64, len(d.Joints))
		if err := g.Reset([]rollout.Start{{TargetRad: target}}, rollout.Nominal(), rows); err != nil {
			t.Fatal(err)
		}
		for range 3 * second {
			if err := g.Step(target, rows); err != nil {
				t.Fatal(err)
			}
		}
		if got := g.keepers[0].kept.stopped; got != c.want {
			t.Errorf("%s: robotd stops because of %q; want %q", c.name, got, c.want)
		}
		// The next episode in the same world knows nothing of it.
		if err := g.Reset([]rollout.Start{{TargetRad: target}}, rollout.Nominal(), rows); err != nil {
			t.Fatal(err)
		}
		if got := g.keepers[0].kept; got != (kept{}) {
			t.Errorf("%s: a new episode begins with %+v", c.name, got)
		}
	}
}

// moment is where a root is.
type moment struct{ heightM, tiltRad float64 }

// filmed is a plant whose trunk does as a list of moments says.
type filmed struct{ now moment }

func (f *filmed) Step() time.Duration         { return time.Millisecond }
func (f *filmed) Advance(int, []busemu.Drive) {}
func (f *filmed) Sense(*busemu.Sense)         {}
func (f *filmed) Hold(bool)                   {}
func (f *filmed) Truth(t *busemu.Truth) {
	t.TrunkHeightM, t.TiltRad = f.now.heightM, f.now.tiltRad
}

// What one judge takes for a fall, all do: the same trajectories before the
// trainer's test set, the evaluation and the emulator that judges flights.
func TestOneRuleOfFalling(t *testing.T) {
	deg := math.Pi / 180
	hold := func(m moment) func(float64) moment { return func(float64) moment { return m } }
	between := func(a, b moment) func(float64) moment {
		return func(s float64) moment {
			return moment{a.heightM + s*(b.heightM-a.heightM), a.tiltRad + s*(b.tiltRad-a.tiltRad)}
		}
	}
	stand := moment{standM, 0}
	for _, c := range []struct {
		name string
		at   func(share float64) moment
		fell bool
	}{
		{"standing", hold(stand), false},
		{"a deep crouch", between(stand, moment{0.61 * standM, 0}), false},
		{"sinking down", between(stand, moment{0.59 * standM, 0}), true},
		{"a bow", between(stand, moment{standM, 50 * deg}), false},
		{"just caught", between(stand, moment{0.7 * standM, 59 * deg}), false},
		{"tipping over", between(stand, moment{standM, 61 * deg}), true},
		{"upside down", between(stand, moment{standM, 180 * deg}), true},
		{"down and up again", func(s float64) moment {
			return moment{standM * (1 - 0.8*math.Sin(math.Pi*s)), 0}
		}, true},
		{"jumping", between(stand, moment{2 * standM, 0}), false},
	} {
		const steps = 50
		say := func(step int, r rollout.Row) {
			m := c.at(float64(step) / steps)
			pose(r, m.heightM, m.tiltRad)
		}
		for who, judge := range map[string]func(*testing.T, int, func(int, rollout.Row)) (bool, int){
			"test set": fellInTraining, "evaluation": fellInEvaluation, "flight": fellInFlight,
		} {
			fell, at := judge(t, steps, say)
			first := 0
			for k := range steps + 1 {
				if m := c.at(float64(k) / steps); fall.Of(standM).Fallen(m.heightM, m.tiltRad) {
					first = k
					break
				}
			}
			if fell != c.fell || fell && at != first {
				t.Errorf("%s, %s: fell %v in step %d; want %v, in step %d", c.name, who, fell, at, c.fell, first)
			}
		}
	}
}

// quiet is a reference that stands for a number of periods.
func quiet(d *robot.Description, steps int) (obs.Spec, *obs.Reference, error) {
	spec := obs.DefaultSpec(d)
	clip := &motion.Clip{FPS: d.PolicyRateHz, JointNames: d.JointNames(), BodyNames: []string{d.RootBody}}
	for range steps + 1 {
		f := motion.NewFrame(len(d.Joints), 1)
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, standM}, spatial.Identity()
		clip.Frames = append(clip.Frames, f)
	}
	ref, err := obs.NewReference(clip, &spec)
	return spec, ref, err
}

func fellUnderRunner(t *testing.T, steps int, env rollout.Env, d *robot.Description) (bool, int) {
	t.Helper()
	spec, ref, err := quiet(d, steps)
	if err != nil {
		t.Fatal(err)
	}
	task := rollout.Task{Spec: spec, Refs: []*obs.Reference{ref}, Fall: fall.Of(standM)}
	_, results, err := rollout.Evaluate(env, task, nil, []rollout.Episode{{}}, rollout.Nominal())
	if err != nil {
		t.Fatal(err)
	}
	return !results[0].Survived, int(math.Round(results[0].Seconds / spec.PeriodS))
}

func fellInTraining(t *testing.T, steps int, say func(int, rollout.Row)) (bool, int) {
	d := load(t)
	s, _ := scripted(t, d, say)
	return fellUnderRunner(t, steps, s, d)
}

func fellInEvaluation(t *testing.T, steps int, say func(int, rollout.Row)) (bool, int) {
	d := load(t)
	_, g := scripted(t, d, say)
	return fellUnderRunner(t, steps, g, d)
}

func fellInFlight(t *testing.T, steps int, say func(int, rollout.Row)) (bool, int) {
	l := rollout.Layout{Worlds: 1, Joints: 1, PeriodS: 0.02}
	row := l.Row(make([]float64, l.RowLen()), 0)
	plant := &filmed{}
	line, err := busemu.NewWorld(plant, busemu.LineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var o busemu.Observer
	for k := range steps + 1 {
		say(k, row)
		plant.now = moment{row.RootPosM[2], spatial.Quat(row.RootQuat).TiltRad()}
		if o.Look(line, false); o.Verdict().Fell {
			return true, k
		}
	}
	return false, 0
}

// The guard lets go of a robot before it counts as fallen, never after.
func TestRobotdLetsGoBeforeTheFall(t *testing.T) {
	d := load(t)
	if tilt := hardware(t, d, 0.02).Thresholds.TiltRad; tilt > fall.TiltRad {
		t.Errorf("robotd lets go at %g rad, a robot has fallen at %g", tilt, fall.TiltRad)
	}
	_, g := scripted(t, d, nil)
	if err := g.SaveState(io.Discard); err == nil {
		t.Error("an evaluation without its guards was saved")
	}
	if _, err := newGuarded(g, d, loop.Config{}); err == nil {
		t.Error("worlds without limits were taken")
	}
}
