package calib

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const shared = "../../../shared/data"

func near(a, b, eps float64) bool { return math.Abs(a-b) <= eps }

func write(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What is known of the recordings: four cameras around a man near the origin, who is in
// every picture; z is up.
func TestQualisys(t *testing.T) {
	s, err := Load(filepath.Join(shared, "pose2sim/calibration/Calib.qca.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the recordings are not here")
	}
	if err != nil || len(s.Cameras) != 4 || s.Up != (spatial.Vec3{0, 0, 1}) {
		t.Fatal(err, s)
	}
	for _, c := range s.Cameras {
		px, ok := c.Project(spatial.Vec3{0, 0, 1})
		if !ok || px[0] < 0 || px[0] > 1088 || px[1] < 400 || px[1] > 1500 || c.WidthPx != 1088 || c.HeightPx != 1920 {
			t.Errorf("%s sees the man at %v", c.Name, px)
		}
		above, _ := c.Project(spatial.Vec3{0, 0, 1.5})
		if above[1] > px[1]-50 {
			t.Errorf("%s: up is down", c.Name)
		}
		if z := c.Place()[2]; z < 1.5 || z > 2.3 {
			t.Errorf("%s stands %g m high", c.Name, z)
		}
	}
	if c := s.Cameras[0].Place(); c.Sub(spatial.Vec3{1.4602, -1.9092, 1.8965}).Norm() > 1e-3 {
		t.Errorf("cam01 stands at %v", c)
	}
}

// A calibration of another program; what is written is read again.
func TestTOML(t *testing.T) {
	text := `# a comment
[cam_0]
name = "left" # of the person
size = [ 1768, 994]
matrix = [ [ 2520.5, 0.0, 884.0],
  [ 0.0, 2520.25, 497.0], [ 0.0, 0.0, 1.0],]
distortions = [ 0.1, -0.2, 1e-3, 0.0]
rotation = [ 1.2082126924727719, 1.2098328575850605, -1.2082126924727719]
translation = [ -3.5, 1.7, 10.0]
fisheye = false

["cam 1"]
size = [640, 480]
matrix = [[500, 0, 320], [0, 500, 240], [0, 0, 1]]
distortions = []
rotation = [0.0, 0.0, 0.0]
translation = [0, 0, 3]

[metadata]
adjusted = false
error = 0.25
`
	s, err := Load(write(t, "Calib.toml", text))
	if err != nil || len(s.Cameras) != 2 {
		t.Fatal(err, s)
	}
	c := &s.Cameras[0]
	want := camera.Lens{WidthPx: 1768, HeightPx: 994, FocalPx: [2]float64{2520.5, 2520.25}, CentrePx: [2]float64{884, 497}, Distortion: camera.Distortion{0.1, -0.2, 0.001}}
	if c.Name != "left" || c.Lens != want || s.Cameras[1].Name != "cam 1" || s.ErrorPx != 0.25 || s.Up != (spatial.Vec3{0, 0, 1}) {
		t.Errorf("%+v", s)
	}
	// The camera looks level along -x of this world: z up is up in the picture.
	if up := c.Rotation.Rotate(spatial.Vec3{0, 0, 1}); up[1] > -0.99 {
		t.Errorf("up is %v in the picture", up)
	}
	out := filepath.Join(t.TempDir(), "out.toml")
	if err := Save(out, &s); err != nil {
		t.Fatal(err)
	}
	again, err := Load(out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Cameras {
		a, b := s.Cameras[i], again.Cameras[i]
		if a.Name != b.Name || a.Lens != b.Lens || a.Rotation.Inv().Mul(b.Rotation).Log().Norm() > 1e-12 || a.TranslationM != b.TranslationM {
			t.Errorf("%+v comes back as %+v", a, b)
		}
	}
	extra := s.Cameras[1]
	extra.Name, extra.TranslationM[2] = "third", 4
	if err := Add(out, extra); err != nil {
		t.Fatal(err)
	}
	extra.TranslationM[2] = 5
	if err := Add(out, extra); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(out); err != nil || len(s.Cameras) != 3 || s.Cameras[2].TranslationM[2] != 5 {
		t.Errorf("%v %+v", err, s)
	}
	if s, err := Load(filepath.Join(shared, "sports2d/Calib_demo.toml")); err == nil {
		if up := s.Cameras[0].Rotation.Rotate(s.Up); len(s.Cameras) != 1 || up[1] > -0.99 {
			t.Errorf("%+v", s)
		}
	}
}

const storageText = `%%YAML:1.0
---
calibration_time: "Sun Nov 29 2026"
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.0e+02, 0., 320., 0., 501.,
       240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 0.1, -0.2, 0., 0., 0.05 ]
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 0., 1., 0., 0., 0., -1., -1., 0., 0. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ 0., 1., %g ]
`

// OpenCV's own files, one a camera, and EasyMocap's pair.
func TestOpenCV(t *testing.T) {
	s, err := Load(write(t, "left.yml", fmt.Sprintf(storageText, 3.0)), write(t, "right.yaml", fmt.Sprintf(storageText, 4.0)))
	if err != nil || len(s.Cameras) != 2 || s.Up != (spatial.Vec3{}) {
		t.Fatal(err, s)
	}
	c := &s.Cameras[1]
	if c.Name != "right" || c.WidthPx != 640 || c.FocalPx != [2]float64{500, 501} || c.Distortion != (camera.Distortion{0.1, -0.2, 0, 0, 0.05}) ||
		c.Place().Sub(spatial.Vec3{4, 0, 1}).Norm() > 1e-9 {
		t.Errorf("%+v at %v", c, c.Place())
	}
	matrix := func(key string, v string) string {
		return key + ": !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   data: [" + v + "]\n"
	}
	intri := "%YAML:1.0\n---\nnames:\n   - \"01\"\n   - \"02\"\n"
	extri := intri
	for _, n := range []string{"01", "02"} {
		intri += matrix("K_"+n, "500., 0., 320., 0., 500., 240., 0., 0., 1.") + matrix("dist_"+n, "0., 0., 0., 0., 0.")
		extri += matrix("R_"+n, "0.1, 0.2, 0.3") + matrix("T_"+n, "0., 1., 3."+n)
	}
	s, err = Load(write(t, "intri.yml", intri), write(t, "extri.yml", extri))
	if err != nil || len(s.Cameras) != 2 || s.Cameras[0].Name != "01" || s.Cameras[0].WidthPx != 640 ||
		s.Cameras[1].Rotation.Log().Sub(spatial.Vec3{0.1, 0.2, 0.3}).Norm() > 1e-12 {
		t.Errorf("%v %+v", err, s)
	}
	if _, err := Load(write(t, "intri.yml", intri)); !errors.Is(err, infile.ErrUnusable) || !strings.Contains(err.Error(), "places") {
		t.Errorf("lenses without places: %v", err)
	}
}

// Files that are none are refused, with what is wrong.
func TestRefused(t *testing.T) {
	good := "[a]\nsize = [640, 480]\nmatrix = [[500, 0, 320], [0, 500, 240], [0, 0, 1]]\ndistortions = [0, 0, 0, 0]\nrotation = [0, 0, 0]\ntranslation = [0, 0, 3]\n"
	if _, err := Load(write(t, "a.toml", good)); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"Qualisys":       "hello",
		"no calibration": "a = 1",
		"missing":        strings.Replace(good, "rotation", "rotatoin", 1),
		"fisheye":        good + "fisheye = true\n",
		"1000 m":         strings.Replace(good, "0, 0, 3]", "0, 0, 3000]", 1),
		"finite":         strings.Replace(good, "0, 0, 3]", "0, 0, nan]", 1),
		"focal":          strings.Replace(good, "[500, 0, 320]", "[5, 0, 320]", 1),
		"twice":          good + "size = [1, 1]\n",
		"named":          good + strings.Replace(good, "[a]", "[b]\nname = \"a\"", 1),
		"end":            "[a]\nsize = [640, 480\n",
		"deep":           "[a]\nsize = " + strings.Repeat("[", 100),
		"matrix":         strings.Replace(good, "[[500, 0,", "[[500, 7,", 1),
		"another kind":   "<html></html>",
		"rotation":       `<calibration><cameras><camera serial="c"><transform r11="2"/></camera></cameras></calibration>`,
		"0 cameras":      `<calibration></calibration>`,
	} {
		if _, err := Load(write(t, "x.toml", text)); !errors.Is(err, infile.ErrUnusable) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := Add(write(t, "x.toml", "my diary"), camera.Camera{}); err == nil {
		t.Error("a file that is no calibration is written over")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("[a]\nsize = [640, 480]\nmatrix = [[500, 0, 320], [0, 500, 240], [0, 0, 1]]\nrotation = [0, 0, 0]\ntranslation = [0, 0, 3]\n")
	f.Add(fmt.Sprintf(storageText, 3.0))
	f.Add(`<calibration><cameras><camera serial="c"><transform r11="1" r22="1" r33="1"/></camera></cameras></calibration>`)
	f.Fuzz(func(t *testing.T, text string) {
		name := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(name)
		if err != nil {
			return
		}
		again, err := parseTOML(FormatTOML(&s))
		if err != nil || len(again.Cameras) != len(s.Cameras) {
			t.Errorf("%q: what is read cannot be written: %v", text, err)
		}
	})
}

func TestMatch(t *testing.T) {
	l := camera.Lens{WidthPx: 640, HeightPx: 480, FocalPx: [2]float64{500, 500}, CentrePx: [2]float64{320, 240}}
	var s camera.Set
	for i, n := range []string{"cam1", "cam2", "cam3"} {
		s.Cameras = append(s.Cameras, camera.LookingAt(n, l, spatial.Vec3{3, float64(i), 1}, spatial.Vec3{}))
	}
	sizes := [][2]int{{640, 480}, {640, 480}, {640, 480}}
	for _, x := range []struct {
		videos []string
		want   string
	}{
		{[]string{"a.mp4", "b.mp4", "c.mp4"}, "cam1 cam2 cam3"},
		{[]string{"walk_Cam3.mp4", "walk_cam1.mp4"}, "cam3 cam1"},
		{[]string{"cam2.mp4", "x/cam1.mov"}, "cam2 cam1"},
		{[]string{"cam1.mp4", "cam1b.mp4", "cam3.mp4"}, "cam1 cam2 cam3"}, // one name twice: in order
	} {
		got, err := Match(&s, x.videos, sizes)
		var names []string
		for i := range got {
			names = append(names, got[i].Name)
		}
		if err != nil || strings.Join(names, " ") != x.want {
			t.Errorf("%v: %v, %v", x.videos, names, err)
		}
	}
	if _, err := Match(&s, []string{"a.mp4", "b.mp4"}, sizes); err == nil || !strings.Contains(err.Error(), "cam1, cam2, cam3") {
		t.Error(err)
	}
	if _, err := Match(&s, []string{"cam1.mp4", "cam2.mp4"}, [][2]int{{640, 480}, {480, 640}}); err == nil || !strings.Contains(err.Error(), "cam2.mp4") {
		t.Error(err)
	}
	s.Cameras[1] = s.Cameras[0]
	s.Cameras[1].Name = "cam2"
	if err := Belong(&s, []string{"cam1.mp4", "cam3.mp4"}); err != nil {
		t.Error(err)
	}
	same := []string{"cam1.mp4", "cam2.mp4"}
	_, err := Match(&s, same, sizes)
	for _, err := range []error{err, Belong(&s, same)} {
		if err == nil || !strings.Contains(err.Error(), "same place") {
			t.Error(err)
		}
	}
}

// photographed draws the corners of a board with a known lens, from n sides.
func photographed(b Board, l camera.Lens, n int, noisePx float64, tilt float64) (photos []Photo, poses []pose) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		turn := spatial.Exp(spatial.Vec3{tilt * (r.Float64() - 0.5), tilt * (r.Float64() - 0.5), 2 * r.Float64()}).Mul(spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, math.Pi))
		middle := b.at(b.Columns*b.Rows - 1).Scale(0.5)
		at := spatial.Vec3{0.3 * (r.Float64() - 0.5), 0.4 * (r.Float64() - 0.5), 0.9 + 0.4*r.Float64()}.Sub(turn.Rotate(middle))
		p := Photo{Name: fmt.Sprint(i), WidthPx: l.WidthPx, HeightPx: l.HeightPx, Turned: TurnKnown}
		for k := range b.Columns * b.Rows {
			px, _ := l.Pixel(turn.Rotate(b.at(k)).Add(at))
			p.Corners = append(p.Corners, [2]float64{px[0] + noisePx*r.NormFloat64(), px[1] + noisePx*r.NormFloat64()})
		}
		photos, poses = append(photos, p), append(poses, pose{turn, at})
	}
	return photos, poses
}

// Corners drawn with a lens give that lens: exactly, and within what is said with noise.
func TestCalibrateLens(t *testing.T) {
	b := Board{Columns: 4, Rows: 7, SquareM: 0.06}
	l := camera.Lens{WidthPx: 1088, HeightPx: 1920, FocalPx: [2]float64{1681, 1676}, CentrePx: [2]float64{533, 948}, Distortion: camera.Distortion{-0.046, 0.139, 0.0006, 0.0007}}
	photos, poses := photographed(b, l, 8, 0, 1.2)
	f, err := CalibrateLens(b, photos)
	if err != nil || f.ErrorPx > 1e-6 {
		t.Fatal(err, f)
	}
	for k := range 2 {
		if !near(f.Lens.FocalPx[k], l.FocalPx[k], 1e-3) || !near(f.Lens.CentrePx[k], l.CentrePx[k], 1e-3) {
			t.Errorf("%+v", f.Lens)
		}
	}
	for k := range l.Distortion {
		if !near(f.Lens.Distortion[k], l.Distortion[k], 1e-5) {
			t.Errorf("distortion %v, want %v", f.Lens.Distortion, l.Distortion)
		}
	}
	c, px, err := Place(l, b, photos[3])
	if err != nil || px > 1e-6 || c.Rotation.Inv().Mul(poses[3].turn).Log().Norm() > 1e-7 || c.TranslationM.Sub(poses[3].at).Norm() > 1e-7 {
		t.Errorf("place: %v %+v, want %+v", err, c, poses[3])
	}
	photos, _ = photographed(b, l, 8, 0.3, 1.2)
	if f, err = CalibrateLens(b, photos); err != nil || !near(f.ErrorPx, 0.3*math.Sqrt2, 0.08) || math.Abs(f.Lens.FocalPx[0]-1681) > 4*f.FocalErrorPx || f.FocalErrorPx > 17 {
		t.Errorf("%v %+v", err, f)
	}
	// Photos straight from the front hardly tell the focal length, and that is said.
	photos, _ = photographed(b, l, 8, 0.3, 0.05)
	if flat, err := CalibrateLens(b, photos); err == nil && flat.FocalErrorPx < 3*f.FocalErrorPx {
		t.Errorf("from the front: +- %g px, from all sides +- %g", flat.FocalErrorPx, f.FocalErrorPx)
	}
}

func TestCalibrateRefuses(t *testing.T) {
	b := Board{Columns: 4, Rows: 7, SquareM: 0.06}
	l := camera.Lens{WidthPx: 640, HeightPx: 480, FocalPx: [2]float64{600, 600}, CentrePx: [2]float64{320, 240}}
	photos, _ := photographed(b, l, 4, 0, 1)
	if _, err := CalibrateLens(b, photos[:2]); err == nil || !strings.Contains(err.Error(), "at least 3") {
		t.Error(err)
	}
	photos[1].WidthPx = 480
	if _, err := CalibrateLens(b, photos); err == nil || !strings.Contains(err.Error(), "one size") {
		t.Error(err)
	}
	photos[0].Corners = photos[0].Corners[:27]
	if _, err := CalibrateLens(b, photos); err == nil {
		t.Error("27 corners of 28 are taken")
	}
	photos[2].Turned = TurnUnknown
	if _, _, err := Place(l, b, photos[2]); err == nil || !strings.Contains(err.Error(), "half a turn") {
		t.Error(err)
	}
}
