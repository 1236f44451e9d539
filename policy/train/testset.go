package train

import (
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Evaluator scores a policy's mean action. It must be a function of the network alone.
type Evaluator interface {
	Evaluate(net *infer.Net) (rollout.Score, error)
}

// TestSet is an Evaluator that plays fixed episodes in worlds of its own.
type TestSet struct {
	Env      rollout.Env
	Task     rollout.Task // its Limits and Fall are the rule of success
	Episodes []rollout.Episode
	Dynamics rollout.Randomization
}

// Evaluate plays all episodes.
func (s *TestSet) Evaluate(net *infer.Net) (rollout.Score, error) {
	score, _, err := rollout.Evaluate(s.Env, s.Task, net, s.Episodes, s.Dynamics)
	return score, err
}

// NewTestSet makes count episodes that begin at the start of the references in turn. They are failed by a fall, by
// Task.Fall, and not by straying from the reference.
func NewTestSet(env rollout.Env, task rollout.Task, count int, seed uint64, noise rollout.StartNoise, dynamics rollout.Randomization) *TestSet {
	s := &TestSet{Env: env, Task: task, Dynamics: dynamics}
	s.Task.Limits = rollout.Limits{}
	rng := rand.NewPCG(seed, testStream)
	for i := range count {
		s.Episodes = append(s.Episodes, rollout.Episode{Clip: i % len(task.Refs), Seed: rng.Uint64(), Noise: noise})
	}
	return s
}
