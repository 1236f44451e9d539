package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// sole is the frame of a foot: origin on the sole below the ankle, x ahead,
// z out of the sole towards the ankle.
type sole struct {
	origin spatial.Vec3
	turn   spatial.Quat
}

func (s sole) place(v spatial.Vec3) spatial.Vec3 { return s.origin.Add(s.turn.Rotate(v)) }

// footSize places heel and toe in the frame of the sole.
type footSize struct{ heel, toe spatial.Vec3 }

const (
	lockBlendS    = 0.20 // a foot takes this long to follow a lock before and after it
	lockFlatS     = 0.07 // half width of the change from rolling to flat
	lockDriftM    = 0.10 // a "standing" foot that has gone this far stands somewhere else
	lockTurnRad   = 0.45
	lockFreeS     = 0.12 // free time on both sides of such a change of place
	releasedTouch = 0.3  // contact probability left while a foot changes its place

	straightLeg = 0.995 // of full length; a knee never straightens completely, as nothing steadies it there
	reachS      = 0.15  // half width of the window over which the pelvis gives way to a short leg
)

// lockFeet holds touching feet in place: a flat foot is level, on the floor and
// does not move at all; a foot on its toes or heel turns about them. Between
// contacts a foot follows the fit, eased into the locks. feet (world axes, floor
// at zero) and c are changed in place; ground is how much higher than the floor the
// feet stand, by frame and side.
func lockFeet(feet []sole, side int, c contacts, ground [][2]float64, size footSize, fps float64) {
	n := len(feet)
	heel, toe := 2*side, 2*side+1
	flat := make([]float64, n)
	for t := range flat {
		if math.Min(c[t][heel], c[t][toe]) >= 0.5 {
			flat[t] = 1
		}
	}
	flat = boxSmooth(flat, int(math.Round(lockFlatS*fps)))
	locked := make([]sole, n)
	held := make([]bool, n)
	for _, r := range standings(feet, side, c, fps) {
		base := restingPlace(feet, side, c, r)
		base.origin[2] = ground[(r[0]+r[1])/2][side]
		for t := r[0]; t < r[1]; t++ {
			held[t] = true
			locked[t] = rollOver(base, feet[t], flat[t], c[t][toe] >= 0.5, size)
		}
	}
	ease(feet, locked, held, size, max(1, int(math.Round(lockBlendS*fps))))
	for t := range feet {
		if !held[t] {
			c[t][heel], c[t][toe] = math.Min(c[t][heel], releasedTouch), math.Min(c[t][toe], releasedTouch)
		}
	}
}

// standings returns the runs [from, to) of frames in which the foot stands on
// one spot. A run that drifts away is split, with a break to move in.
func standings(feet []sole, side int, c contacts, fps float64) (runs [][2]int) {
	free := max(1, int(math.Round(lockFreeS*fps)))
	touches := func(t int) bool { return math.Max(c[t][2*side], c[t][2*side+1]) >= 0.5 }
	for t := 0; t < len(feet); {
		if !touches(t) {
			t++
			continue
		}
		from := t
		var sum spatial.Vec3
		heading := feet[t].turn.YawRad()
		for ; t < len(feet) && touches(t); t++ {
			mean := sum.Scale(1 / math.Max(1, float64(t-from)))
			away := feet[t].origin.Sub(mean)
			turned := math.Remainder(feet[t].turn.YawRad()-heading, 2*math.Pi)
			if t > from && (math.Hypot(away[0], away[1]) > lockDriftM || abs(turned) > lockTurnRad) {
				break
			}
			sum = sum.Add(feet[t].origin)
			heading += turned / float64(t-from+1)
		}
		runs = append(runs, [2]int{from, t})
		if t < len(feet) && touches(t) {
			runs[len(runs)-1][1] = max(from+1, t-free)
			t += free
		}
	}
	return runs
}

// restingPlace is the level frame of a foot over one standing: the mean of its
// flat frames, or of all when it is never flat.
func restingPlace(feet []sole, side int, c contacts, r [2]int) sole {
	var origin spatial.Vec3
	var sin, cos, sum float64
	for pass := range 2 {
		for t := r[0]; t < r[1]; t++ {
			w := math.Min(c[t][2*side], c[t][2*side+1])
			if pass == 0 && w < 0.5 {
				continue
			}
			s, k := math.Sincos(feet[t].turn.YawRad())
			sin, cos, sum = sin+s, cos+k, sum+1
			origin = origin.Add(feet[t].origin)
		}
		if sum > 0 {
			break
		}
	}
	origin = origin.Scale(1 / sum)
	origin[2] = 0
	return sole{origin, spatial.FromYaw(math.Atan2(sin, cos))}
}

// rollOver turns the resting foot about its toe or heel as far as the fitted
// foot is pitched; flat (0..1) suppresses that.
func rollOver(base, fitted sole, flat float64, onToe bool, size footSize) sole {
	pitch := base.turn.Inv().Mul(fitted.turn).Log()[1] * (1 - flat)
	pivot := size.heel
	if onToe {
		pivot, pitch = size.toe, math.Max(0, pitch) // heel up
	} else {
		pitch = math.Min(0, pitch) // toe up
	}
	turn := base.turn.Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, pitch)).Normalize()
	return sole{base.place(pivot).Sub(turn.Rotate(pivot)), turn}
}

// ease replaces feet by locked where held, and in between adds the correction at
// the nearest lock before and after, fading over blend frames.
func ease(feet, locked []sole, held []bool, size footSize, blend int) {
	n := len(feet)
	before, after := make([]int, n), make([]int, n)
	last := -1
	for t := range n {
		if held[t] {
			last = t
		}
		before[t] = last
	}
	last = -1
	for t := n - 1; t >= 0; t-- {
		if held[t] {
			last = t
		}
		after[t] = last
	}
	out := make([]sole, n)
	for t := range feet {
		if held[t] {
			out[t] = locked[t]
			continue
		}
		out[t] = feet[t]
		for _, k := range [2]int{before[t], after[t]} {
			if k < 0 {
				continue
			}
			reach := blend
			if b, a := before[t], after[t]; b >= 0 && a >= 0 {
				reach = min(blend, a-b) // a short swing: both corrections overlap and sum to one
			}
			w := smoothStep(1 - float64(abs(float64(t-k)))/float64(reach))
			out[t].origin = out[t].origin.Add(locked[k].origin.Sub(feet[k].origin).Scale(w))
			out[t].turn = spatial.Identity().Slerp(locked[k].turn.Mul(feet[k].turn.Inv()), w).Mul(out[t].turn).Normalize()
		}
		if low := math.Min(out[t].place(size.heel)[2], out[t].place(size.toe)[2]); low < 0 {
			out[t].origin[2] -= low
		}
	}
	copy(feet, out)
}

// smoothStep rises from 0 at 0 to 1 at 1 without a kink.
func smoothStep(s float64) float64 {
	s = clamp01(s)
	return s * s * (3 - 2*s)
}

// boxSmooth returns the mean of x over 2*half+1 samples.
func boxSmooth(x []float64, half int) []float64 {
	out := make([]float64, len(x))
	for t := range x {
		a, b := max(0, t-half), min(len(x), t+half+1)
		for _, v := range x[a:b] {
			out[t] += v / float64(b-a)
		}
	}
	return out
}

// reach returns how far the pelvis must come down in every frame so that the
// legs, of length leg, reach the ankles of touching feet: smooth, and at least
// what is needed.
func reach(hips, ankles [][2]spatial.Vec3, c contacts, leg, fps float64) []float64 {
	n := len(hips)
	need := make([]float64, n)
	for t := range need {
		for side := range 2 {
			if math.Max(c[t][2*side], c[t][2*side+1]) < 0.5 {
				continue
			}
			d := hips[t][side].Sub(ankles[t][side])
			across := math.Hypot(d[0], d[1])
			if across < leg {
				need[t] = math.Max(need[t], d[2]-math.Sqrt(leg*leg-across*across))
			}
		}
	}
	half := max(1, int(math.Round(reachS*fps)))
	wide := make([]float64, n)
	for t := range wide {
		for u := max(0, t-2*half); u < min(n, t+2*half+1); u++ {
			wide[t] = math.Max(wide[t], need[u])
		}
	}
	// Two means over half the window of a maximum never fall below what is needed.
	return boxSmooth(boxSmooth(wide, half), half)
}

// footOf returns the places of heel and toe in the sole's frame.
func footOf(heightM float64) footSize {
	return footSize{spatial.Vec3{heelAhead * heightM, 0, 0}, spatial.Vec3{toeAhead * heightM, 0, 0}}
}

// hipJoints are the hips, left and right.
var hipJoints = [2]human.Joint{human.LHip, human.RHip}
