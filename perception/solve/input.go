package solve

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/lines"
)

// Options steers Solve. The zero value is a sound default.
type Options struct {
	// HeightM is the stature of the person; 0 means unknown: 1.70 m is assumed.
	HeightM float64
	// FPS is the rate of the motion; 0 takes the median rate of the input.
	FPS float64
	// CutoffHz is where the zero-phase low-pass filter of order 4 lets half
	// the power through; 0 means 6 Hz.
	CutoffHz float64
	// FocalPx is the focal length of the camera in pixels; 0 takes FovRad, and
	// where that is 0, too, an estimate (see findCamera).
	FocalPx float64
	// FovRad is the field of view across the height of the picture; 0: unknown.
	FovRad float64
	// FocalFromFile says that FocalPx is what the camera wrote into the file: of
	// its lens, rounded, and without what stabilising the picture cut off.
	FocalFromFile bool
	// UpInCamera is the direction against gravity in camera axes, when it is
	// known ({0, -1, 0}: level camera); nil estimates it from the person.
	UpInCamera *spatial.Vec3
	// PitchRad is how far the camera looks down, when that alone is known.
	PitchRad *float64
	// CameraHeightM is how high over the floor the camera stands; 0: unknown.
	CameraHeightM float64
	// Scene is the straight edges around the person; nil where there is no picture.
	Scene *lines.View `json:"-"`
}

// Defaults and limits of Options.
const (
	assumedHeightM  = 1.70
	defaultCutoffHz = 6.0
	minFoundFrames  = 10
)

// Report tells what Solve found out and what it had to repair.
type Report struct {
	FramesIn      int     `json:"frames_in"`
	FramesMissed  int     `json:"frames_missed"`  // without a person, anywhere in the input
	LongestGapS   float64 `json:"longest_gap_s"`  // longest time without a person between two sightings
	SwappedFrames int     `json:"swapped_frames"` // frames whose left and right were exchanged back
	OutlierShare  float64 `json:"outlier_share"`  // share of landmark samples rejected
	HeightM       float64 `json:"height_m"`       // stature used
	HeightAssumed bool    `json:"height_assumed"` // nobody gave the stature
	FocalPx       float64 `json:"focal_px"`       // focal length used
	// FocalSource is where it is from: given, file, estimated or, where nothing
	// tells, assumed; nine times in ten the true one lies between low and high.
	FocalSource   string  `json:"focal_source"`
	FocalLowPx    float64 `json:"focal_low_px"`
	FocalHighPx   float64 `json:"focal_high_px"`
	CameraTiltDeg float64 `json:"camera_tilt_deg"` // angle between the picture's vertical and gravity
	// TiltDoubtDeg is the standard deviation of the direction of gravity; 0: given.
	TiltDoubtDeg  float64 `json:"tilt_doubt_deg"`
	CameraHeightM float64 `json:"camera_height_m"` // of the camera above the floor
	// LevelsM are the heights of steps and boxes on which the person stood, above the
	// lowest floor; empty where there is one floor.
	LevelsM      []float64 `json:"levels_m,omitempty"`
	MeanReprojPx float64   `json:"mean_reproj_px"` // mean distance between solved and seen landmarks
	StanceShare  float64   `json:"stance_share"`   // share of frames with a foot on the floor
	// BoneM holds the lengths used, by name.
	BoneM map[string]float64 `json:"bone_m"`
	// UpInCamera is the direction against gravity in camera axes.
	UpInCamera spatial.Vec3 `json:"up_in_camera"`
}

// complete fills in what was left open; assumed tells whether that holds for the
// person's height.
func (o Options) complete(widthPx, heightPx int) (full Options, assumed bool) {
	if o.HeightM == 0 {
		o.HeightM, assumed = assumedHeightM, true
	}
	if o.FovRad > 0 {
		o.FocalPx = float64(heightPx) / 2 / math.Tan(o.FovRad/2)
	}
	if o.CutoffHz == 0 {
		o.CutoffHz = defaultCutoffHz
	}
	return o, assumed
}

// newLens is the lens of a camera whose axis meets the middle of the picture.
func newLens(widthPx, heightPx int, focalPx float64) lens {
	return lens{focalPx, [2]float64{float64(widthPx) / 2, float64(heightPx) / 2}}
}

// check refuses options and sizes that mean nothing.
func (o *Options) check(widthPx, heightPx int) error {
	if widthPx < 16 || heightPx < 16 {
		return fmt.Errorf("solve: picture of %d x %d pixels; legal: at least 16 x 16", widthPx, heightPx)
	}
	if h := o.HeightM; h != 0 && !(h >= 0.4 && h <= 2.6) {
		return fmt.Errorf("solve: the person's height is %g m; legal: 0.4 to 2.6", h)
	}
	if f := o.FPS; f != 0 && !(f >= 5 && f <= 1000) {
		return fmt.Errorf("solve: rate %g frames/s; legal: 5 to 1000", f)
	}
	if c := o.CutoffHz; c != 0 && !(c >= 0.5) {
		return fmt.Errorf("solve: cut-off %g Hz; legal: 0.5 or more", c)
	}
	if f := o.FocalPx; f != 0 && !(f >= 50) {
		return fmt.Errorf("solve: focal length %g px; legal: 50 or more", f)
	}
	if f := o.FovRad; f != 0 && !(f >= 0.05 && f <= 2.5) {
		return fmt.Errorf("solve: field of view %g rad; legal: 0.05 to 2.5", f)
	}
	if p := o.PitchRad; p != nil && !(math.Abs(*p) < 1.5) {
		return fmt.Errorf("solve: camera pitch %g rad; legal: -1.5 to 1.5", *p)
	}
	if h := o.CameraHeightM; h != 0 && !(h > 0 && h <= 20) {
		return fmt.Errorf("solve: camera height %g m; legal: above 0 to 20", h)
	}
	if u := o.UpInCamera; u != nil && !(math.Abs(u.Norm()-1) < 1e-3) {
		return fmt.Errorf("solve: up direction %v is not a unit vector", *u)
	}
	return nil
}

// check refuses what cannot be solved and counts what was seen.
func check(in *landmark.Clip, opt *Options) (found int, err error) {
	if err := opt.check(in.WidthPx, in.HeightPx); err != nil {
		return 0, err
	}
	last := math.Inf(-1)
	for i := range in.Frames {
		f := &in.Frames[i]
		if !(f.TimeS > last) || math.IsInf(f.TimeS, 0) {
			return 0, fmt.Errorf("solve: frame %d has time stamp %g s after %g s; legal: strictly increasing", i, f.TimeS, last)
		}
		last = f.TimeS
		if !f.Found {
			continue
		}
		found++
		if j := broken(f); j >= 0 {
			return 0, fmt.Errorf("solve: frame %d, %s: not a number", i, landmark.Name(j))
		}
	}
	if found < minFoundFrames {
		return found, fmt.Errorf("solve: %w for long enough: seen in %d of %d frames, at least %d are needed", landmark.ErrNoPerson, found, len(in.Frames), minFoundFrames)
	}
	return found, nil
}

// broken returns the first landmark of f that is not a number, -1 if all are.
func broken(f *landmark.Frame) landmark.Index {
	for j := range landmark.Num {
		p, w := &f.Landmarks[j], &f.WorldM[j]
		s := p.Visibility + p.XPx + p.YPx + w[0] + w[1] + w[2]
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return j
		}
	}
	return -1
}
