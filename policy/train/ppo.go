package train

import (
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
)

// learnStats says how a learning phase went, averaged over its minibatches.
type learnStats struct {
	policyLoss, valueLoss, kl, clip float64
	actorSteps, batches             int
	lastKL                          float64
	stopped                         bool // the actor is done with this phase
}

// learn runs the epochs of PPO over the collected batch.
func (t *Trainer) learn(actorNorm, criticNorm infer.Normalizer) (learnStats, error) {
	b, c := t.batch, &t.config
	n := b.worlds * b.horizon
	dim, acts := t.task.Spec.Dim(), t.task.Spec.Joints()
	mean, std := moments(b.adv)
	_ = pair(func(half int) error {
		from, to := halfOf(n, half)
		normalize(b.obs[from*dim:to*dim], actorNorm)
		normalize(b.critic[from*t.criticDim:to*t.criticDim], criticNorm)
		cols := ppoData(acts)
		for i := from; i < to; i++ {
			row := t.actorData[i*cols : (i+1)*cols]
			copy(row, b.actions[i*acts:(i+1)*acts])
			copy(row[acts:], b.means[i*acts:(i+1)*acts])
			row[2*acts] = float32((b.adv[i] - mean) / (std + 1e-8))
			t.criticData[i] = float32(b.returns[i])
		}
		return nil
	})

	// After imitation the critic knows nothing yet: the actor waits for it.
	s := learnStats{stopped: t.imitation != nil && t.used.Steps-t.config.ImitateSteps < t.config.CriticFirst}
	frozen := s.stopped
	rng := rand.New(t.shuffle)
	for i := range t.order {
		t.order[i] = i
	}
	for range c.Epochs {
		rng.Shuffle(n, func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
		for first := 0; first < n; first += c.Minibatch {
			if err := t.step(t.order[first:first+c.Minibatch], &s); err != nil {
				return s, err
			}
		}
	}
	if frozen {
		s.valueLoss /= float64(s.batches)
		return s, nil
	}
	batches, seen := float64(s.batches), float64(s.actorSteps)
	if s.stopped {
		seen++ // the minibatch that stopped it was looked at
	}
	s.policyLoss, s.valueLoss, s.kl, s.clip = s.policyLoss/seen, s.valueLoss/batches, s.kl/seen, s.clip/seen
	t.adapt(&s)
	return s, nil
}

// adapt keeps the actor's rate where its updates last for most of a phase: slower where the guard ends them early,
// faster where the policy hardly moves.
func (t *Trainer) adapt(s *learnStats) {
	const lowest, highest = 3e-5, 1e-3
	switch {
	case 4*s.actorSteps < 3*s.batches:
		t.actorRate = max(t.actorRate*0.9, lowest)
	case !s.stopped && s.lastKL < t.config.KLLimit/2:
		t.actorRate = min(t.actorRate*1.1, highest)
	}
}

// step learns from one minibatch. First each goroutine runs one half of both networks, then each updates one network.
// The guard on the policy's movement ends the phase for the actor alone: a critic that stops learning when the policy
// moves falls ever further behind.
func (t *Trainer) step(samples []int, s *learnStats) error {
	err := pair(func(half int) error {
		from, to := halfOf(len(samples), half)
		if !s.stopped {
			t.actor.halves[half].take(samples[from:to], t.batch.obs, t.actorData)
			if err := t.actor.halves[half].run(); err != nil {
				return err
			}
		}
		t.critic.halves[half].take(samples[from:to], t.batch.critic, t.criticData)
		return t.critic.halves[half].run()
	})
	if err != nil {
		return err
	}
	s.batches++
	s.valueLoss += t.critic.halves.stats().Loss
	learnActor := !s.stopped
	if learnActor {
		a := t.actor.halves.stats()
		s.policyLoss += a.Loss
		s.kl += a.KL
		s.clip += a.Clip
		s.lastKL = a.KL
		if a.KL > t.config.KLLimit {
			s.stopped, learnActor = true, false
		} else {
			s.actorSteps++
		}
	}
	return pair(func(half int) error {
		if half == 1 {
			t.critic.update(t.config.CritRate, t.critic.gather(t.critic.halves), t.config.GradNorm)
		} else if learnActor {
			t.actor.update(t.actorRate, t.actor.gather(t.actor.halves), t.config.GradNorm)
		}
		return nil
	})
}

// take copies the named samples into the half's inputs.
func (h *half) take(samples []int, x, data []float32) {
	dim, cols := len(h.x.data)/len(samples), len(h.data.data)/len(samples)
	for r, i := range samples {
		copy(h.x.data[r*dim:(r+1)*dim], x[i*dim:(i+1)*dim])
		copy(h.data.data[r*cols:(r+1)*cols], data[i*cols:(i+1)*cols])
	}
}

func moments(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		std += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(std / float64(len(x)))
}
