package retarget

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// verdicts are what the strange motions must be called, and why.
var verdicts = map[string]struct {
	class likeness.Class
	kind  string
}{
	"turn 90":             {likeness.Kept, ""},
	"turn 180":            {likeness.Kept, ""}, // the robot follows it
	"turn 360":            {likeness.Lost, "heading"},
	"pivot 120":           {likeness.Lost, "heading"},
	"jump forward":        {likeness.Lost, "path"},
	"jump":                {likeness.Lost, "height"},
	"lie down and get up": {likeness.Lost, "limbs"},
	"lying":               {likeness.Lost, "limbs"},
	"backflip":            {likeness.Lost, "limbs"},
	"slide away":          {likeness.Lost, "path"},
	"small step":          {likeness.Kept, ""},
	"step of 10 cm":       {likeness.Kept, ""},
}

// A motion that the robot did not copy is said not to be one, with the reason; those that it did copy are not.
func TestStrangeMotionsAreToldApart(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets a dozen motions; leave out -short to run it")
	}
	r := kata(t)
	for name, m := range strange(r) {
		want, ok := verdicts[name]
		if !ok {
			t.Errorf("%s: no verdict noted", name)
			continue
		}
		_, rep, err := r.Retarget(m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := rep.Likeness; got.Verdict != want.class || !has(&got, want.kind) {
			t.Errorf("%s: %s: %s; want %s for its %s", name, got.Verdict, got.Summary, want.class, want.kind)
		}
	}
}

func has(r *likeness.Result, kind string) bool {
	for _, f := range r.Findings {
		if f.Kind == kind && f.Severity == "lost" {
			return true
		}
	}
	return kind == ""
}

// Ordinary motions are not refused, not as they are, faster, slower, wider, mirrored or from poor footage.
func TestOrdinaryMotionsAreNotRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets fifteen times; leave out -short to run it")
	}
	r := kata(t)
	all := motions(r)
	wishes := []Options{{Tempo: 0.5}, {Tempo: 1.3}, {Amplify: 1.3}, {Amplify: 0.7}, {Mirror: true}}
	for i, name := range []string{"arms", "squat", "march", "fast arms", "one foot from the start"} {
		for _, o := range []Options{{}, wishes[i]} {
			if _, rep, err := r.Retarget(all[name], o); err != nil || rep.Likeness.Verdict != likeness.Kept {
				t.Errorf("%s, %+v: %v %s", name, o, err, rep.Likeness.Summary)
			}
		}
		if _, rep, err := r.Retarget(spoil(all[name], 1, 0.01), Options{}); err != nil || rep.Likeness.Verdict == likeness.Lost {
			t.Errorf("%s, poor footage: %v %s", name, err, rep.Likeness.Summary)
		}
	}
}

// The verdict is about the motion, not about who makes it: the same for a child and a giant, for left and right, and
// wherever they stand and face.
func TestTheVerdictDoesNotDependOnThePerson(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets nine times; leave out -short to run it")
	}
	r := kata(t)
	all := strange(r)
	for _, name := range []string{"pivot 120", "jump forward", "small step"} {
		_, want, err := r.Retarget(all[name], Options{})
		if err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func(m *human.Motion) (*human.Motion, Options){
			"a child elsewhere": func(m *human.Motion) (*human.Motion, Options) { return moved(m, 0.55, 2.5), Options{} },
			"a giant, mirrored": func(m *human.Motion) (*human.Motion, Options) { return moved(m, 1.3, 0), Options{Mirror: true} },
		} {
			m, o := change(all[name])
			_, got, err := r.Retarget(m, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Likeness.Verdict != want.Likeness.Verdict || math.Abs(got.Likeness.HeadingMaxDeg-want.Likeness.HeadingMaxDeg) > 3 || math.Abs(got.Likeness.PathMaxLegs-want.Likeness.PathMaxLegs) > 0.1 {
				t.Errorf("%s, %s: %s (heading %.0f deg, way %.2f); want %s (%.0f, %.2f)", name, what, got.Likeness.Verdict, got.Likeness.HeadingMaxDeg,
					got.Likeness.PathMaxLegs, want.Likeness.Verdict, want.Likeness.HeadingMaxDeg, want.Likeness.PathMaxLegs)
			}
		}
	}
}

// moved makes everything larger and turns it about the vertical.
func moved(m *human.Motion, scale, yaw float64) *human.Motion {
	out := *m
	out.Frames = append([]human.Pose(nil), m.Frames...)
	for t := range out.Frames {
		f := &out.Frames[t]
		for j := range f.Positions {
			f.Positions[j] = f.Positions[j].Scale(scale).Yawed(yaw)
			f.Rotations[j] = spatial.FromYaw(yaw).Mul(f.Rotations[j])
		}
	}
	return &out
}

// Motion capture of somebody who turns about on standing feet and walks away: the robot does neither, and it is said
// where.
func TestCapturedTurnIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets a long recording; leave out -short to run it")
	}
	in, err := os.Open("../../../shared/data/mocap/01_01.bvh")
	if err != nil {
		t.Skip("the recording is not here: ", err)
	}
	defer in.Close()
	f, err := bvh.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := f.Motion("01_01.bvh", bvh.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Part(7, 12); err != nil {
		t.Fatal(err)
	}
	_, rep, err := kata(t).Retarget(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l := rep.Likeness; l.Verdict != likeness.Lost || !has(&l, "heading") || l.HeadingMaxDeg < 45 || !strings.Contains(l.Summary, "turned") {
		t.Errorf("%s, heading %.0f deg off: %s", l.Verdict, l.HeadingMaxDeg, l.Summary)
	}
}

// Every part that is suggested works when it is asked for, and the bad moment lies in none.
func TestSuggestedPartsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets part after part; leave out -short to run it")
	}
	r := kata(t)
	all := strange(r)
	for name, badS := range map[string]float64{"jump forward": 1.75, "backflip": 1.9, "turn 360": -1, "lie down and get up": 3} {
		m := all[name]
		parts := r.Parts(context.Background(), m, Options{})
		if len(parts) == 0 && name != "jump forward" && name != "backflip" {
			t.Errorf("%s: no part was found", name)
		}
		for _, p := range parts {
			if p.FromS < badS && badS < p.ToS {
				t.Errorf("%s: %+v holds what cannot be done", name, p)
			}
			cut, err := m.Part(p.FromS, p.ToS)
			if err != nil {
				t.Fatal(err)
			}
			clip, rep, err := r.Retarget(cut, Options{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := r.check.Check(clip)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Likeness.Verdict == likeness.Lost || v.Verdict == feasible.Infeasible || p.ToS-p.FromS < leastPartS-1e-9 {
				t.Errorf("%s: %+v was suggested: %s; %s", name, p, rep.Likeness.Summary, v.Summary)
			}
		}
		t.Logf("%s: %+v", name, parts)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if parts := r.Parts(ctx, all["turn 360"], Options{}); parts != nil {
		t.Errorf("after the end of the context: %v", parts)
	}
}
