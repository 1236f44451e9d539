package solve

import "slices"

// hampel reports which samples of x are outliers: farther from the median of
// the window of 2*half+1 samples around them than three robust standard
// deviations (1.4826 MAD) and than floor. Samples with valid[i] false are
// neither judged nor used. bad must have the length of x. w is memory for the
// window; it is returned for the next call.
func hampel(w []float64, bad []bool, x []float64, valid []bool, half int, floor float64) []float64 {
	if len(bad) != len(x) || len(valid) != len(x) {
		panic("solve: hampel lengths differ")
	}
	for i := range x {
		bad[i] = false
		if !valid[i] {
			continue
		}
		w = w[:0]
		for j := max(0, i-half); j <= min(len(x)-1, i+half); j++ {
			if valid[j] {
				w = append(w, x[j])
			}
		}
		if len(w) < 4 { // the median of three follows an outlier
			continue
		}
		m := median(w)
		for j := range w {
			w[j] = abs(w[j] - m)
		}
		bad[i] = abs(x[i]-m) > max(3*1.4826*median(w), floor)
	}
	return w
}

// median sorts x and returns its middle value (0 when x is empty).
func median(x []float64) float64 { return quantile(x, 0.5) }

// quantile sorts x and returns the value at share q, interpolated linearly.
func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	p := q * float64(len(x)-1)
	i := int(p)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (p-float64(i))*(x[i+1]-x[i])
}

func abs(v float64) float64 {
	if v < 0 {
		return -v
	}
	return v
}
