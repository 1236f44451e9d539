package retarget

import (
	"math"
	"sort"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// gauss smooths x in place with a Gaussian of the given width in samples, without delay. The ends are mirrored
// through the end points, so that a straight line stays a straight line.
func gauss(x []float64, sigma float64, buf []float64) {
	n := len(x)
	if sigma < 0.2 || n < 3 {
		return
	}
	r := int(3*sigma) + 1
	w := make([]float64, r+1)
	sum := 0.0
	for k := range w {
		w[k] = math.Exp(-0.5 * float64(k*k) / (sigma * sigma))
		sum += w[k]
		if k > 0 {
			sum += w[k]
		}
	}
	for k := range w {
		w[k] /= sum
	}
	buf = buf[:n]
	copy(buf, x)
	at := func(i int) float64 {
		switch {
		case i < 0:
			return 2*buf[0] - buf[min(-i, n-1)]
		case i >= n:
			return 2*buf[n-1] - buf[max(2*(n-1)-i, 0)]
		}
		return buf[i]
	}
	for i := range x {
		s := w[0] * buf[i]
		if i >= r && i+r < n {
			for k := 1; k <= r; k++ {
				s += w[k] * (buf[i-k] + buf[i+k])
			}
		} else {
			for k := 1; k <= r; k++ {
				s += w[k] * (at(i-k) + at(i+k))
			}
		}
		x[i] = s
	}
}

// series gives access to one number per frame.
type series interface {
	~func(t int) *float64
}

// gaussEach smooths the numbers that get points at.
func gaussEach[S series](n int, sigma float64, get S, a, b []float64) {
	a = a[:n]
	for t := range a {
		a[t] = *get(t)
	}
	gauss(a, sigma, b)
	for t := range a {
		*get(t) = a[t]
	}
}

// median returns the middle of the values; they are reordered. 0 for none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sort.Float64s(v)
	return v[len(v)/2]
}

// smoothstep rises from 0 at x <= 0 to 1 at x >= 1 with no speed and no acceleration at the ends.
func smoothstep(x float64) float64 {
	x = clamp(x, 0, 1)
	return x * x * x * (10 - 15*x + 6*x*x)
}

func clamp(x, lo, hi float64) float64 { return math.Min(math.Max(x, lo), hi) }

// angleDiff returns a - b brought into (-pi, pi].
func angleDiff(a, b float64) float64 { return math.Remainder(a-b, 2*math.Pi) }

// turn rotates v about z.
func turn(v spatial.Vec3, yaw float64) spatial.Vec3 {
	s, c := math.Sincos(yaw)
	return spatial.Vec3{c*v[0] - s*v[1], s*v[0] + c*v[1], v[2]}
}

// deadzone shrinks x towards zero by width.
func deadzone(x, width float64) float64 {
	if math.Abs(x) <= width {
		return 0
	}
	return x - math.Copysign(width, x)
}
