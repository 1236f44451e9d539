package retarget

import (
	"github.com/mitori-robotics/mitori/models/curve"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
)

// strange are motions that this kind of robot cannot copy, and some like them that it can.
func strange(r *Retargeter) map[string]*human.Motion {
	ramp := func(t, from, to float64) float64 { return curve.MinJerk((t - from) / (to - from)) }
	// march lifts the feet in turn, by bending the legs as much as h.
	march := func(t, h float64) act {
		a := act{on: both, joint: map[string]float64{}}
		s := int(t/0.75) % 2
		x := h * math.Pow(math.Sin(math.Pi*math.Mod(t, 0.75)/0.75), 2)
		side := [...]string{"l", "r"}[s]
		a.joint[side+"_hip_pitch"], a.joint[side+"_knee"], a.joint[side+"_ankle_pitch"] = -0.35-x, 0.7+2*x, -0.35-x
		a.on[s] = x < 0.02
		return a
	}
	turning := func(deg float64) *human.Motion {
		return person(r, 7, 30, func(t float64) act {
			a := march(t, 0.5)
			a.yaw = deg * math.Pi / 180 * ramp(t, 0.5, 6.5)
			return a
		})
	}
	return map[string]*human.Motion{
		"turn 90":  turning(90),
		"turn 180": turning(180),
		"turn 360": turning(360),
		"pivot 120": person(r, 5, 30, func(t float64) act { // on the spot, both feet down
			return act{on: both, yaw: 2.1 * ramp(t, 1, 4)}
		}),
		"jump forward": person(r, 4, 30, func(t float64) act {
			f := math.Min(math.Max((t-1.5)/0.5, 0), 1)
			return act{on: [2]bool{f == 0 || f == 1, f == 0 || f == 1}, forward: 0.3 * f, raise: 0.3 * f * (1 - f)}
		}),
		"jump": person(r, 4, 30, func(t float64) act {
			f := math.Min(math.Max((t-1.5)/0.5, 0), 1)
			return act{on: [2]bool{f == 0 || f == 1, f == 0 || f == 1}, raise: 0.4 * f * (1 - f)}
		}),
		"lie down and get up": person(r, 6, 30, func(t float64) act {
			w := ramp(t, 1, 2.5) - ramp(t, 3.5, 5)
			return act{on: [2]bool{w < 0.3, w < 0.3}, tilt: math.Pi / 2 * w, lower: 0.2 * w}
		}),
		"lying": person(r, 2, 30, func(t float64) act { return act{tilt: -math.Pi / 2, lower: 0.2} }),
		"backflip": person(r, 4, 30, func(t float64) act {
			f := math.Min(math.Max((t-1.5)/0.8, 0), 1)
			return act{on: [2]bool{f == 0 || f == 1, f == 0 || f == 1}, tilt: -2 * math.Pi * f, raise: 0.8 * f * (1 - f)}
		}),
		"slide away": person(r, 5, 30, func(t float64) act { return act{on: both, forward: 0.5 * ramp(t, 1, 4)} }),
		"step of 10 cm": person(r, 5, 30, func(t float64) act { // of a person: 10 cm forward, with both feet in turn
			a := march(t, 0.4)
			a.forward = 0.1 / size * ramp(t, 1, 2.5)
			return a
		}),
		"small step": person(r, 5, 30, func(t float64) act {
			a := march(t, 0.3)
			a.forward = 0.03 * ramp(t, 1, 2)
			return a
		}),
	}
}
