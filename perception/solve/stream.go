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
	conf    [landmark.Num][]float64
	scratch cleaner
	// inSpace: world are places that several cameras saw, without one network's habits.
	inSpace bool
}

func (s *stream) worldAt(t, j int) spatial.Vec3 {
	return spatial.Vec3{s.world[j][0][t], s.world[j][1][t], s.world[j][2][t]}
}

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
	s := &stream{}
	return s, s.load(frames, g)
}

// load is newStream in the memory of s.
func (s *stream) load(frames []landmark.Frame, g grid) (rejected float64) {
	s.grid = g
	c := &s.scratch
	c.begin(frames)
	n := 0
	for j := range landmark.Num {
		n += c.judge(frames, j)
		for k := range 2 {
			s.px[j][k] = c.resample(s.px[j][k], frames, j, k, g)
		}
		for k := range 3 {
			s.world[j][k] = c.resample(s.world[j][k], frames, j, 2+k, g)
		}
		s.conf[j] = c.confidence(s.conf[j], frames, j, g)
	}
	return float64(n) / float64(landmark.Num*len(frames))
}

// smooth runs the low-pass filter over every coordinate.
func (s *stream) smooth(cutoffHz float64) {
	y := s.scratch.padded
	for j := range landmark.Num {
		for k := range 2 {
			y = lowPassIn(y, s.px[j][k], s.fps, cutoffHz)
		}
		for k := range 3 {
			y = lowPassIn(y, s.world[j][k], s.fps, cutoffHz)
		}
	}
	s.scratch.padded = y
}
