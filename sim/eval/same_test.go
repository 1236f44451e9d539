//go:build mujoco && cgo

package eval

import (
	"math"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/worlds"
)

// lively is a small network that moves every joint, by what it senses.
func lively(spec obs.Spec) (*infer.Net, error) {
	in, out := spec.Dim(), spec.Joints()
	n := infer.Normalizer{Mean: make([]float32, in), InvStd: make([]float32, in), Clip: 5}
	for i := range n.InvStd {
		n.InvStd[i] = 1
	}
	w := make([]float32, in*out)
	for i := range w {
		w[i] = 0.2 * float32(math.Sin(float64(i)))
	}
	return infer.New(n, []infer.Layer{{In: in, Out: out, W: w, B: make([]float32, out)}})
}

// moments are what a player commanded and what came of it, period by period.
type moments struct{ targets, rows [][]float64 }

func (m *moments) add(r *rollout.Runner) {
	row := r.Row(0)
	m.targets = append(m.targets, slices.Clone(r.Target(0)))
	m.rows = append(m.rows, slices.Concat(row.RootPosM, row.RootQuat, row.TrueJointPosRad, row.TrueJointVelRadPerS,
		row.TorqueNm))
}

// Training's player and evaluation's, guard and all, are one: the same
// undisturbed episode gives the same commands and the same states, to the bit.
func TestTrainingAndEvaluationPlayAlike(t *testing.T) {
	ts := test(t, 2, func(q []float64, s float64) {
		q[lKnee] += 0.3 * math.Sin(3*s)
		q[15] += math.Sin(2 * s)
	})
	net, err := lively(ts.Spec)
	if err != nil {
		t.Fatal(err)
	}
	const seed = 11
	steps := len(ts.Refs[0].Frames) - 1

	env, err := worlds.New(ts.Robot, worlds.Config{Worlds: 1, SubSteps: subSteps})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	r, err := rollout.NewRunner(env, rollout.Task{Spec: ts.Spec, Refs: ts.Refs, Limits: rollout.TrainLimits(),
		Reward: rollout.DefaultReward()})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Begin([]rollout.Episode{{Seed: seed}}, rollout.Nominal()); err != nil {
		t.Fatal(err)
	}
	var trained moments
	forward, actions, out := net.NewRunner(1), make([]float32, ts.Spec.Joints()), make([]rollout.Outcome, 1)
	for range steps {
		forward.Forward(actions, r.Obs(), 1)
		if err := r.Step(actions, out); err != nil {
			t.Fatal(err)
		}
		trained.add(r)
	}

	ts.Episodes, ts.CardEpisodes, ts.Seed = 1, -1, seed
	p, err := newPlayer(t.Context(), &ts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	undisturbed := Condition{Dynamics: rollout.Nominal()}
	if _, err := p.begin(0, 0, undisturbed); err != nil {
		t.Fatal(err)
	}
	factory, err := Policy(ts.Spec, net)
	if err != nil {
		t.Fatal(err)
	}
	actor := factory(1)
	moved := 0.0
	for k := range steps {
		if err := p.advance(actor); err != nil {
			t.Fatal(err)
		}
		var judged moments
		judged.add(p.runner)
		if !slices.Equal(judged.targets[0], trained.targets[k]) || !slices.Equal(judged.rows[0], trained.rows[k]) {
			t.Fatalf("step %d differs: training commands %v, evaluation %v", k, trained.targets[k], judged.targets[0])
		}
		for j, q := range judged.targets[0] {
			moved = math.Max(moved, math.Abs(q-ts.Refs[0].At(k).JointPosRad[j]))
		}
	}
	if moved < 0.05 {
		t.Errorf("the network moves joints by at most %g rad: nothing was compared", moved)
	}
	if k := p.guard.keepers[0].kept; k.commands != steps*ts.Spec.Joints() || k.changed != 0 {
		t.Errorf("the guard kept %+v", k)
	}
}
