package calib

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// storage is a file of OpenCV's FileStorage: matrices (by row) and single values.
type storage struct {
	name    string
	numbers map[string][]float64
	texts   map[string]string
}

// parseStorage reads matrices and scalars, wherever they stand, and passes over the rest.
func parseStorage(text []byte) (storage, error) {
	st := storage{numbers: map[string][]float64{}, texts: map[string]string{}}
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	key := "" // of the matrix that is being read
	for i := 0; i < len(lines); i++ {
		name, value, is := strings.Cut(strings.TrimSpace(lines[i]), ":")
		if !is || strings.HasPrefix(name, "%") {
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(value, "!!opencv-matrix"):
			key = strings.Trim(name, `"`)
		case name == "data" && key != "":
			for !strings.Contains(value, "]") && i+1 < len(lines) {
				i++
				value += " " + strings.TrimSpace(lines[i])
			}
			v, err := numbersIn(value)
			if err != nil {
				return st, fmt.Errorf("line %d: %s: %w", i+1, key, err)
			}
			st.numbers[key], key = v, ""
		case key == "":
			st.texts[strings.Trim(name, `"`)] = strings.Trim(value, `"`)
		}
	}
	return st, nil
}

// numbersIn reads "[ 1., 2. ]".
func numbersIn(text string) ([]float64, error) {
	text, ok := strings.CutPrefix(text, "[")
	text, _, end := strings.Cut(text, "]")
	if !ok || !end {
		return nil, errors.New("a matrix without its data")
	}
	var out []float64
	for f := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || len(out) >= maxValues {
			return nil, fmt.Errorf("%.20q is no finite number", strings.TrimSpace(f))
		}
		out = append(out, v)
	}
	return out, nil
}

// first is the matrix under the first of several names.
func (st *storage) first(n int, names ...string) []float64 {
	for _, k := range names {
		if v := st.numbers[k]; len(v) == n || n < 0 && len(v) > 0 {
			return v
		}
	}
	return nil
}

func (st *storage) size(names ...string) float64 {
	for _, k := range names {
		if v, err := strconv.ParseFloat(st.texts[k], 64); err == nil {
			return v
		}
	}
	return 0
}

// camerasOf joins OpenCV files: one a camera, or EasyMocap's pair.
func camerasOf(files []storage) ([]camera.Camera, error) {
	joined := storage{numbers: map[string][]float64{}, texts: map[string]string{}}
	var names []string
	var out []camera.Camera
	for i := range files {
		st := &files[i]
		several := false
		for k, v := range st.numbers {
			if _, is := cutCamera(k); is {
				several = true
				joined.numbers[k] = v
			}
		}
		for k, v := range st.texts {
			joined.texts[k] = v
		}
		if !several {
			c, err := st.single()
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	for k := range joined.numbers {
		if n, _ := cutCamera(k); strings.HasPrefix(k, "K_") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		c, err := joined.named(n)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// cutCamera splits EasyMocap's keys: K_01 is of camera 01.
func cutCamera(key string) (name string, is bool) {
	kind, name, is := strings.Cut(key, "_")
	switch kind {
	case "K", "dist", "R", "Rot", "T", "H", "W":
		return name, is && name != ""
	}
	return "", false
}

func (st *storage) single() (camera.Camera, error) {
	return st.camera(st.name, [2]float64{st.size("image_width", "width"), st.size("image_height", "height")},
		st.first(9, "camera_matrix", "cameraMatrix", "Camera_Matrix", "intrinsic", "K", "M1"),
		st.first(-1, "distortion_coefficients", "distCoeffs", "Distortion_Coefficients", "dist_coeffs", "D", "D1"),
		st.first(-1, "rotation", "rotation_matrix", "R", "rvec", "rotation_vector"),
		st.first(3, "translation", "translation_vector", "T", "t", "tvec"))
}

func (st *storage) named(n string) (camera.Camera, error) {
	turn := st.first(9, "Rot_"+n)
	if turn == nil {
		turn = st.first(3, "R_"+n)
	}
	size := [2]float64{st.size("W_" + n), st.size("H_" + n)}
	return st.camera(n, size, st.first(9, "K_"+n), st.first(-1, "dist_"+n), turn, st.first(3, "T_"+n))
}

// camera joins the parts. A file without a size has its optical centre in the middle.
func (st *storage) camera(name string, size [2]float64, k, d, turn, at []float64) (c camera.Camera, err error) {
	c.Name = name
	switch {
	case k == nil:
		return c, fmt.Errorf("camera %.40q: no camera matrix (camera_matrix, K_...)", name)
	case turn == nil || at == nil || len(turn) != 3 && len(turn) != 9:
		return c, fmt.Errorf("camera %.40q: no rotation and translation (rvec and tvec, R and T, R_... and T_...): "+
			"several cameras need their places, too", name)
	}
	if size[0] == 0 || size[1] == 0 {
		size = [2]float64{math.Round(2 * k[2]), math.Round(2 * k[5])}
	}
	if c.Lens, err = lens(size[:], k, d); err != nil {
		return c, fmt.Errorf("camera %.40q: %w", name, err)
	}
	c.TranslationM = spatial.Vec3(at)
	if len(turn) == 3 {
		c.Rotation = spatial.Exp(spatial.Vec3(turn))
		return c, nil
	}
	c.Rotation, err = rotation(name, [3]spatial.Vec3{spatial.Vec3(turn[:3]), spatial.Vec3(turn[3:6]), spatial.Vec3(turn[6:9])})
	return c, err
}
