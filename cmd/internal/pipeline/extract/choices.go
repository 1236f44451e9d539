package extract

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Choices are Options as people write them.
type Choices struct {
	Model, Runtime, Person string
	From, To               time.Duration // of the video; a To of 0 is its end
	HeightM, CutoffHz      float64       // 0: what package solve assumes
	Camera                 CameraChoices
}

// CameraChoices say what is known of the camera; nil and 0 stand for nothing.
type CameraChoices struct {
	FovDeg   float64  // across the height of the upright picture
	FocalPx  float64  // in pixels of the upright picture
	PitchDeg *float64 // how far it looks down; negative: up
	HeightM  float64  // over the floor
}

// The legal ranges. A wider lens is no pinhole camera any more.
const (
	leastFovDeg, mostFovDeg   = 5.0, 130.0
	mostPitchDeg              = 85.0
	leastCameraM, mostCameraM = 0.02, 10.0
)

// check reports the first choice that is out of range, or against another one.
func (c *CameraChoices) check() error {
	switch {
	case c.FovDeg != 0 && c.FocalPx != 0:
		return fault.Usage("--fov and --focal exclude each other: both say how wide the camera sees")
	case c.FovDeg != 0 && !(c.FovDeg >= leastFovDeg && c.FovDeg <= mostFovDeg):
		return fault.Usage("--fov is %g degrees; legal: %g to %g", c.FovDeg, leastFovDeg, mostFovDeg)
	case c.FocalPx != 0 && !(c.FocalPx >= 50 && c.FocalPx <= 1e5):
		return fault.Usage("--focal is %g pixels; legal: 50 to 100000", c.FocalPx)
	case c.PitchDeg != nil && !(math.Abs(*c.PitchDeg) <= mostPitchDeg):
		return fault.Usage("--camera-pitch is %g degrees; legal: %g (up) to %g (down)", *c.PitchDeg, -mostPitchDeg, mostPitchDeg)
	case c.HeightM != 0 && !(c.HeightM >= leastCameraM && c.HeightM <= mostCameraM):
		return fault.Usage("--camera-height is %g m; legal: %g to %g", c.HeightM, leastCameraM, mostCameraM)
	}
	return nil
}

// add adds what is known to the options of solving. The focal length of a field of
// view follows when the size of the picture is known.
func (c *CameraChoices) add(o *solve.Options) {
	o.FocalPx, o.CameraHeightM = c.FocalPx, c.HeightM
	o.FovRad = c.FovDeg * math.Pi / 180
	if c.PitchDeg != nil {
		pitch := *c.PitchDeg * math.Pi / 180
		o.PitchRad = &pitch
	}
}

// Options checks the choices for a video. A wrong one is a usage error; a runtime that
// is not there is a failure.
func (c *Choices) Options(clip string) (Options, error) {
	o := Options{
		Video:  clip,
		Window: video.Window{FromS: c.From.Seconds(), ToS: c.To.Seconds()},
		Track:  track.Options{Person: track.Choice(c.Person)},
		Solve:  solve.Options{HeightM: c.HeightM, CutoffHz: c.CutoffHz},
	}
	if err := c.Camera.check(); err != nil {
		return o, err
	}
	c.Camera.add(&o.Solve)
	var err error
	if o.Track.Model, err = posenet.ParseLandmarkModel(c.Model); err != nil {
		return o, fault.Usage("--model: %w", err)
	}
	if err := o.Track.Check(); err != nil {
		return o, fault.Usage("--person: %w", err)
	}
	if err := o.Window.Check(); err != nil {
		return o, fault.Usage("--from, --to: %w", err)
	}
	switch c.Runtime {
	case "auto", "onnxruntime", "opencv":
	default:
		return o, fault.Usage("--runtime %q: legal: auto, onnxruntime, opencv", c.Runtime)
	}
	o.Track.Runtime, err = posenet.ParseRuntime(c.Runtime)
	return o, err
}
