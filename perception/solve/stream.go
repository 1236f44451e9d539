package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// stream holds the landmarks on a uniform time grid, one slice per coordinate,
// so that filters run along time.
type stream struct {
	grid
	px    [landmark.Num][2][]float64
	world [landmark.Num][3][]float64
	// conf is visibility, 0 where both neighbours in time were invented.
	conf [landmark.Num][]float64
}

func (s *stream) worldAt(t, j int) spatial.Vec3 {
	return spatial.Vec3{s.world[j][0][t], s.world[j][1][t], s.world[j][2][t]}
}

const (
	lowVisibility  = 0.3  // below: the network is guessing
	bridgeS        = 0.35 // a guessed landmark is bridged from good ones this near in time, else kept
	hampelHalfS    = 0.13
	hampelFloorRel = 0.05 // of the torso length: smaller deviations are never outliers
)

// grid is a uniform row of n instants from startS on, fps of them a second.
type grid struct {
	fps, startS float64
	n           int
}

// newGrid spans the frames; fps 0 takes their median rate.
func newGrid(frames []landmark.Frame, fps float64) grid {
	m := len(frames)
	if fps == 0 {
		step := medianStep(frames)
		fps = math.Min(1000, 1/step)
		if r := math.Round(fps); abs(fps-r) < 0.002*fps { // 59.99 from rounded time stamps
			fps = r
		}
	}
	return grid{fps, frames[0].TimeS, max(2, int(math.Round((frames[m-1].TimeS-frames[0].TimeS)*fps))+1)}
}

// medianStep is the usual time between two frames, seconds.
func medianStep(frames []landmark.Frame) float64 {
	steps := make([]float64, 0, len(frames))
	for i := 1; i < len(frames); i++ {
		steps = append(steps, frames[i].TimeS-frames[i-1].TimeS)
	}
	return median(steps)
}

// newStream gates, cleans and resamples frames (all Found, swaps repaired) to the
// grid. It returns the share of samples rejected as outliers.
func newStream(frames []landmark.Frame, g grid) (*stream, float64) {
	m, fps := len(frames), g.fps
	times := make([]float64, m)
	for i := range frames {
		times[i] = frames[i].TimeS
	}
	step := medianStep(frames)
	s := &stream{grid: g}
	half := max(2, int(math.Round(hampelHalfS/step)))
	torsoPx, torsoM := torsoSize(frames)

	x, valid, bad := make([]float64, m), make([]bool, m), make([]bool, m)
	rejected, total := 0, 0
	for j := range landmark.Num {
		trusted := bridgeable(frames, j)
		outlier := make([]bool, m)
		mark := func(floor float64, at func(*landmark.Frame) float64) {
			for i := range frames {
				x[i], valid[i] = at(&frames[i]), trusted[i]
			}
			hampel(bad, x, valid, half, floor)
			for i := range bad {
				outlier[i] = outlier[i] || bad[i]
			}
		}
		for k := range 2 {
			mark(hampelFloorRel*torsoPx, func(f *landmark.Frame) float64 { return f.Landmarks[j].Px()[k] })
		}
		for k := range 3 {
			mark(1.5*hampelFloorRel*torsoM, func(f *landmark.Frame) float64 { return f.WorldM[j][k] })
		}
		for i := range frames {
			valid[i] = trusted[i] && !outlier[i]
			total++
			if outlier[i] {
				rejected++
			}
		}
		fill := func(at func(*landmark.Frame) float64) []float64 {
			for i := range frames {
				x[i] = at(&frames[i])
			}
			return resample(times, x, valid, s.startS, fps, s.n)
		}
		for k := range 2 {
			s.px[j][k] = fill(func(f *landmark.Frame) float64 { return f.Landmarks[j].Px()[k] })
		}
		for k := range 3 {
			s.world[j][k] = fill(func(f *landmark.Frame) float64 { return f.WorldM[j][k] })
		}
		s.conf[j] = make([]float64, s.n)
		near := 0
		for t := range s.n {
			at := s.startS + float64(t)/fps
			for near+1 < m && abs(times[near+1]-at) <= abs(times[near]-at) {
				near++
			}
			if valid[near] && abs(times[near]-at) <= 0.75*step {
				s.conf[j][t] = math.Max(0, math.Min(1, frames[near].Landmarks[j].Visibility))
			}
		}
	}
	return s, float64(rejected) / float64(total)
}

// bridgeable tells which samples of landmark j to use: the visible ones, and
// guessed ones where no visible one is near on both sides to bridge from.
func bridgeable(frames []landmark.Frame, j int) []bool {
	m := len(frames)
	use := make([]bool, m)
	next := make([]int, m+1)
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
			use[i] = true
			continue
		}
		use[i] = prev < 0 || next[i] == m || frames[next[i]].TimeS-frames[prev].TimeS > bridgeS
	}
	return use
}

// resample interpolates the valid samples of x linearly at n times from startS
// on, 1/fps apart, holding the first and the last value outside.
func resample(times, x []float64, valid []bool, startS, fps float64, n int) []float64 {
	ts, xs := make([]float64, 0, len(x)), make([]float64, 0, len(x))
	for i := range x {
		if valid[i] {
			ts, xs = append(ts, times[i]), append(xs, x[i])
		}
	}
	if len(ts) == 0 { // a landmark that was an outlier everywhere: take it as it is
		ts, xs = times, x
	}
	out := make([]float64, n)
	i := 0
	for t := range out {
		at := startS + float64(t)/fps
		for i+1 < len(ts) && ts[i+1] <= at {
			i++
		}
		switch {
		case at <= ts[0]:
			out[t] = xs[0]
		case i+1 == len(ts):
			out[t] = xs[i]
		default:
			out[t] = xs[i] + (xs[i+1]-xs[i])*(at-ts[i])/(ts[i+1]-ts[i])
		}
	}
	return out
}

// smooth runs the low-pass filter over every coordinate.
func (s *stream) smooth(cutoffHz float64) {
	for j := range landmark.Num {
		for k := range 2 {
			lowPass(s.px[j][k], s.fps, cutoffHz)
		}
		for k := range 3 {
			lowPass(s.world[j][k], s.fps, cutoffHz)
		}
	}
}
