package track

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/video"
)

func runFilm(t *testing.T, v *film, choice Choice, w video.Window) Result {
	t.Helper()
	r, err := runVideo(context.Background(), v.opener(), func() (*Networks, error) { return fakeNetworks(), nil }, choice, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// at checks that frame i shows the disc.
func at(t *testing.T, r Result, i int, d disc) {
	t.Helper()
	f := r.Frames[i]
	if !f.Found {
		t.Errorf("frame %d: nobody, want the person at %.0f,%.0f", i, d.x, d.y)
		return
	}
	// One crop pixel is a hundredth of the square; the disc's outline is
	// soft by about one.
	tolerance := 0.02 * f.ROI.SidePx
	for k, m := range f.Landmarks {
		x, y := fakePose(k)
		if dist := math.Hypot(m.XPx-d.x-d.r*x, m.YPx-d.y-d.r*y); dist > tolerance {
			t.Errorf("frame %d landmark %d is %.1f px off, tolerance %.1f", i, k, dist, tolerance)
			return
		}
	}
}

// TestFollows: a person who walks and grows is followed exactly, across the
// border between two parts that are tracked side by side.
func TestFollows(t *testing.T) {
	walk := func(i int) disc {
		return disc{x: 120 + 2*float64(i), y: 160 + 30*math.Sin(float64(i)/15), r: 60 + 0.1*float64(i), clothes: 100}
	}
	v := &film{w: 640, h: 360, n: 150, fps: 30, script: func(i int) []disc { return []disc{walk(i)} }}
	if n := parts(v.n, true); n != 2 {
		t.Fatalf("the film is tracked in %d parts, want 2", n)
	}
	r := runFilm(t, v, Best, video.Window{})
	if len(r.Frames) != v.n || r.Stats.Missed != 0 || r.Stats.Frames != v.n {
		t.Fatalf("%d frames, stats %+v", len(r.Frames), r.Stats)
	}
	for i := range r.Frames {
		at(t, r, i, walk(i))
		if want := float64(i) / 30; math.Abs(r.Frames[i].TimeS-want) > 1e-9 || r.Frames[i].Index != i {
			t.Fatalf("frame %d has index %d, time %v", i, r.Frames[i].Index, r.Frames[i].TimeS)
		}
	}
	if len(r.Warnings) != 0 {
		t.Errorf("warnings %q", r.Warnings)
	}
}

// TestSameOnAnyMachine: the number of cores must not change the result.
func TestSameOnAnyMachine(t *testing.T) {
	v := &film{w: 320, h: 240, n: 420, fps: 30, script: func(i int) []disc {
		if i%100 > 90 {
			return nil
		}
		return []disc{{x: 160 + 60*math.Sin(float64(i)/20), y: 120, r: 40, clothes: 90}}
	}}
	if parts(v.n, true) < 4 {
		t.Fatal("the film should be tracked in four parts or more")
	}
	a := runFilm(t, v, Best, video.Window{})
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	b := runFilm(t, v, Best, video.Window{})
	if !reflect.DeepEqual(a, b) {
		t.Error("results differ")
	}
}

// TestKeepsThePerson: another person, larger and differently dressed, passes
// while the followed one is hidden. The tracker must wait and come back to the
// right one.
func TestKeepsThePerson(t *testing.T) {
	hero := func(i int) disc { return disc{x: 200 + float64(i)/2, y: 180, r: 50, clothes: 60} }
	v := &film{w: 640, h: 360, n: 70, fps: 30, script: func(i int) []disc {
		switch {
		case i < 20:
			return []disc{hero(i)}
		case i < 45:
			return []disc{{x: 450 - 8*float64(i-20), y: 180, r: 60, clothes: 250}}
		}
		return []disc{hero(i)}
	}}
	r := runFilm(t, v, Best, video.Window{})
	for i := range r.Frames {
		if i >= 20 && i < 45 {
			if r.Frames[i].Found {
				t.Errorf("frame %d: someone else is followed at %.0f", i, r.Frames[i].ROI.CentreXPx)
			}
			continue
		}
		at(t, r, i, hero(i))
	}
	if r.Stats.Losses != 1 || r.Stats.LongestGap != 25 || r.Stats.Missed != 25 {
		t.Errorf("stats %+v, want one loss and a gap of 25", r.Stats)
	}
}

// TestSecondPartFollowsTheSamePerson: in the second half of the film a larger
// person stands there, whom a tracker that starts there would choose.
func TestSecondPartFollowsTheSamePerson(t *testing.T) {
	hero := disc{x: 120, y: 180, r: 50, clothes: 60}
	v := &film{w: 640, h: 360, n: 120, fps: 30, script: func(i int) []disc {
		if i < 45 {
			return []disc{hero}
		}
		return []disc{hero, {x: 450, y: 180, r: 80, clothes: 250}}
	}}
	r := runFilm(t, v, Best, video.Window{})
	for i := range r.Frames {
		at(t, r, i, hero)
	}
}

func TestChoice(t *testing.T) {
	small := disc{x: 110, y: 180, r: 45, clothes: 60}
	mid := disc{x: 320, y: 180, r: 55, clothes: 130}
	large := disc{x: 520, y: 180, r: 75, clothes: 250}
	v := &film{w: 640, h: 360, n: 12, fps: 30, script: func(int) []disc { return []disc{small, mid, large} }}
	for choice, want := range map[Choice]disc{Best: large, "": large, Left: small, Right: large, Centre: mid} {
		r := runFilm(t, v, choice, video.Window{})
		for i := range r.Frames {
			at(t, r, i, want)
		}
	}
}

// TestFillsBackwards: the detector cannot see a person this small in the whole
// picture, and tiles are searched only now and then; once found, the frames
// before are filled from the later view.
func TestFillsBackwards(t *testing.T) {
	grow := func(i int) disc { return disc{x: 400, y: 300, r: 15 + 0.6*float64(i), clothes: 80} }
	v := &film{w: 1280, h: 720, n: 60, fps: 30, script: func(i int) []disc {
		if i < 3 {
			return nil
		}
		return []disc{grow(i)}
	}}
	r := runFilm(t, v, Best, video.Window{})
	if r.Stats.Filled == 0 || r.Stats.Missed > 4 {
		t.Fatalf("stats %+v: nothing was filled", r.Stats)
	}
	for i := 5; i < v.n; i++ {
		at(t, r, i, grow(i))
	}
	if r.Frames[0].Found || r.Frames[2].Found {
		t.Error("a person was found in an empty picture")
	}
}

func TestWindow(t *testing.T) {
	v := &film{w: 320, h: 240, n: 90, fps: 30, script: func(i int) []disc {
		return []disc{{x: 100 + float64(i), y: 120, r: 40, clothes: 90}}
	}}
	r := runFilm(t, v, Best, video.Window{FromS: 1, ToS: 2})
	if len(r.Frames) != 30 || math.Abs(r.Frames[0].TimeS-1) > 1e-9 || r.Frames[29].TimeS >= 2 {
		t.Fatalf("%d frames from %v", len(r.Frames), r.Frames[0].TimeS)
	}
	at(t, r, 0, disc{x: 130, y: 120, r: 40})
}

func TestNobody(t *testing.T) {
	load := func() (*Networks, error) { return fakeNetworks(), nil }
	empty := &film{w: 320, h: 240, n: 40, fps: 30, script: func(int) []disc { return nil }}
	_, err := runVideo(context.Background(), empty.opener(), load, Best, video.Window{}, nil)
	if !errors.Is(err, landmark.ErrNoPerson) || !strings.Contains(err.Error(), "person") || !strings.Contains(err.Error(), "film") {
		t.Errorf("got %v, want landmark.ErrNoPerson naming the file", err)
	}
	if _, err := runVideo(context.Background(), empty.opener(), load, Best, video.Window{FromS: 99}, nil); err == nil {
		t.Error("an empty window is no error")
	}
	// A disc for three frames only is no person either.
	blink := &film{w: 320, h: 240, n: 40, fps: 30, script: func(i int) []disc {
		if i >= 20 && i < 23 {
			return []disc{{x: 160, y: 120, r: 40, clothes: 90}}
		}
		return nil
	}}
	if _, err := runVideo(context.Background(), blink.opener(), load, Best, video.Window{}, nil); !errors.Is(err, landmark.ErrNoPerson) {
		t.Errorf("a blink: got %v", err)
	}
}

// TestStops: a cancelled context ends the work, and so does a decoder's error.
func TestStops(t *testing.T) {
	load := func() (*Networks, error) { return fakeNetworks(), nil }
	v := &film{w: 320, h: 240, n: 200, fps: 30, script: func(i int) []disc { return []disc{{x: 160, y: 120, r: 40, clothes: 90}} }}
	ctx, cancel := context.WithCancel(context.Background())
	seen := 0
	_, err := runVideo(ctx, v.opener(), load, Best, video.Window{}, func(done, total int) {
		seen = done
		if done == 20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || seen > 60 {
		t.Errorf("after cancelling at 20: %v, %d frames done", err, seen)
	}
	broken := errors.New("disk on fire")
	_, err = runVideo(context.Background(), func() (video.Source, error) { return &burning{film: *v, err: broken}, nil }, load, Best, video.Window{}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("decoder error: got %v", err)
	}
}

// burning fails after ten frames.
type burning struct {
	film
	err error
}

func (b *burning) Next() (*video.Frame, error) {
	if b.next >= 10 {
		return nil, b.err
	}
	return b.film.Next()
}

// TestEndsEarly: a damaged file that gives fewer frames than it promises.
func TestEndsEarly(t *testing.T) {
	v := &film{w: 320, h: 240, n: 60, fps: 30, script: func(i int) []disc { return []disc{{x: 160, y: 120, r: 40, clothes: 90}} }}
	open := func() (video.Source, error) { return &boasting{film: *v}, nil }
	r, err := runVideo(context.Background(), open, func() (*Networks, error) { return fakeNetworks(), nil }, Best, video.Window{}, nil)
	if err != nil || len(r.Frames) != 60 || r.Undecoded != 18 {
		t.Errorf("got %d frames, %d that could not be decoded, %v", len(r.Frames), r.Undecoded, err)
	}
}

type boasting struct{ film }

func (b *boasting) Info() video.Info {
	i := b.film.Info()
	i.Frames = 78
	return i
}

// TestLostHalfWay: who leaves the picture leaves a warning that says when.
func TestLostHalfWay(t *testing.T) {
	v := &film{w: 320, h: 240, n: 75, fps: 30, script: func(i int) []disc {
		if i >= 30 {
			return nil
		}
		return []disc{{x: 160, y: 120, r: 40, clothes: 90}}
	}}
	r := runFilm(t, v, Best, video.Window{})
	if r.Stats.Missed != 45 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "from 1.0 s to 2.5 s") {
		t.Errorf("stats %+v, warnings %q", r.Stats, r.Warnings)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Model: 0}, {Model: 1, Person: "tallest"}} {
		if o.Check() == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
