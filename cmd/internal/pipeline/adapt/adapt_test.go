package adapt

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// waving is a second of the demonstrator's wave, for kata20.
func waving(t *testing.T) (*body.Body, *human.Motion) {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d, err := demonstrator.Find("wave")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Perform(d, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = Part(m, time.Second, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	return b, m
}

// The real stages keep the contract: the same inputs give the same result without the
// work, in another value as well as in the same one; every other input gives another
// result; and wall times add up to no more than the whole.
func TestStagesKeepTheContract(t *testing.T) {
	b, m := waving(t)
	run, start, ctx := &pipeline.Run{}, time.Now(), context.Background()
	copied := *m
	copied.Frames = append([]human.Pose(nil), m.Frames...)
	first, err := pipeline.Do(ctx, run, Retarget(b, m, retarget.Options{Tempo: 1}))
	if err != nil {
		t.Fatal(err)
	}
	again, err := pipeline.Do(ctx, run, Retarget(b, &copied, retarget.Options{Tempo: 1}))
	if err != nil || again != first {
		t.Errorf("the same motion was retargeted again (%v)", err)
	}
	verdict, err := pipeline.Do(ctx, run, Check(b, first.Clip))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := pipeline.Do(ctx, run, Check(b, again.Clip)); err != nil || same != verdict {
		t.Errorf("the same clip was checked again (%v)", err)
	}
	slow, err := pipeline.Do(ctx, run, Retarget(b, m, retarget.Options{Tempo: 0.5}))
	if err != nil || slow.Clip.Seconds() <= first.Clip.Seconds() {
		t.Errorf("another tempo: %v", err)
	}
	copied.Frames[3].Positions[human.LWrist][2] += 0.1
	moved, err := pipeline.Do(ctx, run, Retarget(b, &copied, retarget.Options{Tempo: 1}))
	if err != nil || moved == first || reflect.DeepEqual(moved.Clip.Frames, first.Clip.Frames) {
		t.Errorf("one hand 10 cm higher in one frame makes no difference (%v)", err)
	}
	// Without the memory of a run the work gives the same bits.
	fresh, err := pipeline.Do(ctx, &pipeline.Run{}, Retarget(b, m, retarget.Options{Tempo: 1}))
	if err != nil || fresh == first || !reflect.DeepEqual(fresh.Clip.Frames, first.Clip.Frames) {
		t.Errorf("the same work gives another motion (%v)", err)
	}
	sum := 0.0
	for _, w := range run.Walls() {
		sum += w.Seconds
	}
	if whole := time.Since(start).Seconds(); sum > whole || len(run.Walls()) != 2 {
		t.Errorf("%v: %g s, of %g", run.Walls(), sum, whole)
	}
}

// Work that never looks at its context is left to itself.
func TestCancelledStagesEnd(t *testing.T) {
	b, m := waving(t)
	ref, err := pipeline.Do(context.Background(), &pipeline.Run{}, Retarget(b, m, retarget.Options{Tempo: 1}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	none := func(pipeline.Progress) {}
	if r, err := Retarget(b, m, retarget.Options{Tempo: 1}).Work(ctx, none); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("retarget: %v, %v", r, err)
	}
	if v, err := Check(b, ref.Clip).Work(ctx, none); !errors.Is(err, context.Canceled) || v != nil {
		t.Errorf("check: %v, %v", v, err)
	}
}

func TestObjection(t *testing.T) {
	lost := &retarget.Report{Likeness: likeness.Result{Verdict: likeness.Lost, Summary: "it turns the other way"}}
	fine := &retarget.Report{}
	cannot := &feasible.Verdict{Verdict: feasible.Infeasible, Summary: "l_knee needs more"}
	for _, c := range []struct {
		rep  *retarget.Report
		v    *feasible.Verdict
		want string
	}{
		{fine, nil, ""}, {fine, &feasible.Verdict{Verdict: feasible.WithPolicy}, ""}, {lost, nil, "it turns the other way"},
		{fine, cannot, "l_knee needs more"}, {lost, cannot, "it turns the other way; and l_knee needs more"},
	} {
		if got := Objection(c.rep, c.v); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestStoredLikeness(t *testing.T) {
	b, m := waving(t)
	ref, err := pipeline.Do(context.Background(), &pipeline.Run{}, Retarget(b, m, retarget.Options{Tempo: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if like := StoredLikeness(ref.Clip); like == nil || like.Verdict != ref.Report.Likeness.Verdict {
		t.Errorf("the clip carries %v, the report says %q", like, ref.Report.Likeness.Verdict)
	}
	ref.Clip.Meta.Report = nil
	if like := StoredLikeness(ref.Clip); like != nil {
		t.Errorf("a clip without a report carries %v", like)
	}
}

func TestPart(t *testing.T) {
	_, m := waving(t) // from 1 s to 2 s of its source
	if whole, err := Part(m, 0, 0); err != nil || whole != m {
		t.Errorf("no window: %v", err)
	}
	half, err := Part(m, 1500*time.Millisecond, 0)
	if err != nil || half.Seconds() > 0.6 || half.Meta.StartS < 1.4 {
		t.Errorf("%g s from %g s on, %v; want half a second from 1.5 s on", half.Seconds(), half.Meta.StartS, err)
	}
	if _, err := Part(m, 5*time.Second, 6*time.Second); fault.Code(err) != fault.ExitUsage || !strings.Contains(err.Error(), "lasts from 1 to") {
		t.Errorf("a window beside the motion: %v", err)
	}
}
