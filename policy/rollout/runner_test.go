package rollout_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

func toyRunner(t *testing.T, worlds int) *rollout.Runner {
	t.Helper()
	r, err := rollout.NewRunner(rollouttest.NewToy(worlds, 3), toyTask(t))
	if err != nil {
		t.Fatal(err)
	}
	var all []rollout.Episode
	for w := range worlds {
		all = append(all, rollout.Episode{World: w, Step: 10 * w, Seed: uint64(w), Noise: rollout.StartNoise{JointRad: 0.05, TiltRad: 0.02}})
	}
	if err := r.Begin(all, rollout.Hard()); err != nil {
		t.Fatal(err)
	}
	return r
}

// play steps all worlds by the actions of a stream and returns what they see and earn.
func play(t *testing.T, r *rollout.Runner, rng *rand.Rand, steps int) (seen []float32, earned []rollout.Outcome) {
	t.Helper()
	actions, out := make([]float32, 3*r.Worlds()), make([]rollout.Outcome, r.Worlds())
	for range steps {
		for i := range actions {
			actions[i] = float32(0.3 * rng.NormFloat64())
		}
		if err := r.Step(actions, out); err != nil {
			t.Fatal(err)
		}
		seen, earned = append(append(seen, r.Obs()...), r.Critic()...), append(earned, out...)
	}
	return seen, earned
}

// A run that is taken up from its saved state goes on to the bit.
func TestSavedStateGoesOn(t *testing.T) {
	whole := toyRunner(t, 4)
	play(t, whole, rand.New(rand.NewPCG(1, 1)), 15)
	var state bytes.Buffer
	if err := whole.SaveState(&state); err != nil {
		t.Fatal(err)
	}
	other := toyRunner(t, 4)
	play(t, other, rand.New(rand.NewPCG(9, 9)), 3) // something else has been here
	if err := other.LoadState(bytes.NewReader(state.Bytes())); err != nil {
		t.Fatal(err)
	}
	for w := range 4 {
		clip, step := other.Where(w)
		if c, s := whole.Where(w); c != clip || s != step {
			t.Errorf("world %d is in reference %d, step %d; it was in %d, %d", w, clip, step, c, s)
		}
	}
	a, x := play(t, whole, rand.New(rand.NewPCG(2, 2)), 20)
	b, y := play(t, other, rand.New(rand.NewPCG(2, 2)), 20)
	if !slices.Equal(a, b) || !slices.Equal(x, y) {
		t.Error("the runs differ")
	}
}

// A state that was cut off anywhere is an error, and so is one that points at no reference.
func TestDamagedStateIsRefused(t *testing.T) {
	r := toyRunner(t, 2)
	var state bytes.Buffer
	if err := r.SaveState(&state); err != nil {
		t.Fatal(err)
	}
	data := state.Bytes()
	for _, n := range []int{0, 1, len(data) / 4, len(data) / 2, len(data) - 1} {
		if err := r.LoadState(bytes.NewReader(data[:n])); err == nil {
			t.Errorf("%d of %d bytes: accepted", n, len(data))
		}
	}
	task := toyTask(t)
	task.Refs = append(task.Refs, task.Refs[0])
	two, err := rollout.NewRunner(rollouttest.NewToy(1, 3), task)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Begin([]rollout.Episode{{Clip: 1}}, rollout.Nominal()); err != nil {
		t.Fatal(err)
	}
	state.Reset()
	if err := two.SaveState(&state); err != nil {
		t.Fatal(err)
	}
	if err := toyRunner(t, 1).LoadState(&state); err == nil || !strings.Contains(err.Error(), "reference 1") {
		t.Errorf("the second of one reference: %v", err)
	}
}

// The critic sees what the policy sees, first, and then what the policy may not know.
func TestCriticSeesWhatThePolicySees(t *testing.T) {
	r := toyRunner(t, 3)
	play(t, r, rand.New(rand.NewPCG(3, 3)), 5)
	dim, wide := len(r.Obs())/3, r.CriticDim()
	for w := range 3 {
		if !slices.Equal(r.Critic()[w*wide:w*wide+dim], r.Obs()[w*dim:(w+1)*dim]) {
			t.Errorf("world %d: the critic sees something else", w)
		}
		_, step := r.Where(w)
		task := toyTask(t)
		left := float64(len(task.Refs[0].Frames)+task.HoldSteps-step) * task.Spec.PeriodS
		if got := r.Critic()[(w+1)*wide-1]; math.Abs(float64(got)-left) > 1e-6 {
			t.Errorf("world %d: %g s left, want %g", w, got, left)
		}
	}
}

// A new episode in one world leaves the others alone.
func TestBeginTouchesItsWorldsOnly(t *testing.T) {
	a, b := toyRunner(t, 3), toyRunner(t, 3)
	play(t, a, rand.New(rand.NewPCG(4, 4)), 5)
	play(t, b, rand.New(rand.NewPCG(4, 4)), 5)
	if err := b.Begin([]rollout.Episode{{World: 1, Seed: 77}}, rollout.Nominal()); err != nil {
		t.Fatal(err)
	}
	if err := b.Begin(nil, rollout.Nominal()); err != nil {
		t.Errorf("no episode at all: %v", err)
	}
	dim := len(a.Obs()) / 3
	for w := range 3 {
		same := slices.Equal(a.Obs()[w*dim:(w+1)*dim], b.Obs()[w*dim:(w+1)*dim])
		if same == (w == 1) {
			t.Errorf("world %d: the same as before is %v", w, same)
		}
	}
	if _, step := b.Where(1); step != 0 {
		t.Errorf("the new episode is at step %d", step)
	}
}

// An episode begins in the reference, at its speed, in the command in force; at rest where the reference is over.
func TestStartAt(t *testing.T) {
	ref := toyTask(t).Refs[0]
	for _, step := range []int{0, 17, len(ref.Frames) - 1, len(ref.Frames) + 5} {
		s, f := rollout.StartAt(ref, step), ref.At(step)
		if lift := s.RootPosM[2] - f.RootPosM[2]; !(lift > 0 && lift < 0.005) || s.RootPosM[0] != f.RootPosM[0] {
			t.Errorf("step %d: the root begins at %v over %v", step, s.RootPosM, f.RootPosM)
		}
		if !slices.Equal(s.JointPosRad, f.JointPosRad) || !slices.Equal(s.TargetRad, f.JointPosRad) {
			t.Errorf("step %d: joints begin at %v, commanded %v; want %v", step, s.JointPosRad, s.TargetRad, f.JointPosRad)
		}
		s.JointPosRad[0]++ // the caller's own
		if ref.At(step).JointPosRad[0] == s.JointPosRad[0] {
			t.Fatal("the start shares the reference's memory")
		}
	}
}

// Noise moves the start, by its size, the same for the same seed, and never out of the joints' range.
func TestStartNoise(t *testing.T) {
	task := toyTask(t)
	for j := range task.Spec.Action.MaxRad { // narrow: noise of 1 rad meets the ends
		task.Spec.Action.MinRad[j], task.Spec.Action.MaxRad[j] = -0.4, 0.4
	}
	ref := *task.Refs[0]
	task.Refs = []*obs.Reference{&ref}
	r, err := rollout.NewRunner(rollouttest.NewToy(1, 3), task)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(seed uint64, n rollout.StartNoise) (pos []float64, tilt float64) {
		if err := r.Begin([]rollout.Episode{{Seed: seed, Noise: n}}, rollout.Nominal()); err != nil {
			t.Fatal(err)
		}
		row := r.Row(0)
		return slices.Clone(row.TrueJointPosRad), spatial.Quat(row.RootQuat).TiltRad()
	}
	plain, upright := begin(1, rollout.StartNoise{})
	if !slices.Equal(plain, ref.At(0).JointPosRad) || upright > 1e-9 {
		t.Errorf("without noise: %v, tilted by %g", plain, upright)
	}
	atEnd := 0
	for seed := range uint64(100) {
		a, tilt := begin(seed, rollout.StartNoise{JointRad: 1, TiltRad: 0.1})
		b, same := begin(seed, rollout.StartNoise{JointRad: 1, TiltRad: 0.1})
		if !slices.Equal(a, b) || tilt != same {
			t.Fatalf("seed %d gives two starts", seed)
		}
		for _, q := range a {
			if q < -0.4 || q > 0.4 {
				t.Fatalf("seed %d: a joint begins at %g", seed, q)
			}
			if math.Abs(q) == 0.4 {
				atEnd++
			}
		}
	}
	if atEnd < 100 || atEnd > 290 {
		t.Errorf("%d of 300 joints begin at an end of their range", atEnd)
	}
}

// Results do not depend on how many worlds there are to play in, and come in the order of the episodes.
func TestEvaluateInAnyNumberOfWorlds(t *testing.T) {
	task := toyTask(t)
	var episodes []rollout.Episode
	for s := range uint64(7) {
		episodes = append(episodes, rollout.Episode{Seed: s, Step: int(20 * s), Noise: rollout.StartNoise{TiltRad: 0.1, JointRad: 0.1}})
	}
	var first []rollout.Result
	for _, worlds := range []int{7, 1, 3, 10} {
		score, results, err := rollout.Evaluate(rollouttest.NewToy(worlds, 3), task, balancer(t, task), episodes, rollout.Hard())
		if err != nil {
			t.Fatal(err)
		}
		for i := range results {
			if results[i].Episode.Seed != episodes[i].Seed {
				t.Fatalf("%d worlds: result %d is of seed %d", worlds, i, results[i].Episode.Seed)
			}
			results[i].Episode.World = 0
		}
		if first == nil {
			first = results
		}
		if !slices.Equal(first, results) || score != rollout.Sum(results) {
			t.Errorf("%d worlds: %+v, with 7: %+v", worlds, results, first)
		}
	}
	if _, _, err := rollout.Evaluate(rollouttest.NewToy(1, 3), task, balancer(t, fourJoints(t)), episodes, rollout.Nominal()); err == nil ||
		!strings.Contains(err.Error(), "the network is") {
		t.Errorf("a network for four joints: %v", err)
	}
}

func fourJoints(t *testing.T) rollout.Task {
	t.Helper()
	task, err := rollouttest.ToyTask(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// Better is an order: nobody is better than themselves, and of three no two beat each other round about.
func TestBetterIsAnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	var all []rollout.Score
	for range 12 {
		all = append(all, rollout.Score{Survival: float64(rng.IntN(3)) / 2, JointErrRad: float64(rng.IntN(3)), ActionRate: float64(rng.IntN(2))})
	}
	for _, a := range all {
		for _, b := range all {
			if a.Better(b) && b.Better(a) || a != b && !a.Better(b) && !b.Better(a) {
				t.Errorf("%+v and %+v", a, b)
			}
			for _, c := range all {
				if a.Better(b) && b.Better(c) && !a.Better(c) {
					t.Errorf("%+v, %+v, %+v", a, b, c)
				}
			}
		}
	}
	if a := (rollout.Score{Survival: 0.5, JointErrRad: 9}); !a.Better(rollout.Score{Survival: 0.4}) {
		t.Error("survival does not come first")
	}
}

// A mean of nothing is no number of anything; the share is the count that it was made of.
func TestSum(t *testing.T) {
	if s := rollout.Sum(nil); s != (rollout.Score{}) {
		t.Errorf("of nothing: %+v", s)
	}
	for n := 1; n < 100; n++ {
		for hits := 0; hits <= n; hits++ {
			results := make([]rollout.Result, n)
			for i := range hits {
				results[i].Survived = true
			}
			s := rollout.Sum(results)
			if r := s.Rate(); r.Hits != hits || r.Trials != n {
				t.Errorf("%d of %d: %v", hits, n, r)
			}
		}
	}
}
