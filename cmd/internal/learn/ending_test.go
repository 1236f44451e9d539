package learn

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/adapt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// carried is a demonstration whose person is carried 3 m away between the second and the third second, feet and all: no
// robot gets there.
func carried(t *testing.T) *human.Motion {
	t.Helper()
	d, err := demonstrator.Find("wave")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Perform(d, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range m.Frames {
		way := 3 * min(max(float64(k)/m.FPS-2, 0), 1)
		for j := range m.Frames[k].Positions {
			m.Frames[k].Positions[j] = m.Frames[k].Positions[j].Add(spatial.Vec3{way, 0, 0})
		}
	}
	return m
}

// seeing is a learner that has seen a person.
func seeing(t *testing.T, m *human.Motion) *learner {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	l := newLearner(Options{
		Look: extract.Options{Video: "clip.mp4"}, Robot: b, RobotName: "kata20", Folder: t.TempDir(), Retarget: retarget.Options{Tempo: 1},
		Budget: train.Budget{Steps: 1}, Method: practice.DefaultMethod, Tries: 1, Episodes: 1,
	})
	l.seen = &extract.Result{Motion: m}
	return l
}

func isRefusal(err error) bool {
	return fault.Code(err) == fault.ExitRefused
}

// learn does not begin to train what is no longer the motion.
func TestLearnRefusesBeforeItTrains(t *testing.T) {
	l := seeing(t, carried(t))
	err := l.practise(context.Background())
	if !isRefusal(err) || !strings.Contains(err.Error(), "no longer the motion") || !strings.Contains(err.Error(), "--from 0s --to") {
		t.Fatalf("%v; want a refusal with parts that would work", err)
	}
	if got := l.stages(); !slices.Equal(got, []string{"retarget", "check"}) || l.longest != nil {
		t.Error("it was trained all the same")
	}
	if left, _ := filepath.Glob(l.path("*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// An infeasible verdict is a refusal, with parts on the video's own clock; --anyway makes it a note.
func TestInfeasibleIsRefused(t *testing.T) {
	m := carried(t)
	m, err := m.Part(3.2, m.Seconds())
	if err != nil {
		t.Fatal(err)
	}
	ref := &reference{Reference: &adapt.Reference{Report: &retarget.Report{}}, tempo: 1, verdict: &feasible.Verdict{Verdict: feasible.Infeasible, Summary: "infeasible: l_knee needs more"}}
	l := seeing(t, m)
	err = l.refuse(context.Background(), ref)
	if !isRefusal(err) || !strings.Contains(err.Error(), "l_knee needs more") || !strings.Contains(err.Error(), "--from 3.2") {
		t.Errorf("%v", err)
	}
	l.Anyway = true
	if err := l.refuse(context.Background(), ref); err != nil || len(l.notes) != 1 || !strings.Contains(l.notes[0], "l_knee needs more") {
		t.Errorf("--anyway: %v, notes %q", err, l.notes)
	}
	ref.verdict.Verdict, l.Anyway, l.notes = feasible.WithPolicy, false, nil
	if err := l.refuse(context.Background(), ref); err != nil || l.notes != nil {
		t.Errorf("a feasible motion: %v, %q", err, l.notes)
	}
}

// curve is a training that was tested ten times, with the survival that f gives for the share of the steps.
func curve(steps int64, f func(share float64) float64) *train.Result {
	r := &train.Result{ControlSteps: steps, StoppedBy: "budget"}
	for i := 1; i <= 10; i++ {
		share := float64(i) / 10
		r.Curve = append(r.Curve, train.Point{Steps: int64(share * float64(steps)), Eval: &rollout.Score{Survival: f(share)}})
	}
	return r
}

// "The robot cannot" is said on evidence only; a budget that was too small is a failure, not a refusal.
func TestCannotNeedsEvidence(t *testing.T) {
	flat := func(float64) float64 { return 0.2 }
	rising := func(s float64) float64 { return 0.4 * s }
	goal := curve(500_000, flat)
	goal.StoppedBy = "goal"
	for _, c := range []struct {
		what     string
		survival float64
		check    feasible.Class
		kept     *train.Result
		longest  *train.Result
		want     ending
	}{
		{"survives", 0.9, feasible.WithPolicy, curve(500_000, flat), nil, learned},
		{"a short training", 0.25, feasible.WithPolicy, curve(16_384, flat), nil, tooLittle},
		{"a long one that still gets better", 0.25, feasible.WithPolicy, curve(1_000_000, rising), nil, tooLittle},
		{"a long one that does not", 0.25, feasible.WithPolicy, curve(1_000_000, flat), nil, cannot},
		{"kept from a short one, gone on long and flat", 0.25, feasible.Feasible, curve(100_000, rising), curve(1_000_000, flat), cannot},
		{"its goal met", 0.25, feasible.WithPolicy, goal, nil, cannot},
		{"infeasible, trained anyway", 0, feasible.Infeasible, curve(16_384, rising), nil, cannot},
		{"never tested", 0, feasible.WithPolicy, &train.Result{ControlSteps: 1_000_000, StoppedBy: "budget"}, nil, tooLittle},
	} {
		l := seeing(t, &human.Motion{})
		if l.longest = c.longest; c.longest == nil {
			l.longest = c.kept
		}
		l.policy = &trained{result: c.kept, motion: &reference{verdict: &feasible.Verdict{Verdict: c.check}}}
		l.policy.eval = &eval.Report{}
		l.policy.eval.SurvivalRate = c.survival
		got := l.ending()
		err := l.verdict(got)
		if got != c.want || (err == nil) != (c.want == learned) || isRefusal(err) != (c.want == cannot) {
			t.Errorf("%s: ending %d, %v; want %d", c.what, got, err, c.want)
		}
		if c.want == tooLittle && (!strings.Contains(err.Error(), "budget was too small") || !strings.Contains(err.Error(), "--budget")) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
