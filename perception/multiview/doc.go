// Package multiview joins what several calibrated cameras saw of one person into
// landmarks in space: it aligns their clocks by the person's motion, finds cameras that
// do not fit the calibration, and left and right exchanged in one view, and triangulates
// every landmark from the views that agree.
//
// Distances between what was seen and what was found are in metres at the person (pixels
// times depth by focal length), so that near and far, sharp and coarse cameras count
// alike. What is not here: networks, files of calibrations (package perception/calib),
// and the skeleton (package perception/solve).
//
// Nothing is kept between calls. Everything is deterministic; a call belongs to one
// goroutine.
package multiview

import (
	"errors"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Bounds of the number of views.
const minViews, maxViews = 2, 8

// ErrTooLittle says that no two views show the person at one time for long enough.
var ErrTooLittle = errors.New("no two cameras show the person at the same time")

// View is what one camera saw of the person.
type View struct {
	Name   string // of the video
	Camera camera.Camera
	Clip   *landmark.Clip // times of its own clock
}

// Options say what is known beforehand.
type Options struct {
	// OffsetsS, where given, are added to the times of each view to get those of the
	// first; nil finds them by the person's motion.
	OffsetsS []float64
	// Up is the world's direction against gravity, as the calibration says; zero where
	// it does not.
	Up spatial.Vec3
}

// Fused is the person in space.
type Fused struct {
	// Frames are at the rate of the first view and in its time. WorldM are places in the
	// world of the calibration; of the landmarks, Visibility alone is set: how sure a place is.
	Frames []landmark.Frame
	FPS    float64
	// Up is the direction against gravity in that world.
	Up     spatial.Vec3
	Report Report
}

// Report tells how the views agree.
type Report struct {
	Cameras []CameraReport `json:"cameras"`
	// Agree: at least two cameras fit one another, and it is clear which do.
	Agree bool `json:"agree"`
	// Order, where the videos fit the calibration much better in another order: the
	// camera that each video seems to come from.
	Order []string `json:"order,omitempty"`
	// UpFrom is where the direction against gravity comes from: calibration, axis (another
	// axis of the calibration's world), person. UpOffDeg is how far the calibration's own
	// lies from that in which the person stands.
	UpFrom   string  `json:"up_from"`
	UpOffDeg float64 `json:"up_off_deg"`
	// ReprojM is the mean distance of the found from the seen landmarks at the person.
	ReprojM float64 `json:"reproj_m"`
	// SeenByTwo is the share of landmark samples of limbs that two or more views see.
	SeenByTwo float64 `json:"seen_by_two"`
}

// CameraReport is about one view.
type CameraReport struct {
	Camera string `json:"camera"`
	Video  string `json:"video"`
	Used   bool   `json:"used"`
	// MisfitM is the median distance at the person between what it sees and what the
	// others make of the person.
	MisfitM float64 `json:"misfit_m"`
	// ReprojPx is the mean distance of found and seen landmarks in its picture.
	ReprojPx float64 `json:"reproj_px"`
	// OffsetS is added to its time to get that of the first. Certainty: 0, any offset fits
	// as well (nobody moved), 1, surely this one. SyncGiven: somebody gave the offset.
	OffsetS   float64 `json:"offset_s"`
	Certainty float64 `json:"offset_certainty"`
	// SeenShare is the share of the motion's frames in which it shows the person.
	SeenShare float64 `json:"seen_share"`
	// SwappedFrames are those whose left and right were exchanged back.
	SwappedFrames int `json:"swapped_frames"`
	// Moved are the stretches, in seconds of the first view, in which it does not fit
	// the others though it does otherwise: it was moved.
	Moved [][2]float64 `json:"moved,omitempty"`
	// FromS and ToS are the first and last sight of the person, in the first view's time.
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
}
