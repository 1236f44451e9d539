package pace

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// Shares of the limits that a motion is slowed down to; tuned as above.
const (
	speedGap    = 0.97 // of the speed limit: what the finished motion stays below
	torqueShare = 0.9  // of the torque that a servo gives
	slowestMax  = 4    // by which torques may slow a moment down
	spikeS      = 0.03 // an overload that lasts no longer is not worth any time: the servo lags a little
	bisections  = 8    // to a 256th of the range
)

// Speeds returns for every step between frames by how much it must be slower for the largest joint speed over its
// limit.
func Speeds(r *physique.Robot, q [][]float64, fps float64) []float64 {
	out := make([]float64, len(q)-1)
	raise(out, r, q, fps, nil)
	return out
}

// raise raises rates to what the joint speeds ask for, of all joints but those without (by velocity index; nil for
// none).
func raise(rates []float64, r *physique.Robot, q [][]float64, fps float64, without []bool) {
	for t := range rates {
		for _, i := range r.Hinges() {
			if without != nil && without[i] {
				continue
			}
			p := r.DofQ[i]
			rates[t] = math.Max(rates[t], math.Abs(q[t+1][p]-q[t][p])*fps/(r.SpeedRadPerS[i]*speedGap))
		}
	}
}

// raiseForTorques raises rates to where every servo gives what is needed, where slowness helps.
func raiseForTorques(rates []float64, m physique.Motion, p *plan.Plan, check *feasible.Checker) {
	need := make([]float64, len(m.Q))
	for t := range need {
		need[t] = 1
		if t > 0 && t+1 < len(m.Q) {
			need[t] = torqueRate(m, p, check, t, math.Max(1, math.Max(rates[t-1], rates[t])))
		}
	}
	curve.Open(need, int(spikeS*m.FPS))
	for t := 1; t+1 < len(m.Q); t++ {
		if k := need[t]; k > 1 {
			rates[t-1], rates[t] = math.Max(rates[t-1], k), math.Max(rates[t], k)
		}
	}
}

// torqueRate returns by how much frame t must be slowed down for its torques, if speeds slow it down by least anyway.
// Slowed down by k, speeds fall with k, so that servos give more, and the dynamic part of the torques falls with its
// square; what is needed in rest stays, and no pace helps against it. Arms are left out: a draft of theirs is rough,
// and they are light.
func torqueRate(m physique.Motion, p *plan.Plan, check *feasible.Checker, t int, least float64) float64 {
	vel, acc := make([]float64, len(m.Vel[t])), make([]float64, len(m.Vel[t]))
	share := func(k float64) float64 {
		for i := range vel {
			vel[i], acc[i] = m.Vel[t][i]/k, m.Acc[t][i]/(k*k)
		}
		return check.TorqueShare(m.Q[t], vel, acc, p.Contacts[t], p.Robot.IsArm)
	}
	if share(least) <= torqueShare {
		return 1
	}
	lo, hi := least, slowestMax*least
	if share(hi) > torqueShare {
		return 1
	}
	for range bisections {
		if k := (lo + hi) / 2; share(k) > torqueShare {
			lo = k
		} else {
			hi = k
		}
	}
	return hi
}
