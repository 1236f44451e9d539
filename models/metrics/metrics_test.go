package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// walker returns a motion of random smooth joint paths: no person, but every
// joint moves differently.
func walker(fps, startS, seconds float64) *human.Motion {
	r := rand.New(rand.NewPCG(1, 2))
	var phase, rate [human.NumJoints][3]float64
	for j := range phase {
		for k := range 3 {
			phase[j][k], rate[j][k] = 6*r.Float64(), 1+2*r.Float64()
		}
	}
	m := &human.Motion{FPS: fps}
	m.Meta.StartS = startS
	for i := range int(seconds*fps) + 1 {
		t := startS + float64(i)/fps
		var p human.Pose
		for j := range human.NumJoints {
			for k := range 3 {
				p.Positions[j][k] = 0.3*float64(j%5) + 0.2*math.Sin(phase[j][k]+rate[j][k]*t)
			}
			p.Rotations[j] = spatial.Exp(p.Positions[j])
			p.Confidence[j] = 1
		}
		m.Frames = append(m.Frames, p)
	}
	return m
}

func edit(m *human.Motion, f func(p *human.Pose)) *human.Motion {
	out := *m
	out.Frames = append([]human.Pose(nil), m.Frames...)
	for i := range out.Frames {
		f(&out.Frames[i])
	}
	return &out
}

func mustCompare(t *testing.T, a, b *human.Motion) *Comparison {
	t.Helper()
	c, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tol {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestAMotionEqualsItself(t *testing.T) {
	m := walker(30, 0, 3)
	c := mustCompare(t, m, m)
	for what, v := range map[string]float64{"mpjpe": c.MPJPEMm, "n": c.NMPJPEMm, "pa": c.PAMPJPEMm, "g": c.GMPJPEMm,
		"angle": c.JointAngleMeanDeg, "swing": c.JointSwingMeanDeg, "flexion": c.FlexionMeanDeg, "root": c.RootMaxM,
		"heading": c.HeadingMeanDeg, "accel": c.AccelErrorMPerS2, "side": c.SideErrorShare} {
		near(t, what, v, 0, 1e-5) // arccos near one loses half the digits
	}
	near(t, "contacts", c.ContactAgreement, 1, 1e-9)
	if c.Frames != len(m.Frames) || len(c.Joints) != human.NumJoints || c.Joints[human.LKnee].Joint != "l_knee" {
		t.Errorf("%d frames, %v", c.Frames, c.Joints)
	}
}

func TestEachAlignmentForgivesWhatItShould(t *testing.T) {
	truth := walker(30, 0, 3)
	turn := spatial.Exp(spatial.Vec3{0.3, -0.2, 0.5})
	for _, c := range []struct {
		name         string
		move         func(v spatial.Vec3) spatial.Vec3
		g, m, n, pae bool // whether the error stays
	}{
		{"floor shift", func(v spatial.Vec3) spatial.Vec3 { return v.Add(spatial.Vec3{2, -1, 0}) }, false, false, false, false},
		{"height shift", func(v spatial.Vec3) spatial.Vec3 { return v.Add(spatial.Vec3{0, 0, 0.1}) }, true, false, false, false},
		{"scale", func(v spatial.Vec3) spatial.Vec3 { return v.Scale(1.1) }, true, true, false, false},
		{"turn", func(v spatial.Vec3) spatial.Vec3 { return turn.Rotate(v) }, true, true, true, false},
		{"mirror", func(v spatial.Vec3) spatial.Vec3 { return spatial.Vec3{v[0], -v[1], v[2]} }, true, true, true, true},
	} {
		got := mustCompare(t, edit(truth, func(p *human.Pose) {
			for j := range p.Positions {
				p.Positions[j] = c.move(p.Positions[j])
			}
		}), truth)
		for _, x := range []struct {
			what  string
			v     float64
			stays bool
		}{{"G", got.GMPJPEMm, c.g}, {"MPJPE", got.MPJPEMm, c.m}, {"N", got.NMPJPEMm, c.n}, {"PA", got.PAMPJPEMm, c.pae}} {
			if (x.v > 1e-6) != x.stays {
				t.Errorf("%s: %s-error %g mm, should stay: %v", c.name, x.what, x.v, x.stays)
			}
		}
	}
}

func TestKnownErrors(t *testing.T) {
	truth := walker(30, 0, 3)
	knee := edit(truth, func(p *human.Pose) {
		// Ten degrees at the knee, about the bone and across it.
		p.Rotations[human.LKnee] = p.Rotations[human.LKnee].Mul(spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, math.Pi/18))
		p.Rotations[human.RKnee] = p.Rotations[human.RKnee].Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, math.Pi/18))
		p.Rotations[human.LAnkle] = p.Rotations[human.LAnkle].Normalize()
	})
	c := mustCompare(t, knee, truth)
	near(t, "left knee angle", c.Joints[human.LKnee].AngleDeg, 10, 1e-6)
	near(t, "left knee swing", c.Joints[human.LKnee].SwingDeg, 0, 1e-6)
	near(t, "right knee swing", c.Joints[human.RKnee].SwingDeg, 10, 1e-6)
	near(t, "left ankle angle", c.Joints[human.LAnkle].AngleDeg, 10, 1e-6) // its parent turned
	near(t, "mean", c.JointAngleMeanDeg, 40.0/float64(len(angleJoints)), 1e-6)

	root := mustCompare(t, edit(truth, func(p *human.Pose) {
		for j := range p.Positions {
			p.Positions[j][2] += 0.03
		}
		p.Positions[human.LWrist][0] += 0.22
	}), truth)
	near(t, "height bias", root.RootHeightBiasM, 0.03, 1e-9)
	near(t, "root", root.RootMeanM, 0.03, 1e-9)
	near(t, "mpjpe", root.MPJPEMm, 220.0/float64(human.NumJoints), 1e-9)
	near(t, "wrist", root.Joints[human.LWrist].MPJPEMm, 220, 1e-9)

	swap := mustCompare(t, edit(truth, func(p *human.Pose) {
		old := p.Positions
		for j := range human.Joint(human.NumJoints) {
			p.Positions[j] = old[j.Mirror()]
		}
	}), truth)
	near(t, "left-right errors", swap.SideErrorShare, 1, 1e-9)

	touch := edit(truth, func(p *human.Pose) { p.Contacts[human.LToeContact] = 1 })
	near(t, "missed contacts", mustCompare(t, truth, touch).ContactMissedShare, 0.5, 1e-9)
	near(t, "false contacts", mustCompare(t, touch, truth).ContactFalseShare, 0.5, 1e-9)
}

func TestAlignsByTimeStamps(t *testing.T) {
	truth := walker(120, 1, 4)
	late := walker(25, 2.25, 2) // same paths, sampled elsewhere
	c := mustCompare(t, late, truth)
	near(t, "mpjpe", c.MPJPEMm, 0, 0.2) // linear interpolation at 120 Hz of 3 rad/s: 1e-4 of the amplitude
	if c.Frames != 51 {
		t.Errorf("%d frames compared, want 51", c.Frames)
	}
	part := mustCompare(t, walker(30, 0, 3), truth)
	if want := 61; part.Frames != want {
		t.Errorf("%d frames overlap, want %d", part.Frames, want)
	}
	if _, err := Compare(walker(30, 10, 3), truth); err == nil || !strings.Contains(err.Error(), "do not overlap") {
		t.Errorf("no overlap: %v", err)
	}
	bad := walker(30, 0, 1)
	bad.FPS = 0
	if _, err := Compare(bad, truth); err == nil {
		t.Error("invalid motion accepted")
	}
}

func TestPlausibility(t *testing.T) {
	const fps = 50.0
	m := &human.Motion{FPS: fps}
	for i := range 101 {
		var p human.Pose
		for j := range human.Joint(human.NumJoints) {
			p.Positions[j] = spatial.Vec3{0.1 * float64(j), 0, 0.5}
			p.Rotations[j] = spatial.Identity()
		}
		p.Positions[human.LToe] = spatial.Vec3{0.02 * float64(i) / fps, 0, 0.004} // slides at 2 cm/s
		p.Positions[human.RHeel][2] = -0.01
		if i < 50 {
			p.Contacts[human.LToeContact] = 1
		}
		m.Frames = append(m.Frames, p)
	}
	p := Plausible(m)
	near(t, "slide", p.FootSlideMeanMPerS, 0.02, 1e-9)
	near(t, "slide max", p.FootSlideMaxMPerS, 0.02, 1e-9)
	near(t, "slide share", p.FootSlideShare, 1, 1e-9)
	near(t, "float", p.FloatMaxM, 0.004, 1e-9)
	near(t, "sink", p.SinkMaxM, 0.01, 1e-9)
	near(t, "air", p.AirShare, 51.0/101, 1e-9)
	near(t, "jitter", p.JitterMps3, 0, 1e-6)
	if p.BoneSpreadMm < 1 { // the sliding toe stretches its foot
		t.Errorf("bone spread %g mm", p.BoneSpreadMm)
	}
	// x = t^3: third derivative 6.
	for i := range m.Frames {
		for j := range human.NumJoints {
			m.Frames[i].Positions[j][1] = math.Pow(float64(i)/fps, 3)
		}
	}
	near(t, "jitter of a cubic", Plausible(m).JitterMps3, 6, 1e-6)
}

func TestHornRotationFindsTheRotation(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		q := spatial.Quat{r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}.Normalize()
		var s [3][3]float64
		for range 10 {
			a := spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
			b := q.Rotate(a)
			for i := range 3 {
				for j := range 3 {
					s[i][j] += a[i] * b[j]
				}
			}
		}
		if e := hornRotation(s).Inv().Mul(q).Log().Norm(); e > 1e-7 {
			t.Fatalf("rotation off by %g rad", e)
		}
	}
}
