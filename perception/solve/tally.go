package solve

import (
	"github.com/mitori-robotics/mitori/models/landmark"
)

// tally counts over the life of a Causal what a Report tells.
type tally struct {
	in, missed, solvedFrames, swapped, stance int
	lastFoundS, longestGapS                   float64
	outliers, reprojPx, weight                float64
	cameraHeightM                             float64
}

// frame counts a frame that was pushed.
func (y *tally) frame(f *landmark.Frame) {
	y.in++
	if !f.Found {
		y.missed++
		return
	}
	if gap := f.TimeS - y.lastFoundS; y.in-y.missed > 1 && gap > y.longestGapS {
		y.longestGapS = gap
	}
	y.lastFoundS = f.TimeS
}

// solved counts a pose, frame t of the window.
func (y *tally) solved(p *problem, c contacts, t int, swapped bool, outliers float64) {
	y.solvedFrames++
	if swapped {
		y.swapped++
	}
	y.outliers += outliers
	p.reprojection(t, &y.reprojPx, &y.weight)
	if stands(&c[t]) {
		y.stance++
	}
	y.cameraHeightM = -p.floor
}

// Report tells what was found out and repaired so far. Figures of the camera and
// the subject are the newest.
func (c *Causal) Report() *Report {
	y := &c.tally
	r := &Report{FramesIn: y.in, FramesMissed: y.missed, LongestGapS: y.longestGapS, SwappedFrames: y.swapped,
		HeightM: c.opt.HeightM, HeightAssumed: c.assumed,
		CameraHeightM: y.cameraHeightM, BoneM: map[string]float64{}}
	r.setFocal(&c.cam)
	r.setUp(c.cam.up)
	for k, l := range c.who.length {
		r.BoneM[boneNames[k]] = l
	}
	if n := float64(y.solvedFrames); n > 0 {
		r.OutlierShare, r.StanceShare, r.MeanReprojPx = y.outliers/n, float64(y.stance)/n, y.reprojPx/y.weight
	}
	return r
}
