//go:build mujoco && cgo

package demonstrator

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/perception/live"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// tap keeps what a tracker sees, so that the whole-clip form gets the same.
type tap struct {
	*track.Tracker
	seen []landmark.Frame
}

func (p *tap) Step(f *video.Frame) (track.Frame, error) {
	out, err := p.Tracker.Step(f)
	p.seen = append(p.seen, out.Frame)
	return out, err
}

// A film watched picture by picture gives nearly the motion that the whole film
// gives, judged by what was really done.
func TestLiveAgainstWholeClipAndTruth(t *testing.T) {
	runtime, err := posenet.ParseRuntime("auto")
	if err != nil {
		t.Skipf("no pose runtime: %v", err)
	}
	if _, err := assets.DepsDir(); err != nil {
		t.Skip(err)
	}
	nets, err := track.LoadNetworks(track.Options{Runtime: runtime, Model: posenet.Lite, Person: track.Best})
	if err != nil {
		t.Fatal(err)
	}
	defer nets.Close()
	tracker, err := track.New(nets, track.Best)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	m, err := Find("march")
	if err != nil {
		t.Fatal(err)
	}
	opt, err := Options{WidthPx: 288, HeightPx: 360}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	truth, err := Perform(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	truth.Frames = truth.Frames[:min(len(truth.Frames), 105)]

	eyes := &tap{Tracker: tracker}
	w := live.New(eyes, live.Options{LagFrames: solve.DefaultLagFrames})
	poses, tookMs := watch(t, w, truth, opt)
	causal := live.Join(poses, w.FPS())
	clip := &landmark.Clip{WidthPx: opt.WidthPx, HeightPx: opt.HeightPx, Frames: eyes.seen}
	whole, _, err := solve.Solve(clip, solve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mm := func(a, b *human.Motion) float64 {
		c, err := metrics.Compare(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return c.MPJPEMm
	}
	slices.Sort(tookMs)
	off, ref := mm(causal, truth), mm(whole, truth)
	t.Logf("MPJPE: causal %.1f mm, whole clip %.1f mm off the truth, %.1f mm apart; %d frames behind, a picture takes %.1f ms (p50), %.1f ms (p95)",
		off, ref, mm(causal, whole), solve.DefaultLagFrames, tookMs[len(tookMs)/2], tookMs[len(tookMs)*95/100])
	// A limb on the wrong side of the picture for a tenth of the time costs
	// 20 mm, a person turned round 200 mm.
	if off > ref+20 {
		t.Errorf("MPJPE %.1f mm against the truth, %.1f mm with the whole clip", off, ref)
	}
	if want := len(truth.Frames) - 45; len(poses) < want {
		t.Errorf("%d poses of %d pictures, want at least %d", len(poses), len(truth.Frames), want)
	}
}

// watch films the truth and shows it to w, which sees every picture once.
func watch(t *testing.T, w *live.Watcher, truth *human.Motion, opt Options) (poses []solve.Pose, tookMs []float64) {
	bgr := make([]byte, 3*opt.WidthPx*opt.HeightPx)
	err := Film(context.Background(), truth, opt, func(i int, rgb []byte) error {
		for k := 0; k < len(rgb); k += 3 {
			bgr[k], bgr[k+1], bgr[k+2] = rgb[k+2], rgb[k+1], rgb[k]
		}
		began := time.Now()
		pose, err := w.Push(video.NewFrame(float64(i)/opt.FPS, opt.WidthPx, opt.HeightPx, bgr))
		if err != nil {
			if live.Waiting(err) {
				return nil
			}
			return err
		}
		poses, tookMs = append(poses, pose), append(tookMs, 1000*time.Since(began).Seconds())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return poses, tookMs
}
