package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// A foot flat on the floor that points at the camera shows its toe below its heel
// the more the higher the camera looks down on it. The network's feet show it too
// steep when they are seen from low, and too flat when from high; the line was
// fitted to rendered people before eleven cameras, heights 0.4 to 2.0 m.
const (
	feetSteep = 5.0 * math.Pi / 180
	feetGain  = 0.75
	// footAcross is the share of its length that a foot must point along the view.
	footAcross = 0.6
	// footStill: moving feet are not flat.
	footStill = 0.3
)

// seeFeet reads off the frames (swaps repaired) how the feet are seen, in a picture
// of that size by a person of heightM.
func seeFeet(frames []landmark.Frame, widthPx, heightPx int, heightM float64) (v feetView) {
	torsoPx, torsoM := torsoSize(frames)
	v.metrePerPx = heightM * markRatio[trunk] / torsoPx
	speeds := footSpeeds(frames, torsoM/torsoPx)
	heel, long := (heelSeenHeight-toeSeenHeight)*heightM, (toeSeenAhead-heelSeenAhead)*heightM
	var angles, xs, ys []float64
	for i := range frames {
		f := &frames[i]
		ahead := -facing(&f.WorldM)[2]
		for side := range 2 {
			a, b := &f.Landmarks[landmark.LHeel+side], &f.Landmarks[landmark.LToe+side]
			if speeds[i][side] > footStill || math.Min(a.Visibility, b.Visibility) < lowVisibility {
				continue
			}
			xs = append(xs, (a.XPx+b.XPx-float64(widthPx))/2)
			ys = append(ys, (a.YPx+b.YPx-float64(heightPx))/2)
			across := (b.XPx - a.XPx) * v.metrePerPx / long
			if abs(across) > 1-footAcross*footAcross || abs(ahead) < footAcross {
				continue
			}
			down := ((b.YPx-a.YPx)*v.metrePerPx - heel) / (long * math.Sqrt(1-across*across))
			angles = append(angles, math.Asin(math.Max(-1, math.Min(1, math.Copysign(down, down*ahead)))))
		}
	}
	if len(xs) == 0 {
		v.metrePerPx = 0
		return v
	}
	v.px = [2]float64{median(xs), median(ys)}
	if len(angles) >= minFoundFrames {
		v.seen, v.depression = true, (median(angles)-feetSteep)/feetGain
	}
	return v
}
