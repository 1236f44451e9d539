package train

import (
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
)

// learnStats says how a learning phase went, averaged over its minibatches.
type learnStats struct {
	policyLoss, valueLoss, kl, clip float64
	skipped                         int // actor updates not taken
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

	var s learnStats
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
	batches := float64(c.Epochs * n / c.Minibatch)
	s.policyLoss, s.valueLoss, s.kl, s.clip = s.policyLoss/batches, s.valueLoss/batches, s.kl/batches, s.clip/batches
	return s, nil
}

// step learns from one minibatch. First each goroutine runs one half of both networks, then each updates one network.
func (t *Trainer) step(samples []int, s *learnStats) error {
	err := pair(func(half int) error {
		from, to := halfOf(len(samples), half)
		t.actor.halves[half].take(samples[from:to], t.batch.obs, t.actorData)
		t.critic.halves[half].take(samples[from:to], t.batch.critic, t.criticData)
		if err := t.actor.halves[half].run(); err != nil {
			return err
		}
		return t.critic.halves[half].run()
	})
	if err != nil {
		return err
	}
	a, v := t.actor.stats(), t.critic.stats()
	s.policyLoss += a.Loss
	s.valueLoss += v.Loss
	s.kl += a.KL
	s.clip += a.Clip
	// The guard is the actor's alone: a critic that stops learning when the policy moves falls ever further behind.
	moved := a.KL > t.config.KLLimit
	if moved {
		s.skipped++
	}
	return pair(func(half int) error {
		if half == 0 {
			if !moved {
				t.actor.update(t.config.ActorRate, t.actor.gather(), t.config.GradNorm)
			}
		} else {
			t.critic.update(t.config.CritRate, t.critic.gather(), t.config.GradNorm)
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
