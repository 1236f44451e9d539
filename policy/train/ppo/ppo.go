// Package ppo learns by trial: residual PPO (Schulman et al. 2017) around a reference motion, with an actor that is
// the policy, a critic that also sees what a robot does not know, and generalised advantages.
//
// Not here: episodes, randomisation, tests and checkpoints (policy/train), networks (policy/train/network). A Method
// belongs to one goroutine.
package ppo

import (
	"encoding/gob"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/network"
)

// Name is what commands, bundles and checkpoints call the method.
const Name = "ppo"

// Method is a train.Method.
type Method struct {
	course   train.Course
	config   Config
	practice *train.Practice
	batch    *batch
	// Graphs of the actor, which is the policy, and of the critic, and what they read.
	actorGraph, criticGraph *network.Graph
	actorData, criticData   []float32
	order                   []int
	std                     float64 // exploration of the moment, which the policy loss reads

	// Everything below is the method's own state.
	critic     *network.Net
	criticNorm *network.Normalizer
	actorRate  float64
	steps      int64 // control steps learnt from
}

// New prepares learning by PPO.
func New(course train.Course, config Config) *Method {
	return &Method{course: course, config: config, actorRate: config.ActorRate}
}

// Plan names the method and what its results depend on.
func (m *Method) Plan() train.Plan {
	return train.Plan{Name: Name, Course: m.course, Settings: m.config}
}

// Start makes the critic and the graphs.
func (m *Method) Start(p *train.Practice) error {
	if err := m.config.validate(p.Samples()); err != nil {
		return err
	}
	acts, n := p.Task.Spec.Joints(), p.Samples()
	criticDim := p.Runner.CriticDim()
	m.practice = p
	m.batch = newBatch(p.Runner.Worlds(), m.course.Horizon, p.Task.Spec.Dim(), criticDim, acts)
	m.actorData, m.criticData, m.order = make([]float32, n*dataCols(acts)), make([]float32, n), make([]int, n)
	m.critic = network.New(m.course.Sizes(criticDim, 1), 0.1, p.Init)
	m.criticNorm = network.NewNormalizer(criticDim)
	m.criticNorm.Add(p.Runner.Critic())
	var err error
	loss := policyLoss(m.config.Minibatch, acts, m.config.Clip, &m.std)
	if m.actorGraph, err = p.Policy.Build(m.config.Minibatch, dataCols(acts), loss); err != nil {
		return err
	}
	m.criticGraph, err = m.critic.Build(m.config.Minibatch, 1, network.SquaredError(m.config.Minibatch))
	return err
}

// Iterate plays with exploration and learns from what came of it.
func (m *Method) Iterate() (train.Learnt, error) {
	p, c := m.practice, &m.config
	actor, err := p.Frozen()
	if err != nil {
		return train.Learnt{}, err
	}
	critic, err := infer.New(m.criticNorm.Export(), m.critic.Layers(m.critic.W))
	if err != nil {
		return train.Learnt{}, fmt.Errorf("the critic broke: %w", err)
	}
	m.std = c.stdAt(m.steps)
	if err := m.collect(actor); err != nil {
		return train.Learnt{}, err
	}
	p.Norm.Add(m.batch.obs)
	m.criticNorm.Add(m.batch.critic)
	m.batch.advantages(critic, c.Gamma, c.Lambda)
	s, err := m.learn(actor.Normalizer(), critic.Normalizer())
	if err != nil {
		return train.Learnt{}, fmt.Errorf("learning step: %w", err)
	}
	m.steps += int64(p.Samples())
	return train.Learnt{PolicyLoss: s.policyLoss, ValueLoss: s.valueLoss, KL: s.kl, Clipped: s.clip,
		ActorSteps: float64(s.actorSteps) / float64(s.batches), ActorRate: m.actorRate}, nil
}

// state is the method's part of a checkpoint.
type state struct {
	Critic     network.State
	CriticNorm network.Normalizer
	ActorRate  float64
	Steps      int64
}

// SaveState writes critic, learning rate and schedule.
func (m *Method) SaveState(w io.Writer) error {
	return gob.NewEncoder(w).Encode(state{m.critic.State(), *m.criticNorm, m.actorRate, m.steps})
}

// LoadState restores them.
func (m *Method) LoadState(r io.Reader) error {
	var s state
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("ppo: state: %w", err)
	}
	if err := m.critic.SetState(s.Critic); err != nil {
		return err
	}
	m.actorRate, m.steps = s.ActorRate, s.Steps
	return m.criticNorm.SetState(s.CriticNorm)
}
