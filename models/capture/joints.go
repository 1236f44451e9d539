package capture

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// ErrNoRate is wrapped where a file does not say how many frames a second it has.
var ErrNoRate = errors.New("frames per second are not in the file")

// smplJoints are the names of SMPL's body joints in its order; SMPL-H and SMPL-X begin with the first 22.
var smplJoints = [24]string{"pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
	"spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder",
	"left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand"}

// Names of members that different programs use for the same thing.
var (
	rateMembers  = []string{"mocap_framerate", "mocap_frame_rate", "framerate", "frame_rate", "fps"}
	jointMembers = []string{"joints", "joint_positions", "jtr", "keypoints3d", "joints3d", "positions"}
	nameMembers  = []string{"joint_names", "names", "labels"}
)

// Members lists all members of an archive that this package may read, for npz.Load.
func Members() []string {
	return slices.Concat(rateMembers, jointMembers, nameMembers, poseMembers)
}

// member is the first of the names that the archive has.
func member(a npz.Archive, names []string) (npz.Array, string, bool) {
	for _, n := range names {
		if v, ok := a[n]; ok {
			return v, n, true
		}
	}
	return npz.Array{}, "", false
}

// rate finds the frames per second: in the archive, else as given.
func rate(a npz.Archive, given float64) (float64, error) {
	if v, n, ok := member(a, rateMembers); ok && len(v.Data) > 0 {
		if fps := v.Data[0]; fps >= human.MinFPS && fps <= human.MaxFPS {
			return fps, nil
		}
		return 0, fmt.Errorf("npz: %s is %g; legal: %g to %g", n, v.Data[0], human.MinFPS, human.MaxFPS)
	}
	if given == 0 {
		return 0, fmt.Errorf("npz: %w (none of %s); give --fps", ErrNoRate, strings.Join(rateMembers, ", "))
	}
	return given, nil
}

// IsJoints reports whether an archive holds joint positions.
func IsJoints(a npz.Archive) bool {
	v, _, ok := member(a, jointMembers)
	return ok && len(v.Shape) == 3 && v.Shape[2] == 3
}

// ReadJoints takes joint positions in metres (T, J, 3) out of an archive: the joints by the names in the archive, else
// the first 22 or 24 in SMPL's order. fps counts where the archive has none.
func ReadJoints(a npz.Archive, fps float64) (*Points, error) {
	v, name, ok := member(a, jointMembers)
	if !ok || len(v.Shape) != 3 || v.Shape[2] != 3 {
		return nil, fmt.Errorf("npz: no joint positions of shape (frames, joints, 3) under %s", strings.Join(jointMembers, ", "))
	}
	frames, joints := v.Shape[0], v.Shape[1]
	if frames < 2 || frames > maxFrames || joints < 1 || joints > maxPoints {
		return nil, fmt.Errorf("npz: %s: %d frames of %d joints; legal: 2 to %d and 1 to %d", name, frames, joints, maxFrames, maxPoints)
	}
	p := &Points{UnitM: 1}
	var err error
	if p.FPS, err = rate(a, fps); err != nil {
		return nil, err
	}
	if n, _, ok := member(a, nameMembers); ok && len(n.Text) == joints {
		p.Names = append(p.Names, n.Text...)
	} else if joints >= 22 {
		p.Names = append(p.Names, smplJoints[:min(joints, 24)]...)
		if joints > 24 { // fingers and face follow the 22 joints of the body
			p.Names = p.Names[:22]
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s: no names: the joints are taken to be SMPL's", name))
	} else {
		return nil, fmt.Errorf("%w: npz: %s has %d joints without names (%s); legal without: SMPL's 22 or more", ErrUnnamed, name, joints, strings.Join(nameMembers, ", "))
	}
	for t := range frames {
		row := make([]spatial.Vec3, len(p.Names))
		for i := range row {
			copy(row[i][:], v.Data[(t*joints+i)*3:])
			if math.IsInf(row[i].Norm(), 0) {
				return nil, fmt.Errorf("npz: %s: frame %d, %s is not finite", name, t, p.Names[i])
			}
		}
		p.Frames = append(p.Frames, row)
	}
	return p, nil
}

// Joints is a motion as joint positions alone, as ReadJoints reads them: metres, z up.
func Joints(m *human.Motion) npz.Archive {
	data := make([]float64, 0, len(m.Frames)*human.NumJoints*3)
	for t := range m.Frames {
		for _, q := range m.Frames[t].Positions {
			data = append(data, q[:]...)
		}
	}
	return npz.Archive{
		"fps":         npz.Scalar(m.FPS),
		"joints":      npz.Floats32(data, len(m.Frames), human.NumJoints, 3),
		"joint_names": npz.Strings(human.JointNames()),
	}
}
