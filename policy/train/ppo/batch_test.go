package ppo

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

func TestAdvantagesAgainstTheDefinition(t *testing.T) {
	// One world, four steps; the critic is the constant 0.5.
	one := infer.Layer{In: 1, Out: 1, W: []float32{0}, B: []float32{0.5}}
	critic, err := infer.New(infer.Normalizer{Mean: []float32{0}, InvStd: []float32{1}, Clip: 5}, []infer.Layer{one})
	if err != nil {
		t.Fatal(err)
	}
	const gamma, lambda = 0.9, 0.8
	b := newBatch(1, 4, 1, 1, 1)
	copy(b.rewards, []float64{1, 2, 3, 4})
	b.ends = []rollout.End{rollout.Running, rollout.Finished, rollout.Failed, rollout.Running}
	b.final, b.finalAt = []float32{0}, []int{1}
	b.advantages(critic, gamma, lambda)
	d3 := 4 + gamma*0.5 - 0.5
	d2 := 3 - 0.5             // failed: nothing comes after
	d1 := 2 + gamma*0.5 - 0.5 // finished: its value goes on, its advantage does not
	d0 := 1 + gamma*0.5 - 0.5
	for i, want := range []float64{d0 + gamma*lambda*d1, d1, d2, d3} {
		if math.Abs(b.adv[i]-want) > 1e-6 || math.Abs(b.returns[i]-want-0.5) > 1e-6 {
			t.Errorf("step %d: advantage %g, return %g, want %g and 0.5 more", i, b.adv[i], b.returns[i], want)
		}
	}
}
