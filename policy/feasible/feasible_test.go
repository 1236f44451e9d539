package feasible

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const fps = 50

// bench is a robot with what the tests need to write clips for it.
type bench struct {
	*Checker
	desc *robot.Description
	ref  []float64
}

func kata(t *testing.T) *bench {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{c, b.Desc, append([]float64(nil), c.an.Ref...)}
}

// write makes a clip of the given length; change edits the standing positions of frame t.
func (b *bench) write(seconds float64, change func(tS float64, q []float64, on *[2]float64)) *motion.Clip {
	clip := &motion.Clip{FPS: fps, JointNames: b.desc.JointNames(), BodyNames: []string{b.desc.RootBody}}
	for t := 0; t <= int(seconds*fps); t++ {
		q := append([]float64(nil), b.ref...)
		f := motion.NewFrame(len(clip.JointNames), 1)
		f.Contacts = [2]float64{1, 1}
		if change != nil {
			change(float64(t)/fps, q, &f.Contacts)
		}
		copy(f.BodyPosM[0][:], q[b.root:])
		copy(f.BodyQuat[0][:], q[b.root+3:])
		for k := range clip.JointNames {
			f.JointPosRad[k] = q[b.qpos[k]]
		}
		clip.Frames = append(clip.Frames, f)
	}
	return clip
}

// joint returns the position index of a joint.
func (b *bench) joint(name string) int { return b.qpos[b.desc.JointIndex(name)] }

func (b *bench) verdict(t *testing.T, c *motion.Clip) *Verdict {
	t.Helper()
	v, err := b.Check(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// crouch puts both legs into a squat with flat feet under the hips.
func (b *bench) crouch(q []float64, knee float64) {
	for _, s := range []string{"l", "r"} {
		q[b.joint(s+"_hip_pitch")], q[b.joint(s+"_knee")], q[b.joint(s+"_ankle_pitch")] = -knee/2, knee, -knee/2
	}
	l := &b.an.Legs[0]
	q[b.root+2] += (l.ThighM + l.ShankM) * (math.Cos(knee/2) - math.Cos(0.35))
}

// wiggle is a smooth start from 0 to 1.
func wiggle(t float64) float64 { return 0.5 - 0.5*math.Cos(math.Pi*math.Min(t, 1)) }

func TestQuietStandingIsFeasible(t *testing.T) {
	b := kata(t)
	v := b.verdict(t, b.write(2, nil))
	if v.Verdict != Feasible || len(v.Findings) != 0 || v.OneFootShare != 0 {
		t.Errorf("%+v", v)
	}
	// Standing still, gravity alone loads the knees: weight / 2 times the lever of the thigh, less the leg's own part.
	l := &b.an.Legs[0]
	lever := l.ThighM * math.Sin(0.35)
	most := b.kin.MassKg * 9.81 / 2 * lever
	knee := v.Joints[b.desc.JointIndex("l_knee")]
	if knee.PeakNm < 0.4*most || knee.PeakNm > most {
		t.Errorf("a knee bears %.3f N m; the weight gives at most %.3f", knee.PeakNm, most)
	}
	if len(v.Seconds) != 3 || v.Seconds[0].BalanceMarginM < 0.02 {
		t.Errorf("per second: %+v", v.Seconds)
	}
}

// TestEveryFaultIsNamed injects one fault at a time; the verdict must name it, its part and its time.
func TestEveryFaultIsNamed(t *testing.T) {
	b := kata(t)
	elbow, roll := b.joint("l_elbow"), b.joint("r_shoulder_roll")
	for _, c := range []struct {
		name   string
		class  Class
		kind   string
		words  string
		atS    [2]float64
		change func(tS float64, q []float64, on *[2]float64)
	}{
		{"past a limit", Infeasible, "joint_limit", "l_elbow", [2]float64{1, 2},
			func(t float64, q []float64, _ *[2]float64) { q[elbow] = -0.3 - 2.5*wiggle(t/2) }},
		{"too fast", Infeasible, "speed", "l_elbow", [2]float64{0, 0.4},
			func(t float64, q []float64, _ *[2]float64) { q[elbow] = -0.3 - 2*wiggle(t/0.3) }},
		{"too strong", Infeasible, "torque", "r_shoulder_roll", [2]float64{0, 2},
			func(t float64, q []float64, _ *[2]float64) { q[roll] = -1.2 - 0.25*math.Sin(2*math.Pi*4*t) }},
		{"toppling", Infeasible, "balance_lost", "falls", [2]float64{0.5, 2},
			func(t float64, q []float64, _ *[2]float64) {
				r := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, 0.6*wiggle(t))
				copy(q[b.root+3:], r[:])
			}},
		{"in the air", Infeasible, "flight", "cannot jump", [2]float64{0.5, 1},
			func(t float64, q []float64, on *[2]float64) {
				if t > 0.5 && t < 1 {
					*on = [2]float64{}
				}
			}},
		{"below the floor", Infeasible, "sink", "left foot", [2]float64{0, 2},
			func(t float64, q []float64, _ *[2]float64) { q[b.root+2] -= 0.03 * wiggle(t) }},
		{"hovering", WithPolicy, "float", "right foot", [2]float64{0, 2},
			func(t float64, q []float64, _ *[2]float64) { q[b.root+2] += 0.02 * wiggle(t) }},
		{"sliding", WithPolicy, "slide", "left foot", [2]float64{0, 2},
			func(t float64, q []float64, _ *[2]float64) { q[b.root] += 0.1 * t }},
		{"hand through the chest", Infeasible, "collision", "forearm", [2]float64{0, 2},
			func(t float64, q []float64, _ *[2]float64) {
				q[b.joint("l_shoulder_pitch")] = 0.1
				q[b.joint("l_shoulder_roll")] = 0.15 - 0.35*wiggle(t)
				q[b.joint("l_shoulder_yaw")] = -1.5 * wiggle(t)
				q[elbow] = -0.3 - 1.3*wiggle(t)
			}},
	} {
		v := b.verdict(t, b.write(2, c.change))
		if v.Verdict != c.class {
			t.Errorf("%s: verdict %q: %s", c.name, v.Verdict, v.Summary)
		}
		found := false
		for _, f := range v.Findings {
			if f.Kind == c.kind && strings.Contains(f.Text, c.words) {
				found = true
				if f.AtS < c.atS[0] || f.AtS > c.atS[1] {
					t.Errorf("%s: found at %.2f s, injected within %v", c.name, f.AtS, c.atS)
				}
				if !strings.Contains(v.Summary, f.Text) {
					t.Errorf("%s: the summary does not say %q", c.name, f.Text)
				}
			}
		}
		if !found {
			t.Errorf("%s: not found: %s", c.name, v.Summary)
		}
	}
}

// TestAnArmMayLean: an arm that is drawn a little into the body only leans on it; deeper, the servo cannot give way.
func TestAnArmMayLean(t *testing.T) {
	b := kata(t)
	deepest := func(in float64) (Class, float64) {
		v := b.verdict(t, b.write(2, func(tS float64, q []float64, _ *[2]float64) {
			w := in * wiggle(tS/2)
			q[b.joint("l_shoulder_pitch")] = 0.1
			q[b.joint("l_shoulder_roll")] = 0.15 - 0.35*w
			q[b.joint("l_shoulder_yaw")] = -1.5 * w
			q[b.joint("l_elbow")] = -0.3 - 1.3*w
		}))
		deep := 0.0
		for _, f := range v.Findings {
			if f.Kind == "collision" {
				deep = math.Max(deep, f.Value)
			}
		}
		return v.Verdict, deep
	}
	leant := false
	for in := 0.5; in < 1.001; in += 0.02 {
		class, deep := deepest(in)
		if deep > 0.010 && deep < 0.019 {
			leant = true
			if class != WithPolicy {
				t.Errorf("%.0f mm into the body: %s", 1e3*deep, class)
			}
		}
		if deep > 0.03 && class != Infeasible {
			t.Errorf("%.0f mm into the body: %s", 1e3*deep, class)
		}
	}
	if !leant {
		t.Error("the arm never leant on the body: the test tests nothing")
	}
}

// TestShortOverloadIsNoRefusal jerks an arm for three frames: a servo lags there, which a policy can live with.
func TestShortOverloadIsNoRefusal(t *testing.T) {
	b := kata(t)
	roll := b.joint("r_shoulder_roll")
	v := b.verdict(t, b.write(2, func(t float64, q []float64, _ *[2]float64) {
		if t > 0.99 {
			q[roll] -= 0.08 * min(1, (t-0.98)/0.04)
		}
	}))
	if v.Verdict != WithPolicy || v.TorqueShare < 1 || len(v.Findings) == 0 || v.Findings[0].Kind != "torque" || v.Findings[0].ForS > 0.1 {
		t.Errorf("%s, torque share %.2f: %+v", v.Summary, v.TorqueShare, v.Findings)
	}
}

// TestTorquesBalance: whatever the posture, the torques with the feet's forces taken off leave nothing to the root.
func TestTorquesBalance(t *testing.T) {
	b := kata(t)
	clip := b.write(2, func(t float64, q []float64, _ *[2]float64) { b.crouch(q, 0.7+0.8*wiggle(t/2)) })
	tr, err := b.load(clip)
	if err != nil {
		t.Fatal(err)
	}
	nv := b.kin.Tree.NV
	tau, need, ext := make([]float64, nv), make([]float64, nv), make([]kin.Wrench, len(b.kin.Tree.Bodies))
	for f := range tr.q {
		b.kin.Forward(b.d, tr.q[f])
		b.kin.InverseDynamics(tau, b.d, tr.vel[f], tr.acc[f], nil)
		b.balance(&Verdict{WorstMarginM: 1}, newFaults(fps), &Second{}, tr, f, tau, ext)
		b.kin.InverseDynamics(need, b.d, tr.vel[f], tr.acc[f], ext)
		for i := 0; i < 6; i++ {
			if math.Abs(need[i]) > 1e-6 {
				t.Fatalf("frame %d: the root still needs %g in dof %d", f, need[i], i)
			}
		}
		l, r := need[b.joints[b.desc.JointIndex("l_knee")]], need[b.joints[b.desc.JointIndex("r_knee")]]
		if math.Abs(l-r) > 0.02 {
			t.Fatalf("frame %d: knees bear %.3f and %.3f N m in a symmetric squat", f, l, r)
		}
	}
}

func TestServoLineFallsWithSpeed(t *testing.T) {
	b := kata(t)
	stall, free := b.desc.ServoOf(0).StallTorqueNm, b.desc.ServoOf(0).NoLoadSpeedRadPerS
	for _, c := range []struct{ speed, torque, want float64 }{
		{0, 1, stall}, {free, 1, 0}, {2 * free, 1, 0}, {free / 2, 1, stall / 2}, {-free / 2, 1, stall}, {-free / 2, -1, stall / 2},
	} {
		if got, _ := b.servo(0, c.speed, c.torque); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("at %g rad/s towards %g: %g N m, want %g", c.speed, c.torque, got, c.want)
		}
	}
}

func TestContactsAreFoundWhereTheFileHasNone(t *testing.T) {
	b := kata(t)
	v := b.verdict(t, b.write(1, func(_ float64, _ []float64, on *[2]float64) { *on = [2]float64{} }))
	if v.Verdict != Feasible {
		t.Errorf("standing without contact marks: %s", v.Summary)
	}
}

func TestClipForAnotherRobotIsRefused(t *testing.T) {
	b := kata(t)
	clip := b.write(1, nil)
	clip.JointNames[3] = "tail"
	if _, err := b.Check(clip); !errors.Is(err, ErrWrongRobot) || !strings.Contains(err.Error(), "l_knee") {
		t.Errorf("%v", err)
	}
	if _, err := b.Check(&motion.Clip{}); err == nil {
		t.Error("an empty clip is accepted")
	}
}

func TestSegmentDistance(t *testing.T) {
	v := func(x, y, z float64) spatial.Vec3 { return spatial.Vec3{x, y, z} }
	for _, c := range []struct {
		a, b, p, q spatial.Vec3
		want       float64
	}{
		{v(0, 0, 0), v(1, 0, 0), v(0.5, 1, -1), v(0.5, 1, 1), 1}, // crossing
		{v(0, 0, 0), v(1, 0, 0), v(0, 2, 0), v(1, 2, 0), 2},      // parallel
		{v(0, 0, 0), v(1, 0, 0), v(3, 0, 0), v(4, 0, 0), 2},      // end to end
		{v(0, 0, 0), v(0, 0, 0), v(0, 3, 0), v(0, 4, 0), 3},      // a point
		{v(0, 0, 0), v(0, 0, 0), v(0, 3, 4), v(0, 3, 4), 5},      // two points
	} {
		onP, onQ := nearest(c.a, c.b, c.p, c.q)
		if got := onP.Sub(onQ).Norm(); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %g", c, got)
		}
	}
}

// TestPillsLieInsideTheirShapes: a stand-in must not touch what the shape would not.
func TestPillsLieInsideTheirShapes(t *testing.T) {
	g := mjcf.Geom{Kind: mjcf.Box, SizeM: spatial.Vec3{0.06, 0.03, 0.01}, Quat: spatial.Identity()}
	for _, p := range fill(&g) {
		for k := range g.SizeM {
			if m := math.Max(math.Abs(p.a[k]), math.Abs(p.b[k])) + p.r; m > g.SizeM[k]+1e-12 {
				t.Errorf("axis %d: reaches %g of %g", k, m, g.SizeM[k])
			}
		}
	}
}
