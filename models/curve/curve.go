// Package curve holds what numbers over time need: the minimum-jerk blend, smoothing without delay, medians and
// angles that wrap.
//
// Everything is a pure function of its arguments and may be called from any goroutine; times are counted in samples.
// Not here: rotations and vectors (models/spatial), filters that run along with a signal (models/metrics, actuators).
package curve

import (
	"math"
	"sort"
)

// MinJerk rises from 0 at x <= 0 to 1 at x >= 1 with no speed and no acceleration at the ends: the minimum-jerk
// polynomial 10 x^3 - 15 x^4 + 6 x^5 (Flash and Hogan, J. Neurosci. 5(7), 1985).
func MinJerk(x float64) float64 {
	x = Clamp(x, 0, 1)
	return x * x * x * (10 - 15*x + 6*x*x)
}

// Clamp brings x between lo and hi.
func Clamp(x, lo, hi float64) float64 { return math.Min(math.Max(x, lo), hi) }

// AngleDiff returns a - b (rad) brought into [-pi, pi].
func AngleDiff(a, b float64) float64 { return math.Remainder(a-b, 2*math.Pi) }

// Deadzone shrinks x towards zero by width.
func Deadzone(x, width float64) float64 {
	if math.Abs(x) <= width {
		return 0
	}
	return x - math.Copysign(width, x)
}

// Median returns the middle of the values (the upper one of two); they are reordered. 0 for none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sort.Float64s(v)
	return v[len(v)/2]
}

// Open takes out of x what rises above its surroundings for no more than n samples in a row (the morphological
// opening by n+1 samples).
func Open(x []float64, n int) {
	if n < 1 {
		return
	}
	low := make([]float64, len(x))
	for t := range x { // the least of the n+1 samples from here
		low[t] = x[t]
		for k := t; k <= min(t+n, len(x)-1); k++ {
			low[t] = math.Min(low[t], x[k])
		}
	}
	for t := range x { // the most of the windows that hold this sample
		x[t] = low[t]
		for k := max(0, t-n); k <= t; k++ {
			x[t] = math.Max(x[t], low[k])
		}
	}
}
