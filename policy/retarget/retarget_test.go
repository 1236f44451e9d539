package retarget

import (
	"encoding/json"
	"fmt"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
)

func retargeted(t *testing.T, r *Retargeter, m *human.Motion, o Options) (*motion.Clip, *Report) {
	t.Helper()
	c, rep, err := r.Retarget(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, rep
}

// sound checks what every clip must keep, whatever the input was.
func sound(t *testing.T, r *Retargeter, name string, c *motion.Clip, rep *Report) {
	t.Helper()
	bad := func(format string, a ...any) { t.Helper(); t.Errorf("%s: %s", name, fmt.Sprintf(format, a...)) }
	if err := c.Validate(); err != nil {
		bad("%v", err)
	}
	if rep.JointLimitViolations != 0 || rep.SpeedLimitViolations != 0 {
		bad("%d limit and %d speed violations (fastest %.2f)", rep.JointLimitViolations, rep.SpeedLimitViolations, rep.WorstSpeedShare)
	}
	// The same, counted here from the clip alone.
	for f := range c.Frames {
		for k, j := range r.robot.Desc.Joints {
			if q := c.Frames[f].JointPosRad[k]; q < j.MinRad || q > j.MaxRad {
				bad("frame %d: %s at %g rad", f, j.Name, q)
			}
			if f == 0 {
				continue
			}
			if v := math.Abs(c.Frames[f].JointPosRad[k]-c.Frames[f-1].JointPosRad[k]) * c.FPS; v > physique.SpeedShare*r.robot.Desc.ServoOf(k).NoLoadSpeedRadPerS {
				bad("frame %d: %s at %g rad/s", f, j.Name, v)
			}
		}
		if n := c.Frames[f].Contacts; n[0]+n[1] == 0 {
			bad("frame %d: no foot on the floor", f)
		}
	}
	if rep.PenetrationDepthM > 2e-3 || rep.FloatingFraction > 0 {
		bad("sinks %.1f mm, floats in %.3f of the frames", 1e3*rep.PenetrationDepthM, rep.FloatingFraction)
	}
	if rep.FootSlidingFraction > 0.02 {
		bad("slides in %.3f of stance, at most %.3f m/s", rep.FootSlidingFraction, rep.FootSlidingSpeedMPerS)
	}
	for _, f := range []*motion.Frame{&c.Frames[0], &c.Frames[len(c.Frames)-1]} {
		for k, i := range r.robot.Joints {
			if d := math.Abs(f.JointPosRad[k] - r.robot.An.Ref[r.robot.DofQ[i]]); d > 2e-3 {
				bad("does not start and end standing: %s is %g rad off", r.robot.Desc.Joints[k].Name, d)
			}
			if math.Abs(f.JointVelRadPerS[k]) > 0.02 {
				bad("does not start and end at rest: %s at %g rad/s", r.robot.Desc.Joints[k].Name, f.JointVelRadPerS[k])
			}
		}
	}
	v, err := r.check.Check(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		if f.Severity == "fatal" && f.Kind != "torque" { // whether the servos are strong enough is for the check to say
			bad("%s", f.Text)
		}
	}
	if rep.UnbalancedShare > 0.01 {
		bad("pressure point outside the feet in %.3f of the frames, at worst %.1f mm", rep.UnbalancedShare, 1e3*rep.WorstBalanceM)
	}
}

// TestEveryMotionGivesASoundClip runs clean and spoiled performances, sensible and absurd.
func TestEveryMotionGivesASoundClip(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets twenty times; leave out -short to run it")
	}
	r := kata(t)
	for name, m := range motions(r) {
		c, rep := retargeted(t, r, m, Options{})
		sound(t, r, name, c, rep)
		c, rep = retargeted(t, r, spoil(m, 1, 0.02), Options{Tempo: 2.5, Amplify: 1.5, Mirror: true})
		sound(t, r, name+", spoiled, fast, wide and mirrored", c, rep)
	}
}

// TestRoundTripReturnsTheJoints retargets a person made from robot poses: the robot must find those poses again. The
// tolerance covers the smoothing of the observed points.
func TestRoundTripReturnsTheJoints(t *testing.T) {
	r := kata(t)
	want := func(tt float64) map[string]float64 {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*tt/3)
		return map[string]float64{"l_shoulder_pitch": -0.8 * w, "l_shoulder_roll": 0.15 + 1.2*w, "l_elbow": -0.3 - w,
			"r_shoulder_pitch": -1.5 * w, "r_shoulder_roll": -0.15 - 0.4*w, "r_shoulder_yaw": 0.6 * w, "r_elbow": -0.3 - 0.9*w}
	}
	c, rep := retargeted(t, r, motions(r)["arms"], Options{})
	first := int(math.Round(c.Meta.LeadInS * c.FPS))
	for k := range 151 {
		for name, q := range want(float64(k) / 50) {
			if got := c.Frames[first+k].JointPosRad[r.robot.Desc.JointIndex(name)]; math.Abs(got-q) > 0.06 {
				t.Fatalf("at %.2f s %s is %.3f rad, was %.3f", float64(k)/50, name, got, q)
			}
		}
	}
	if rep.DirectionErrorDeg > 2 || rep.Similarity < 0.995 {
		t.Errorf("direction error %.2f deg, similarity %.4f", rep.DirectionErrorDeg, rep.Similarity)
	}
	c, _ = retargeted(t, r, motions(r)["squat"], Options{})
	first = int(math.Round(c.Meta.LeadInS * c.FPS))
	for k := range 151 {
		knee := 0.7 + 1.0*(0.5-0.5*math.Cos(2*math.Pi*float64(k)/150))
		for _, name := range []string{"l_knee", "r_knee"} {
			if got := c.Frames[first+k].JointPosRad[r.robot.Desc.JointIndex(name)]; math.Abs(got-knee) > 0.08 {
				t.Fatalf("squat at %.2f s: %s is %.3f rad, was %.3f", float64(k)/50, name, got, knee)
			}
		}
	}
}

// TestLiftedFeetAreLifted: what the person lifts the robot lifts, with its weight over the other foot.
func TestLiftedFeetAreLifted(t *testing.T) {
	r := kata(t)
	c, rep := retargeted(t, r, motions(r)["march"], Options{})
	air := [2]int{}
	for f := range c.Frames {
		for s, on := range c.Frames[f].Contacts {
			if on == 0 {
				air[s]++
			}
		}
	}
	if air[0] < 40 || air[1] < 40 {
		t.Errorf("feet are in the air for %d and %d frames", air[0], air[1])
	}
	if rep.WorstBalanceM < 0.01 {
		t.Errorf("balance margin %.1f mm on one foot", 1e3*rep.WorstBalanceM)
	}
}

func TestMirrorSwapsSides(t *testing.T) {
	r := kata(t)
	m := motions(r)["arms"]
	a, _ := retargeted(t, r, m, Options{})
	b, _ := retargeted(t, r, m, Options{Mirror: true})
	if len(a.Frames) != len(b.Frames) {
		t.Fatalf("%d and %d frames", len(a.Frames), len(b.Frames))
	}
	for f := range a.Frames {
		for k, j := range r.robot.Desc.Joints {
			other := strings.Replace(strings.Replace(j.Name, "l_", "x_", 1), "r_", "l_", 1)
			if strings.HasPrefix(j.Name, "l_") {
				other = "r_" + j.Name[2:]
			}
			sign := 1.0
			if strings.HasSuffix(j.Name, "_roll") || strings.HasSuffix(j.Name, "_yaw") {
				sign = -1
			}
			if d := a.Frames[f].JointPosRad[k] - sign*b.Frames[f].JointPosRad[r.robot.Desc.JointIndex(other)]; math.Abs(d) > 0.02 {
				t.Fatalf("frame %d: %s differs from its mirror image by %g rad", f, j.Name, d)
			}
		}
	}
}

func TestTempoAndAmplify(t *testing.T) {
	r := kata(t)
	m := motions(r)["arms"]
	a, _ := retargeted(t, r, m, Options{})
	slow, _ := retargeted(t, r, m, Options{Tempo: 0.5})
	wide, _ := retargeted(t, r, m, Options{Amplify: 1.3})
	body := func(c *motion.Clip) float64 { return c.Seconds() - c.Meta.LeadInS - c.Meta.LeadOutS }
	if ratio := body(slow) / body(a); math.Abs(ratio-2) > 0.02 {
		t.Errorf("tempo 0.5 makes the motion %.3f times as long", ratio)
	}
	// The largest angle of the left upper arm from hanging straight down.
	top := func(c *motion.Clip) float64 {
		v := 0.0
		at := map[string]int{}
		for i, n := range c.BodyNames {
			at[n] = i
		}
		for f := range c.Frames {
			p := c.Frames[f].BodyPosM
			d := p[at["l_forearm"]].Sub(p[at["l_shoulder_roll_link"]])
			v = math.Max(v, math.Acos(-d[2]/d.Norm()))
		}
		return v
	}
	if ratio := top(wide) / top(a); ratio < 1.2 || ratio > 1.4 {
		t.Errorf("amplify 1.3 raises the arm %.2f times as far", ratio)
	}
	for _, o := range []Options{{Tempo: -1}, {Tempo: math.NaN()}, {Amplify: 10}, {FPS: 1}} {
		if _, _, err := r.Retarget(m, o); err == nil || !strings.Contains(err.Error(), "legal:") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestFastArmsAreSlowedDownNotCut(t *testing.T) {
	r := kata(t)
	c, rep := retargeted(t, r, motions(r)["fast arms"], Options{})
	if rep.TimeStretch < 1.2 {
		t.Errorf("arms at up to 14 rad/s are slowed down by %.2f only", rep.TimeStretch)
	}
	reach := 0.0
	for f := range c.Frames {
		reach = math.Max(reach, c.Frames[f].JointPosRad[r.robot.Desc.JointIndex("l_shoulder_roll")])
	}
	if reach < 1.1 {
		t.Errorf("the arm reaches %.2f of 1.35 rad", reach)
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	r := kata(t)
	m := spoil(motions(r)["march"], 3, 0.01)
	a, _ := retargeted(t, r, m, Options{})
	b, _ := retargeted(t, kata(t), m, Options{})
	ja, _ := json.Marshal(a)
	jb, _ := json.Marshal(b)
	if string(ja) != string(jb) {
		t.Error("two runs differ")
	}
}

func TestBadMotionIsRefused(t *testing.T) {
	r := kata(t)
	if _, _, err := r.Retarget(&human.Motion{FPS: 30}, Options{}); err == nil {
		t.Error("an empty motion is accepted")
	}
}

// BenchmarkRetarget reports frames of the finished clip per second on one core.
func BenchmarkRetarget(b *testing.B) {
	r := kata(b)
	for _, name := range []string{"arms", "squat", "march"} {
		m := motions(r)[name]
		b.Run(name, func(b *testing.B) {
			frames := 0
			for b.Loop() {
				c, _, err := r.Retarget(m, Options{})
				if err != nil {
					b.Fatal(err)
				}
				frames += len(c.Frames)
			}
			b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
