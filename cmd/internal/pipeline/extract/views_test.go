package extract

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// view is one camera around a person: the direction against gravity in its axes, how
// far off that may be found, and its focal length, 0 where it is not to be found.
type view struct {
	clip    string
	up      spatial.Vec3
	offDeg  float64
	focalPx float64
}

// Four calibrated cameras around one man, each extracted alone: the motions must
// agree, and so must gravity and focal length with the calibration. The cameras
// look down by about 20 degrees and two are rolled by 12 and 24; in one view the
// network exchanges left and right for a third of the clip.
func TestFourViewsSeeOneMotion(t *testing.T) {
	const data = "../../../../../shared/data/pose2sim"
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := os.Stat(data); err != nil {
		t.Skipf("recordings are not here: %v", err)
	}
	var views []view
	for k, v := range calibrated(t, data+"/calibration/Calib.qca.txt") {
		v.clip, v.offDeg = fmt.Sprintf("%s/videos/cam%02d.mp4", data, k+1), 2
		views = append(views, v)
	}
	// Single views reach 65 to 80 mm against a triangulation of all four.
	seeOneMotion(t, views, 1.71, 130)
}

// The same of a drawn person, seen from before, and from the side by a camera that
// looks down.
func TestTwoDrawnViewsSeeOneMotion(t *testing.T) {
	var views []view
	for k, c := range []demonstrator.Camera{{HeightM: 0.95, DistanceM: 3.6}, {AzimuthDeg: 35, HeightM: 1.6, DistanceM: 3.6}} {
		name := filepath.Join(t.TempDir(), fmt.Sprintf("view%d.mp4", k))
		demonstratortest.MustFilm(t, name, "march", 0.5, 2.5, demonstrator.Options{WidthPx: 288, HeightPx: 360, FPS: 15, Camera: c})
		down := math.Atan2(c.HeightM-0.93, c.DistanceM) // it looks at the middle of the person
		views = append(views, view{clip: name, up: spatial.Vec3{0, -math.Cos(down), -math.Sin(down)}, offDeg: 5})
	}
	seeOneMotion(t, views, 1.72, 110)
}

// seeOneMotion extracts every view alone and compares the motions with each other; farMm bounds their PA-MPJPE.
func seeOneMotion(t *testing.T, views []view, heightM, farMm float64) {
	t.Helper()
	var motions []*human.Motion
	for k, v := range views {
		e, err := pipeline.Do(t.Context(), &pipeline.Run{}, Stage(Options{
			Video: v.clip,
			Track: track.Options{Person: "best", Model: posenet.Full},
			Solve: solve.Options{HeightM: heightM},
		}))
		if errors.Is(err, video.ErrNotBuilt) || err != nil && strings.Contains(err.Error(), "make deps") {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		motions = append(motions, e.Motion)
		if n := e.Track.Stats; n.Missed > n.Frames/20 {
			t.Errorf("camera %d: %d of %d frames missed", k+1, n.Missed, n.Frames)
		}
		if off := math.Acos(e.Report.UpInCamera.Dot(v.up)) * 180 / math.Pi; off > v.offDeg {
			t.Errorf("camera %d: up is %.1f degrees off", k+1, off)
		}
		if r := e.Report; v.focalPx > 0 && math.Abs(r.FocalPx/v.focalPx-1) > 0.12 {
			t.Errorf("camera %d: focal length %.0f px (%.0f to %.0f, %s), %.0f in the calibration", k+1, r.FocalPx, r.FocalLowPx, r.FocalHighPx, r.FocalSource, v.focalPx)
		}
		p := metrics.Plausible(e.Motion)
		if p.FootSlideMaxMPerS > 0.02 || p.SinkMaxM > 0.01 || p.BoneSpreadMm > 1e-6 {
			t.Errorf("camera %d: slide %.3f m/s, sink %.3f m, bones %.3f mm", k+1, p.FootSlideMaxMPerS, p.SinkMaxM, p.BoneSpreadMm)
		}
	}
	for i, a := range motions {
		for j, b := range motions[:i] {
			c, err := metrics.Compare(faceLike(a, b), b)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("cameras %d and %d: PA-MPJPE %.0f mm, root height %.3f m, contacts %.2f alike", j+1, i+1, c.PAMPJPEMm, c.RootHeightMeanM, c.ContactAgreement)
			if c.PAMPJPEMm > farMm || c.RootHeightMeanM > 0.08 || c.ContactAgreement < 0.6 || c.SideErrorShare > 0.05 {
				t.Errorf("cameras %d and %d: %+v", j+1, i+1, c)
			}
		}
	}
}

// faceLike turns a so that its mean heading is that of b.
func faceLike(a, b *human.Motion) *human.Motion {
	heading := func(m *human.Motion) float64 {
		var s, c float64
		for i := range m.Frames {
			y := m.Frames[i].Rotations[human.Pelvis].YawRad()
			s, c = s+math.Sin(y), c+math.Cos(y)
		}
		return math.Atan2(s, c)
	}
	turn := spatial.FromYaw(heading(b) - heading(a))
	out := *a
	out.Frames = append([]human.Pose(nil), a.Frames...)
	for i := range out.Frames {
		for j := range human.NumJoints {
			out.Frames[i].Positions[j] = turn.Rotate(out.Frames[i].Positions[j])
			out.Frames[i].Rotations[j] = turn.Mul(out.Frames[i].Rotations[j])
		}
	}
	return &out
}

// calibrated reads focal length and the direction against gravity in the axes (x right,
// y down, z away) of each camera. In this format the camera looks along -z with y
// up, the rotation is stored by column, and lengths in the picture are in 64ths of a pixel.
func calibrated(t *testing.T, name string) (views []view) {
	t.Helper()
	b, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cameras []struct {
			Transform struct {
				R13 float64 `xml:"r13,attr"`
				R23 float64 `xml:"r23,attr"`
				R33 float64 `xml:"r33,attr"`
			} `xml:"transform"`
			Intrinsic struct {
				FocalU float64 `xml:"focalLengthU,attr"`
			} `xml:"intrinsic"`
		} `xml:"cameras>camera"`
	}
	text := strings.Replace(string(b), "encoding='ASCII'", "", 1)
	if err := xml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cameras {
		up := spatial.Vec3{c.Transform.R13, -c.Transform.R23, -c.Transform.R33}
		views = append(views, view{up: up, focalPx: c.Intrinsic.FocalU / 64})
	}
	if len(views) != 4 {
		t.Fatalf("%d cameras in %s", len(views), name)
	}
	return views
}
