package calib

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const legalKinds = "Qualisys (.qca.txt), the TOML of Pose2Sim or Anipose, OpenCV's YAML"

// metadataTable holds what is no camera.
const metadataTable = "metadata"

// parseTOML reads the calibrations of Pose2Sim and Anipose. Their world has z up unless
// the table metadata says otherwise (up, an addition of ours).
func parseTOML(text []byte) (camera.Set, error) {
	s := camera.Set{Up: spatial.Vec3{0, 0, 1}}
	tables, err := scanTOML(string(text))
	if err != nil {
		return s, fmt.Errorf("%w; legal: %s", err, legalKinds)
	}
	for _, t := range tables {
		switch {
		case t.name == metadataTable:
			err = t.metadata(&s)
		case t.values["matrix"] != nil:
			var c camera.Camera
			c, err = t.camera()
			s.Cameras = append(s.Cameras, c)
		}
		if err != nil {
			return s, fmt.Errorf("table [%.40s], line %d: %w", t.name, t.line, err)
		}
	}
	if len(s.Cameras) == 0 {
		return s, fmt.Errorf("no table with a matrix: it is no calibration; legal: %s", legalKinds)
	}
	return s, nil
}

func (t *table) metadata(s *camera.Set) error {
	if v, ok := t.values["error"].(float64); ok && v >= 0 {
		s.ErrorPx = v
	}
	if t.values["up"] == nil {
		return nil
	}
	up, err := t.numbers("up", 3, 3)
	if err != nil {
		return err
	}
	s.Up = spatial.Vec3(up)
	if n := s.Up.Norm(); n == 0 || !(n < 1e3) {
		return fmt.Errorf("up is %v; legal: a direction", up)
	}
	s.Up = s.Up.Unit(spatial.Vec3{})
	return nil
}

func (t *table) camera() (c camera.Camera, err error) {
	if fish, _ := t.values["fisheye"].(bool); fish {
		return c, fmt.Errorf("a fisheye lens; legal: lenses with the distortion of Brown and Conrady (fisheye = false)")
	}
	c.Name = t.name
	if n, ok := t.values["name"].(string); ok && n != "" {
		c.Name = n
	}
	size, err := t.numbers("size", 2, 2)
	if err != nil {
		return c, err
	}
	k, err := t.numbers("matrix", 9, 9)
	if err != nil {
		return c, err
	}
	d, err := t.numbers("distortions", 0, 8)
	if err != nil {
		return c, err
	}
	turn, err := t.numbers("rotation", 3, 3)
	if err != nil {
		return c, err
	}
	at, err := t.numbers("translation", 3, 3)
	if err != nil {
		return c, err
	}
	if c.Lens, err = lens(size, k, d); err != nil {
		return c, err
	}
	c.Rotation, c.TranslationM = spatial.Exp(spatial.Vec3(turn)), spatial.Vec3(at)
	return c, nil
}

// lens makes one of a size, a 3 x 3 matrix by row, and distortions in OpenCV's order, of
// which those beyond the fifth must be zero.
func lens(size, k, d []float64) (camera.Lens, error) {
	l := camera.Lens{
		WidthPx: int(size[0]), HeightPx: int(size[1]),
		FocalPx: [2]float64{k[0], k[4]}, CentrePx: [2]float64{k[2], k[5]},
	}
	if k[3] != 0 || k[6] != 0 || k[7] != 0 || k[8] != 1 || k[1] != 0 {
		return l, fmt.Errorf("the camera matrix is %v; legal: f 0 cx, 0 f cy, 0 0 1", k)
	}
	if i := slices.IndexFunc(d[min(5, len(d)):], func(v float64) bool { return v != 0 }); i >= 0 {
		return l, fmt.Errorf("%d distortions; legal: k1 k2 p1 p2 k3", len(d))
	}
	copy(l.Distortion[:], d)
	return l, nil
}

// table is one of a TOML file. Values are float64, bool, string or []any.
type table struct {
	name   string
	line   int
	values map[string]any
}

// numbers flattens a value into finite numbers.
func (t *table) numbers(key string, least, most int) ([]float64, error) {
	var out []float64
	var flat func(v any) bool
	flat = func(v any) bool {
		switch x := v.(type) {
		case float64:
			out = append(out, x)
		case []any:
			for _, y := range x {
				if !flat(y) {
					return false
				}
			}
		default:
			return false
		}
		return true
	}
	v := t.values[key]
	if v == nil && least > 0 {
		return nil, fmt.Errorf("%s is missing", key)
	}
	if v != nil && !flat(v) || len(out) < least || len(out) > most {
		return nil, fmt.Errorf("%s: legal: %d to %d numbers", key, least, most)
	}
	return out, nil
}

// FormatTOML writes a set as the TOML of Pose2Sim and Anipose, which those programs read.
func FormatTOML(s *camera.Set) []byte {
	var b strings.Builder
	list := func(v ...float64) string {
		var out []string
		for _, x := range v {
			t := strconv.FormatFloat(x, 'g', -1, 64)
			if !strings.ContainsAny(t, ".e") {
				t += ".0"
			}
			out = append(out, t)
		}
		return "[ " + strings.Join(out, ", ") + "]"
	}
	for i := range s.Cameras {
		c := &s.Cameras[i]
		d, r, t := c.Distortion, c.Rotation.Log(), c.TranslationM
		fmt.Fprintf(&b, "[%s]\nname = %s\n", strconv.Quote(c.Name), strconv.Quote(c.Name))
		fmt.Fprintf(&b, "size = [ %d, %d]\n", c.WidthPx, c.HeightPx)
		fmt.Fprintf(&b, "matrix = [ %s, %s, %s]\n",
			list(c.FocalPx[0], 0, c.CentrePx[0]), list(0, c.FocalPx[1], c.CentrePx[1]), list(0, 0, 1))
		fmt.Fprintf(&b, "distortions = %s\nrotation = %s\ntranslation = %s\nfisheye = false\n\n",
			list(d[:]...), list(r[:]...), list(t[:]...))
	}
	fmt.Fprintf(&b, "[%s]\nadjusted = false\nerror = %s\n", metadataTable, strings.Trim(list(s.ErrorPx), "[ ]"))
	if s.Up != (spatial.Vec3{}) {
		fmt.Fprintf(&b, "up = %s\n", list(s.Up[:]...))
	}
	return []byte(b.String())
}
