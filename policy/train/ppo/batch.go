package ppo

import (
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train/network"
)

// forwardRows is the number of rows that a worker evaluates at a time, of the critic's over a whole batch.
const forwardRows = 256

// batch is what one iteration collects: horizon steps of all worlds, step by step.
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
}

func newBatch(worlds, horizon, obsDim, criticDim, actions int) *batch {
	n := worlds * horizon
	return &batch{worlds: worlds, horizon: horizon, obs: make([]float32, n*obsDim), critic: make([]float32, n*criticDim),
		means: make([]float32, n*actions), actions: make([]float32, n*actions), rewards: make([]float64, n),
		ends: make([]rollout.End, n), last: make([]float32, worlds*criticDim), values: make([]float32, n+worlds),
		adv: make([]float64, n), returns: make([]float64, n)}
}

// collect plays an iteration with exploration around the actor.
func (m *Method) collect(actor *infer.Net) error {
	b, p := m.batch, m.practice
	worlds, acts, dim, criticDim := b.worlds, actor.Out(), actor.In(), p.Runner.CriticDim()
	forward := p.NewForward(actor)
	b.final, b.finalAt = b.final[:0], b.finalAt[:0]
	err := p.Play(func(step int) ([]float32, error) {
		copy(b.obs[step*worlds*dim:], p.Runner.Obs())
		copy(b.critic[step*worlds*criticDim:], p.Runner.Critic())
		means := b.means[step*worlds*acts : (step+1)*worlds*acts]
		actions := b.actions[step*worlds*acts : (step+1)*worlds*acts]
		forward.Run(means, p.Runner.Obs())
		for i, mean := range means {
			actions[i] = mean + float32(m.std*p.Noise.NormFloat64())
		}
		return actions, nil
	}, func(step int, outcomes []rollout.Outcome) {
		for w := range outcomes {
			o, at := &outcomes[w], step*worlds+w
			b.rewards[at], b.ends[at] = o.Reward*m.config.rewardScale(), o.End
			if o.End == rollout.Finished {
				b.final = append(b.final, p.Runner.Critic()[w*criticDim:(w+1)*criticDim]...)
				b.finalAt = append(b.finalAt, at)
			}
		}
	})
	copy(b.last, p.Runner.Critic())
	return err
}

// advantages fills values, advantages (Schulman et al. 2016) and returns. An episode that reached its end goes on in
// the critic's eyes; one that failed is worth nothing from there.
func (b *batch) advantages(critic *infer.Net, gamma, lambda float64) {
	finals := len(b.finalAt)
	if cap(b.nextFinal) < finals {
		b.nextFinal = make([]float32, finals)
	}
	b.nextFinal = b.nextFinal[:finals]
	n := b.worlds * b.horizon
	forward := network.NewForward(critic, forwardRows)
	forward.Run(b.values[:n], b.critic)
	forward.Run(b.values[n:], b.last)
	forward.Run(b.nextFinal, b.final)
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
