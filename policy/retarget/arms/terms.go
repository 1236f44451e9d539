package arms

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
	"github.com/mitori-robotics/mitori/policy/retarget/wholebody"
)

// What the wishes weigh, against wholebody.UpperGain (1) for the square of an angle of the upper arm. Tuned on kata20's
// demonstrations and spoiled ones.
const (
	bendGain  = 15   // of the second difference between frames at 50 frames/s: halves what moves at 4 Hz
	moveGain  = 0.02 // of the first difference: no wandering where a direction leaves a joint open
	restGain  = 2e-3 // towards the standing pose
	leadGain  = 1    // towards the blend with the standing pose in lead-in and lead-out
	pinGain   = 1e4  // at the first and last frame
	limitGain = 100  // per rad squared beyond a joint limit
	speedGain = 1    // beyond the speed limit, first round; ten times more every round
	speedUse  = 0.95 // of the speed limit
	clearGain = 300  // per leg length squared that an arm comes too near to another part
	clearM    = 0.004
	safeLegs  = 0.1 // of the leg: farther away than this at first, it is not looked at again
)

// frame adds what frame t asks for: the person's directions in the motion, the blend in the lead.
func (x *path) frame(t int) {
	tg := &x.plan.Targets[t]
	for k, i := range x.dofs {
		q, ref := *x.angle(t, k), x.r.An.Ref[x.r.DofQ[i]]
		x.pull(t, k, restGain, ref)
		if q < x.r.LoRad[i] || q > x.r.HiRad[i] {
			x.pull(t, k, limitGain, curve.Clamp(q, x.r.LoRad[i], x.r.HiRad[i]))
		}
		if tg.Lead > 0 {
			near := x.plan.Lead[0]
			if t >= near {
				near = len(x.q) - x.plan.Lead[1] - 1
			}
			x.pull(t, k, leadGain, *x.angle(near, k)*(1-tg.Lead)+ref*tg.Lead)
		}
		if t == 0 || t == len(x.q)-1 {
			x.pull(t, k, pinGain, ref)
		}
	}
	if x.near != nil {
		x.clear(t)
	}
	if tg.Lead > 0 {
		return
	}
	x.r.Kin.ForwardPath(x.d, x.q[t], x.arm.End.Body)
	for _, s := range wholebody.ArmSegments(x.r, x.arm, tg.Upper[x.side], tg.Fore[x.side]) {
		s.Gain *= 1 - tg.ArmDoubt[x.side]
		x.band.Add(x.d, s, x.unknown(t, 0), x.dofs)
	}
}

// pull wants one joint of one frame at an angle.
func (x *path) pull(t, k int, weight, wantRad float64) {
	x.band.Link(lsq.Link{N: 1, Unknown: [3]int{x.unknown(t, k)}, Factor: [3]float64{1}, Weight: weight,
		Residual: wantRad - *x.angle(t, k)})
}

// smooth wants joint k not to change its speed.
func (x *path) smooth(k int) {
	weight := bendGain * math.Pow(x.plan.FPS/50, 4)
	for t := 1; t+1 < len(x.q); t++ {
		bent := *x.angle(t-1, k) - 2**x.angle(t, k) + *x.angle(t+1, k)
		x.band.Link(lsq.Link{N: 3, Unknown: [3]int{x.unknown(t-1, k), x.unknown(t, k), x.unknown(t+1, k)},
			Factor: [3]float64{1, -2, 1}, Weight: weight, Residual: -bent})
	}
}

// slow wants joint k to move little, and where it is too fast, by hard, within its speed limit.
func (x *path) slow(k int, hard float64) {
	most := x.r.SpeedRadPerS[x.dofs[k]] * speedUse / x.plan.FPS
	for t := 0; t+1 < len(x.q); t++ {
		step := *x.angle(t+1, k) - *x.angle(t, k)
		weight, over := moveGain, step
		if !x.free && math.Abs(step) > most {
			weight = moveGain + hard
			over = (moveGain*step + hard*(step-math.Copysign(most, step))) / weight
		}
		x.band.Link(lsq.Link{N: 2, Unknown: [3]int{x.unknown(t, k), x.unknown(t+1, k)}, Factor: [3]float64{-1, 1},
			Weight: weight, Residual: -over})
	}
}

// near is what an arm keeps clear of.
type near struct {
	check *feasible.Checker
	pairs feasible.Pairs // shapes of this arm and of what it may touch
	safe  []bool         // frames in which the arm was far from everything at first
	known []bool         // frames that were looked at
}

// avoid makes the arm keep clear of what the checker knows.
func (x *path) avoid(check *feasible.Checker) {
	x.near = &near{check: check, pairs: check.PairsOf(func(a, b int) bool { return x.carries(a) != x.carries(b) })}
}

func (n *near) forget(frames int) { n.safe, n.known = make([]bool, frames), make([]bool, frames) }

// carries reports whether the arm moves the body.
func (x *path) carries(body int) bool {
	for _, i := range x.r.Kin.Path(body) {
		if i == x.dofs[0] {
			return true
		}
	}
	return false
}

// clear pushes the arm away from what it touches or nearly touches at frame t.
func (x *path) clear(t int) {
	if x.near.safe[t] {
		return
	}
	x.r.Kin.Forward(x.d, x.q[t])
	safe, scale := true, x.plan.ScaleM
	x.near.check.Close(x.d, x.near.pairs, safeLegs*scale, func(a, b int, onA, onB spatial.Vec3, gap float64) {
		safe = false
		if gap > clearM {
			return
		}
		body, at, away := a, onA, onA.Sub(onB)
		if x.carries(b) {
			body, at, away = b, onB, onB.Sub(onA)
		}
		x.band.Add(x.d, lsq.Clearance{Model: x.r.Kin, Body: body, At: at, Away: away.Unit(spatial.Vec3{0, 0, 1}),
			GapM: gap, LeastM: clearM, Gain: clearGain / (scale * scale)}, x.unknown(t, 0), x.dofs)
	})
	x.near.safe[t] = safe && !x.near.known[t]
	x.near.known[t] = true
}
