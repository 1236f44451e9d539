package metrics

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// A motion filmed from elsewhere is the same motion turned: it is compared as such, and by
// how much it was turned is told; motions of one video, and a rendered truth, keep their
// headings.
func TestHeadingsOfDifferentVideos(t *testing.T) {
	m := &human.Motion{FPS: 30, Frames: make([]human.Pose, 10)}
	for i := range m.Frames {
		for j := range human.NumJoints {
			m.Frames[i].Positions[j] = spatial.Vec3{0.1 * float64(j), 0.05 * float64(j*j%7), 0.04*float64(j) + 0.01*float64(i)}
			m.Frames[i].Rotations[j] = spatial.FromYaw(0.2)
		}
	}
	turn := spatial.FromYaw(1.3)
	other := *m
	other.Frames = append([]human.Pose(nil), m.Frames...)
	for i := range other.Frames {
		for j := range human.NumJoints {
			other.Frames[i].Positions[j] = turn.Rotate(other.Frames[i].Positions[j])
			other.Frames[i].Rotations[j] = turn.Mul(other.Frames[i].Rotations[j])
		}
	}
	for _, x := range []struct {
		a, b    string
		aligned bool
	}{{"one", "two", true}, {"one", "one", false}, {"one", "", false}} {
		m.Meta.SourceSHA256, other.Meta.SourceSHA256 = x.a, x.b
		c, err := Compare(m, &other)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.MPJPEMm < 1e-6 && math.Abs(c.HeadingAlignedDeg-1.3*180/math.Pi) < 1e-6 && c.HeadingMeanDeg < 1e-6; got != x.aligned {
			t.Errorf("%q against %q: MPJPE %g mm, aligned by %g deg", x.a, x.b, c.MPJPEMm, c.HeadingAlignedDeg)
		}
	}
}
