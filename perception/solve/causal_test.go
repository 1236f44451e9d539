package solve

import (
	"errors"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func causal(t testing.TB, in *landmark.Clip, o CausalOptions) *Causal {
	t.Helper()
	o.WidthPx, o.HeightPx = in.WidthPx, in.HeightPx
	c, err := NewCausal(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer is what a push gave.
type answer struct {
	pose Pose
	err  error
}

func pushAll(c *Causal, frames []landmark.Frame) []answer {
	out := make([]answer, len(frames))
	for i := range frames {
		out[i].pose, out[i].err = c.Push(&frames[i])
	}
	return out
}

// motionOf joins poses that follow each other without a gap.
func motionOf(t *testing.T, fps float64, answers []answer) *human.Motion {
	t.Helper()
	m := &human.Motion{FPS: fps}
	for _, a := range answers {
		if a.err != nil {
			continue
		}
		if len(m.Frames) == 0 {
			m.Meta.StartS = a.pose.TimeS
		}
		if want := m.Meta.StartS + float64(len(m.Frames))/fps; math.Abs(a.pose.TimeS-want) > 1e-6 {
			t.Fatalf("pose at %g s, the next is due at %g s", a.pose.TimeS, want)
		}
		m.Frames = append(m.Frames, a.pose.Pose)
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

// The truth judges: a pose a few frames late may not be much worse than one that
// knows the whole clip.
func TestCausalIsNearTheWholeClip(t *testing.T) {
	if testing.Short() {
		t.Skip("solves two clips twice; leave out -short to run it")
	}
	for name, a := range map[string]*actor{"squat": squatter(), "steps": stepper()} {
		in, truth := film(a, defaultCamera(), 3, 30, typical, 1)
		opt := Options{HeightM: a.heightM, FocalPx: 648}
		whole, _ := solved(t, in, opt)
		c := causal(t, in, CausalOptions{Options: opt, LagFrames: DefaultLagFrames})
		m := motionOf(t, 30, pushAll(c, in.Frames))
		got, ref, both := compare(t, m, truth), compare(t, whole, truth), compare(t, m, whole)
		t.Logf("%s: causal %.1f mm, whole clip %.1f mm off the truth; %.1f mm apart; root %.3f and %.3f m; false contacts %.3f",
			name, got.MPJPEMm, ref.MPJPEMm, both.MPJPEMm, got.RootMeanM, ref.RootMeanM, got.ContactFalseShare)
		// A limb on the wrong side of the picture for a tenth of the time costs 20 mm;
		// a side exchanged or a lost floor costs several times as much.
		if got.MPJPEMm > ref.MPJPEMm+20 || got.RootMeanM > ref.RootMeanM+0.02 {
			t.Errorf("%s: %.1f mm off the truth, root %.3f m; the whole clip %.1f mm, %.3f m",
				name, got.MPJPEMm, got.RootMeanM, ref.MPJPEMm, ref.RootMeanM)
		}
		// At the edge of the window a contact that has just begun or is about to
		// end looks too short to be one: more are missed than in a whole clip.
		if got.SideErrorShare > 0 || got.ContactFalseShare > 0.10 || got.ContactMissedShare > 0.30 {
			t.Errorf("%s: sides exchanged %.2f, contacts claimed %.2f, missed %.2f", name,
				got.SideErrorShare, got.ContactFalseShare, got.ContactMissedShare)
		}
		if first := m.Meta.StartS; first > 1.5 {
			t.Errorf("%s: the first pose is that of %.2f s", name, first)
		}
		if rep := c.Report(); rep.FramesIn != len(in.Frames) || rep.FramesMissed != 0 || rep.SwappedFrames != 0 ||
			math.Abs(rep.CameraHeightM-1) > 0.1+3.5*math.Sin(2*rep.TiltDoubtDeg*math.Pi/180) || rep.StanceShare < 0.9 {
			t.Errorf("%s: %+v", name, rep)
		}
	}
}

// What comes later than the lag cannot have a part in a pose: a clip that ends, or
// goes on otherwise, has the same poses up to there. Twice the same frames give
// the same bits.
func TestCausalDoesNotSeeAhead(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a clip three times; leave out -short to run it")
	}
	in, _ := film(stepper(), defaultCamera(), 2, 30, typical, 2)
	want := pushAll(causal(t, in, CausalOptions{LagFrames: 2}), in.Frames)
	for _, cut := range []int{48, len(in.Frames)} {
		other := append([]landmark.Frame(nil), in.Frames...)
		for i := cut; i < len(other); i++ { // a different end
			swapBody(&other[i])
			other[i].Found = i%3 > 0
		}
		got := pushAll(causal(t, in, CausalOptions{LagFrames: 2}), other)
		for i := range cut {
			if got[i] != want[i] {
				t.Fatalf("cut at %d: push %d gives another pose", cut, i)
			}
		}
		if cut == 48 {
			same := 0
			for i := cut; i < len(other); i++ {
				if got[i] == want[i] {
					same++
				}
			}
			if same == len(other)-cut {
				t.Error("another end gives the same poses: nothing is compared here")
			}
		}
	}
}

// A pose is that of LagFrames before the newest picture.
func TestCausalLatencyIsTheLag(t *testing.T) {
	in, _ := film(squatter(), defaultCamera(), 1.7, 30, typical, 3)
	for _, lag := range []int{0, 7} {
		c := causal(t, in, CausalOptions{LagFrames: lag})
		poses := 0
		for i, a := range pushAll(c, in.Frames) {
			if a.err != nil {
				continue
			}
			poses++
			if late := in.Frames[i].TimeS - a.pose.TimeS; math.Abs(late-float64(lag)/30) > 1e-6 || late > c.LatencyS() {
				t.Fatalf("lag %d: the pose of %.3f s comes at %.3f s", lag, a.pose.TimeS, in.Frames[i].TimeS)
			}
		}
		if poses < 8 {
			t.Errorf("lag %d: %d poses", lag, poses)
		}
	}
}

// Nobody to be seen is no pose, and never an invented one.
func TestCausalSaysWhenNobodyIsThere(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a clip; leave out -short to run it")
	}
	in, _ := film(squatter(), defaultCamera(), 3.7, 30, typical, 4)
	for i := 60; i < 80; i++ { // two thirds of a second
		in.Frames[i] = landmark.Frame{TimeS: in.Frames[i].TimeS}
	}
	in.Frames[100] = landmark.Frame{TimeS: in.Frames[100].TimeS} // a blink
	const lag = 2
	for i, a := range pushAll(causal(t, in, CausalOptions{LagFrames: lag}), in.Frames) {
		at := i - lag // the frame of the pose
		gone := at >= 60 && at < 80
		switch {
		case gone && !errors.Is(a.err, landmark.ErrNoPerson):
			t.Errorf("frame %d: %v, pose at %g s, want nobody", i, a.err, a.pose.TimeS)
		case !gone && errors.Is(a.err, landmark.ErrNoPerson):
			t.Errorf("frame %d: nobody, but they were seen", i)
		case (at > 50 && at < 60 || at > 92) && a.err != nil:
			t.Errorf("frame %d: %v", i, a.err)
		}
	}
}

// A body taken for its back for half a second is turned round again.
func TestCausalRepairsSwaps(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a clip; leave out -short to run it")
	}
	a := stepper()
	in, truth := film(a, defaultCamera(), 3, 30, typical, 5)
	for i := 60; i < 75; i++ {
		swapBody(&in.Frames[i])
	}
	c := causal(t, in, CausalOptions{Options: Options{HeightM: a.heightM}, LagFrames: 2})
	got := compare(t, motionOf(t, 30, pushAll(c, in.Frames)), truth)
	if got.SideErrorShare > 0 {
		t.Errorf("left and right exchanged in %.0f %% of the frames", 100*got.SideErrorShare)
	}
	if rep := c.Report(); rep.SwappedFrames != 15 {
		t.Errorf("%d frames repaired, 15 were swapped", rep.SwappedFrames)
	}
}

// The mirrored clip gives the mirrored motion.
func TestCausalMirrors(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a clip twice; leave out -short to run it")
	}
	in, _ := film(stepper(), defaultCamera(), 2, 30, typical, 6)
	flip := mirrored(in)
	a := pushAll(causal(t, in, CausalOptions{LagFrames: 2}), in.Frames)
	b := pushAll(causal(t, flip, CausalOptions{LagFrames: 2}), flip.Frames)
	worst := 0.0
	for i := range a {
		if !errors.Is(a[i].err, b[i].err) {
			t.Fatalf("frame %d: %v, mirrored %v", i, a[i].err, b[i].err)
		}
		for j := range human.NumJoints {
			p, q := a[i].pose.Positions[j], b[i].pose.Positions[human.Joint(j).Mirror()]
			worst = max(worst, p.Sub(spatial.Vec3{q[0], -q[1], q[2]}).Norm())
		}
	}
	// Rounding, through robust weights and the stop rule; in a single frame the upper body is 8 mm apart.
	if worst > 10e-3 {
		t.Errorf("%.2g m apart", worst)
	}
}

// Twice as many pictures as poses are thinned, uneven ones resampled.
func TestCausalRates(t *testing.T) {
	if testing.Short() {
		t.Skip("solves two clips; leave out -short to run it")
	}
	fast, truth := film(squatter(), defaultCamera(), 2, 60, typical, 7)
	c := causal(t, fast, CausalOptions{LagFrames: 2})
	m := motionOf(t, 30, pushAll(c, fast.Frames))
	if got := compare(t, m, truth); got.MPJPEMm > 70 || len(m.Frames) < 20 {
		t.Errorf("60 pictures/s: %d poses, %.0f mm", len(m.Frames), got.MPJPEMm)
	}
	in, truth := film(squatter(), defaultCamera(), 2, 30, typical, 7)
	for i := range in.Frames {
		in.Frames[i].TimeS += 0.006 * math.Sin(float64(5*i))
	}
	c = causal(t, in, CausalOptions{LagFrames: 2})
	poses := 0
	for i, a := range pushAll(c, in.Frames) {
		if a.err != nil {
			continue
		}
		poses++
		if late := in.Frames[i].TimeS - a.pose.TimeS; late > c.LatencyS() {
			t.Errorf("uneven pictures: a pose %.3f s late", late)
		}
	}
	if poses < 20 {
		t.Errorf("uneven pictures: %d poses of %d", poses, len(truth.Frames))
	}
}

func TestCausalRefuses(t *testing.T) {
	for name, o := range map[string]CausalOptions{
		"no size": {}, "lag": {WidthPx: 640, HeightPx: 480, LagFrames: -1}, "long lag": {WidthPx: 640, HeightPx: 480, LagFrames: 31},
		"rate":   {WidthPx: 640, HeightPx: 480, Options: Options{FPS: 120}},
		"height": {WidthPx: 640, HeightPx: 480, Options: Options{HeightM: 180}},
	} {
		if _, err := NewCausal(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	in, _ := film(squatter(), defaultCamera(), 2, 30, typical, 8)
	c := causal(t, in, CausalOptions{LagFrames: 2})
	for i := range in.Frames {
		bad := in.Frames[i]
		bad.TimeS += 0.001
		bad.WorldM[3][1] = math.NaN()
		if _, err := c.Push(&bad); err == nil || errors.Is(err, ErrSettling) {
			t.Fatalf("frame %d is not a number: %v", i, err)
		}
		if _, err := c.Push(&in.Frames[i]); i > 50 && err != nil {
			t.Fatalf("after a bad frame: %v", err)
		}
	}
	if _, err := c.Push(&in.Frames[0]); err == nil || errors.Is(err, landmark.ErrNoPerson) {
		t.Errorf("time running backwards: %v", err)
	}
}

// One push of a window that is full: go test -bench Causal ./perception/solve
func BenchmarkCausalPush(b *testing.B) {
	in, _ := film(stepper(), defaultCamera(), 4, 30, typical, 9)
	c := causal(b, in, CausalOptions{LagFrames: DefaultLagFrames})
	k := 0
	push := func() {
		f := in.Frames[k%len(in.Frames)]
		f.TimeS = float64(k) / 30
		k++
		if _, err := c.Push(&f); err != nil && k > 60 {
			b.Fatal(err)
		}
	}
	for range 75 {
		push()
	}
	b.ReportAllocs()
	for b.Loop() {
		push()
	}
}
