package extract

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

// What people say of a camera reaches the solver, and counts more than what the file
// says.
func TestCameraChoices(t *testing.T) {
	file := video.Info{WidthPx: 1080, HeightPx: 1920, FocalPx: 1500}
	pitch := -10.0
	base := Choices{Model: "full", Runtime: "auto", Person: "best"}
	for name, c := range map[string]struct {
		camera   CameraChoices
		focalPx  float64
		fovRad   float64
		fromFile bool
	}{
		"nothing":     {CameraChoices{}, 1500, 0, true},
		"focal":       {CameraChoices{FocalPx: 1000}, 1000, 0, false},
		"fov":         {CameraChoices{FovDeg: 60}, 0, math.Pi / 3, false},
		"pitch":       {CameraChoices{PitchDeg: &pitch}, 1500, 0, true},
		"height of 1": {CameraChoices{HeightM: 1}, 1500, 0, true},
	} {
		x := base
		x.Camera = c.camera
		o, err := x.Options("clip.mp4")
		if err != nil && o.Video == "" {
			t.Fatal(err)
		}
		s := o.solving(file)
		if s.FocalPx != c.focalPx || math.Abs(s.FovRad-c.fovRad) > 1e-9 || s.FocalFromFile != c.fromFile || s.CameraHeightM != c.camera.HeightM {
			t.Errorf("%s: %+v", name, s)
		}
		if (s.PitchRad == nil) != (c.camera.PitchDeg == nil) || s.PitchRad != nil && math.Abs(*s.PitchRad*180/math.Pi-pitch) > 1e-9 {
			t.Errorf("%s: pitch %v", name, s.PitchRad)
		}
	}
	o, _ := base.Options("clip.mp4")
	if s := o.solving(video.Info{}); s.FocalPx != 0 || s.FocalFromFile {
		t.Errorf("a file without a lens: %+v", s)
	}
}
