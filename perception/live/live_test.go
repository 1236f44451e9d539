package live_test

import (
	"errors"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/live"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Pictures that would not be used are not looked at: half of those of a fast camera.
func TestFastCamerasAreThinned(t *testing.T) {
	p := &puppet{}
	w := live.New(p, live.Options{LagFrames: 2})
	between := 0
	for i := range 40 {
		if _, err := w.Push(picture(float64(i) / 60)); errors.Is(err, solve.ErrBetween) {
			between++
		}
	}
	if p.looks != 20 || between != 20 {
		t.Errorf("%d of 40 pictures looked at, %d between poses", p.looks, between)
	}
}

// What a tracker takes back is forgotten: the poses begin anew.
func TestDisownedPicturesAreForgotten(t *testing.T) {
	w := live.New(&puppet{disownAtS: 1.6}, live.Options{LagFrames: 2})
	var before, settling int
	for i := range 70 {
		_, err := w.Push(picture(float64(i) / 30))
		switch late := i >= 48; {
		case err == nil && !late:
			before++
		case late && err != nil:
			settling++
			if errors.Is(err, landmark.ErrNoPerson) == (i >= 50) {
				t.Errorf("picture %d: %v", i, err)
			}
		}
	}
	if before == 0 || settling < 5 || settling > 12 {
		t.Errorf("%d poses before, %d pictures without one after", before, settling)
	}
}

type broken struct{ err error }

func (b broken) Step(*video.Frame) (track.Frame, error) { return track.Frame{}, b.err }

func TestFaultsAreNoWaiting(t *testing.T) {
	want := errors.New("the network failed")
	if _, err := live.New(broken{want}, live.Options{}).Push(picture(0)); !errors.Is(err, want) || live.Waiting(err) {
		t.Errorf("got %v, want %v", err, want)
	}
	if _, err := live.New(&puppet{}, live.Options{LagFrames: -1}).Push(picture(0)); err == nil || live.Waiting(err) {
		t.Errorf("bad lag: %v", err)
	}
	w := live.New(&puppet{}, live.Options{})
	if w.Report() != nil || w.FPS() != 0 {
		t.Error("there is a report before the first picture")
	}
	if _, err := w.Push(picture(0)); !live.Waiting(err) {
		t.Errorf("first picture: %v", err)
	}
	small := video.NewFrame(1, 64, 48, make([]byte, 3*64*48))
	if _, err := w.Push(small); err == nil || live.Waiting(err) {
		t.Errorf("another size: %v", err)
	}
}

// Joined poses lie at their times; a gap holds still and says that it knows nothing.
func TestJoin(t *testing.T) {
	at := func(timeS, x float64) solve.Pose {
		p := solve.Pose{TimeS: timeS}
		p.Positions[human.Pelvis][0] = x
		p.Confidence[human.Pelvis] = 1
		return p
	}
	m := live.Join([]solve.Pose{at(1, 1), at(1.1, 2), at(1.4, 5)}, 10)
	if m.Meta.StartS != 1 || len(m.Frames) != 5 || m.Meta.FramesMissed != 2 {
		t.Fatalf("%d frames from %g s, %d missed", len(m.Frames), m.Meta.StartS, m.Meta.FramesMissed)
	}
	for i, want := range []struct{ x, sure float64 }{{1, 1}, {2, 1}, {2, 0}, {2, 0}, {5, 1}} {
		f := &m.Frames[i]
		if f.Positions[human.Pelvis][0] != want.x || f.Confidence[human.Pelvis] != want.sure {
			t.Errorf("frame %d: at %g, confidence %g", i, f.Positions[human.Pelvis][0], f.Confidence[human.Pelvis])
		}
	}
	if len(live.Join(nil, 10).Frames) != 0 {
		t.Error("no poses make frames")
	}
}
