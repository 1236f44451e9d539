package capture

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// smplPoses is a pose of SMPL's joints (axis-angle) for some frames, standing with z up as AMASS has it.
func smplPoses(turns map[string]spatial.Vec3) npz.Archive {
	const frames = 5
	data := make([]float64, frames*72)
	for t := range frames {
		copy(data[72*t:], []float64{math.Pi / 2, 0, 0}) // y up becomes z up
		for name, v := range turns {
			for j, n := range smplJoints {
				if n == name {
					copy(data[72*t+3*j:], v[:])
				}
			}
		}
	}
	return npz.Archive{"poses": npz.Floats(data, frames, 72), "trans": npz.Floats(make([]float64, 3*frames), frames, 3), "mocap_framerate": npz.Scalar(120)}
}

func TestSMPLPosesMoveABody(t *testing.T) {
	pose := func(a npz.Archive) *human.Pose {
		t.Helper()
		f, err := ReadSMPL(a, 0, 1.75)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := f.Motion("x", bvh.Options{HeightM: 1.75})
		if err != nil {
			t.Fatal(err)
		}
		if m.FPS != 120 {
			t.Errorf("%g frames/s", m.FPS)
		}
		return &m.Frames[2]
	}
	rest := pose(smplPoses(nil)) // a T pose
	arm := rest.Positions[human.LWrist].Sub(rest.Positions[human.LShoulder]).Unit(spatial.Vec3{})
	if arm.Dot(spatial.Vec3{0, 1, 0}) < 0.99 {
		t.Errorf("in the T pose the left arm points along %v", arm)
	}
	leg := rest.Positions[human.LHip].Sub(rest.Positions[human.LAnkle]).Norm()
	if math.Abs(leg-bvh.LegShare*1.75) > 1e-6 {
		t.Errorf("the leg is %.3f m long", leg)
	}
	// SMPL's left knee bends about +x, which takes the shin behind the body; its left shoulder about -z, which lowers the arm.
	bent := pose(smplPoses(map[string]spatial.Vec3{"left_knee": {1.2, 0, 0}, "left_shoulder": {0, 0, -1.4}, "head": {0, 0.7, 0}}))
	shin := bent.Positions[human.LAnkle].Sub(bent.Positions[human.LKnee]).Unit(spatial.Vec3{})
	if want := (spatial.Vec3{-math.Sin(1.2), 0, -math.Cos(1.2)}); shin.Sub(want).Norm() > 0.02 {
		t.Errorf("the shin points along %v, want %v", shin, want)
	}
	if arm := bent.Positions[human.LElbow].Sub(bent.Positions[human.LShoulder]).Unit(spatial.Vec3{}); arm[2] > -0.95 {
		t.Errorf("the arm points along %v", arm)
	}
	if look := bent.Rotations[human.Head].Rotate(spatial.Vec3{1, 0, 0}); math.Abs(math.Atan2(look[1], look[0])-0.7) > 0.02 {
		t.Errorf("the head looks along %v, want 0.7 rad to the left", look)
	}
	// The same in the two parts that video methods write.
	a := smplPoses(map[string]spatial.Vec3{"left_knee": {1.2, 0, 0}, "left_shoulder": {0, 0, -1.4}, "head": {0, 0.7, 0}})
	root, body := []float64{}, []float64{}
	for k := range 5 {
		root, body = append(root, a["poses"].Data[72*k:72*k+3]...), append(body, a["poses"].Data[72*k+3:72*k+72]...)
	}
	parts := npz.Archive{"global_orient": npz.Floats(root, 5, 3), "body_pose": npz.Floats(body, 5, 69), "transl": a["trans"], "fps": npz.Scalar(120)}
	if got := pose(parts); *got != *bent {
		t.Error("in two parts it is another pose")
	}
	for name, bad := range map[string]npz.Archive{
		"legal: (frames, 66": {"poses": npz.Floats(make([]float64, 30), 5, 6), "fps": npz.Scalar(30)},
		"trans has shape":    {"poses": a["poses"], "trans": npz.Floats(make([]float64, 6), 2, 3), "fps": npz.Scalar(30)},
		"give --fps":         {"poses": a["poses"]},
		"neither poses":      {"fps": npz.Scalar(30)},
	} {
		if _, err := ReadSMPL(bad, 0, 1.75); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// mimicFile is DeepMimic's humanoid standing, with some numbers of every frame changed.
func mimicFile(change map[int][]float64) []byte {
	row := make([]float64, mimicNumbers)
	row[0], row[2] = 1.0/30, 0.9
	k := 4
	for _, j := range mimic {
		if j.numbers == 4 {
			row[k] = 1
		}
		k += j.numbers
	}
	for at, v := range change {
		copy(row[at:], v)
	}
	frames := [][]float64{row, row, row, row}
	b, err := json.Marshal(map[string]any{"Loop": "wrap", "Frames": frames})
	if err != nil {
		panic(err)
	}
	return b
}

func TestDeepMimicIsAPerson(t *testing.T) {
	pose := func(change map[int][]float64) *human.Pose {
		t.Helper()
		f, err := ReadDeepMimic(mimicFile(change))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := f.Motion("x", bvh.Options{HeightM: DeepMimicHeightM})
		if err != nil {
			t.Fatal(err)
		}
		return &m.Frames[1]
	}
	stand := pose(nil)
	if y := stand.Positions[human.LHip][1]; math.Abs(y-0.084887) > 1e-6 {
		t.Errorf("the left hip is %g m to the left", y)
	}
	if d := stand.Positions[human.Head].Sub(stand.Positions[human.Pelvis]).Sub(spatial.Vec3{0, 0, 0.236151 + 0.223894 + 0.175}).Norm(); d > 1e-6 {
		t.Errorf("the head is %g m away", d)
	}
	// Places in a frame: root 4, chest 8, neck 12, right hip 16, right knee 20, right ankle 21, right shoulder 25, right
	// elbow 29, left hip 30, left knee 34. Knees bend with negative numbers, elbows with positive ones.
	bent := pose(map[int][]float64{20: {-1}, 29: {1}, 12: {math.Cos(0.3), 0, math.Sin(0.3), 0}})
	if shin := bent.Positions[human.RAnkle].Sub(bent.Positions[human.RKnee]); math.Abs(shin[0]+0.40987*math.Sin(1)) > 1e-6 {
		t.Errorf("the right shin is %v", shin)
	}
	if fore := bent.Positions[human.RWrist].Sub(bent.Positions[human.RElbow]); math.Abs(fore[0]-0.258947*math.Sin(1)) > 1e-6 {
		t.Errorf("the right forearm is %v", fore)
	}
	if left := bent.Positions[human.LAnkle].Sub(stand.Positions[human.LAnkle]).Norm(); left > 1e-3 {
		t.Errorf("the left ankle moved by %g m", left)
	}
	if look := bent.Rotations[human.Head].Rotate(spatial.Vec3{1, 0, 0}); math.Abs(math.Atan2(look[1], look[0])-0.6) > 1e-3 {
		t.Errorf("the head looks along %v, want 0.6 rad to the left", look)
	}
	for want, text := range map[string]string{
		"frame 0 has 3 numbers":   `{"Frames":[[1,2,3],[1,2,3]]}`,
		"0 Frames":                `{"Loop":"none"}`,
		"deepmimic":               `{`,
		"no unit quaternion":      strings.Replace(string(mimicFile(nil)), "0.9,0,1,", "0.9,0,3,", 1),
		"frame 0 lasts 0 s":       strings.ReplaceAll(string(mimicFile(nil)), "[0.03333333333333333,", "[0,"),
		"frame 1 lasts 0.0333333": strings.Replace(string(mimicFile(nil)), "[0.03333333333333333,", "[0.1,", 1),
	} {
		if _, err := ReadDeepMimic([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzReadDeepMimic(f *testing.F) {
	f.Add(mimicFile(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		if file, err := ReadDeepMimic(text); err == nil {
			_, _, _ = file.Motion("x", bvh.Options{})
		}
	})
}
