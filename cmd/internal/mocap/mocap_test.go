package mocap

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// nodder stands with hanging arms and bends a knee.
func nodder() *human.Motion {
	m := &human.Motion{FPS: 25, Frames: make([]human.Pose, 30), Meta: human.Meta{SubjectHeightM: 1.75}}
	for t := range m.Frames {
		p := &m.Frames[t]
		q := &p.Positions
		const leg = 0.491 * 1.75
		q[human.Pelvis], q[human.Chest], q[human.Head] = spatial.Vec3{0, 0, 0.94}, spatial.Vec3{0, 0, 1.4}, spatial.Vec3{0, 0, 1.63}
		q[human.Nose] = spatial.Vec3{0.114, 0, 1.65}
		for s := range 2 {
			y := 1 - 2*float64(s)
			hip, shoulder := human.LHip+human.Joint(5*s), human.LShoulder+human.Joint(4*s)
			q[hip], q[hip+1], q[hip+2] = spatial.Vec3{0, 0.09 * y, 0.94}, spatial.Vec3{0, 0.09 * y, 0.94 - leg/2}, spatial.Vec3{0, 0.09 * y, 0.94 - leg}
			if s == 0 {
				bend := 0.6 * math.Sin(float64(t)*0.2)
				q[hip+2] = q[hip+1].Add(spatial.Vec3{-leg / 2 * math.Abs(math.Sin(bend)), 0, -leg / 2 * math.Cos(bend)})
			}
			q[hip+3], q[hip+4] = q[hip+2].Add(spatial.Vec3{-0.079, 0, -0.068}), q[hip+2].Add(spatial.Vec3{0.187, 0, -0.068})
			for k := range human.Joint(4) {
				q[shoulder+k] = spatial.Vec3{0, 0.18 * y, 1.4 - 0.26*float64(k)}
			}
		}
		for j := range p.Rotations {
			p.Rotations[j], p.Confidence[j] = spatial.Identity(), 1
		}
	}
	return m
}

// What is saved in any format and loaded again is the same motion, of the same size.
func TestEveryFormatComesBack(t *testing.T) {
	want := nodder()
	for _, c := range []struct {
		file, unit string
	}{{"a.bvh", "m"}, {"b.BVH", "cm"}, {"c.trc", "m"}, {"d.npz", "m"}} {
		name := filepath.Join(t.TempDir(), c.file)
		if err := Save(name, want, c.unit); err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		got, notes, err := Load(name, "", Options{})
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if len(got.Frames) != len(want.Frames) || got.FPS != want.FPS || len(notes) > 0 {
			t.Errorf("%s: %d frames at %g, notes %q", c.file, len(got.Frames), got.FPS, notes)
		}
		for k := range got.Frames {
			for j := range got.Frames[k].Positions {
				if d := got.Frames[k].Positions[j].Sub(want.Frames[k].Positions[j]).Norm(); d > 0.025 {
					t.Fatalf("%s: frame %d, %v is %.0f mm away", c.file, k, human.Joint(j), 1000*d)
				}
			}
		}
	}
}

// The unit of a BVH file is the one that was asked for: readers that scale do not notice.
func TestUnitsAreWritten(t *testing.T) {
	for unit, high := range map[string]float64{"m": 0.94, "cm": 94} {
		name := filepath.Join(t.TempDir(), "a.bvh")
		if err := Save(name, nodder(), unit); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := bvh.Read(in)
		if err := errors.Join(err, in.Close()); err != nil {
			t.Fatal(err)
		}
		pos, rot := make([]spatial.Vec3, len(f.Joints)), make([]spatial.Quat, len(f.Joints))
		f.Pose(0, pos, rot)
		if y := pos[0][1]; math.Abs(y-high) > 0.01*high {
			t.Errorf("in %s the pelvis is %g high, want %g", unit, y, high)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	bare := filepath.Join(dir, "bare.npz")
	if err := npz.Save(bare, npz.Archive{"joints": npz.Floats(make([]float64, 3*22*3), 3, 22, 3)}); err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(dir, "strange.npz")
	if err := npz.Save(strange, npz.Archive{"joints": npz.Floats(make([]float64, 3*2*3), 3, 2, 3), "joint_names": npz.Strings([]string{"a", "b"}), "fps": npz.Scalar(30)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, names string
		o           Options
		code        int
		want        string
	}{
		{filepath.Join(dir, "none.trc"), "", Options{}, fault.ExitFailed, "no such file"},
		{file("x.fbx", ""), "", Options{}, fault.ExitUsage, "*.c3d"},
		{file("x.c3d", "PK"), "", Options{}, fault.ExitRefused, "not a C3D file"},
		{file("x.trc", "hello\n\n\n\n\n"), "", Options{}, fault.ExitRefused, "not a TRC file"},
		{file("x.json", "{}"), "", Options{}, fault.ExitRefused, "0 Frames"},
		{file("x.npz", "text"), "", Options{}, fault.ExitRefused, "not a zip"},
		{bare, "", Options{}, fault.ExitRefused, "--fps"},
		{bare, "", Options{FPS: 1e6}, fault.ExitUsage, "--fps"},
		{strange, "", Options{}, fault.ExitRefused, "l_shoulder"},
		{strange, "l_elbow=c", Options{}, fault.ExitUsage, `no point "c"`},
	} {
		_, _, err := Load(c.name, c.names, c.o)
		if err == nil || fault.Code(err) != c.code || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), filepath.Base(c.name)) && c.code != fault.ExitUsage {
			t.Errorf("%s: exit code %d, %v; want %d, %q", filepath.Base(c.name), fault.Code(err), err, c.code, c.want)
		}
	}
	for name, unit := range map[string]string{"a.fbx": "m", "a.bvh": "ft", "a.human.npz": "m"} {
		if err := Save(filepath.Join(dir, name), nodder(), unit); fault.Code(err) != fault.ExitUsage {
			t.Errorf("%s in %s: %v", name, unit, err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}
