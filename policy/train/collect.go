package train

import (
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// batch is what one iteration collects: Horizon steps of all worlds, step by step.
type batch struct {
	worlds, horizon   int
	obs, critic       []float32 // inputs of actor and critic as seen
	means, actions    []float32
	rewards           []float64
	ends              []rollout.End
	last              []float32 // critic's inputs after the last step
	final             []float32 // critic's inputs at the end of each finished episode, in order of happening
	finalAt           []int     // its sample
	values, nextFinal []float32
	adv, returns      []float64
	stats             collectStats
}

// collectStats sums up what happened to the worlds while samples were collected.
type collectStats struct {
	steps, episodes, finished int
	reward, jointErr, rootErr float64
}

func (s *collectStats) add(o *rollout.Outcome) {
	s.steps++
	s.reward += o.Reward
	s.jointErr += o.JointErrRad
	s.rootErr += o.RootErrM
	if o.End != rollout.Running {
		s.episodes++
	}
	if o.End == rollout.Finished {
		s.finished++
	}
}

// point begins an entry of the learning curve.
func (s *collectStats) point() Point {
	n := float64(s.steps)
	p := Point{Reward: s.reward / n, JointErrRad: s.jointErr / n, RootErrM: s.rootErr / n, Episodes: s.episodes, Finished: 1}
	if s.episodes > 0 {
		p.Finished = float64(s.finished) / float64(s.episodes)
	}
	return p
}

func newBatch(worlds, horizon, obsDim, criticDim, actions int) *batch {
	n := worlds * horizon
	return &batch{worlds: worlds, horizon: horizon, obs: make([]float32, n*obsDim), critic: make([]float32, n*criticDim),
		means: make([]float32, n*actions), actions: make([]float32, n*actions), rewards: make([]float64, n),
		ends: make([]rollout.End, n), last: make([]float32, worlds*criticDim), values: make([]float32, n+worlds),
		adv: make([]float64, n), returns: make([]float64, n)}
}

// collect plays Horizon steps in all worlds with exploration around the actor.
func (t *Trainer) collect(actor *infer.Net, std float64) error {
	b, worlds, acts := t.batch, t.runner.Worlds(), t.task.Spec.Joints()
	dim := t.task.Spec.Dim()
	forward := [2]*infer.Runner{actor.NewRunner(worlds), actor.NewRunner(worlds)}
	b.final, b.finalAt, b.stats = b.final[:0], b.finalAt[:0], collectStats{}
	outcomes := t.outcomes
	rng := rand.New(t.noise)
	for step := range b.horizon {
		copy(b.obs[step*worlds*dim:], t.runner.Obs())
		copy(b.critic[step*worlds*t.criticDim:], t.runner.Critic())
		means := b.means[step*worlds*acts : (step+1)*worlds*acts]
		actions := b.actions[step*worlds*acts : (step+1)*worlds*acts]
		t.forwardAll(&forward, means)
		for i, m := range means {
			actions[i] = m + float32(std*rng.NormFloat64())
		}
		if err := t.runner.Step(actions, outcomes); err != nil {
			return err
		}
		t.begin = t.begin[:0]
		for w := range outcomes {
			o, at := &outcomes[w], step*worlds+w
			b.rewards[at], b.ends[at] = o.Reward*t.config.rewardScale(), o.End
			b.stats.add(o)
			if o.End == rollout.Finished {
				b.final = append(b.final, t.runner.Critic()[w*t.criticDim:(w+1)*t.criticDim]...)
				b.finalAt = append(b.finalAt, at)
			}
		}
		if err := t.restart(outcomes); err != nil {
			return err
		}
	}
	copy(b.last, t.runner.Critic())
	return nil
}

// restart begins new episodes where the last ones ended, and notes where they failed.
func (t *Trainer) restart(outcomes []rollout.Outcome) error {
	t.begin = t.begin[:0]
	for w := range outcomes {
		if outcomes[w].End == rollout.Running {
			continue
		}
		if outcomes[w].End == rollout.Failed {
			t.sampler.failed(t.runner.Where(w))
		}
		t.begin = append(t.begin, t.episode(w))
	}
	return t.runner.Begin(t.begin, t.dynamics())
}

// forwardAll evaluates a policy in all worlds, half of them on each goroutine.
func (t *Trainer) forwardAll(forward *[2]*infer.Runner, means []float32) {
	worlds, acts, dim := t.runner.Worlds(), t.task.Spec.Joints(), t.task.Spec.Dim()
	_ = pair(func(half int) error {
		if from, to := halfOf(worlds, half); from < to {
			forward[half].Forward(means[from*acts:to*acts], t.runner.Obs()[from*dim:to*dim], to-from)
		}
		return nil
	})
}

// dynamics are those of episodes that begin now.
func (t *Trainer) dynamics() rollout.Randomization {
	return rollout.Lerp(t.config.Easy, t.config.Hard, t.level)
}

// episode draws the beginning of the next episode of world w.
func (t *Trainer) episode(w int) rollout.Episode {
	rng := rand.New(t.starts)
	e := rollout.Episode{World: w, Noise: t.config.StartNoise, Seed: rng.Uint64()}
	e.Clip, e.Step = t.sampler.draw(rng, &t.task, t.config.FromStart, t.config.Adaptive, t.scratch)
	return e
}

// advantages fills values, advantages (Schulman et al. 2016) and returns. An episode that reached its end goes on in
// the critic's eyes; one that failed is worth nothing from there.
func (b *batch) advantages(critic *infer.Net, gamma, lambda float64) {
	const chunk = 256
	dim := critic.In()
	finals := len(b.finalAt)
	if cap(b.nextFinal) < finals {
		b.nextFinal = make([]float32, finals)
	}
	b.nextFinal = b.nextFinal[:finals]
	n := b.worlds * b.horizon
	_ = pair(func(half int) error {
		f := critic.NewRunner(chunk)
		eval := func(dst, x []float32) {
			from, to := halfOf(len(dst), half)
			for ; from < to; from += chunk {
				end := min(from+chunk, to)
				f.Forward(dst[from:end], x[from*dim:end*dim], end-from)
			}
		}
		eval(b.values[:n], b.critic)
		eval(b.values[n:], b.last)
		eval(b.nextFinal, b.final)
		return nil
	})
	final := make(map[int]float64, finals)
	for i, at := range b.finalAt {
		final[at] = float64(b.nextFinal[i])
	}
	for w := range b.worlds {
		var later float64
		for s := b.horizon - 1; s >= 0; s-- {
			at := s*b.worlds + w
			next := float64(b.values[at+b.worlds])
			switch b.ends[at] {
			case rollout.Failed:
				next, later = 0, 0
			case rollout.Finished:
				next, later = final[at], 0
			}
			v := float64(b.values[at])
			later = b.rewards[at] + gamma*next - v + gamma*lambda*later
			b.adv[at], b.returns[at] = later, later+v
		}
	}
}
