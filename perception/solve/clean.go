package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
)

const (
	lowVisibility  = 0.3  // below: the network is guessing
	bridgeS        = 0.35 // a guessed landmark is bridged from good ones this near in time, else kept
	hampelHalfS    = 0.13
	hampelFloorRel = 0.05 // of the torso length: smaller deviations are never outliers
)

// cleaner tells good samples from bad ones, landmark by landmark, and resamples the
// good ones. Its memory serves again and again.
type cleaner struct {
	times           []float64
	step            float64 // usual time between two frames, s
	half            int     // frames to both sides of Hampel's window
	torsoPx, torsoM float64

	valid, outlier, bad []bool // of the landmark at hand, by frame
	trusted             []bool
	next                []int
	x, window, ts, xs   []float64
	padded              []float64
}

// begin measures the frames.
func (c *cleaner) begin(frames []landmark.Frame) {
	m := len(frames)
	c.times, c.x = sized(c.times, m), sized(c.x, m)
	for i := range frames {
		c.times[i] = frames[i].TimeS
	}
	c.step = medianStep(frames)
	c.half = max(2, int(math.Round(hampelHalfS/c.step)))
	c.torsoPx, c.torsoM = torsoSize(frames)
	c.valid, c.outlier = sized(c.valid, m), sized(c.outlier, m)
	c.bad, c.trusted = sized(c.bad, m), sized(c.trusted, m)
	c.next = sized(c.next, m+1)
}

// coordinate is x, y in the picture and x, y, z in the world of a landmark.
func coordinate(f *landmark.Frame, j landmark.Index, k int) float64 {
	switch k {
	case 0:
		return f.Landmarks[j].XPx
	case 1:
		return f.Landmarks[j].YPx
	}
	return f.WorldM[j][k-2]
}

// judge finds the valid samples of a landmark and returns the number of outliers.
func (c *cleaner) judge(frames []landmark.Frame, j landmark.Index) (outliers int) {
	c.bridgeable(frames, j)
	clear(c.outlier)
	for k := range 5 {
		floor := hampelFloorRel * c.torsoPx
		if k >= 2 {
			floor = 1.5 * hampelFloorRel * c.torsoM
		}
		for i := range frames {
			c.x[i] = coordinate(&frames[i], j, k)
		}
		c.window = hampel(c.window, c.bad, c.x, c.trusted, c.half, floor)
		for i, bad := range c.bad {
			c.outlier[i] = c.outlier[i] || bad
		}
	}
	for i := range frames {
		c.valid[i] = c.trusted[i] && !c.outlier[i]
		if c.outlier[i] {
			outliers++
		}
	}
	return outliers
}

// bridgeable marks as trusted the samples of landmark j to use: the visible ones,
// and guessed ones where no visible one is near on both sides to bridge from.
func (c *cleaner) bridgeable(frames []landmark.Frame, j landmark.Index) {
	m := len(frames)
	next := c.next
	next[m] = m
	for i := m - 1; i >= 0; i-- {
		next[i] = next[i+1]
		if frames[i].Landmarks[j].Visibility >= lowVisibility {
			next[i] = i
		}
	}
	prev := -1
	for i := range frames {
		if next[i] == i {
			prev = i
			c.trusted[i] = true
			continue
		}
		c.trusted[i] = prev < 0 || next[i] == m || frames[next[i]].TimeS-frames[prev].TimeS > bridgeS
	}
}

// resample interpolates the valid samples of a coordinate linearly at the instants
// of the grid, holding the first and the last value outside. The result is in the
// memory of dst if that is enough.
func (c *cleaner) resample(dst []float64, frames []landmark.Frame, j landmark.Index, k int, g grid) []float64 {
	ts, xs := c.ts[:0], c.xs[:0]
	for i := range frames {
		c.x[i] = coordinate(&frames[i], j, k)
		if c.valid[i] {
			ts, xs = append(ts, c.times[i]), append(xs, c.x[i])
		}
	}
	if len(ts) == 0 { // a landmark that was an outlier everywhere: take it as it is
		ts, xs = append(ts, c.times...), append(xs, c.x...)
	}
	c.ts, c.xs = ts, xs
	dst = sized(dst, g.n)
	i := 0
	for t := range dst {
		at := g.startS + float64(t)/g.fps
		for i+1 < len(ts) && ts[i+1] <= at {
			i++
		}
		switch {
		case at <= ts[0]:
			dst[t] = xs[0]
		case i+1 == len(ts):
			dst[t] = xs[i]
		default:
			dst[t] = xs[i] + (xs[i+1]-xs[i])*(at-ts[i])/(ts[i+1]-ts[i])
		}
	}
	return dst
}

// confidence is the visibility of the nearest valid sample, 0 where none is near.
func (c *cleaner) confidence(dst []float64, frames []landmark.Frame, j landmark.Index, g grid) []float64 {
	dst = sized(dst, g.n)
	near := 0
	for t := range dst {
		dst[t] = 0
		at := g.startS + float64(t)/g.fps
		for near+1 < len(c.times) && abs(c.times[near+1]-at) <= abs(c.times[near]-at) {
			near++
		}
		if c.valid[near] && abs(c.times[near]-at) <= 0.75*c.step {
			dst[t] = math.Max(0, math.Min(1, frames[near].Landmarks[j].Visibility))
		}
	}
	return dst
}
