package control

import (
	"math"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

// Flight plays as training does: shown what a world of the trainer's Runner senses,
// the controller asks for the same joint angles, to the bit.
func TestFlightPlaysAsTrainingDoes(t *testing.T) {
	b, desc := made(t, 0, func(b *bundle.Bundle) { // a network that looks
		in, out := b.Net.In(), b.Net.Out()
		w := make([]float32, in*out)
		for i := range w {
			w[i] = 0.2 * float32(math.Sin(float64(i)))
		}
		norm := infer.Normalizer{Mean: make([]float32, in), InvStd: slices.Repeat([]float32{1}, in), Clip: 10}
		net, err := infer.New(norm, []infer.Layer{{In: in, Out: out, W: w, B: make([]float32, out)}})
		if err != nil {
			t.Fatal(err)
		}
		b.Net = net
	})
	p, err := New(b, desc)
	if err != nil {
		t.Fatal(err)
	}
	n, spec := len(desc.Joints), obs.DefaultSpec(desc)
	r, err := rollout.NewRunner(rollouttest.NewToy(1, n), rollout.Task{Spec: spec, Refs: p.refs, Reward: rollout.DefaultReward()})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Begin([]rollout.Episode{{Seed: 3}}, rollout.Hard()); err != nil {
		t.Fatal(err)
	}
	p.Enter(p.StartRad())
	forward, actions, out, goals := b.Net.NewRunner(1), make([]float32, n), make([]rollout.Outcome, 1), make([]float64, n)
	moved := 0.0
	for k := range p.refs[0].Frames {
		row := r.Row(0)
		s := &sensed.Robot{PosRad: slices.Clone(row.JointPosRad), VelRadPerS: slices.Clone(row.JointVelRadPerS),
			GyroRadPerS: spatial.Vec3(row.GyroRadPerS), GravityDir: spatial.Vec3(row.Gravity)}
		if _, err := p.Act(goals, s, true); err != nil {
			t.Fatal(err)
		}
		forward.Forward(actions, r.Obs(), 1)
		if err := r.Step(actions, out); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(goals, r.Target(0)) {
			t.Fatalf("step %d: flight asks for %v, training for %v", k, goals, r.Target(0))
		}
		for j, q := range goals {
			moved = max(moved, math.Abs(q-p.refs[0].At(k).JointPosRad[j]))
		}
	}
	if moved < 0.05 {
		t.Errorf("the network moves joints by at most %g rad: nothing was compared", moved)
	}
}
