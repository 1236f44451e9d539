package motion

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Files of earlier versions stay readable. Their numbers were computed by the formulas below. 1-0 has its rate as a
// scalar, 1-1 as a list of one.
func TestEarlierFilesAreRead(t *testing.T) {
	want := Meta{Schema: 1, Robot: "made", RobotHash: "bb", Source: "clip.mp4", LeadInS: 0.5, LeadOutS: 0.25,
		SourceS: []float64{0, 0, 0.02, 0.04, 0.04}, Tool: "fixture", Report: json.RawMessage(`{"frames":5}`)}
	for _, name := range []string{"schema1-0", "schema1-1"} {
		c, err := Load("testdata/" + name + ".motion.npz")
		if err != nil {
			t.Fatal(err)
		}
		if c.FPS != 50 || len(c.Frames) != 5 || !slices.Equal(c.JointNames, []string{"l", "r", "neck"}) ||
			!slices.Equal(c.BodyNames, []string{"root", "hand"}) || !reflect.DeepEqual(c.Meta, want) {
			t.Errorf("%s: %d frames at %g/s, %v, %v, %+v", name, len(c.Frames), c.FPS, c.JointNames, c.BodyNames, c.Meta)
		}
		for i, f := range c.Frames {
			for j := range c.JointNames {
				if f.JointPosRad[j] != 0.01*float64(i)+0.001*float64(j) || f.JointVelRadPerS[j] != 0.1*float64(i-j) {
					t.Errorf("%s, frame %d, joint %d: %g, %g", name, i, j, f.JointPosRad[j], f.JointVelRadPerS[j])
				}
			}
			for b := range c.BodyNames {
				x := float64(10*i + b)
				turn := spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, 0.01*x)
				if f.BodyPosM[b] != (spatial.Vec3{0.01 * x, 0.02 * x, 0.3}) || f.BodyQuat[b].Inv().Mul(turn).Log().Norm() > 1e-12 ||
					f.BodyVelMPerS[b] != (spatial.Vec3{0, 0.5 * x, 0}) || f.BodyAngVel[b] != (spatial.Vec3{0, 0, 0.25 * x}) {
					t.Errorf("%s, frame %d, body %d: %v %v %v %v", name, i, b, f.BodyPosM[b], f.BodyQuat[b], f.BodyVelMPerS[b], f.BodyAngVel[b])
				}
			}
			if f.Contacts != [2]float64{float64(i % 2), 1} {
				t.Errorf("%s, frame %d: contacts %v", name, i, f.Contacts)
			}
		}
	}
}
