package verdict

import (
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/perception/multiview"
	"github.com/mitori-robotics/mitori/perception/sight"
)

// fourCameras is good evidence of four cameras that agree.
func fourCameras() *Evidence {
	e := &Evidence{Span: sight.Span{FromS: 0, ToS: 4}, CameraHeightM: 1, StanceShare: 0.9}
	c := &Cameras{Report: multiview.Report{Agree: true, UpFrom: "calibration", SeenByTwo: 1}}
	for _, n := range []string{"north", "east", "south", "west"} {
		c.Cameras = append(c.Cameras, multiview.CameraReport{
			Camera: n, Video: n + ".mp4", Used: true, MisfitM: 0.03, Certainty: 0.8, SeenShare: 1, ToS: 4,
		})
	}
	e.Cameras = c
	return e
}

// Each thing that may be wrong with cameras has its grade and names the camera.
func TestCameras(t *testing.T) {
	if v := Judge(fourCameras()); v.Grade != Good || len(v.Warnings) > 0 {
		t.Fatalf("%+v", v)
	}
	for name, x := range map[string]struct {
		spoil func(c *Cameras)
		grade Grade
		says  []string
	}{
		"bumped":      {func(c *Cameras) { c.Cameras[1].Used, c.Cameras[1].MisfitM = false, 0.31 }, Doubtful, []string{"camera east", "east.mp4", "0.31 m", "another camera"}},
		"moved":       {func(c *Cameras) { c.Cameras[2].Moved = [][2]float64{{1.5, 4}} }, Doubtful, []string{"camera south", "1.5 to 4.0 s"}},
		"nobody fits": {func(c *Cameras) { c.Agree = false }, Refused, []string{"north (north.mp4)", "calibrate anew"}},
		"exchanged": {func(c *Cameras) { c.Order = []string{"north", "south", "east", "west"} }, Refused,
			[]string{"east.mp4 was filmed by camera south", "south.mp4 was filmed by camera east"}},
		"shaky":     {func(c *Cameras) { c.Sways = map[string]float64{"west": 0.2} }, Doubtful, []string{"camera west", "20 %"}},
		"unplugged": {func(c *Cameras) { c.Cameras[3].ToS = 2 }, Good, []string{"camera west", "0.0 to 2.0 s"}},
		"no motion": {func(c *Cameras) { c.Cameras[3].Certainty = 0 }, Good, []string{"clock of camera west", "--sync"}},
		"nobody":    {func(c *Cameras) { c.Nobody = []string{"up.mp4"} }, Doubtful, []string{"up.mp4"}},
		"alone":     {func(c *Cameras) { c.SeenByTwo = 0.3 }, Doubtful, []string{"30 %"}},
		"axis":      {func(c *Cameras) { c.UpFrom, c.UpOffDeg = "axis", 88 }, Good, []string{"88 degrees", "another axis"}},
	} {
		e := fourCameras()
		x.spoil(e.Cameras)
		v := Judge(e)
		text := strings.Join(v.Warnings, "\n")
		if v.Grade != x.grade || len(v.Warnings) != 1 {
			t.Errorf("%s: %s, %q", name, v.Grade, v.Warnings)
		}
		for _, s := range x.says {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %q does not say %q", name, text, s)
			}
		}
	}
	e := fourCameras()
	e.Cameras.SyncGiven, e.Cameras.Cameras[3].Certainty = true, 0
	if v := Judge(e); len(v.Warnings) > 0 {
		t.Errorf("given clocks are doubted: %q", v.Warnings)
	}
}
