package track

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

const recordings = "../../../shared/data"

// clip opens a real recording, or skips.
func clip(t testing.TB, name string) video.Opener {
	t.Helper()
	if testing.Short() {
		t.Skip("real recordings take a while: left out by -short")
	}
	path := filepath.Join(recordings, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("recording is not here: %v", err)
	}
	return open(t, path)
}

func open(t testing.TB, path string) video.Opener {
	t.Helper()
	return func() (video.Source, error) {
		r, err := video.Open(path)
		if errors.Is(err, video.ErrNotBuilt) {
			t.Skip(err)
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

// runtimes lists what can compute here, or skips.
func runtimes(t testing.TB) []posenet.Runtime {
	t.Helper()
	if _, err := assets.File("blazepose", "pose_landmark_full.tflite"); err != nil {
		t.Skipf("no networks here: %v", err)
	}
	var out []posenet.Runtime
	for _, name := range []string{"onnxruntime", "opencv"} {
		if r, err := posenet.ParseRuntime(name); err == nil {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		t.Skip("no pose runtime in this build (tags onnxruntime, opencv)")
	}
	return out
}

// drawn films a second of a demonstration, so that a checkout without recordings
// follows somebody too.
func drawn(t *testing.T) video.Opener {
	t.Helper()
	name := filepath.Join(t.TempDir(), "march.mp4")
	demonstratortest.MustFilm(t, name, "march", 1, 2, demonstrator.Options{WidthPx: 288, HeightPx: 360, FPS: 20})
	return open(t, name)
}

// stays reports where the followed square jumps from one frame to the next.
func stays(t *testing.T, frames []Frame) {
	t.Helper()
	for i := 1; i < len(frames); i++ {
		a, b := frames[i-1].body(), frames[i].body()
		if !frames[i-1].Found || !frames[i].Found {
			continue
		}
		if d := math.Hypot(a.CentreXPx-b.CentreXPx, a.CentreYPx-b.CentreYPx); d > 0.25*a.SidePx {
			t.Errorf("the person jumps by %.0f px at %.2f s", d, frames[i].TimeS)
		}
	}
}

// TestRecordings: in real clips and in drawn ones the person is found in at least
// 95 % of the frames, and stays the same one: the square never jumps. (The other
// cameras of the recording are followed by the test of the whole extraction.)
func TestRecordings(t *testing.T) {
	rt := runtimes(t)[0]
	for name, c := range map[string]struct {
		clip   func(t *testing.T) video.Opener
		frames int
	}{
		"recorded": {func(t *testing.T) video.Opener { return clip(t, "pose2sim/videos/cam02.mp4") }, 100},
		"drawn":    {drawn, 20},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Video(context.Background(), c.clip(t), Options{Runtime: rt, Model: posenet.Full}, video.Window{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(r.Frames); n < c.frames || r.Stats.Missed > n/20 {
				t.Errorf("%d of %d frames missed", r.Stats.Missed, n)
			}
			stays(t, r.Frames)
		})
	}
}

// TestStaysWithTheManOnTheBlock: in this clip a man flips off a
// block while a woman walks by below him. Whoever is found must be the man.
func TestStaysWithTheManOnTheBlock(t *testing.T) {
	rt := runtimes(t)[0]
	r, err := Video(context.Background(), clip(t, "sports2d/demo.mp4"), Options{Runtime: rt, Model: posenet.Full}, video.Window{ToS: 6.4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Frames {
		// The woman's hips are below y = 640 px until she leaves on the left
		// at 6.6 s; his are above until he lands on the right at 6.3 s.
		if hips := (f.Landmarks[landmark.LHip].YPx + f.Landmarks[landmark.RHip].YPx) / 2; f.Found && f.TimeS < 6.2 && hips > 640 {
			t.Fatalf("at %.2f s the woman is followed (hips at %.0f px)", f.TimeS, hips)
		}
	}
	if r.Stats.Missed > 30 {
		t.Errorf("%d of %d frames missed", r.Stats.Missed, len(r.Frames))
	}
	stays(t, r.Frames[:150]) // then he falls fast
}

// TestRuntimesAgree runs both runtimes on the same crops, of a real and of a drawn
// clip. The bounds are about ten times what float32 sums in another order were
// seen to give.
func TestRuntimesAgree(t *testing.T) {
	rts := runtimes(t)
	if len(rts) < 2 {
		t.Skip("needs both runtimes")
	}
	t.Run("recorded", func(t *testing.T) {
		compareRuntimes(t, rts, clip(t, "pose2sim/videos/cam03.mp4"), ROI{CentreXPx: 640, CentreYPx: 908, SidePx: 1148})
	})
	t.Run("drawn", func(t *testing.T) {
		compareRuntimes(t, rts, drawn(t), ROI{CentreXPx: 144, CentreYPx: 180, SidePx: 330})
	})
}

// compareRuntimes compares what two runtimes find in the first picture of a film, and at a square in it.
func compareRuntimes(t *testing.T, rts []posenet.Runtime, film video.Opener, square ROI) {
	t.Helper()
	src, err := film()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	f, err := src.Next()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	var found [2][]Detection
	var views [2]seen
	for i, rt := range rts {
		nets, err := LoadNetworks(Options{Runtime: rt, Model: posenet.Full})
		if err != nil {
			t.Fatal(err)
		}
		tr, err := New(nets, Best)
		if err != nil {
			t.Fatal(err)
		}
		if found[i], err = detect(tr.detector, &tr.cut, tr.grid, f, wholePicture(f)); err != nil {
			t.Fatal(err)
		}
		if views[i], err = look(tr.landmark, &tr.cut, f, square); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(tr.Close(), nets.Close()); err != nil {
			t.Error(err)
		}
	}
	if len(found[0]) == 0 || len(found[0]) != len(found[1]) {
		t.Fatalf("%d and %d detections", len(found[0]), len(found[1]))
	}
	for i := range found[0] {
		a, b := found[0][i], found[1][i]
		if d := math.Hypot(a.ROI.CentreXPx-b.ROI.CentreXPx, a.ROI.CentreYPx-b.ROI.CentreYPx); d > 0.05 || math.Abs(a.Score-b.Score) > 1e-4 {
			t.Errorf("detection %d differs: %+v, %+v", i, a, b)
		}
	}
	for i := range views[0].marks {
		a, b := views[0].marks[i], views[1].marks[i]
		if d := math.Hypot(a.XPx-b.XPx, a.YPx-b.YPx); d > 0.05 || math.Abs(a.Visibility-b.Visibility) > 1e-3 {
			t.Errorf("landmark %d differs by %.4f px", i, d)
		}
		if d := views[0].world[i].Sub(views[1].world[i]).Norm(); d > 1e-4 {
			t.Errorf("world landmark %d differs by %.6f m", i, d)
		}
	}
}

// TestRepeats: two runs give the same bits.
func TestRepeats(t *testing.T) {
	o := Options{Runtime: runtimes(t)[0], Model: posenet.Lite}
	film := drawn(t)
	a, err := Video(context.Background(), film, o, video.Window{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Video(context.Background(), film, o, video.Window{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Error("two runs differ")
	}
}

// TestNobodyInATestPattern: moving coloured bars are no person.
func TestNobodyInATestPattern(t *testing.T) {
	rt := runtimes(t)[0]
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	name := filepath.Join(t.TempDir(), "nobody.mp4")
	if out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=640x480:rate=25:duration=1", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := Video(context.Background(), open(t, name), Options{Runtime: rt, Model: posenet.Full}, video.Window{}, nil); !errors.Is(err, landmark.ErrNoPerson) {
		t.Errorf("got %v, want landmark.ErrNoPerson", err)
	}
}

// BenchmarkVideo is the whole of tracking, decoding and start included, in
// frames per second, per runtime and clip.
func BenchmarkVideo(b *testing.B) {
	for _, rt := range runtimes(b) {
		for _, m := range []posenet.Model{posenet.Lite, posenet.Full, posenet.Heavy} {
			for _, name := range []string{"sports2d/demo.mp4", "pose2sim/videos/cam01.mp4"} {
				b.Run(rt.String()+"/"+m.String()+"/"+filepath.Base(name), func(b *testing.B) {
					frames := 0
					for b.Loop() {
						r, err := Video(context.Background(), clip(b, name), Options{Runtime: rt, Model: m}, video.Window{ToS: 5}, nil)
						if err != nil {
							b.Fatal(err)
						}
						frames += len(r.Frames)
					}
					b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
				})
			}
		}
	}
}
