package solve

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// typical noise of the network on a person 600 px tall, after Pose2Sim's clips.
var typical = noise{px: 2, worldM: 0.015, depthM: 0.03}

func solved(t *testing.T, in *landmark.Clip, opt Options) (*human.Motion, *Report) {
	t.Helper()
	m, rep, err := Solve(in, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m, rep
}

func compare(t *testing.T, m, truth *human.Motion) *metrics.Comparison {
	t.Helper()
	c, err := metrics.Compare(m, truth)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRecoversKnownMotions(t *testing.T) {
	if testing.Short() {
		t.Skip("solves every motion; leave out -short to run it")
	}
	for name, a := range map[string]*actor{"squat": squatter(), "steps": stepper(), "one leg": balancer()} {
		in, truth := film(a, defaultCamera(), 5, 30, typical, 1)
		m, rep := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648})
		c, p := compare(t, m, truth), metrics.Plausible(m)
		// Bounds: about 1.5 times what is reached; a wrong sign of depth, a lost
		// contact or a swapped side costs several times as much.
		for _, b := range []struct {
			what       string
			got, limit float64
		}{
			{"MPJPE mm", c.MPJPEMm, 45}, {"joint swing deg", c.JointSwingMeanDeg, 10},
			{"flexion deg", c.FlexionMeanDeg, 10}, {"pelvis tilt deg", c.PelvisTiltMeanDeg, 5},
			{"root height m", c.RootHeightMeanM, 0.03}, {"root m", c.RootMeanM, 0.04},
			{"false contacts", c.ContactFalseShare, 0.03}, {"missed contacts", c.ContactMissedShare, 0.12}, {"sides exchanged", c.SideErrorShare, 0},
			{"bone spread mm", p.BoneSpreadMm, 1e-6}, {"asymmetry mm", p.SideAsymmetryMm, 1e-6},
			{"slide m/s", p.FootSlideMaxMPerS, 0.002}, {"float m", p.FloatMaxM, 0.005}, {"sink m", p.SinkMaxM, 1e-6},
			{"swaps repaired", float64(rep.SwappedFrames), 0},
		} {
			t.Logf("%s: %s %.4g", name, b.what, b.got)
			if !(b.got <= b.limit) {
				t.Errorf("%s: %s is %.4g, limit %.4g", name, b.what, b.got, b.limit)
			}
		}
	}
}

func TestFindsGravity(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a clip for every way that a camera leans; leave out -short to run it")
	}
	for _, c := range []struct{ pitchDeg, rollDeg, heightM float64 }{{0, 0, 1}, {18, 0, 2.0}, {20, 14, 2.1}, {-10, -8, 0.4}} {
		cam := defaultCamera()
		cam.pitchRad, cam.rollRad, cam.heightM = c.pitchDeg*math.Pi/180, c.rollDeg*math.Pi/180, c.heightM
		a := squatter()
		in, truth := film(a, cam, 5, 30, typical, 2)
		m, rep := solved(t, in, Options{HeightM: a.heightM, FocalPx: cam.focalPx})
		off := math.Acos(math.Min(1, rep.UpInCamera.Dot(cam.upInCamera()))) * 180 / math.Pi
		// The network hardly sees the camera's pitch (see turnUpright): the person alone tells it roughly, and the
		// report says how roughly.
		if off > 2.5*rep.TiltDoubtDeg || rep.TiltDoubtDeg > 8 {
			t.Errorf("camera pitched %g and rolled %g deg: up is %.1f deg off, known to %.1f", c.pitchDeg, c.rollDeg, off, rep.TiltDoubtDeg)
		}
		if e := rep.CameraHeightM - c.heightM; math.Abs(e) > 0.1+cam.distanceM*math.Sin(off*math.Pi/180) {
			t.Errorf("camera %g m high: found %.2f m", c.heightM, rep.CameraHeightM)
		}
		if c := compare(t, m, truth); c.MPJPEMm > 60 {
			t.Errorf("tilted camera: MPJPE %.0f mm", c.MPJPEMm)
		}
		up := cam.upInCamera()
		_, rep = solved(t, in, Options{HeightM: a.heightM, FocalPx: cam.focalPx, UpInCamera: &up})
		if rep.UpInCamera != up {
			t.Error("a known up direction was changed")
		}
	}
}

// takeOther puts landmark j of f where old has the one on the other side.
func takeOther(f, old *landmark.Frame, j landmark.Index) {
	k := landmark.Mirror(j)
	f.Landmarks[j].SetPx(old.Landmarks[k].Px())
	f.WorldM[j] = old.WorldM[k]
}

// swapBody is what the network does when it takes a front for a back.
func swapBody(f *landmark.Frame) {
	old := *f
	for j := range landmark.Num {
		takeOther(f, &old, j)
		f.WorldM[j][2] = -f.WorldM[j][2]
	}
}

func TestRepairsSwaps(t *testing.T) {
	a := stepper()
	clean, truth := film(a, defaultCamera(), 5, 30, typical, 3)
	want, _ := solved(t, clean, Options{HeightM: a.heightM})
	in, _ := film(a, defaultCamera(), 5, 30, typical, 3)
	swapped := 0
	for i := range in.Frames {
		if i >= 20 && i < 45 || i == 60 || i >= 80 && i < 110 {
			swapBody(&in.Frames[i])
			swapped++
		}
	}
	for i := 120; i < 130; i++ { // the legs alone
		old := in.Frames[i]
		for j := landmark.LHip; j <= landmark.RToe; j++ {
			takeOther(&in.Frames[i], &old, j)
		}
		swapped++
	}
	got, rep := solved(t, in, Options{HeightM: a.heightM})
	if rep.SwappedFrames != swapped {
		t.Errorf("%d frames repaired, %d were swapped", rep.SwappedFrames, swapped)
	}
	if c := compare(t, got, truth); c.SideErrorShare > 0 {
		t.Errorf("left and right exchanged in %.0f %% of frames", 100*c.SideErrorShare)
	}
	// Depth reversed in the picture's axes and back about the upright plane
	// differ by the lean, hence not equal.
	if c := compare(t, got, want); c.MPJPEMm > 15 {
		t.Errorf("repaired and clean clip differ by %.0f mm", c.MPJPEMm)
	}
}

func TestBlendedFramesAreLeftOut(t *testing.T) {
	in, _ := film(stepper(), defaultCamera(), 2, 30, typical, 4)
	f := &in.Frames[30]
	other := *f
	swapBody(&other)
	for j := range landmark.Num {
		p, q := &f.Landmarks[j], &other.Landmarks[j]
		p.SetPx([2]float64{0.3*p.XPx + 0.7*q.XPx, 0.3*p.YPx + 0.7*q.YPx})
	}
	for k := range landmark.Num { // a blend of two bodies also shakes
		f.Landmarks[k].XPx += 40 * float64(k%3-1)
	}
	if got := dropIntruders(in.Frames); len(got) != len(in.Frames)-1 || got[30].TimeS != in.Frames[31].TimeS {
		t.Errorf("%d of %d frames left", len(got), len(in.Frames))
	}
	// To the whole solver such a frame is one in which nobody was seen.
	got, _ := solved(t, in, Options{})
	*f = landmark.Frame{TimeS: f.TimeS}
	if want, _ := solved(t, in, Options{}); !reflect.DeepEqual(got.Frames, want.Frames) {
		t.Error("the blended frame had a part in the motion")
	}
}

func TestSurvivesGapsAndOutliers(t *testing.T) {
	a := squatter()
	in, truth := film(a, defaultCamera(), 5, 30, typical, 5)
	r := rand.New(rand.NewPCG(1, 1))
	missed := 0
	for i := range in.Frames {
		f := &in.Frames[i]
		switch {
		case i >= 60 && i < 72 || i < 3 || r.Float64() < 0.05:
			*f = landmark.Frame{TimeS: f.TimeS}
			missed++
		case r.Float64() < 0.10:
			j := r.IntN(landmark.Num)
			f.Landmarks[j].XPx += 150
			f.WorldM[j][2] += 0.5
		}
	}
	m, rep := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648})
	if rep.FramesMissed != missed || m.Meta.FramesMissed != missed {
		t.Errorf("%d and %d frames missed, %d were", rep.FramesMissed, m.Meta.FramesMissed, missed)
	}
	if rep.LongestGapS < 0.42 || rep.LongestGapS > 0.6 {
		t.Errorf("longest gap %.2f s, want 0.43 or a little more", rep.LongestGapS)
	}
	if rep.OutlierShare == 0 {
		t.Error("no outlier found")
	}
	first := m.Meta.StartS
	if first < 0.099 {
		t.Errorf("the motion begins at %.3f s, before the first sighting", first)
	}
	gap := m.Frames[int(math.Round((66.0/30-first)*m.FPS))]
	if gap.Confidence[human.LKnee] != 0 {
		t.Errorf("confidence %.2f in the middle of a gap", gap.Confidence[human.LKnee])
	}
	if c := compare(t, m, truth); c.MPJPEMm > 45 || c.RootHeightMeanM > 0.03 {
		t.Errorf("MPJPE %.0f mm, root height %.3f m", c.MPJPEMm, c.RootHeightMeanM)
	}
}

func TestJumpLeavesTheFloor(t *testing.T) {
	const up = 0.28 // m
	hop := func(t float64) float64 { s := (t - 1.75) / 0.25; return up * math.Max(0, 1-s*s) }
	a := squatter()
	a.pelvis = func(t float64) spatial.Vec3 {
		d := pulse(t, 0.9, 1.5) + pulse(t, 2.0, 2.6)
		return spatial.Vec3{0.01, 0, standing - 0.06*d + hop(t)/a.heightM}
	}
	a.lean = func(float64) float64 { return 0.03 }
	a.foot = func(t float64, side int) (spatial.Vec3, float64) {
		p, _ := stillFeet(t, side)
		p[2] = hop(t)
		return p, 0
	}
	in, truth := film(a, defaultCamera(), 4, 60, typical, 6)
	m, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648, CutoffHz: 10})
	air := metrics.Plausible(m).AirShare
	if want := metrics.Plausible(truth).AirShare; math.Abs(air-want) > 0.06 {
		t.Errorf("in the air for %.0f %% of the clip, truly %.0f %%", 100*air, 100*want)
	}
	apex := func(m *human.Motion) float64 { return metrics.At(m, 1.75-m.Meta.StartS).Positions[human.LToe][2] }
	if got, want := apex(m), apex(truth); math.Abs(got-want) > 0.08 {
		t.Errorf("feet %.2f m high at the top, truly %.2f m", got, want)
	}
}

func TestTimeShiftChangesNothing(t *testing.T) {
	in, _ := film(stepper(), defaultCamera(), 2, 30, typical, 8)
	a, _ := solved(t, in, Options{})
	late := *in
	late.Frames = append([]landmark.Frame(nil), in.Frames...)
	for i := range late.Frames {
		late.Frames[i].TimeS += 64 // a power of two: the steps stay what they were, almost
	}
	b, _ := solved(t, &late, Options{})
	if b.Meta.StartS != 64 || len(b.Frames) != len(a.Frames) {
		t.Fatalf("starts at %g s with %d frames", b.Meta.StartS, len(b.Frames))
	}
	for i := range a.Frames {
		for j := range human.NumJoints {
			// Time stamps of 64 s are coarser by 2^-7 of an ulp of 1: nanometres.
			if d := a.Frames[i].Positions[j].Sub(b.Frames[i].Positions[j]).Norm(); d > 1e-6 {
				t.Fatalf("frame %d, %s moves by %g m", i, human.Joint(j), d)
			}
		}
	}
}

// mirrored is the clip as a mirror shows it.
func mirrored(in *landmark.Clip) *landmark.Clip {
	flip := &landmark.Clip{WidthPx: in.WidthPx, HeightPx: in.HeightPx}
	for _, f := range in.Frames {
		g := f
		for j := range landmark.Num {
			k := landmark.Mirror(j)
			g.Landmarks[j].SetPx([2]float64{float64(in.WidthPx) - f.Landmarks[k].XPx, f.Landmarks[k].YPx})
			g.WorldM[j] = spatial.Vec3{-f.WorldM[k][0], f.WorldM[k][1], f.WorldM[k][2]}
			g.Landmarks[j].Visibility = f.Landmarks[k].Visibility
		}
		flip.Frames = append(flip.Frames, g)
	}
	return flip
}

func TestMirroredPersonMovesMirrored(t *testing.T) {
	in, _ := film(stepper(), defaultCamera(), 4, 30, typical, 9)
	a, _ := solved(t, in, Options{})
	flip := mirrored(in)
	b, _ := solved(t, flip, Options{})
	worst := 0.0
	for i := range a.Frames {
		for j := range human.Joint(human.NumJoints) {
			p, q := a.Frames[i].Positions[j], b.Frames[i].Positions[j.Mirror()]
			worst = math.Max(worst, p.Sub(spatial.Vec3{q[0], -q[1], q[2]}).Norm())
		}
	}
	// Sums in another order, amplified by the stop rule of the fit.
	if worst > 0.002 {
		t.Errorf("mirrored motion is off by %.4f m", worst)
	}
}

func TestRateAndRepeat(t *testing.T) {
	a := squatter()
	in, truth := film(a, defaultCamera(), 3, 60, typical, 10)
	m, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648, FPS: 50})
	if m.FPS != 50 || len(m.Frames) != 151 {
		t.Errorf("%d frames at %g per second", len(m.Frames), m.FPS)
	}
	if c := compare(t, m, truth); c.MPJPEMm > 45 {
		t.Errorf("resampled: MPJPE %.0f mm", c.MPJPEMm)
	}
	before := append([]landmark.Frame(nil), in.Frames...)
	again, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648, FPS: 50})
	if !reflect.DeepEqual(m, again) {
		t.Error("two runs differ")
	}
	if !reflect.DeepEqual(before, in.Frames) {
		t.Error("the input was changed")
	}
}

func TestBadInputIsRefused(t *testing.T) {
	good, _ := film(stepper(), defaultCamera(), 1, 30, noise{}, 1)
	for name, breakIt := range map[string]func(*landmark.Clip, *Options){
		"no person":      func(in *landmark.Clip, _ *Options) { clear(in.Frames[5:]); stamp(in) },
		"picture size":   func(in *landmark.Clip, _ *Options) { in.WidthPx = 0 },
		"time runs back": func(in *landmark.Clip, _ *Options) { in.Frames[7].TimeS = 0 },
		"not a number":   func(in *landmark.Clip, _ *Options) { in.Frames[7].WorldM[3][1] = math.NaN() },
		"giant":          func(_ *landmark.Clip, o *Options) { o.HeightM = 3 },
		"rate":           func(_ *landmark.Clip, o *Options) { o.FPS = 1 },
		"cut-off":        func(_ *landmark.Clip, o *Options) { o.CutoffHz = -1 },
		"focal length":   func(_ *landmark.Clip, o *Options) { o.FocalPx = 3 },
		"up":             func(_ *landmark.Clip, o *Options) { o.UpInCamera = &spatial.Vec3{0, -2, 0} },
	} {
		in := *good
		in.Frames = append([]landmark.Frame(nil), good.Frames...)
		var opt Options
		breakIt(&in, &opt)
		_, _, err := Solve(&in, opt)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if errors.Is(err, landmark.ErrNoPerson) != (name == "no person") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func stamp(in *landmark.Clip) {
	for i := range in.Frames {
		in.Frames[i].TimeS = float64(i) / 30
	}
}

// The network sees bent legs far too straight: what it reports of a squat seen
// from the front has a tenth of the true depth. The picture knows better.
func TestLiftsFlattenedLegs(t *testing.T) {
	const flat = 0.1
	a := squatter()
	in, truth := film(a, defaultCamera(), 5, 30, typical, 11)
	habit := defaultCamera().habit(defaultCamera().see(spatial.Vec3{0, 0, standing * a.heightM}))
	for i := range in.Frames {
		w := &in.Frames[i].WorldM
		for j := range w { // flat as it sees them, which is with its habit
			w[j] = habit.Inv().Rotate(w[j])
		}
		for side := range 2 {
			shift := (flat - 1) * w[landmark.LAnkle+side][2]
			w[landmark.LKnee+side][2] *= flat
			for _, j := range []int{landmark.LAnkle, landmark.LHeel, landmark.LToe} {
				w[j+side][2] += shift
			}
		}
		for j := range w {
			w[j] = habit.Rotate(w[j])
		}
	}
	m, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: 648})
	c := compare(t, m, truth)
	bent := 0.0
	for _, j := range []human.Joint{human.LKnee, human.RKnee} {
		bent = math.Max(bent, c.Joints[j].SwingDeg)
	}
	if bent > 14 || c.RootHeightMeanM > 0.02 || c.RootMeanM > 0.04 {
		t.Errorf("knee %.1f deg, root height %.3f m, root %.3f m", bent, c.RootHeightMeanM, c.RootMeanM)
	}
}
