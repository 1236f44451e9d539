package retarget

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// farthest is the largest difference of joint angles between two clips, of joints of the same name.
func farthest(t *testing.T, a, b *motion.Clip) (worst float64) {
	t.Helper()
	if len(a.Frames) != len(b.Frames) {
		t.Fatalf("%d and %d frames", len(a.Frames), len(b.Frames))
	}
	for k, name := range a.JointNames {
		at := slices.Index(b.JointNames, name)
		for f := range a.Frames {
			worst = math.Max(worst, math.Abs(a.Frames[f].JointPosRad[k]-b.Frames[f].JointPosRad[at]))
		}
	}
	return worst
}

// TestOrderOfJointsDoesNotMatter: a description that lists the same joints in another order gives the same motion to
// the bit, in its own order.
func TestOrderOfJointsDoesNotMatter(t *testing.T) {
	r := kata(t)
	rng := rand.New(rand.NewPCG(8, 0))
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	rng.Shuffle(len(d.Joints), func(i, j int) { d.Joints[i], d.Joints[j] = d.Joints[j], d.Joints[i] })
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"arms", "march"} {
		x, _ := retargeted(t, r, motions(r)[name], Options{})
		y, _ := retargeted(t, other, motions(r)[name], Options{})
		if slices.Equal(x.JointNames, y.JointNames) {
			t.Fatal("the order is the same: the test tests nothing")
		}
		if v := farthest(t, x, y); v != 0 {
			t.Errorf("%s: angles differ by up to %g rad", name, v)
		}
	}
}

// TestWhereThePersonStandsDoesNotMatter: turned, moved and of another size, the same motion comes out, but for
// rounding and for jitter, which is measured in metres.
func TestWhereThePersonStandsDoesNotMatter(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets eight times; leave out -short to run it")
	}
	r := kata(t)
	for _, name := range []string{"squat", "march"} {
		m := motions(r)[name]
		want, _ := retargeted(t, r, m, Options{})
		for what, c := range map[string]struct {
			m   *human.Motion
			far float64
		}{
			"turned": {moved(m, 1, -1.9), 1e-4},
			"moved":  {shifted(m, func(int) spatial.Vec3 { return spatial.Vec3{-4, 2, 0} }), 1e-4},
			"larger": {moved(m, 1.25, 0), 0.02},
		} {
			got, _ := retargeted(t, r, c.m, Options{})
			if v := farthest(t, want, got); v > c.far {
				t.Errorf("%s, %s: angles differ by up to %g rad", name, what, v)
			}
		}
	}
}

// TestMirroredPersonMirrorsTheRobot: the mirror image of the file, and the option, give the same clip.
func TestMirroredPersonMirrorsTheRobot(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets four times; leave out -short to run it")
	}
	r := kata(t)
	m := motions(r)["one foot from the start"]
	a, _ := retargeted(t, r, flipped(m), Options{})
	b, _ := retargeted(t, r, m, Options{Mirror: true})
	if v := farthest(t, a, b); v > 1e-6 {
		t.Errorf("angles differ by up to %g rad", v)
	}
	c, _ := retargeted(t, r, flipped(m), Options{Mirror: true})
	d, _ := retargeted(t, r, m, Options{})
	if v := farthest(t, c, d); v > 1e-6 {
		t.Errorf("mirrored twice, angles differ by up to %g rad", v)
	}
	if a.Frames[len(a.Frames)/2].Contacts == d.Frames[len(d.Frames)/2].Contacts {
		t.Error("mirrored or not, it stands on the same foot")
	}
}

// TestOneFrameCanNotPoisonTheRest: a limb that is nowhere for a moment changes nothing far from that moment.
func TestOneFrameCanNotPoisonTheRest(t *testing.T) {
	r := kata(t)
	m := motions(r)["squat"]
	want, _ := retargeted(t, r, m, Options{})
	holed := shifted(m, func(int) spatial.Vec3 { return spatial.Vec3{} })
	for k := 45; k < 49; k++ {
		for j := range holed.Frames[k].Positions {
			if human.Joint(j) == human.LWrist || human.Joint(j) == human.LElbow {
				holed.Frames[k].Positions[j], holed.Frames[k].Confidence[j] = spatial.Vec3{50, 50, 50}, 0
			}
		}
	}
	got, _ := retargeted(t, r, holed, Options{})
	if v := farthest(t, want, got); v > 0.1 {
		t.Errorf("angles differ by up to %g rad", v)
	}
}

// TestNonsenseIsRefused: files that hold no numbers are refused with what is wrong; the retargeter works on afterwards.
func TestNonsenseIsRefused(t *testing.T) {
	r := kata(t)
	good := motions(r)["stand"]
	want, _ := retargeted(t, r, good, Options{})
	for what, spoiled := range map[string]func(m *human.Motion){
		"a position that is none": func(m *human.Motion) { m.Frames[5].Positions[human.LKnee][1] = math.NaN() },
		"one at infinity":         func(m *human.Motion) { m.Frames[5].Positions[human.Head][0] = math.Inf(1) },
		"no rate":                 func(m *human.Motion) { m.FPS = 0 },
		"a negative rate":         func(m *human.Motion) { m.FPS = -30 },
		"no frames":               func(m *human.Motion) { m.Frames = nil },
		"one frame":               func(m *human.Motion) { m.Frames = m.Frames[:1] },
		"no rotation":             func(m *human.Motion) { m.Frames[3].Rotations[human.Head] = spatial.Quat{math.NaN()} },
	} {
		m := shifted(good, func(int) spatial.Vec3 { return spatial.Vec3{} })
		spoiled(m)
		if _, _, err := r.Retarget(m, Options{}); err == nil || !strings.HasPrefix(err.Error(), "retarget: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	got, _ := retargeted(t, r, good, Options{})
	if v := farthest(t, want, got); v != 0 {
		t.Errorf("after the refusals, angles differ by %g rad", v)
	}
}

// TestNobodySeenIsNoMotion: where limbs or the whole trunk were never seen, a clip comes out that keeps every limit,
// and what was not seen is not called the person's motion.
func TestNobodySeenIsNoMotion(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets three times; leave out -short to run it")
	}
	r := kata(t)
	for what, lost := range map[string][]human.Joint{
		"no left leg": {human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe},
		"no arms":     {human.LShoulder, human.LElbow, human.LWrist, human.RShoulder, human.RElbow, human.RWrist},
		"no trunk":    {human.Pelvis, human.Chest, human.LHip, human.RHip},
	} {
		m := shifted(motions(r)["march"], func(int) spatial.Vec3 { return spatial.Vec3{} })
		for k := range m.Frames {
			for _, j := range lost {
				m.Frames[k].Confidence[j] = 0
			}
		}
		c, rep := retargeted(t, r, m, Options{})
		sound(t, r, what, c, rep)
		if unseen := has(&rep.Likeness, "unseen"); unseen != (what == "no trunk" || what == "no left leg") {
			t.Errorf("%s: %s: %s", what, rep.Likeness.Verdict, rep.Likeness.Summary)
		}
	}
}

// TestEveryRateGivesTheSameMotion: at another rate of frames the poses at the same moments are the same, nearly.
func TestEveryRateGivesTheSameMotion(t *testing.T) {
	r := kata(t)
	m := motions(r)["arms"]
	a, _ := retargeted(t, r, m, Options{FPS: 50})
	b, _ := retargeted(t, r, m, Options{FPS: 100})
	first := [2]int{int(math.Round(a.Meta.LeadInS * 50)), int(math.Round(b.Meta.LeadInS * 100))}
	for k := range 150 {
		for j, name := range a.JointNames {
			x, y := a.Frames[first[0]+k].JointPosRad[j], b.Frames[first[1]+2*k].JointPosRad[j]
			if math.Abs(x-y) > 0.03 {
				t.Fatalf("at %.2f s %s is %.3f rad at 50 frames/s, %.3f at 100", float64(k)/50, name, x, y)
			}
		}
	}
}

// TestSourceTimesRise: each frame says which moment of the person's it comes from: rising, held in the leads, from the
// first to the last.
func TestSourceTimesRise(t *testing.T) {
	r := kata(t)
	for _, name := range []string{"fast arms", "march"} {
		m := motions(r)[name]
		c, _ := retargeted(t, r, m, Options{})
		at := c.Meta.SourceS
		if len(at) != len(c.Frames) || at[0] != 0 || math.Abs(at[len(at)-1]-m.Seconds()) > 1e-3 {
			t.Fatalf("%s: %d times, %g to %g of %g s", name, len(at), at[0], at[len(at)-1], m.Seconds())
		}
		in, out := int(math.Round(c.Meta.LeadInS*c.FPS)), len(at)-int(math.Round(c.Meta.LeadOutS*c.FPS))
		for k := 1; k < len(at); k++ {
			if step := at[k] - at[k-1]; step < 0 || step > 1/c.FPS+2e-3 || (k < in || k >= out) && step != 0 {
				t.Fatalf("%s, frame %d: a step of %g s", name, k, step)
			}
		}
	}
}
