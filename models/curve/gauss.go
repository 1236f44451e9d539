package curve

import "math"

// Gauss smooths series by Gaussians. It owns scratch space and belongs to one goroutine; the zero value is ready.
type Gauss struct{ values, copied []float64 }

// Smooth smooths x in place with a Gaussian of the given width (standard deviation) in samples, without delay. The
// ends are mirrored through the end points, so that a straight line stays a straight line. Widths below 0.2 and series
// of fewer than three samples are left alone.
func (g *Gauss) Smooth(x []float64, width float64) {
	n := len(x)
	if width < 0.2 || n < 3 {
		return
	}
	w := weights(width)
	r := len(w) - 1
	g.copied = append(g.copied[:0], x...)
	old := g.copied
	at := func(i int) float64 {
		switch {
		case i < 0:
			return 2*old[0] - old[min(-i, n-1)]
		case i >= n:
			return 2*old[n-1] - old[max(2*(n-1)-i, 0)]
		}
		return old[i]
	}
	for i := range x {
		s := w[0] * old[i]
		if i >= r && i+r < n {
			for k := 1; k <= r; k++ {
				s += w[k] * (old[i-k] + old[i+k])
			}
		} else {
			for k := 1; k <= r; k++ {
				s += w[k] * (at(i-k) + at(i+k))
			}
		}
		x[i] = s
	}
}

// Each smooths the n numbers that get points at.
func (g *Gauss) Each(n int, width float64, get func(t int) *float64) {
	v := g.values[:0]
	for t := range n {
		v = append(v, *get(t))
	}
	g.values = v
	g.Smooth(v, width)
	for t := range v {
		*get(t) = v[t]
	}
}

// weights returns half of a Gaussian, cut off at three widths, whose whole sums to 1.
func weights(width float64) []float64 {
	w := make([]float64, int(3*width)+2)
	sum := 0.0
	for k := range w {
		w[k] = math.Exp(-0.5 * float64(k*k) / (width * width))
		sum += w[k]
		if k > 0 {
			sum += w[k]
		}
	}
	for k := range w {
		w[k] /= sum
	}
	return w
}
