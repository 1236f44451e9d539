//go:build mujoco && cgo

package expert

import (
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/worlds"
)

func task(t *testing.T, b *body.Body, name string) rollout.Task {
	t.Helper()
	m, err := demonstrator.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := retarget.New(b)
	if err != nil {
		t.Fatal(err)
	}
	clip, _, err := r.Retarget(person, retarget.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := rollout.Task{Spec: obs.DefaultSpec(b.Desc), Reward: rollout.DefaultReward(), HoldSteps: 25}
	ref, err := obs.NewReference(clip, &k.Spec)
	if err != nil {
		t.Fatal(err)
	}
	k.Refs = []*obs.Reference{ref}
	return k
}

// survive plays every world once and gives the share that stood to the end, with the expert or with the reference.
func survive(t *testing.T, b *body.Body, k rollout.Task, label func([]float32, *rollout.Runner) error, dyn rollout.Randomization) float64 {
	t.Helper()
	const n = 16
	env, err := worlds.New(b, worlds.Config{Worlds: n})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	k.Fall = fall.Of(env.StandHeightM())
	r, err := rollout.NewRunner(env, k)
	if err != nil {
		t.Fatal(err)
	}
	var all []rollout.Episode
	for w := range n {
		all = append(all, rollout.Episode{World: w, Seed: uint64(50 + w), Noise: rollout.StartNoise{JointRad: 0.02}})
	}
	if err := r.Begin(all, dyn); err != nil {
		t.Fatal(err)
	}
	actions, out := make([]float32, n*k.Spec.Joints()), make([]rollout.Outcome, n)
	ended, stood := make([]bool, n), 0
	for range len(k.Refs[0].Frames) + k.HoldSteps {
		if label != nil {
			if err := label(actions, r); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Step(actions, out); err != nil {
			t.Fatal(err)
		}
		for w, o := range out {
			if !ended[w] && o.End != rollout.Running {
				ended[w] = true
				if o.End == rollout.Finished {
					stood++
				}
			}
		}
	}
	return float64(stood) / n
}

func TestExpertStandsWherePlaybackFalls(t *testing.T) {
	if testing.Short() {
		t.Skip("plays several seconds of physics in 16 worlds")
	}
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	pushed := rollout.Nominal()
	pushed.PushSpeedMPerS, pushed.PushEveryS = [2]float64{0.15, 0.15}, [2]float64{1.2, 1.2}
	pushed.Friction, pushed.MassScale, pushed.GainScale = [2]float64{0.5, 1.2}, [2]float64{0.9, 1.1}, [2]float64{0.9, 1.1}
	for _, name := range []string{"march", "one_leg_balance"} {
		k := task(t, b, name)
		e, err := New(b, &k)
		if err != nil {
			t.Fatal(err)
		}
		playback := survive(t, b, k, nil, pushed)
		clean, hard := survive(t, b, k, e.Label, rollout.Nominal()), survive(t, b, k, e.Label, pushed)
		t.Logf("%s: playback %.2f pushed; expert %.2f clean, %.2f pushed", name, playback, clean, hard)
		if clean < 1 || hard < playback+0.3 {
			t.Errorf("%s: expert stands in %.2f clean and %.2f pushed episodes, playback in %.2f", name, clean, hard, playback)
		}
	}
}
