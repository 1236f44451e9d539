package solve

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// NumLandmarks is the size of the BlazePose GHUM body landmark set.
const NumLandmarks = 33

// Landmarks used here, in BlazePose order. Left is the person's left; the
// right-hand partner of a left landmark is the next index, except in the face.
const (
	nose      = 0
	leftEar   = 7
	rightEar  = 8
	lShoulder = 11
	rShoulder = 12
	lElbow    = 13
	rElbow    = 14
	lWrist    = 15
	rWrist    = 16
	lPinky    = 17
	rPinky    = 18
	lIndex    = 19
	rIndex    = 20
	lHip      = 23
	rHip      = 24
	lKnee     = 25
	rKnee     = 26
	lAnkle    = 27
	rAnkle    = 28
	lHeel     = 29
	rHeel     = 30
	lToe      = 31
	rToe      = 32
)

// partner lists, for every landmark, the one on the other side of the body.
var partner = [NumLandmarks]int{0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19,
	22, 21, 24, 23, 26, 25, 28, 27, 30, 29, 32, 31}

// Frame is what the pose network saw in one picture.
type Frame struct {
	TimeS float64 // presentation time, strictly increasing
	Found bool    // false: the rest is ignored
	// ImagePx holds the landmarks in pixels, x right, y down.
	ImagePx [NumLandmarks][2]float64
	// Visibility is the network's probability that a landmark is visible.
	Visibility [NumLandmarks]float64
	// WorldM holds the landmarks in metres from the middle of the hips, in
	// camera axes: x right, y down, z away from the camera.
	WorldM [NumLandmarks]spatial.Vec3
}

// Input is the landmark stream of one person filmed by one still camera.
type Input struct {
	WidthPx, HeightPx int
	Frames            []Frame
}

// Options steers Solve. The zero value is a sound default.
type Options struct {
	// HeightM is the stature of the person; 0 means unknown: 1.70 m is assumed.
	HeightM float64
	// FPS is the rate of the motion; 0 takes the median rate of the input.
	FPS float64
	// CutoffHz is where the zero-phase low-pass filter of order 4 lets half
	// the power through; 0 means 6 Hz.
	CutoffHz float64
	// FocalPx is the focal length of the camera in pixels; 0 assumes 0.9 of
	// the longer side of the picture, a typical phone or web camera.
	FocalPx float64
	// UpInCamera is the direction against gravity in camera axes, when it is
	// known ({0, -1, 0}: level camera); nil estimates it from the person.
	UpInCamera *spatial.Vec3
}

// Defaults and limits of Options.
const (
	assumedHeightM    = 1.70
	defaultCutoffHz   = 6.0
	assumedFocalRatio = 0.9
	minFoundFrames    = 10
)

// ErrNoPerson says that too few frames show a person.
var ErrNoPerson = errors.New("no person to follow")

// Report tells what Solve found out and what it had to repair.
type Report struct {
	FramesIn      int     `json:"frames_in"`
	FramesMissed  int     `json:"frames_missed"`   // without a person, anywhere in the input
	LongestGapS   float64 `json:"longest_gap_s"`   // longest time without a person between two sightings
	SwappedFrames int     `json:"swapped_frames"`  // frames whose left and right were exchanged back
	OutlierShare  float64 `json:"outlier_share"`   // share of landmark samples rejected
	HeightM       float64 `json:"height_m"`        // stature used
	HeightAssumed bool    `json:"height_assumed"`  // nobody gave the stature
	FocalPx       float64 `json:"focal_px"`        // focal length used
	CameraTiltDeg float64 `json:"camera_tilt_deg"` // angle between the picture's vertical and gravity
	CameraHeightM float64 `json:"camera_height_m"` // of the camera above the floor
	MeanReprojPx  float64 `json:"mean_reproj_px"`  // mean distance between solved and seen landmarks
	StanceShare   float64 `json:"stance_share"`    // share of frames with a foot on the floor
	// BoneM holds the lengths used, by name.
	BoneM map[string]float64 `json:"bone_m"`
	// UpInCamera is the direction against gravity in camera axes.
	UpInCamera spatial.Vec3 `json:"up_in_camera"`
}

// check refuses what cannot be solved and counts what was seen.
func (in *Input) check(opt *Options) (found int, err error) {
	if in.WidthPx < 16 || in.HeightPx < 16 {
		return 0, fmt.Errorf("solve: picture of %d x %d pixels; legal: at least 16 x 16", in.WidthPx, in.HeightPx)
	}
	if h := opt.HeightM; h != 0 && !(h >= 0.4 && h <= 2.6) {
		return 0, fmt.Errorf("solve: the person's height is %g m; legal: 0.4 to 2.6", h)
	}
	if f := opt.FPS; f != 0 && !(f >= 5 && f <= 1000) {
		return 0, fmt.Errorf("solve: rate %g frames/s; legal: 5 to 1000", f)
	}
	if c := opt.CutoffHz; c != 0 && !(c >= 0.5) {
		return 0, fmt.Errorf("solve: cut-off %g Hz; legal: 0.5 or more", c)
	}
	if f := opt.FocalPx; f != 0 && !(f >= 50) {
		return 0, fmt.Errorf("solve: focal length %g px; legal: 50 or more", f)
	}
	if u := opt.UpInCamera; u != nil && !(math.Abs(u.Norm()-1) < 1e-3) {
		return 0, fmt.Errorf("solve: up direction %v is not a unit vector", *u)
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
		for j := range NumLandmarks {
			s := f.Visibility[j] + f.ImagePx[j][0] + f.ImagePx[j][1] + f.WorldM[j][0] + f.WorldM[j][1] + f.WorldM[j][2]
			if math.IsNaN(s) || math.IsInf(s, 0) {
				return 0, fmt.Errorf("solve: frame %d, landmark %d: not a number", i, j)
			}
		}
	}
	if found < minFoundFrames {
		return found, fmt.Errorf("solve: %w: seen in %d of %d frames, at least %d are needed", ErrNoPerson, found, len(in.Frames), minFoundFrames)
	}
	return found, nil
}
