package human

import (
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Files of earlier versions stay readable. Their numbers were computed by the formulas below. 1-0 is from before
// extractions were judged, 1-1 carries a verdict.
func TestEarlierFilesAreRead(t *testing.T) {
	meta := Meta{Schema: 1, Source: "clip.mp4", SourceSHA256: "aa", StartS: 1.5, SubjectHeightM: 1.7, Model: "truth", Tool: "fixture", FramesMissed: 2}
	judged := meta
	judged.Verdict, judged.Warnings = "doubtful", []string{"the camera moves"}
	judged.Unseen = []Unseen{{Part: "legs", FromS: 1.5, ToS: 1.6}}
	for name, want := range map[string]Meta{"schema1-0": meta, "schema1-1": judged} {
		m, err := Load("testdata/" + name + ".human.npz")
		if err != nil {
			t.Fatal(err)
		}
		if m.FPS != 30 || len(m.Frames) != 6 || !reflect.DeepEqual(m.Meta, want) {
			t.Errorf("%s: %d frames at %g/s, %+v; want %+v", name, len(m.Frames), m.FPS, m.Meta, want)
		}
		for i := range m.Frames {
			p, x := &m.Frames[i], float64(i)
			for j := range p.Positions {
				k := float64(j)
				turn := spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, 0.05*x+0.02*k)
				if at := (spatial.Vec3{0.1 * x, 0.01 * k, 1 + 0.001*float64(i*j)}); p.Positions[j] != at || p.Rotations[j].Inv().Mul(turn).Log().Norm() > 1e-12 ||
					p.Confidence[j] != float64(j%5)/4 {
					t.Fatalf("%s, frame %d, %s: %v %v %g", name, i, Joint(j), p.Positions[j], p.Rotations[j], p.Confidence[j])
				}
			}
			for c, v := range p.Contacts {
				if v != float64((i+c)%2) {
					t.Errorf("%s, frame %d: contacts %v", name, i, p.Contacts)
				}
			}
		}
	}
}
