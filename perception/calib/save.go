package calib

import (
	"errors"
	"io/fs"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Save writes a set as TOML.
func Save(name string, s *camera.Set) error {
	if err := check(s); err != nil {
		return infile.Refuse(name, err)
	}
	return atomicfile.WriteBytes(name, FormatTOML(s))
}

// Add writes a camera into a file of its world's calibration: beside the cameras that are
// there, in place of one of its name. A file that is no calibration is left alone.
func Add(name string, c camera.Camera) error {
	s, err := Load(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s = camera.Set{Up: spatial.Vec3{0, 0, 1}}
	case err != nil:
		return err
	}
	for i := range s.Cameras {
		if s.Cameras[i].Name == c.Name {
			s.Cameras[i] = c
			return Save(name, &s)
		}
	}
	s.Cameras = append(s.Cameras, c)
	return Save(name, &s)
}
