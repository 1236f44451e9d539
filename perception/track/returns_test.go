package track

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

// TestReturns: a gap is told with its times, how far away and how alike the one
// is who comes back.
func TestReturns(t *testing.T) {
	v := &film{w: 640, h: 360, n: 70, fps: 30, script: func(i int) []disc {
		switch {
		case i < 25:
			return []disc{{x: 200, y: 180, r: 60, clothes: 100}}
		case i < 34:
			return nil
		}
		return []disc{{x: 230, y: 180, r: 66, clothes: 100}}
	}}
	r := runFilm(t, v, Best, video.Window{})
	if len(r.Returns) != 1 {
		t.Fatalf("%+v", r.Returns)
	}
	got := r.Returns[0]
	if math.Abs(got.LostS-24.0/30) > 1e-9 || math.Abs(got.SeenS-34.0/30) > 1e-9 || got.Alike < 0.95 ||
		math.Abs(got.Growth-1.1) > 0.03 || math.Abs(got.Moved*r.Frames[24].body().SidePx-30) > 3 {
		t.Errorf("%+v", got)
	}
}

// TestSceneInEveryFrame: the surroundings are compared wherever there is a
// picture before, across the parts and while nobody is there.
func TestSceneInEveryFrame(t *testing.T) {
	v := &film{w: 640, h: 360, n: 150, fps: 30, script: func(i int) []disc {
		if i > 100 && i < 120 {
			return nil
		}
		return []disc{{x: 200 + float64(i), y: 180, r: 60, clothes: 100}}
	}}
	r := runFilm(t, v, Best, video.Window{})
	for i := range r.Frames {
		if s := r.Frames[i].Scene; s.Known != (i > 0) || s.Known && (s.ShiftPx != [2]float64{} || s.Alike < 0.9) {
			t.Errorf("frame %d: %+v", i, s)
		}
	}
}
