package train

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train/network"
)

// Streams of random numbers, one a purpose, so that more draws for one do not shift another.
const (
	initStream = iota + 1
	noiseStream
	startStream
	shuffleStream
	testStream
)

// Practice is what a Method works with: worlds in which the policy practises the task, the policy itself, and random
// numbers. All of it lies in the checkpoint already.
type Practice struct {
	Task   rollout.Task
	Course Course
	Runner *rollout.Runner // the worlds, to look at; Play steps them

	Policy *network.Net // learnt in place
	// Norm is the policy's input normaliser. A method adds the observations that the policy shall know; those of the
	// very first episodes' beginnings are in it.
	Norm *network.Normalizer

	Init    *rand.Rand // first weights; in Start only
	Noise   *rand.Rand // exploration
	Shuffle *rand.Rand // the order of samples

	noise, starts, shuffle *rand.PCG
	sampler                *sampler
	level                  float64 // of randomisation
	steps                  int64   // control steps before this iteration
	begin                  []rollout.Episode
	outcomes               []rollout.Outcome
	scratch                []float64
	stats                  playStats
	played                 time.Duration // wall time in Play, this iteration
	now                    func() time.Time
}

func newPractice(runner *rollout.Runner, task rollout.Task, course Course, seed uint64) *Practice {
	p := &Practice{Task: task, Course: course, Runner: runner, sampler: newSampler(&task), level: course.LevelStart,
		outcomes: make([]rollout.Outcome, runner.Worlds()), now: time.Now,
		noise: rand.NewPCG(seed, noiseStream), starts: rand.NewPCG(seed, startStream), shuffle: rand.NewPCG(seed, shuffleStream)}
	p.scratch = make([]float64, len(p.sampler.Fails))
	p.Init, p.Noise, p.Shuffle = rand.New(rand.NewPCG(seed, initStream)), rand.New(p.noise), rand.New(p.shuffle)
	// A last layer near zero makes the first policy the playback of the reference.
	p.Policy = network.New(course.Sizes(task.Spec.Dim(), task.Spec.Joints()), 0.01, p.Init)
	p.Norm = network.NewNormalizer(task.Spec.Dim())
	return p
}

// Samples is the number of control steps, over all worlds, of one iteration.
func (p *Practice) Samples() int { return p.Runner.Worlds() * p.Course.Horizon }

// Steps is the number of control steps, over all worlds, of the iterations before this one.
func (p *Practice) Steps() int64 { return p.steps }

// Frozen gives the policy as it stands, which later learning does not change.
func (p *Practice) Frozen() (*infer.Net, error) {
	net, err := infer.New(p.Norm.Export(), p.Policy.Layers(p.Policy.W))
	if err != nil {
		return nil, fmt.Errorf("the policy broke: %w", err)
	}
	return net, nil
}

// worldRows is the number of worlds that a worker evaluates a policy in at a time.
const worldRows = 32

// NewForward makes what evaluates a frozen policy in all worlds.
func (p *Practice) NewForward(net *infer.Net) *network.Forward {
	return network.NewForward(net, worldRows)
}

// Play takes Horizon steps in all worlds. Each step, choose gives the actions (network outputs, worlds x joints) for
// the worlds as Runner shows them; seen, unless it is nil, is told what came of them, before new episodes begin in
// worlds whose episodes ended.
func (p *Practice) Play(choose func(step int) ([]float32, error), seen func(step int, outcomes []rollout.Outcome)) error {
	begin := p.now()
	for step := range p.Course.Horizon {
		actions, err := choose(step)
		if err != nil {
			return err
		}
		if err := p.Runner.Step(actions, p.outcomes); err != nil {
			return err
		}
		for w := range p.outcomes {
			p.stats.add(&p.outcomes[w])
		}
		if seen != nil {
			seen(step, p.outcomes)
		}
		if err := p.restart(); err != nil {
			return err
		}
	}
	p.played += p.now().Sub(begin)
	return nil
}

// beginAll starts the first episode of every world.
func (p *Practice) beginAll() error {
	p.begin = p.begin[:0]
	for w := range p.Runner.Worlds() {
		p.begin = append(p.begin, p.episode(w))
	}
	if err := p.Runner.Begin(p.begin, p.dynamics()); err != nil {
		return err
	}
	p.Norm.Add(p.Runner.Obs())
	return nil
}

// restart begins new episodes where the last ones ended, and notes where they failed.
func (p *Practice) restart() error {
	p.begin = p.begin[:0]
	for w := range p.outcomes {
		if p.outcomes[w].End == rollout.Running {
			continue
		}
		if p.outcomes[w].End == rollout.Failed {
			p.sampler.failed(p.Runner.Where(w))
		}
		p.begin = append(p.begin, p.episode(w))
	}
	return p.Runner.Begin(p.begin, p.dynamics())
}

// dynamics are those of episodes that begin now.
func (p *Practice) dynamics() rollout.Randomization {
	return rollout.Lerp(p.Course.Easy, p.Course.Hard, p.level)
}

// episode draws the beginning of the next episode of world w.
func (p *Practice) episode(w int) rollout.Episode {
	rng := rand.New(p.starts)
	e := rollout.Episode{World: w, Noise: p.Course.StartNoise, Seed: rng.Uint64()}
	e.Clip, e.Step = p.sampler.draw(rng, &p.Task, p.Course.FromStart, p.Course.Adaptive, p.scratch)
	return e
}
