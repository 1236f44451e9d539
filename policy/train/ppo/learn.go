package ppo

import (
	"math"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/network"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

// learnStats says how a learning phase went, averaged over its minibatches.
type learnStats struct {
	policyLoss, valueLoss, kl, clip float64
	actorSteps, batches             int
	lastKL                          float64
	stopped                         bool // the actor is done with this phase
}

// prepareRows is the number of samples that a worker gets ready at a time.
const prepareRows = 512

// prepare normalises the collected batch and lays out what the losses read.
func (m *Method) prepare(actorNorm, criticNorm infer.Normalizer) {
	b := m.batch
	n := len(m.order)
	acts, dim, criticDim := len(b.actions)/n, len(b.obs)/n, len(b.critic)/n
	mean, std := moments(b.adv)
	parts := parallel.Parts(n, prepareRows)
	_ = parallel.Run(parallel.Workers(), parts, func(_, part int) error {
		from, to := parallel.Cut(n, parts, part)
		network.Normalize(b.obs[from*dim:to*dim], actorNorm)
		network.Normalize(b.critic[from*criticDim:to*criticDim], criticNorm)
		cols := dataCols(acts)
		for i := from; i < to; i++ {
			row := m.actorData[i*cols : (i+1)*cols]
			copy(row, b.actions[i*acts:(i+1)*acts])
			copy(row[acts:], b.means[i*acts:(i+1)*acts])
			row[2*acts] = float32((b.adv[i] - mean) / (std + 1e-8))
			m.criticData[i] = float32(b.returns[i])
		}
		return nil
	})
}

// learn runs the epochs of PPO over the collected batch.
func (m *Method) learn(actorNorm, criticNorm infer.Normalizer) (learnStats, error) {
	c, n := &m.config, len(m.order)
	m.prepare(actorNorm, criticNorm)
	// Where the critic knows nothing yet, the actor waits for it.
	s := learnStats{stopped: m.steps < c.CriticFirst}
	frozen := s.stopped
	for i := range m.order {
		m.order[i] = i
	}
	for range c.Epochs {
		m.practice.Shuffle.Shuffle(n, func(i, j int) { m.order[i], m.order[j] = m.order[j], m.order[i] })
		for first := 0; first < n; first += c.Minibatch {
			if err := m.step(m.order[first:first+c.Minibatch], &s); err != nil {
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
	m.adapt(&s)
	return s, nil
}

// adapt keeps the actor's rate where its updates last for most of a phase: slower where the guard ends them early,
// faster where the policy hardly moves.
func (m *Method) adapt(s *learnStats) {
	const lowest, highest = 3e-5, 1e-3
	switch {
	case 4*s.actorSteps < 3*s.batches:
		m.actorRate = max(m.actorRate*0.9, lowest)
	case !s.stopped && s.lastKL < m.config.KLLimit/2:
		m.actorRate = min(m.actorRate*1.1, highest)
	}
}

// step learns from one minibatch. First the parts of both networks run, each on its own, then each network is updated.
// The guard on the policy's movement ends the phase for the actor alone: a critic that stops learning when the policy
// moves falls ever further behind.
func (m *Method) step(samples []int, s *learnStats) error {
	actorParts := m.actorGraph.Parts()
	if s.stopped {
		actorParts = 0
	}
	err := parallel.Run(parallel.Workers(), actorParts+m.criticGraph.Parts(), func(_, part int) error {
		if part < actorParts {
			return m.actorGraph.Run(part, samples, m.batch.obs, m.actorData, nil)
		}
		return m.criticGraph.Run(part-actorParts, samples, m.batch.critic, m.criticData, nil)
	})
	if err != nil {
		return err
	}
	s.batches++
	s.valueLoss += m.criticGraph.Sums().Loss
	learnActor := !s.stopped
	if learnActor {
		a := m.actorGraph.Sums()
		s.policyLoss += a.Loss
		s.kl += a.Own[ownKL]
		s.clip += a.Own[ownClip]
		s.lastKL = a.Own[ownKL]
		if s.lastKL > m.config.KLLimit {
			s.stopped, learnActor = true, false
		} else {
			s.actorSteps++
		}
	}
	updates := []func(){func() { m.criticGraph.Update(m.config.CritRate, m.config.GradNorm) }}
	if learnActor {
		updates = append(updates, func() { m.actorGraph.Update(m.actorRate, m.config.GradNorm) })
	}
	return parallel.Run(parallel.Workers(), len(updates), func(_, part int) error {
		updates[part]()
		return nil
	})
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
