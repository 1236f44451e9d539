package rollouttest

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Conformance checks what rollout.Env promises. newEnv makes fresh worlds, at least 3; task must fit them.
func Conformance(t *testing.T, newEnv func(t *testing.T) rollout.Env, task rollout.Task) {
	t.Helper()
	dynamics := rollout.Hard()
	begin := func(t *testing.T, r *rollout.Runner, seed uint64) {
		t.Helper()
		var all []rollout.Episode
		for w := range r.Worlds() {
			all = append(all, rollout.Episode{World: w, Seed: seed + uint64(w), Noise: rollout.StartNoise{JointRad: 0.02}})
		}
		if err := r.Begin(all, dynamics); err != nil {
			t.Fatal(err)
		}
	}
	runner := func(t *testing.T) (*rollout.Runner, rollout.Env) {
		t.Helper()
		env := newEnv(t)
		r, err := rollout.NewRunner(env, task)
		if err != nil {
			t.Fatal(err)
		}
		return r, env
	}
	play := func(t *testing.T, r *rollout.Runner, steps int) []float32 {
		t.Helper()
		n := task.Spec.Joints()
		out, actions := make([]rollout.Outcome, r.Worlds()), make([]float32, r.Worlds()*n)
		for k := range steps {
			for i := range actions {
				actions[i] = 0.2 * float32(math.Sin(float64(i)+0.3*float64(k)))
			}
			if err := r.Step(actions, out); err != nil {
				t.Fatal(err)
			}
		}
		return slices.Clone(r.Obs())
	}

	t.Run("same seeds, same bits", func(t *testing.T) {
		a, _ := runner(t)
		b, _ := runner(t)
		begin(t, a, 5)
		begin(t, b, 5)
		if !slices.Equal(play(t, a, 20), play(t, b, 20)) {
			t.Error("two runs differ")
		}
	})
	t.Run("an episode does not depend on what its world did before", func(t *testing.T) {
		a, _ := runner(t)
		b, _ := runner(t)
		begin(t, a, 5)
		begin(t, b, 77)
		play(t, b, 13)
		begin(t, b, 5)
		if !slices.Equal(play(t, a, 20), play(t, b, 20)) {
			t.Error("an earlier episode shows in a later one")
		}
	})
	t.Run("reset touches only the named worlds", func(t *testing.T) {
		a, _ := runner(t)
		b, _ := runner(t)
		begin(t, a, 5)
		begin(t, b, 5)
		play(t, a, 7)
		play(t, b, 7)
		if err := b.Begin([]rollout.Episode{{World: 1, Seed: 900}}, dynamics); err != nil {
			t.Fatal(err)
		}
		x, y := play(t, a, 7), play(t, b, 7)
		dim := task.Spec.Dim()
		for w := range a.Worlds() {
			if same := slices.Equal(x[w*dim:(w+1)*dim], y[w*dim:(w+1)*dim]); same != (w != 1) {
				t.Errorf("world %d: same = %v", w, same)
			}
		}
	})
	t.Run("saved state goes on to the bit", func(t *testing.T) {
		a, _ := runner(t)
		begin(t, a, 5)
		play(t, a, 9)
		var state bytes.Buffer
		if err := a.SaveState(&state); err != nil {
			t.Fatal(err)
		}
		want := play(t, a, 20)
		b, _ := runner(t)
		if err := b.LoadState(bytes.NewReader(state.Bytes())); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(play(t, b, 20), want) {
			t.Error("restored worlds go elsewhere")
		}
		if err := b.LoadState(bytes.NewReader(state.Bytes()[:state.Len()/2])); err == nil {
			t.Error("half a state was accepted")
		}
	})
	t.Run("measured values without noise are the truth", func(t *testing.T) {
		env := newEnv(t)
		r, err := rollout.NewRunner(env, task)
		if err != nil {
			t.Fatal(err)
		}
		var all []rollout.Episode
		for w := range r.Worlds() {
			all = append(all, rollout.Episode{World: w, Seed: 3})
		}
		if err := r.Begin(all, rollout.Nominal()); err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			row := r.Row(2)
			for j := range row.JointPosRad {
				if math.Abs(row.JointPosRad[j]-row.TrueJointPosRad[j]) > 1e-9 {
					t.Errorf("%s: joint %d reads %g, is %g", when, j, row.JointPosRad[j], row.TrueJointPosRad[j])
				}
			}
			g := row.Gravity
			if n := math.Sqrt(g[0]*g[0] + g[1]*g[1] + g[2]*g[2]); math.Abs(n-1) > 1e-6 {
				t.Errorf("%s: gravity has length %g, want 1", when, n)
			}
			if row.Diverged[0] != 0 {
				t.Errorf("%s: diverged", when)
			}
		}
		check("at the start")
		want := task.Refs[0].At(0)
		for j, q := range r.Row(2).TrueJointPosRad {
			if math.Abs(q-want.JointPosRad[j]) > 1e-9 {
				t.Errorf("joint %d starts at %g, want %g", j, q, want.JointPosRad[j])
			}
		}
		play(t, r, 5)
		check("after 5 steps")
	})
}
