package bvh

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Blender's own importer, as people use it, puts the person where the motion has them: metres, z up, facing -y, which is
// Blender's front. MITORI_BLENDER names a Python that has the module bpy (PyPI: bpy 4.2.0 for Python 3.11).
func TestBlenderSeesTheSamePerson(t *testing.T) {
	python := os.Getenv("MITORI_BLENDER")
	if python == "" {
		t.Skip("MITORI_BLENDER does not name a Python with the module bpy")
	}
	m, _ := imported(t, walker(rand.New(rand.NewPCG(5, 5))).write(plainStyle("")), Options{HeightM: 1.7})
	f, err := FromHuman(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "walk.bvh")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(out); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(python, "testdata/blender.py", name, "0", "50", "170").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var frames []map[string]spatial.Vec3
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &frames); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for k, frame := range []int{0, 50, 170} {
		for bone, j := range map[string]human.Joint{"Hips": human.Pelvis, "Head": human.Head, "LeftHand": human.LWrist, "RightFoot": human.RAnkle, "LeftToeBase": human.LToe} {
			q := m.Frames[frame].Positions[j]
			want := spatial.Vec3{q[1], -q[0], q[2]}
			if d := frames[k][bone].Sub(want).Norm(); d > 0.005 {
				t.Errorf("frame %d: %s is %.0f mm away", frame, bone, 1000*d)
			}
		}
	}
}
