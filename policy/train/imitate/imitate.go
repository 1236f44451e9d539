// Package imitate learns from an expert by DAgger (Ross et al. 2011): the learner acts more and more by itself, the
// expert says what it would have done, and the policy learns from a memory of both.
//
// Not here: the expert (sim/expert), and episodes, randomisation, tests and checkpoints (policy/train). A Method
// belongs to one goroutine.
package imitate

import (
	"encoding/gob"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/network"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

// Name is what commands, bundles and checkpoints call the method: behaviour cloning.
const Name = "bc"

// Expert knows better: it may look at the true state of every world.
type Expert interface {
	// Label writes what the expert would do in every world now, in network units, worlds x joints.
	Label(dst []float32, r *rollout.Runner) error
}

// Config is what the result of imitation depends on besides the course and the expert.
type Config struct {
	Minibatch int
	GradNorm  float64
	Rate      float64 // of learning, at first
	Std       float64 // of the noise on the actions, in network units
}

// Defaults is the setting for 128 worlds that docs/training.md reports on. Imitation learns faster than trial and
// error does: it is tested more often.
func Defaults() (train.Course, Config) {
	c := train.DefaultCourse()
	c.LevelStart, c.EvalEvery = 0.3, 5
	return c, Config{Minibatch: 512, GradNorm: 1, Rate: 1e-3, Std: 0.08}
}

const (
	shareDecay = 0.8  // of the expert's share, an iteration
	passes     = 8    // minibatches' worth of learning a sample collected
	rateDecay  = 0.99 // an iteration
	rateFloor  = 0.3  // of the rate at first
)

// Method is a train.Method.
type Method struct {
	course   train.Course
	config   Config
	expert   Expert
	practice *train.Practice
	graph    *network.Graph
	labels   []float32
	actions  []float32
	samples  []int

	// Everything below is the method's own state.
	memory *memory
	share  float64 // of steps on which the expert acts
	rate   float64
}

// New prepares learning from an expert.
func New(course train.Course, config Config, expert Expert) *Method {
	return &Method{course: course, config: config, expert: expert, share: 1, rate: config.Rate}
}

// Plan names the method and what its results depend on.
func (m *Method) Plan() train.Plan {
	return train.Plan{Name: Name, Course: m.course, Settings: m.config}
}

// Start makes the memory and the graph.
func (m *Method) Start(p *train.Practice) error {
	if m.config.Minibatch < 2 || m.config.Minibatch > passes*p.Samples() {
		return fmt.Errorf("imitate: minibatch is %d, legal: 2 to %d times the %d samples of an iteration", m.config.Minibatch, passes, p.Samples())
	}
	dim, acts := p.Task.Spec.Dim(), p.Task.Spec.Joints()
	m.practice, m.memory = p, newMemory(memoryRows, dim, acts)
	m.labels, m.actions = make([]float32, p.Runner.Worlds()*acts), make([]float32, p.Runner.Worlds()*acts)
	m.samples = make([]int, m.config.Minibatch)
	var err error
	m.graph, err = p.Policy.Build(m.config.Minibatch, acts, network.SquaredError(m.config.Minibatch))
	return err
}

// Iterate plays, partly as the expert wants, and learns from the memory.
func (m *Method) Iterate() (train.Learnt, error) {
	actor, err := m.practice.Frozen()
	if err != nil {
		return train.Learnt{}, err
	}
	if err := m.collect(actor); err != nil {
		return train.Learnt{}, err
	}
	m.share *= shareDecay
	loss, err := m.learn(actor.Normalizer())
	if err != nil {
		return train.Learnt{}, fmt.Errorf("learning step: %w", err)
	}
	l := train.Learnt{PolicyLoss: loss, ActorSteps: 1, ActorRate: m.rate}
	m.rate = max(m.rate*rateDecay, m.config.Rate*rateFloor)
	return l, nil
}

// collect plays an iteration and remembers what was seen and wanted.
func (m *Method) collect(actor *infer.Net) error {
	p, acts, dim := m.practice, actor.Out(), actor.In()
	forward := p.NewForward(actor)
	return p.Play(func(int) ([]float32, error) {
		if err := m.expert.Label(m.labels, p.Runner); err != nil {
			return nil, fmt.Errorf("expert: %w", err)
		}
		forward.Run(m.actions, p.Runner.Obs())
		for w := range p.Runner.Worlds() {
			row, label := m.actions[w*acts:(w+1)*acts], m.labels[w*acts:(w+1)*acts]
			m.memory.add(p.Runner.Obs()[w*dim:(w+1)*dim], label)
			if p.Noise.Float64() < m.share {
				copy(row, label)
			}
			for j := range row {
				row[j] += float32(m.config.Std * p.Noise.NormFloat64())
			}
		}
		p.Norm.Add(p.Runner.Obs())
		return m.actions, nil
	}, nil)
}

// learn takes minibatches out of the memory and gives their mean loss.
func (m *Method) learn(norm infer.Normalizer) (float64, error) {
	var loss float64
	batches := passes * m.practice.Samples() / m.config.Minibatch
	for range batches {
		for i := range m.samples {
			m.samples[i] = m.practice.Shuffle.IntN(m.memory.count)
		}
		err := parallel.Run(parallel.Workers(), m.graph.Parts(), func(_, part int) error {
			return m.graph.Run(part, m.samples, m.memory.seen, m.memory.wanted, &norm)
		})
		if err != nil {
			return 0, err
		}
		loss += m.graph.Sums().Loss / float64(batches)
		m.graph.Update(m.rate, m.config.GradNorm)
	}
	return loss, nil
}

// state is the method's part of a checkpoint.
type state struct {
	Memory      memoryState
	Share, Rate float64
}

// SaveState writes the memory and the schedules.
func (m *Method) SaveState(w io.Writer) error {
	return gob.NewEncoder(w).Encode(state{m.memory.state(), m.share, m.rate})
}

// LoadState restores them.
func (m *Method) LoadState(r io.Reader) error {
	var s state
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("imitate: state: %w", err)
	}
	m.share, m.rate = s.Share, s.Rate
	return m.memory.setState(s.Memory)
}
