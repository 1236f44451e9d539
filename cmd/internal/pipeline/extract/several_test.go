package extract

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// ring films a march by cameras of known places, the second of which starts late.
func ring(t *testing.T, lateS float64) (Options, *human.Motion) {
	t.Helper()
	var truth *human.Motion
	o := Options{Track: track.Options{Person: "best", Model: posenet.Full}, Several: &Several{Set: camera.Set{Up: spatial.Vec3{0, 0, 1}}}}
	for k, azimuth := range []float64{0, 70, -50} {
		look := demonstrator.Options{WidthPx: 288, HeightPx: 360, FPS: 15, Camera: demonstrator.Camera{AzimuthDeg: azimuth, HeightM: 1.2}}
		from, name := 0.5, filepath.Join(t.TempDir(), fmt.Sprintf("view%d.mp4", k))
		if k == 1 {
			from += lateS
		}
		m := demonstratortest.MustFilm(t, name, "march", from, 3, look)
		c, err := look.Calibrated(fmt.Sprintf("view%d", k))
		if err != nil {
			t.Fatal(err)
		}
		o.Several.Set.Cameras = append(o.Several.Set.Cameras, c)
		if k == 0 {
			o.Video, truth = name, m
		} else {
			o.Several.Videos = append(o.Several.Videos, name)
		}
	}
	return o, truth
}

// Three drawn views make one motion, nearer to the truth than one view can be, of a person
// who is measured; a camera that was bumped is named, another calibration refused.
func TestThreeDrawnViewsMakeOneMotion(t *testing.T) {
	o, truth := ring(t, 0.4)
	do := func() (*Result, error) {
		e, err := pipeline.Do(t.Context(), &pipeline.Run{}, Stage(o))
		if errors.Is(err, video.ErrNotBuilt) || err != nil && strings.Contains(err.Error(), "make deps") {
			t.Skip(err)
		}
		return e, err
	}
	e, err := do()
	if err != nil {
		t.Fatal(err)
	}
	c, err := metrics.Compare(e.Motion, truth)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("MPJPE %.1f mm, bone directions %.1f deg, height %.3f m, %+v", c.MPJPEMm, c.JointSwingMeanDeg, e.Report.HeightM, e.Views)
	if c.MPJPEMm > 30 || c.JointSwingMeanDeg > 5.5 || c.RootMeanM > 0.03 || c.HeadingMeanDeg > 6 || c.SideErrorShare > 0 {
		t.Errorf("%+v", c)
	}
	if math.Abs(e.Report.HeightM/1.72-1) > 0.03 || e.Report.HeightAssumed {
		t.Errorf("the person measures %g m", e.Report.HeightM)
	}
	if late := e.Views.Cameras[1].OffsetS; math.Abs(late-0.4) > 0.03 {
		t.Errorf("the second camera started 0.4 s late, found %g s", late)
	}
	if e.Verdict.Grade == verdict.Refused || e.Refusal(o.Video, false) != nil {
		t.Errorf("%+v", e.Verdict)
	}
	right := o.Several.Set.Cameras
	turn := spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, 12*math.Pi/180)
	o.Several.Set.Cameras = append([]camera.Camera(nil), right...)
	for k := 1; k < 3; k++ { // two of three were moved: nobody can tell who is right
		b := &o.Several.Set.Cameras[k]
		b.Rotation, b.TranslationM = turn.Mul(b.Rotation), turn.Rotate(b.TranslationM)
		turn = turn.Mul(turn).Inv()
	}
	if e, err = do(); err == nil {
		err = e.Refusal(o.Video, false)
	}
	if fault.Code(err) != 3 || !strings.Contains(err.Error(), "view1") {
		t.Errorf("another calibration: %v", err)
	}
}

// Choices that do not go together are told before anything is looked at.
func TestSeveralChoices(t *testing.T) {
	for want, x := range map[string]struct {
		c      Choices
		videos []string
	}{
		"--calib FILE":  {Choices{}, []string{"a.mp4", "b.mp4"}},
		"several":       {Choices{Calib: []string{"c.toml"}}, []string{"a.mp4"}},
		"no offset":     {Choices{Calib: []string{"c.toml"}, Sync: "0,later"}, []string{"a.mp4", "b.mp4"}},
		"1 offsets":     {Choices{Calib: []string{"c.toml"}, Sync: "0.2"}, []string{"a.mp4", "b.mp4"}},
		"legal: up to":  {Choices{Calib: []string{"c.toml"}}, make([]string, 9)},
		"no such file":  {Choices{Calib: []string{"c.toml"}, Sync: "none"}, []string{"a.mp4", "b.mp4"}},
		"no such file ": {Choices{Calib: []string{"c.toml"}, Sync: "0, 0.37s"}, []string{"a.mp4", "b.mp4"}},
	} {
		x.c.Model, x.c.Person, x.c.Runtime = "full", "best", "auto"
		if _, err := x.c.Options(x.videos...); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
