package demonstrator

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// takeSchema is the number of the file format (docs/formats/scene.md).
const takeSchema = 1

// Save writes the take as *.truth.scene.npz, completely or not at all; the other
// person's motion is a file of its own.
func (t *Take) Save(name string) error {
	n := len(t.Pictures)
	frame, at, rot := make([]float64, n), make([]float64, 0, 3*n), make([]float64, 0, 4*n)
	timeS, seen := make([]float64, n), make([]float64, 0, n*human.NumJoints)
	for i := range t.Pictures {
		s := &t.Pictures[i]
		frame[i], timeS[i] = float64(s.Frame), s.TimeS
		at = append(at, s.Camera.AtM[:]...)
		rot = append(rot, s.Camera.WorldFromCamera[:]...)
		for _, v := range s.Visible {
			seen = append(seen, map[bool]float64{true: 1}[v])
		}
	}
	return npz.Save(name, npz.Archive{
		"schema": npz.Scalar(takeSchema), "frame": npz.Floats(frame, n), "time_s": npz.Floats(timeS, n),
		"camera_at_m": npz.Floats(at, n, 3), "world_from_camera": npz.Floats(rot, n, 4),
		"focal_px": npz.Scalar(t.FocalPx), "centre_px": npz.Floats(t.CentrePx[:], 2),
		"size_px": npz.Floats([]float64{float64(t.SizePx[0]), float64(t.SizePx[1])}, 2),
		"visible": npz.Floats(seen, n, human.NumJoints), "joint_names": npz.Strings(human.JointNames()),
	})
}

// LoadTake reads a file of Save, without the other person. One that holds no take is
// infile.ErrUnusable.
func LoadTake(name string) (*Take, error) {
	a, err := npz.Load(name)
	if err != nil {
		return nil, err
	}
	t, err := decodeTake(a)
	if err != nil {
		return nil, infile.Refuse(name, err)
	}
	return t, nil
}

func decodeTake(a npz.Archive) (*Take, error) {
	frames, err := a.Get("frame", -1)
	if err != nil {
		return nil, err
	}
	n := frames.Shape[0]
	get := map[string]npz.Array{}
	for _, m := range []struct {
		name  string
		shape []int
	}{
		{"schema", nil}, {"time_s", []int{n}}, {"camera_at_m", []int{n, 3}}, {"world_from_camera", []int{n, 4}},
		{"focal_px", nil}, {"centre_px", []int{2}}, {"size_px", []int{2}}, {"visible", []int{n, human.NumJoints}},
	} {
		if get[m.name], err = a.Get(m.name, m.shape...); err != nil {
			return nil, err
		}
	}
	if s := get["schema"].Data[0]; s != takeSchema {
		return nil, fmt.Errorf("demonstrator: schema %g is unknown; legal: %d", s, takeSchema)
	}
	t := &Take{FocalPx: get["focal_px"].Data[0], Pictures: make([]Sight, n)}
	copy(t.CentrePx[:], get["centre_px"].Data)
	t.SizePx = [2]int{int(get["size_px"].Data[0]), int(get["size_px"].Data[1])}
	for i := range t.Pictures {
		s := &t.Pictures[i]
		s.Frame, s.TimeS = int(frames.Data[i]), get["time_s"].Data[i]
		copy(s.Camera.AtM[:], get["camera_at_m"].Data[3*i:])
		var q spatial.Quat
		copy(q[:], get["world_from_camera"].Data[4*i:])
		s.Camera.WorldFromCamera = q
		for j := range s.Visible {
			s.Visible[j] = get["visible"].Data[i*human.NumJoints+j] > 0.5
		}
	}
	return t, nil
}
