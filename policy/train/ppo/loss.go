package ppo

import (
	"math"

	"github.com/mitori-robotics/mitori/policy/train/network"
)

// The figures of policyLoss's own.
const (
	ownKL   = iota // of the policy before the iteration against the present one, mean
	ownClip        // share of samples whose ratio is clipped
)

// dataCols is the number of columns of a row of data for policyLoss: actions, old means, advantage.
func dataCols(actions int) int { return 2*actions + 1 }

// policyLoss is the clipped surrogate of PPO (Schulman et al. 2017, equation 7) for a normal policy of fixed standard
// deviation std around the network's outputs.
func policyLoss(minibatch, actions int, clip float64, std *float64) network.Loss {
	return func(grad, out, data []float32) network.Sums {
		var s network.Sums
		invVar := 1 / (*std * *std)
		cols := dataCols(actions)
		for r := 0; r*actions < len(out); r++ {
			mean, g := out[r*actions:(r+1)*actions], grad[r*actions:(r+1)*actions]
			row := data[r*cols : (r+1)*cols]
			act, old, adv := row[:actions], row[actions:2*actions], float64(row[2*actions])
			var before, now, moved float64
			for j, m := range mean {
				a, b, c := float64(act[j]-old[j]), float64(act[j]-m), float64(m-old[j])
				before += a * a
				now += b * b
				moved += c * c
			}
			ratio := math.Exp(min((before-now)/2*invVar, 20))
			s.Own[ownKL] += moved / 2 * invVar
			clipped := min(max(ratio, 1-clip), 1+clip)
			if clipped != ratio {
				s.Own[ownClip]++
			}
			slope := 0.0
			if clipped*adv < ratio*adv {
				s.Loss -= clipped * adv // the clipped branch is smaller: flat
			} else {
				s.Loss -= ratio * adv
				slope = -ratio * adv * invVar / float64(minibatch)
			}
			for j, m := range mean {
				g[j] = float32(slope * float64(act[j]-m))
			}
		}
		n := float64(minibatch)
		s.Loss, s.Own[ownKL], s.Own[ownClip] = s.Loss/n, s.Own[ownKL]/n, s.Own[ownClip]/n
		return s
	}
}
