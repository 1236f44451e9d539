package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/scene"
)

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

// Frame is what was seen of the person in one video frame, and how. Where the
// person was not found, everything but Index, TimeS, Disowned and Scene is zero.
type Frame struct {
	landmark.Frame
	// Index counts the video's frames from the start of the file.
	Index int
	// Presence is the network's probability that ROI holds a person.
	Presence float64
	ROI      ROI
	// Disowned is the number of frames before this one that turned out not to
	// show the person after all.
	Disowned int
	// Scene is how the surroundings differ from those in the picture before;
	// it is known whether the person was found or not.
	Scene scene.Change

	// wear tells the person from others when the frame is the start of a
	// backward pass.
	wear clothes
	// others are those who were seen beside the person, where somebody looked.
	others []sighting
	// toFirst maps the picture to that of the first frame in which the person was
	// found, where Result.Camera.Taken.
	toFirst scene.Warp
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

// Clip is the landmark stream alone, for the solver: as from a camera that stays
// where it was at first, if it moved and that could be taken out.
func (r *Result) Clip() *landmark.Clip {
	c := &landmark.Clip{WidthPx: r.Info.WidthPx, HeightPx: r.Info.HeightPx}
	c.Frames = make([]landmark.Frame, len(r.Frames))
	for i := range r.Frames {
		c.Frames[i] = r.Frames[i].Frame
		if r.Camera.Taken {
			c.Frames[i] = r.Frames[i].asFirst()
		}
	}
	return c
}
