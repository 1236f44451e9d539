package solve

import "math"

// lowPass smooths x, sampled at fps, in place with a Butterworth low-pass run
// forwards and backwards: order 4 in total, no phase lag. cutoffHz is the -3 dB
// point of both passes together. At or above 45 % of the rate nothing is done:
// there is no band left to remove.
//
// Each pass is a biquad from the bilinear transform (direct form 2 transposed).
// The ends are extended by point reflection and the state starts in steady
// state, so a constant or a straight line passes unchanged.
func lowPass(x []float64, fps, cutoffHz float64) { lowPassIn(nil, x, fps, cutoffHz) }

// lowPassIn is lowPass with memory for the extended signal, which it returns for
// the next call.
func lowPassIn(y, x []float64, fps, cutoffHz float64) []float64 {
	n := len(x)
	if n < 3 || cutoffHz >= 0.45*fps {
		return y
	}
	// Two passes of a second-order section: each may lose only a quarter of
	// the power at the cut-off (Winter, Biomechanics, section 3.4.4.2).
	k := math.Tan(math.Pi*cutoffHz/fps) / math.Pow(math.Sqrt2-1, 0.25)
	norm := 1 / (1 + math.Sqrt2*k + k*k)
	b0 := k * k * norm
	a1, a2 := 2*(k*k-1)*norm, (1-math.Sqrt2*k+k*k)*norm

	pad := min(n-1, int(math.Ceil(2*fps/cutoffHz)))
	y = sized(y, n+2*pad)
	copy(y[pad:], x)
	for i := range pad {
		y[i] = 2*x[0] - x[pad-i]
		y[n+2*pad-1-i] = 2*x[n-1] - x[n-1-pad+i]
	}
	pass := func(at func(int) *float64) {
		// Steady state for a constant input u: y = u, s1 = u (1-b0), s2 = u (b0-a2).
		u := *at(0)
		s1, s2 := u*(1-b0), u*(b0-a2)
		for i := range y {
			v := at(i)
			in := *v
			out := b0*in + s1
			s1 = 2*b0*in - a1*out + s2
			s2 = b0*in - a2*out
			*v = out
		}
	}
	pass(func(i int) *float64 { return &y[i] })
	pass(func(i int) *float64 { return &y[len(y)-1-i] })
	copy(x, y[pad:pad+n])
	return y
}
