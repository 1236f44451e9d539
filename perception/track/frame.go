package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/scene"
)

// NumLandmarks is the size of the BlazePose body landmark set.
const NumLandmarks = 33

// Indices of the BlazePose landmarks. Left and right are the person's.
const (
	Nose = iota
	LeftEyeInner
	LeftEye
	LeftEyeOuter
	RightEyeInner
	RightEye
	RightEyeOuter
	LeftEar
	RightEar
	MouthLeft
	MouthRight
	LeftShoulder
	RightShoulder
	LeftElbow
	RightElbow
	LeftWrist
	RightWrist
	LeftPinky
	RightPinky
	LeftIndex
	RightIndex
	LeftThumb
	RightThumb
	LeftHip
	RightHip
	LeftKnee
	RightKnee
	LeftAnkle
	RightAnkle
	LeftHeel
	RightHeel
	LeftFootIndex
	RightFootIndex
)

// Landmark is one body point in the picture. X grows to the right and Y down,
// in pixels of the upright (rotation-corrected) frame; Z is depth in the same
// unit, negative towards the camera, relative to the middle of the hips.
type Landmark struct {
	XPx, YPx, ZPx float64
	// Visibility is the network's probability that the point is in the
	// picture and not hidden; Presence that it is in the picture at all.
	Visibility, Presence float64
}

// ROI is the rotated square around a person that the landmark network sees.
type ROI struct {
	CentreXPx, CentreYPx float64
	SidePx               float64
	// RotationRad turns the picture's axes into the square's: positive is
	// clockwise on the screen, 0 for a person standing upright.
	RotationRad float64
}

// Valid reports a finite square of at least one pixel.
func (r ROI) Valid() bool {
	for _, v := range [4]float64{r.CentreXPx, r.CentreYPx, r.SidePx, r.RotationRad} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return r.SidePx >= 1
}

// Frame is what was seen of the person in one video frame.
type Frame struct {
	// Index counts the video's frames from the start of the file; TimeS is
	// the presentation time stamp, strictly increasing within a result.
	Index int
	TimeS float64
	// Found is false where the person was not seen; then everything below
	// but Scene is zero.
	Found bool
	// Presence is the network's probability that ROI holds a person.
	Presence float64
	ROI      ROI
	// Landmarks are in pixels of the upright frame.
	Landmarks [NumLandmarks]Landmark
	// World holds the same points in metres with the origin in the middle
	// of the hips: x right, y down, z away from the camera, in the axes of
	// the picture. Its size is biased towards an average adult.
	World [NumLandmarks]spatial.Vec3
	// Scene is how the surroundings differ from those in the picture before;
	// it is known whether the person was found or not.
	Scene scene.Change

	// wear tells the person from others when the frame is the start of a
	// backward pass.
	wear clothes
}

// Stats summarises a pass over a video.
type Stats struct {
	Frames int `json:"frames"` // read
	Missed int `json:"missed"` // in which the person was not found
	// Filled counts frames that only the backward pass could lock.
	Filled     int `json:"filled"`
	Detections int `json:"detections"` // runs of the person detector
	Losses     int `json:"losses"`     // times the person was lost after having been followed
	// LongestGap is the longest run of missed frames.
	LongestGap int `json:"longest_gap"`
}
