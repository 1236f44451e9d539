package verdict

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/scene"
	"github.com/mitori-robotics/mitori/perception/sight"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// A stick person of 400 px before a camera of 640 x 480: landmark k stands at a
// fixed place, moved by way(t) pixels.
const (
	fps     = 30.0
	torsoPx = torsoShare * 400
)

func place(k int) (x, y float64) {
	x = 320
	if k%2 == 1 {
		x += 30
	} else if k > 0 {
		x -= 30
	}
	switch {
	case k < landmark.LShoulder:
		return x, 60
	case k <= landmark.RShoulder:
		return x, 120
	case k <= landmark.RThumb:
		return x, 180
	case k <= landmark.RHip:
		return x, 120 + torsoPx
	case k <= landmark.RKnee:
		return x, 330
	}
	return x, 430
}

// clip films n frames; spoil may change each.
func clip(n int, way func(tS float64) float64, spoil func(i int, f *track.Frame)) (*track.Result, *solve.Report, *human.Motion) {
	r := &track.Result{Info: video.Info{WidthPx: 640, HeightPx: 480, FPS: fps}, Frames: make([]track.Frame, n)}
	m := &human.Motion{FPS: fps, Frames: make([]human.Pose, n)}
	for i := range r.Frames {
		f := &r.Frames[i]
		f.TimeS, f.Found, f.Scene = float64(i)/fps, true, scene.Change{Known: i > 0, Alike: 1}
		for k := range f.Landmarks {
			x, y := place(k)
			f.Landmarks[k] = landmark.Point{XPx: x + way(f.TimeS), YPx: y, Visibility: 0.95}
		}
		if spoil != nil {
			spoil(i, f)
		}
		m.Frames[i].Positions[human.Chest] = spatial.Vec3{0, 0, 1.4}
		m.Frames[i].Positions[human.Pelvis] = spatial.Vec3{0, 0, 0.9}
	}
	return r, &solve.Report{CameraHeightM: 1, StanceShare: 1, MeanReprojPx: 1, Hidden: sight.Hidden(r.Clip())}, m
}

func dance(tS float64) float64 { return 40 * math.Sin(2*math.Pi*0.8*tS) }

func TestGatherGood(t *testing.T) {
	e := Gather(clip(120, dance, nil))
	if v := Judge(e); v.Grade != Good || len(v.Unseen) != 0 || math.Abs(e.ReprojShare-1.0/400) > 1e-9 || e.Span.ToS < 3.9 {
		t.Errorf("%+v, %+v", v, e)
	}
}

// TestGatherJump: a body that is elsewhere from one frame to the next jumped; one
// that moves fast, a dropped frame, a frame held twice and exchanged sides did
// not.
func TestGatherJump(t *testing.T) {
	for name, c := range map[string]struct {
		way   func(tS float64) float64
		spoil func(i int, f *track.Frame)
		want  int
	}{
		"cut": {way: func(tS float64) float64 {
			if tS > 2 {
				return dance(tS) + 30
			}
			return dance(tS)
		}, want: 1},
		"fast":         {way: func(tS float64) float64 { return 3 * dance(2*tS) }},
		"a dropped":    {way: func(tS float64) float64 { return 300 * (tS + math.Floor(tS)/fps) }},
		"a frame held": {way: func(tS float64) float64 { return 300 * (tS - math.Floor(tS)/fps) }},
		"sides exchanged": {way: dance, spoil: func(i int, f *track.Frame) {
			for k := landmark.LShoulder; i%7 == 0 && k < landmark.Num; k += 2 {
				f.Landmarks[k], f.Landmarks[k+1] = f.Landmarks[k+1], f.Landmarks[k]
			}
		}},
	} {
		if e := Gather(clip(120, c.way, c.spoil)); len(e.JumpsS) != c.want {
			t.Errorf("%s: jumps at %v, want %d", name, e.JumpsS, c.want)
		}
	}
}

// TestGatherHidden: out of the picture or guessed is hidden, for as long as it
// lasts; both legs and the feet with them.
func TestGatherHidden(t *testing.T) {
	legs := func(f *track.Frame, change func(m *landmark.Point)) {
		for k := landmark.LKnee; k < landmark.Num; k++ {
			change(&f.Landmarks[k])
		}
	}
	for name, change := range map[string]func(m *landmark.Point){
		"below the picture": func(m *landmark.Point) { m.YPx = 500 },
		"guessed":           func(m *landmark.Point) { m.Visibility = 0.1 },
	} {
		e := Gather(clip(150, dance, func(i int, f *track.Frame) {
			if i >= 30 && i < 120 && i != 60 { // seen for one frame in between
				legs(f, change)
			}
		}))
		v := Judge(e)
		if len(v.Unseen) != 1 || v.Unseen[0].Part != "legs" || math.Abs(v.Unseen[0].FromS-1) > 0.05 || math.Abs(v.Unseen[0].ToS-4) > 0.05 {
			t.Errorf("%s: %v", name, v.Unseen)
		}
		if v.Grade != Doubtful {
			t.Errorf("%s: %v %v", name, v.Grade, v.Warnings)
		}
	}
	e := Gather(clip(150, dance, func(i int, f *track.Frame) {
		if i%30 < 8 { // a quarter of a second, every second
			legs(f, func(m *landmark.Point) { m.Visibility = 0.1 })
		}
	}))
	if v := Judge(e); len(v.Unseen) != 0 || v.Grade != Good {
		t.Errorf("flickering: %+v", v)
	}
}

// TestGatherCamera: what shakes is told, with its size against the person; a cut
// is no camera movement, and a still camera with jitter is still.
func TestGatherCamera(t *testing.T) {
	e := Gather(clip(120, dance, func(i int, f *track.Frame) {
		f.Scene.ShiftPx[0] = 20 * (math.Sin(float64(i)/5) - math.Sin(float64(i-1)/5))
	}))
	if math.Abs(e.SwayMost-0.1) > 0.01 || len(e.Moves) != 1 || Judge(e).Grade != Doubtful {
		t.Errorf("shaken by 40 of 400 px: %.3f, %v", e.SwayMost, e.Moves)
	}
	e = Gather(clip(120, dance, func(i int, f *track.Frame) {
		f.Scene.ShiftPx[0] = 0.2 * float64(i%2*2-1)
		if i == 60 {
			f.Scene = scene.Change{Known: true, Alike: 0.3, ShiftPx: [2]float64{90, 0}}
		}
	}))
	if e.SwayMost > 0.002 || len(e.CutsS) != 1 || e.CutsS[0] != 2 {
		t.Errorf("cut: sway %.3f, cuts %v", e.SwayMost, e.CutsS)
	}
}

// TestGatherMissing: frames before and after the person do not count.
func TestGatherMissing(t *testing.T) {
	e := Gather(clip(200, dance, func(i int, f *track.Frame) {
		if i < 60 || i >= 160 || i >= 100 && i < 120 {
			*f = track.Frame{Frame: landmark.Frame{TimeS: f.TimeS}, Scene: f.Scene}
		}
		if i == 60 { // the video began with black
			f.Scene.Alike = 0.1
		}
	}))
	if len(e.CutsS) != 0 {
		t.Errorf("a cut at %v, where the motion begins", e.CutsS)
	}
	if math.Abs(e.MissedShare-0.2) > 1e-9 || math.Abs(e.AbsentShare-0.6) > 1e-9 {
		t.Errorf("missed %.3f, want 20 of 100; absent %.3f, want 120 of 200", e.MissedShare, e.AbsentShare)
	}
}

// TestGatherLeaning: lying and hanging are told from the trunk.
func TestGatherLeaning(t *testing.T) {
	r, s, m := clip(100, dance, nil)
	for i := range m.Frames {
		switch p := &m.Frames[i].Positions; {
		case i < 30:
			p[human.Chest] = spatial.Vec3{0.5, 0, 0.9}
		case i < 50:
			p[human.Chest] = spatial.Vec3{0, 0, 0.4}
		}
	}
	if e := Gather(r, s, m); e.LyingShare != 0.5 || e.InvertedShare != 0.2 {
		t.Errorf("lying %.2f, inverted %.2f", e.LyingShare, e.InvertedShare)
	}
}
