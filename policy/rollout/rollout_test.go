package rollout_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

func toyTask(t *testing.T) rollout.Task {
	t.Helper()
	task, err := rollouttest.ToyTask(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestToyWorldsConform(t *testing.T) {
	rollouttest.Conformance(t, func(*testing.T) rollout.Env { return rollouttest.NewToy(4, 3) }, toyTask(t))
}

// balancer is a network of one linear layer that pushes the first joint against tilt and tilt rate.
func balancer(t *testing.T, task rollout.Task) *infer.Net {
	t.Helper()
	dim, n := task.Spec.Dim(), task.Spec.Joints()
	l := infer.Layer{In: dim, Out: n, W: make([]float32, dim*n), B: make([]float32, n)}
	norm := infer.Normalizer{Mean: make([]float32, dim), InvStd: make([]float32, dim), Clip: 10}
	for i := range norm.InvStd {
		norm.InvStd[i] = 1
	}
	// Observation: newest frame first: errors n, speeds n, gyro 3 (scaled), gravity 3.
	l.W[(2*n+1)*n] = 1.2 / float32(task.Spec.GyroScale*4)
	l.W[(2*n+3)*n] = 4
	net, err := infer.New(norm, []infer.Layer{l})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestEvaluateTellsBalanceFromPlayback(t *testing.T) {
	task := toyTask(t)
	task.Limits = rollout.Limits{}
	env := rollouttest.NewToy(4, 3)
	var episodes []rollout.Episode
	for s := range uint64(10) {
		episodes = append(episodes, rollout.Episode{Seed: s, Noise: rollout.StartNoise{TiltRad: 0.05}})
	}
	score, results, err := rollout.Evaluate(env, task, balancer(t, task), episodes, rollout.Nominal())
	if err != nil {
		t.Fatal(err)
	}
	if score.Survival != 1 || score.Episodes != 10 || len(results) != 10 {
		t.Errorf("balancing net: %+v", score)
	}
	if want := 2 + float64(task.HoldSteps)*0.02; math.Abs(results[9].Seconds-want) > 1e-9 {
		t.Errorf("a survived episode lasts %g s, want %g", results[9].Seconds, want)
	}
	play, _, err := rollout.Evaluate(env, task, nil, episodes, rollout.Nominal())
	if err != nil {
		t.Fatal(err)
	}
	if play.Survival > 0.5 || play.ActionRate != 0 {
		t.Errorf("playback: %+v, want falls and no actions", play)
	}
	if !score.Better(play) || play.Better(score) {
		t.Error("Better prefers falling")
	}
	// The same episodes with another number of worlds give the same results.
	again, _, err := rollout.Evaluate(rollouttest.NewToy(3, 3), task, balancer(t, task), episodes, rollout.Nominal())
	if err != nil || again != score {
		t.Errorf("3 worlds give %+v, 4 give %+v (%v)", again, score, err)
	}
}

func TestPerfectTrackingEarnsMost(t *testing.T) {
	task := toyTask(t)
	env := rollouttest.NewToy(1, 3)
	r, err := rollout.NewRunner(env, task)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Begin([]rollout.Episode{{Seed: 1}}, rollout.Nominal()); err != nil {
		t.Fatal(err)
	}
	out := make([]rollout.Outcome, 1)
	if err := r.Step(make([]float32, 3), out); err != nil {
		t.Fatal(err)
	}
	good := out[0]
	rw := task.Reward
	if most := rw.Joint + rw.Speed + rw.Tilt + rw.Root + rw.Contact; good.Reward > most || good.Reward < 0.9*most {
		t.Errorf("playback of the first step earns %g, want nearly %g", good.Reward, most)
	}
	if err := r.Step([]float32{0, 2, -2}, out); err != nil {
		t.Fatal(err)
	}
	if out[0].Reward >= good.Reward || out[0].ActionRate <= 0 || out[0].JointErrRad <= good.JointErrRad {
		t.Errorf("leaving the reference earns %+v, staying %+v", out[0], good)
	}
}

func TestRunnerRefusesWhatDoesNotFit(t *testing.T) {
	task := toyTask(t)
	if _, err := rollout.NewRunner(rollouttest.NewToy(2, 4), task); err == nil {
		t.Error("4 joints against 3: accepted")
	}
	r, err := rollout.NewRunner(rollouttest.NewToy(2, 3), task)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []rollout.Episode{{World: 2}, {World: -1}, {Clip: 1}, {Step: -1}} {
		if err := r.Begin([]rollout.Episode{e}, rollout.Nominal()); err == nil {
			t.Errorf("%+v: accepted", e)
		}
	}
}

func TestLerpReachesBothEnds(t *testing.T) {
	a, b := rollout.Nominal(), rollout.Hard()
	if rollout.Lerp(a, b, 0) != a || rollout.Lerp(a, b, 1) != b {
		t.Error("Lerp(0) or Lerp(1) is not an end")
	}
	if mid := rollout.Lerp(a, b, 0.5); mid.Friction[0] >= a.Friction[0] || mid.Friction[0] <= b.Friction[0] || mid.PushEveryS != b.PushEveryS {
		t.Errorf("half way: %+v", mid)
	}
}

// What the rule of falling takes for a fall is no motion to be judged by it.
func TestReferenceThatIsAFallIsRefused(t *testing.T) {
	task := toyTask(t)
	low := *task.Refs[0]
	low.Frames = slices.Clone(low.Frames)
	low.Frames[7].RootPosM[2] = 0.1
	task.Refs = append(task.Refs, &low)
	_, err := rollout.NewRunner(rollouttest.NewToy(1, 3), task)
	if err == nil || !strings.Contains(err.Error(), "reference 1 is itself a fall at 0.14 s: root at 0.100 m") {
		t.Errorf("a reference that lies down: %v", err)
	}
	task.Fall = fall.Rule{}
	if _, err := rollout.NewRunner(rollouttest.NewToy(1, 3), task); err != nil {
		t.Errorf("without a rule: %v", err)
	}
}

// Limits are about the motion, the rule about the robot: a robot that stands where its reference leans strays from it
// and has not fallen.
func TestStrayingIsNotFalling(t *testing.T) {
	task := toyTask(t)
	leaning := *task.Refs[0]
	leaning.Frames = slices.Clone(leaning.Frames)
	for k := range leaning.Frames {
		f := &leaning.Frames[k]
		f.RootQuat = spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, 0.9)
		f.Gravity = spatial.GravityInBase(f.RootQuat)
	}
	task.Refs = []*obs.Reference{&leaning}
	upright := rollout.StartAt(&leaning, 0)
	upright.RootQuat = spatial.Identity()
	ends := func(limits rollout.Limits) rollout.End {
		task.Limits = limits
		r, err := rollout.NewRunner(rollouttest.NewToy(1, 3), task)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.BeginFrom(rollout.Episode{Seed: 1}, upright, rollout.Nominal()); err != nil {
			t.Fatal(err)
		}
		out := make([]rollout.Outcome, 1)
		if err := r.Step(make([]float32, 3), out); err != nil {
			t.Fatal(err)
		}
		return out[0].End
	}
	if e := ends(rollout.Limits{}); e != rollout.Running {
		t.Errorf("without limits the upright robot ends %v", e)
	}
	if e := ends(rollout.Limits{TiltRad: 0.8}); e != rollout.Failed {
		t.Errorf("0.9 rad off the reference with a limit of 0.8: %v", e)
	}
}
