package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Expert knows better: it may look at the true state of every world.
type Expert interface {
	// Label writes what the expert would do in every world now, in network units, worlds x joints.
	Label(dst []float32, r *rollout.Runner) error
}

// imitation is what DAgger (Ross et al. 2011) adds to a Trainer: the learner acts more and more by itself, the expert
// says what it would have done, and the network learns from a memory of both.
type imitation struct {
	expert Expert
	dim    int
	acts   int
	labels []float32
	memory []float32 // inputs, memoryRows x dim
	wanted []float32 // labels, memoryRows x acts
	count  int       // rows filled
	next   int       // row to be overwritten next
	share  float64   // of steps on which the expert acts
	rate   float64
	halves pairOfHalves
}

const (
	memoryRows = 32768
	shareDecay = 0.8 // of the expert's share, an iteration
	passes     = 8   // minibatches' worth of learning a sample collected
)

// NewImitation prepares learning from an expert alone.
func NewImitation(env rollout.Env, task rollout.Task, config Config, evaluator Evaluator, expert Expert) (*Trainer, error) {
	config.Method, config.ImitateSteps = MethodImitation, math.MaxInt64
	t, _, err := prepare(env, task, config, evaluator)
	if err != nil {
		return nil, err
	}
	return t, t.imitates(expert)
}

// NewGuided prepares a training that imitates an expert for the first ImitateSteps control steps and goes on by PPO.
func NewGuided(env rollout.Env, task rollout.Task, config Config, evaluator Evaluator, expert Expert) (*Trainer, error) {
	config.Method = MethodGuided
	t, init, err := prepare(env, task, config, evaluator)
	if err != nil {
		return nil, err
	}
	if err := t.reinforces(init); err != nil {
		return nil, err
	}
	return t, t.imitates(expert)
}

func (t *Trainer) imitates(expert Expert) error {
	dim, acts, c := t.task.Spec.Dim(), t.task.Spec.Joints(), &t.config
	t.imitation = &imitation{expert: expert, dim: dim, acts: acts, labels: make([]float32, t.runner.Worlds()*acts),
		memory: make([]float32, memoryRows*dim), wanted: make([]float32, memoryRows*acts), share: 1, rate: c.ImitateRate}
	var err error
	t.imitation.halves, err = t.actor.build(c.Minibatch, acts, squaredError(c.Minibatch))
	return err
}

// imitating says whether the next iteration belongs to the expert.
func (t *Trainer) imitating() bool { return t.imitation != nil && t.used.Steps < t.config.ImitateSteps }

// imitate is an iteration of DAgger.
func (t *Trainer) imitate(actor *infer.Net, norm infer.Normalizer, clock *clock) (Point, error) {
	m, worlds := t.imitation, t.runner.Worlds()
	begin := clock.now()
	forward := [2]*infer.Runner{actor.NewRunner(worlds), actor.NewRunner(worlds)}
	actions := make([]float32, worlds*m.acts)
	rng, std := rand.New(t.noise), t.config.ImitateStd
	var stats collectStats
	for range t.config.Horizon {
		if err := m.expert.Label(m.labels, t.runner); err != nil {
			return Point{}, fmt.Errorf("train: expert: %w", err)
		}
		t.forwardAll(&forward, actions)
		for w := range worlds {
			row := actions[w*m.acts : (w+1)*m.acts]
			label := m.labels[w*m.acts : (w+1)*m.acts]
			m.remember(t.runner.Obs()[w*m.dim:(w+1)*m.dim], label)
			if rng.Float64() < m.share {
				copy(row, label)
			}
			for j := range row {
				row[j] += float32(std * rng.NormFloat64())
			}
		}
		t.actorNorm.add(t.runner.Obs())
		if err := t.runner.Step(actions, t.outcomes); err != nil {
			return Point{}, err
		}
		for w := range t.outcomes {
			stats.add(&t.outcomes[w])
		}
		if err := t.restart(t.outcomes); err != nil {
			return Point{}, err
		}
	}
	m.share *= shareDecay
	p := stats.point()
	p.CollectSeconds = clock.now().Sub(begin).Seconds()

	order := rand.New(t.shuffle)
	samples := make([]int, t.config.Minibatch)
	batches := passes * t.config.Horizon * worlds / t.config.Minibatch
	for range batches {
		for i := range samples {
			samples[i] = order.IntN(m.count)
		}
		err := pair(func(half int) error {
			from, to := halfOf(len(samples), half)
			h := m.halves[half]
			h.take(samples[from:to], m.memory, m.wanted)
			normalize(h.x.data, norm)
			return h.run()
		})
		if err != nil {
			return p, fmt.Errorf("train: learning step: %w", err)
		}
		p.PolicyLoss += m.halves.stats().Loss / float64(batches)
		t.actor.update(m.rate, t.actor.gather(m.halves), t.config.GradNorm)
	}
	p.ActorSteps, p.ActorRate = 1, m.rate
	m.rate = max(m.rate*0.99, t.config.ImitateRate*0.3)
	if t.used.Steps+int64(t.config.Horizon*worlds) >= t.config.ImitateSteps {
		t.actor.forget() // PPO begins
	}
	return p, nil
}

func (m *imitation) remember(obs, label []float32) {
	copy(m.memory[m.next*m.dim:], obs)
	copy(m.wanted[m.next*m.acts:], label)
	m.next = (m.next + 1) % memoryRows
	m.count = max(m.count, m.next)
	if m.next == 0 {
		m.count = memoryRows
	}
}

// imitationState is the part of a checkpoint that imitation needs. The memory is stored as bytes: gob takes a second
// for as many numbers.
type imitationState struct {
	Memory, Wanted []byte
	Count, Next    int
	Share, Rate    float64
}

func (m *imitation) state() *imitationState {
	return &imitationState{Memory: toBytes(m.memory[:m.count*m.dim]), Wanted: toBytes(m.wanted[:m.count*m.acts]),
		Count: m.count, Next: m.next, Share: m.share, Rate: m.rate}
}

func (m *imitation) setState(s *imitationState) error {
	if s == nil || s.Count < 0 || s.Count > memoryRows || s.Next < 0 || s.Next >= memoryRows ||
		len(s.Memory) != 4*s.Count*m.dim || len(s.Wanted) != 4*s.Count*m.acts {
		return fmt.Errorf("train: %w: it holds no memory that fits", ErrCheckpoint)
	}
	fromBytes(m.memory, s.Memory)
	fromBytes(m.wanted, s.Wanted)
	m.count, m.next, m.share, m.rate = s.Count, s.Next, s.Share, s.Rate
	return nil
}

func toBytes(x []float32) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		u := math.Float32bits(v)
		b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	}
	return b
}

func fromBytes(dst []float32, b []byte) {
	for i := 0; 4*i < len(b); i++ {
		dst[i] = math.Float32frombits(uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24)
	}
}
