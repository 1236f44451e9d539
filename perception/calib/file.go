package calib

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Bounds of a file.
const (
	maxBytes   = 1 << 20
	maxCameras = 64
)

// Load reads a calibration: one file, or several that belong together (OpenCV writes
// one for each camera; EasyMocap one for lenses and one for places).
func Load(names ...string) (camera.Set, error) {
	var all camera.Set
	var opencv []storage
	for _, name := range names {
		text, err := infile.Read(name, maxBytes)
		if err != nil {
			return all, err
		}
		var s camera.Set
		switch {
		case bytes.HasPrefix(text, []byte("%YAML")):
			st, err := parseStorage(text)
			if err != nil {
				return all, infile.Refuse(name, err)
			}
			st.name = baseName(name)
			opencv = append(opencv, st)
			continue
		case bytes.Contains(text[:min(len(text), 512)], []byte("<calibration")):
			s, err = parseQualisys(text)
		case bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")):
			err = errors.New("an XML file of another kind; legal: " + legalKinds)
		default:
			s, err = parseTOML(text)
		}
		if err != nil {
			return all, infile.Refuse(name, err)
		}
		all.Cameras, all.Up, all.ErrorPx = append(all.Cameras, s.Cameras...), s.Up, s.ErrorPx
	}
	more, err := camerasOf(opencv)
	if err != nil {
		return all, infile.Refuse(strings.Join(names, ", "), err)
	}
	all.Cameras = append(all.Cameras, more...)
	if len(names) > 1 {
		all.Up = spatial.Vec3{} // which file's is right, nobody knows
	}
	return all, infile.Refuse(strings.Join(names, ", "), check(&all))
}

// check refuses sets that mean nothing.
func check(s *camera.Set) error {
	if n := len(s.Cameras); n == 0 || n > maxCameras {
		return fmt.Errorf("%d cameras; legal: 1 to %d", n, maxCameras)
	}
	seen := map[string]bool{}
	for i := range s.Cameras {
		c := &s.Cameras[i]
		if seen[c.Name] {
			return fmt.Errorf("two cameras are named %.40q", c.Name)
		}
		seen[c.Name] = true
		if err := c.Check(); err != nil {
			return err
		}
	}
	return nil
}

// baseName is a file's name without folders and endings.
func baseName(name string) string {
	base, _, _ := strings.Cut(filepath.Base(name), ".")
	return base
}

// Match finds the camera of each video: by name, if each video is named like a camera, or
// holds the name of exactly one in its own, and no two the same; else in their order, if
// there are as many. The cameras are for pictures of the given sizes.
func Match(s *camera.Set, videos []string, sizesPx [][2]int) ([]camera.Camera, error) {
	order, err := inOrder(s, videos)
	if err != nil {
		return nil, err
	}
	if err := apart(s, order); err != nil {
		return nil, err
	}
	out := make([]camera.Camera, len(videos))
	for i, k := range order {
		out[i] = s.Cameras[k]
		if out[i].Lens, err = out[i].ForPicture(sizesPx[i][0], sizesPx[i][1]); err != nil {
			return nil, fmt.Errorf("%s: camera %q is %w; give the calibration of this camera, and videos as the camera wrote them",
				videos[i], out[i].Name, err)
		}
	}
	return out, nil
}

// Belong refuses a calibration that cannot be that of the videos, before anybody looks at
// them.
func Belong(s *camera.Set, videos []string) error {
	order, err := inOrder(s, videos)
	if err != nil {
		return err
	}
	return apart(s, order)
}

// leastApartM: cameras nearer to each other do not see depth.
const leastApartM = 0.05

// apart refuses calibrations that know lenses only.
func apart(s *camera.Set, order []int) error {
	for i, a := range order {
		for _, b := range order[:i] {
			if s.Cameras[a].Place().Sub(s.Cameras[b].Place()).Norm() < leastApartM {
				return fmt.Errorf("cameras %q and %q stand in the same place: the calibration knows their lenses only "+
					"(mitori cameras calibrate --place finds their places)", s.Cameras[b].Name, s.Cameras[a].Name)
			}
		}
	}
	return nil
}

func inOrder(s *camera.Set, videos []string) ([]int, error) {
	for _, alike := range []func(video, camera string) bool{strings.EqualFold, holds} {
		if order, ok := byName(s, videos, alike); ok {
			return order, nil
		}
	}
	if len(videos) != len(s.Cameras) {
		var names []string
		for i := range s.Cameras {
			names = append(names, s.Cameras[i].Name)
		}
		return nil, fmt.Errorf("%d videos and a calibration of %d cameras (%.200s); legal: as many, in the same order, "+
			"or videos whose names hold the cameras'", len(videos), len(s.Cameras), strings.Join(names, ", "))
	}
	order := make([]int, len(videos))
	for i := range order {
		order[i] = i
	}
	return order, nil
}

func holds(video, camera string) bool {
	return camera != "" && strings.Contains(strings.ToLower(video), strings.ToLower(camera))
}

// byName matches each video's base name with the one camera whose name is alike.
func byName(s *camera.Set, videos []string, alike func(video, camera string) bool) (order []int, ok bool) {
	taken := map[int]bool{}
	for _, v := range videos {
		found, n := 0, 0
		for k := range s.Cameras {
			if alike(baseName(v), s.Cameras[k].Name) {
				found, n = k, n+1
			}
		}
		if n != 1 || taken[found] {
			return nil, false
		}
		taken[found] = true
		order = append(order, found)
	}
	return order, true
}
