package capture

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// mimicJoint is a joint of DeepMimic's humanoid: metres, y up, facing x, the right at +z. numbers is how many each frame
// has for it: 4 (a quaternion, w x y z), 1 (a turn about z) or 0 (fixed).
type mimicJoint struct {
	name    string
	parent  int
	offset  spatial.Vec3
	numbers int
}

// mimic are the joints in the order of a frame (DeepMimic, data/characters/humanoid3d.txt and README, "Motion Format").
// The middle of the head is that of its sphere there.
var mimic = [...]mimicJoint{
	{"Hips", -1, spatial.Vec3{}, 4},
	{"Spine1", 0, spatial.Vec3{0, 0.236151, 0}, 4},
	{"Neck", 1, spatial.Vec3{0, 0.223894, 0}, 4},
	{"Head", 2, spatial.Vec3{0, 0.175, 0}, 0},
	{"RightUpLeg", 0, spatial.Vec3{0, 0, 0.084887}, 4},
	{"RightLeg", 4, spatial.Vec3{0, -0.421546, 0}, 1},
	{"RightFoot", 5, spatial.Vec3{0, -0.40987, 0}, 4},
	{"RightArm", 1, spatial.Vec3{-0.02405, 0.2435, 0.18311}, 4},
	{"RightForeArm", 7, spatial.Vec3{0, -0.274788, 0}, 1},
	{"RightHand", 8, spatial.Vec3{0, -0.258947, 0}, 0},
	{"LeftUpLeg", 0, spatial.Vec3{0, 0, -0.084887}, 4},
	{"LeftLeg", 10, spatial.Vec3{0, -0.421546, 0}, 1},
	{"LeftFoot", 11, spatial.Vec3{0, -0.40987, 0}, 4},
	{"LeftArm", 1, spatial.Vec3{-0.02405, 0.2435, -0.18311}, 4},
	{"LeftForeArm", 13, spatial.Vec3{0, -0.274788, 0}, 1},
	{"LeftHand", 14, spatial.Vec3{0, -0.258947, 0}, 0},
}

// DeepMimicHeightM is the humanoid's stature by its legs.
const DeepMimicHeightM = (0.421546 + 0.40987) / bvh.LegShare

// mimicNumbers is the length of a frame: duration, place of the root, and the joints' numbers.
const mimicNumbers = 44

// ReadDeepMimic reads a motion of DeepMimic's humanoid: JSON with Frames of 44 numbers each. All frames but the last must
// last equally long.
func ReadDeepMimic(text []byte) (*bvh.File, error) {
	var in struct{ Frames [][]float64 }
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("deepmimic: %w", err)
	}
	if n := len(in.Frames); n < 2 || n > maxFrames {
		return nil, fmt.Errorf("deepmimic: %d Frames; legal: 2 to %d", n, maxFrames)
	}
	frameS := 0.0
	for t, row := range in.Frames {
		if len(row) != mimicNumbers {
			return nil, fmt.Errorf("deepmimic: frame %d has %d numbers; legal: %d (the humanoid's)", t, len(row), mimicNumbers)
		}
		if t == 0 {
			frameS = row[0]
		}
		if t < len(in.Frames)-1 && math.Abs(row[0]-frameS) > 0.02*frameS {
			return nil, fmt.Errorf("deepmimic: frame %d lasts %g s, the first %g s; legal: all alike", t, row[0], frameS)
		}
	}
	if !(frameS >= 1/human.MaxFPS && frameS <= 1/human.MinFPS) {
		return nil, fmt.Errorf("deepmimic: frame 0 lasts %g s; legal: %g to %g", frameS, 1/human.MaxFPS, 1/human.MinFPS)
	}
	bones := make([]bvh.Bone, len(mimic))
	for i, j := range mimic {
		bones[i] = bvh.Bone{Name: j.name, Parent: j.parent, Offset: j.offset, Fixed: j.numbers == 0}
	}
	f, err := bvh.Build(bones, frameS)
	if err != nil {
		return nil, err
	}
	for t, row := range in.Frames {
		at, turn, err := mimicFrame(row)
		if err != nil {
			return nil, fmt.Errorf("deepmimic: frame %d, %w", t, err)
		}
		f.Append(at, turn)
	}
	return f, nil
}

// mimicFrame takes the numbers of a frame apart.
func mimicFrame(row []float64) (at []spatial.Vec3, turn []spatial.Quat, err error) {
	at, turn = make([]spatial.Vec3, len(mimic)), make([]spatial.Quat, len(mimic))
	copy(at[0][:], row[1:4])
	k := 4
	for i, j := range mimic {
		switch j.numbers {
		case 4:
			q := spatial.Quat(row[k : k+4])
			if n := q.Dot(q); !(math.Abs(n-1) < 0.05) {
				return nil, nil, fmt.Errorf("%s: %v is no unit quaternion (w, x, y, z)", j.name, q)
			}
			turn[i] = q.Normalize()
		case 1:
			turn[i] = spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, row[k])
		default:
			turn[i] = spatial.Identity()
		}
		k += j.numbers
	}
	return at, turn, nil
}
