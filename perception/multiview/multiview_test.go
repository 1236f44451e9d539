package multiview

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Perfect landmarks before bent lenses give the exact places, from two to eight cameras.
func TestExact(t *testing.T) {
	m := perform(t, "march")
	for _, n := range []int{2, 3, 8} {
		f := mustFuse(t, all(m, around(n), shot{endS: 2}))
		if off := offM(f, m, 0); off > 1e-4 || len(f.Frames) < 59 {
			t.Errorf("%d cameras: %.4f m off in %d frames", n, off, len(f.Frames))
		}
		r := &f.Report
		if !r.Agree || r.Order != nil || r.UpFrom != "calibration" || r.SeenByTwo < 1 {
			t.Errorf("%d cameras: %+v", n, r)
		}
		for i, c := range r.Cameras {
			if !c.Used || c.OffsetS != 0 || c.SwappedFrames != 0 || c.SeenShare < 1 || len(c.Moved) > 0 {
				t.Errorf("%d cameras, camera %d: %+v", n, i, c)
			}
		}
	}
}

// A noisy network is averaged: more cameras are better.
func TestMoreCamerasAreBetter(t *testing.T) {
	m := perform(t, "march")
	before := math.Inf(1)
	for _, n := range []int{2, 5} {
		off := offM(mustFuse(t, all(m, around(n), shot{endS: 2, noisePx: 4})), m, 0)
		if !(off < before) {
			t.Errorf("%d cameras: %.4f m off, fewer %.4f", n, off, before)
		}
		before = off
	}
}

// Cameras that start late, early and at other rates find the common clock.
func TestClocks(t *testing.T) {
	m := perform(t, "march")
	for _, late := range []float64{0.37, -0.2, 1.5} {
		cams := around(3)
		first := max(0, -late)
		views := []View{
			filmed(m, cams[0], shot{startS: first, noisePx: 2}, 1),
			filmed(m, cams[1], shot{startS: first + late, fps: 25, noisePx: 2}, 2),
			filmed(m, cams[2], shot{startS: first, fps: 50, noisePx: 2}, 3),
		}
		f := mustFuse(t, views)
		for i, want := range []float64{0, late, 0} {
			c := f.Report.Cameras[i]
			if math.Abs(c.OffsetS-want) > 0.012 || c.Certainty < 0.3 {
				t.Errorf("started %g s late: camera %d is put at %.3f s (certainty %.2f), want %.3f", late, i, c.OffsetS, c.Certainty, want)
			}
		}
		if off := offM(f, m, -first); off > 0.015 {
			t.Errorf("started %g s late: %.4f m off", late, off)
		}
		given, err := Fuse(views, Options{Up: spatial.Vec3{0, 0, 1}, OffsetsS: []float64{0, late, 0}})
		if err != nil || given.Report.Cameras[1].OffsetS != late {
			t.Errorf("given offsets: %v", err)
		}
	}
}

// Nobody moves: any offset fits, which is said.
func TestStillPeopleHaveNoClock(t *testing.T) {
	m := perform(t, "wave")
	for i := range m.Frames {
		m.Frames[i] = m.Frames[0]
	}
	f := mustFuse(t, all(m, around(3), shot{endS: 3, noisePx: 3}))
	for _, c := range f.Report.Cameras[1:] {
		if c.OffsetS != 0 || c.Certainty > 0.1 {
			t.Errorf("camera %s: %.3f s, certainty %.2f", c.Camera, c.OffsetS, c.Certainty)
		}
	}
}

// One of four cameras was bumped after the calibration: it is named, and not used.
func TestBumped(t *testing.T) {
	m := perform(t, "march")
	for name, axis := range map[string]spatial.Vec3{"yaw": {0, 1, 0}, "pitch": {1, 0, 0}} {
		cams := around(4)
		views := all(m, cams, shot{endS: 3, noisePx: 3})
		views[2] = filmed(m, bumped(cams[2], axis, 5), shot{endS: 3, noisePx: 3}, 9)
		views[2].Camera = cams[2]
		f := mustFuse(t, views)
		for i, c := range f.Report.Cameras {
			if c.Used != (i != 2) || (c.MisfitM > misfitM) != (i == 2) {
				t.Errorf("%s: camera %d: %+v", name, i, c)
			}
		}
		if off := offM(f, m, 0); !f.Report.Agree || f.Report.Order != nil || off > 0.02 {
			t.Errorf("%s: agree %v, order %v, %.3f m off", name, f.Report.Agree, f.Report.Order, off)
		}
	}
}

// A camera bumped during the film is used while it stood, and the time is told.
func TestMovedHalfWay(t *testing.T) {
	m := perform(t, "march")
	cams := around(4)
	views := all(m, cams, shot{endS: 5, noisePx: 3})
	late := filmed(m, bumped(cams[1], spatial.Vec3{0, 1, 0}, 5), shot{endS: 5, noisePx: 3}, 9)
	copy(views[1].Clip.Frames[100:], late.Clip.Frames[100:])
	f := mustFuse(t, views)
	c := f.Report.Cameras[1]
	if len(c.Moved) != 1 || math.Abs(c.Moved[0][0]-100.0/30) > 0.3 || c.Moved[0][1] < 4.9 || !c.Used {
		t.Errorf("%+v", c)
	}
	for _, i := range []int{0, 2, 3} {
		if len(f.Report.Cameras[i].Moved) > 0 {
			t.Errorf("camera %d is said to have moved: %+v", i, f.Report.Cameras[i].Moved)
		}
	}
	if off := offM(f, m, 0); off > 0.02 {
		t.Errorf("%.3f m off", off)
	}
}

// Two videos were exchanged: the right order is told.
func TestExchangedVideos(t *testing.T) {
	m := perform(t, "march")
	cams := around(4)
	for _, pair := range [][2]int{{1, 3}, {1, 2}} { // 1 and 2 see the person from 60 degrees left and right: nearly alike
		views := all(m, cams, shot{endS: 2, noisePx: 3})
		i, j := pair[0], pair[1]
		views[i].Camera, views[j].Camera = cams[j], cams[i]
		f := mustFuse(t, views)
		if !slices.Equal(f.Report.Order, []string{"A", "B", "C", "D"}) {
			t.Errorf("%v: order %v, report %+v", pair, f.Report.Order, f.Report)
		}
	}
}

// The calibration of other cameras fits nobody, and two cameras of which one was moved do
// not tell which.
func TestNobodyFits(t *testing.T) {
	m := perform(t, "march")
	cams := around(4)
	views := all(m, cams, shot{endS: 2, noisePx: 3})
	for i := range views {
		views[i].Camera = bumped(cams[i], spatial.Vec3{1, 0.3 * float64(i), 0}.Unit(spatial.Vec3{}), 8-5*float64(i))
	}
	if f := mustFuse(t, views); f.Report.Agree {
		t.Errorf("%+v", f.Report)
	}
	pair := all(m, cams[:2], shot{endS: 2, noisePx: 3})
	pair[1].Camera = bumped(cams[1], spatial.Vec3{1, 0, 0}, 5)
	if f := mustFuse(t, pair); f.Report.Agree {
		t.Errorf("%+v", f.Report)
	}
}

// A camera that is unplugged half-way is used while it is there.
func TestUnplugged(t *testing.T) {
	m := perform(t, "march")
	cams := around(3)
	views := all(m, cams, shot{endS: 4, noisePx: 2})
	views[1] = filmed(m, cams[1], shot{endS: 2, noisePx: 2}, 5)
	f := mustFuse(t, views)
	c := f.Report.Cameras[1]
	if share := c.SeenShare; math.Abs(share-0.5) > 0.05 || c.ToS > 2.05 || !c.Used {
		t.Errorf("%+v", c)
	}
	if n := len(f.Frames); n < 119 || !f.Frames[n-1].Found {
		t.Errorf("%d frames", n)
	}
	if off := offM(f, m, 0); off > 0.02 {
		t.Errorf("%.3f m off", off)
	}
}

// Left and right exchanged in one view (all of the body, or the legs alone) are found
// against the others.
func TestExchangedSides(t *testing.T) {
	m := perform(t, "march")
	for name, which := range map[string][]landmark.Index{"body": append(slices.Clone(groups[0].all), groups[1].all...), "legs": groups[1].all} {
		for _, n := range []int{3, 4} {
			views := all(m, around(n), shot{endS: 3, noisePx: 2})
			for t := 20; t < 55; t++ {
				was := views[1].Clip.Frames[t]
				for _, j := range which {
					views[1].Clip.Frames[t].Landmarks[j] = was.Landmarks[landmark.Mirror(j)]
				}
			}
			f := mustFuse(t, views)
			for i, want := range []int{0, 35, 0, 0}[:n] {
				if got := f.Report.Cameras[i].SwappedFrames; got < want-2 || got > want+2 {
					t.Errorf("%s, %d cameras: camera %d exchanged in %d frames, want %d", name, n, i, got, want)
				}
			}
			if off := offM(f, m, 0); off > 0.02 {
				t.Errorf("%s, %d cameras: %.3f m off", name, n, off)
			}
		}
	}
}

// A world whose up is another axis than it says is found by the person, who stands.
func TestUp(t *testing.T) {
	m := perform(t, "march")
	for name, x := range map[string]struct {
		given spatial.Vec3
		from  string
	}{"said": {spatial.Vec3{0, 0, 1}, "calibration"}, "wrong": {spatial.Vec3{0, 1, 0}, "axis"}, "upside down": {spatial.Vec3{0, 0, -1}, "axis"}, "not said": {spatial.Vec3{}, "axis"}} {
		f, err := Fuse(all(m, around(3), shot{endS: 2}), Options{Up: x.given})
		if err != nil {
			t.Fatal(err)
		}
		if f.Up != (spatial.Vec3{0, 0, 1}) || f.Report.UpFrom != x.from {
			t.Errorf("%s: up %v from %s", name, f.Up, f.Report.UpFrom)
		}
	}
}

// The world's axes do not matter: turned with all cameras, the person is the same.
func TestTurnedWorld(t *testing.T) {
	m := perform(t, "march")
	turn := spatial.Exp(spatial.Vec3{0.7, -0.4, 1.1})
	views := all(m, around(3), shot{endS: 1.5, noisePx: 3})
	plain := mustFuse(t, views)
	for i := range views {
		views[i].Camera.Rotation = views[i].Camera.Rotation.Mul(turn.Inv())
	}
	turned, err := Fuse(views, Options{Up: turn.Rotate(spatial.Vec3{0, 0, 1})})
	if err != nil {
		t.Fatal(err)
	}
	for i := range plain.Frames {
		for j := range landmark.Num {
			a, b := turn.Rotate(plain.Frames[i].WorldM[j]), turned.Frames[i].WorldM[j]
			if a.Sub(b).Norm() > 1e-5 {
				t.Fatalf("frame %d, %s: %v, turned %v", i, landmark.Name(j), a, b)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	m := perform(t, "wave")
	cams := around(2)
	views := all(m, cams, shot{endS: 2})
	if _, err := Fuse(views[:1], Options{}); err == nil {
		t.Error("one view is taken")
	}
	if _, err := Fuse(views, Options{OffsetsS: []float64{0}}); err == nil {
		t.Error("one offset for two views is taken")
	}
	if _, err := Fuse(views, Options{OffsetsS: []float64{0, 10}}); !errors.Is(err, ErrTooLittle) || !strings.Contains(err.Error(), "B.mp4 +10.00 s") {
		t.Errorf("clocks that do not meet: %v", err)
	}
	views[1].Clip.Frames = views[1].Clip.Frames[:5]
	if _, err := Fuse(views, Options{}); !errors.Is(err, landmark.ErrNoPerson) || !strings.Contains(err.Error(), "B.mp4") {
		t.Errorf("five frames: %v", err)
	}
}
