package scene

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

const width, height = 640, 360

// room is a place with soft structure, drawn with its origin moved by dx, dy
// pixels; kind makes it another place.
func room(kind, dx, dy float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		x, y = x-dx, y-dy
		return 120 + 50*math.Sin(x/(31+7*kind)+kind)*math.Cos(y/(23+5*kind)) + 30*math.Sin((x+2*y)/(57-9*kind))
	}
}

// wall is plain but for a skirting board.
func wall(_, y float64) float64 {
	if y > 300 {
		return 90
	}
	return 160
}

// photo draws a place; change may put something in front of it.
func photo(place func(x, y float64) float64, change func(x, y int, v float64) float64) *video.Frame {
	pix := make([]byte, 3*width*height)
	for y := range height {
		for x := range width {
			v := place(float64(x), float64(y))
			if change != nil {
				v = change(x, y, v)
			}
			b := byte(math.Max(0, math.Min(255, math.Round(v))))
			at := 3 * (y*width + x)
			pix[at], pix[at+1], pix[at+2] = b, b, b
		}
	}
	return video.NewFrame(0, width, height, pix)
}

func watch(a, b *video.Frame, boxes ...Box) Change {
	var w Watcher
	boxes = append(boxes, Box{}, Box{})
	w.Next(a, boxes[0])
	return w.Next(b, boxes[1])
}

// TestShift: the shift is found to a twentieth of a thumbnail's pixel, for small
// and for large ones.
func TestShift(t *testing.T) {
	const tolerancePx = 0.2 // a thumbnail's pixel covers 4
	for _, want := range [][2]float64{{0, 0}, {0.5, 0}, {0, -1.5}, {3, 2}, {-9, 6}, {16, -14}} {
		got := watch(photo(room(0, 0, 0), nil), photo(room(0, want[0], want[1]), nil))
		if !got.Known || math.Hypot(got.ShiftPx[0]-want[0], got.ShiftPx[1]-want[1]) > tolerancePx || got.Alike < 0.98 {
			t.Errorf("moved by %v px: %+v", want, got)
		}
	}
}

// TestShiftInOtherLight: a lamp that goes on while the camera moves.
func TestShiftInOtherLight(t *testing.T) {
	lamp := func(_, _ int, v float64) float64 { return v + 40 }
	for _, want := range [][2]float64{{3, 2}, {-4, 1}} {
		got := watch(photo(room(0, 0, 0), nil), photo(room(0, want[0], want[1]), lamp))
		if !got.Known || math.Hypot(got.ShiftPx[0]-want[0], got.ShiftPx[1]-want[1]) > 0.3 {
			t.Errorf("moved by %v px: %+v", want, got)
		}
	}
}

// TestStill: noise, light and a person who walks do not move the camera.
func TestStill(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	person := func(cx int) func(x, y int, v float64) float64 {
		return func(x, y int, v float64) float64 {
			if math.Hypot(float64(x-cx)/40, float64(y-220)/120) < 1 {
				return 30 + 20*math.Sin(float64(x-cx)/5)*math.Sin(float64(y)/6)
			}
			return v
		}
	}
	for name, c := range map[string]struct {
		place func(x, y float64) float64
		a, b  func(x, y int, v float64) float64
	}{
		"noise": {place: room(0, 0, 0),
			a: func(_, _ int, v float64) float64 { return v + 20*r.NormFloat64() },
			b: func(_, _ int, v float64) float64 { return v + 20*r.NormFloat64() }},
		"light":                         {place: room(0, 0, 0), b: func(_, _ int, v float64) float64 { return 0.6*v + 10 }},
		"a stranger in a room":          {place: room(0, 0, 0), a: person(300), b: person(312)},
		"a stranger before a bare wall": {place: wall, a: person(300), b: person(312)},
	} {
		got := watch(photo(c.place, c.a), photo(c.place, c.b))
		// A tenth of a thumbnail's pixel: a thousandth of a person's height.
		if !got.Known || math.Hypot(got.ShiftPx[0], got.ShiftPx[1]) > 0.4 || got.Alike < 0.8 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestPersonLeftOut: what happens within the person's box does not count, and a
// person who fills the picture leaves nothing to say.
func TestPersonLeftOut(t *testing.T) {
	box := Box{200, 60, 440, 340}
	inside := func(k float64) func(x, y int, v float64) float64 {
		return func(x, y int, v float64) float64 {
			if x > 200 && x < 440 && y > 60 && y < 340 {
				return room(3, 25*k, 0)(float64(x), float64(y))
			}
			return v
		}
	}
	got := watch(photo(room(0, 0, 0), inside(0)), photo(room(0, 2, 0), inside(1)), box, box)
	if !got.Known || math.Abs(got.ShiftPx[0]-2) > 0.2 || got.Alike < 0.98 {
		t.Errorf("a person who turns before a camera that moves by 2 px: %+v", got)
	}
	full := Box{10, 10, 630, 350}
	if got := watch(photo(room(0, 0, 0), nil), photo(room(1, 0, 0), nil), full, full); got.Known {
		t.Errorf("the person fills the picture: %+v", got)
	}
}

// TestCut: another place is not alike, and a mirrored film moves mirrored.
func TestCut(t *testing.T) {
	if got := watch(photo(room(0, 0, 0), nil), photo(room(2, 0, 0), nil)); !got.Known || got.Alike > 0.5 {
		t.Errorf("another place: %+v", got)
	}
	mirror := func(p func(x, y float64) float64) func(x, y float64) float64 {
		return func(x, y float64) float64 { return p(width-1-x, y) }
	}
	a := watch(photo(room(0, 0, 0), nil), photo(room(0, 5, 3), nil))
	b := watch(photo(mirror(room(0, 0, 0)), nil), photo(mirror(room(0, 5, 3)), nil))
	if math.Abs(a.ShiftPx[0]+b.ShiftPx[0]) > 0.1 || math.Abs(a.ShiftPx[1]-b.ShiftPx[1]) > 0.1 {
		t.Errorf("%+v, mirrored %+v", a, b)
	}
}

// TestOddPictures: the first one, tiny ones and a change of size say nothing.
func TestOddPictures(t *testing.T) {
	var w Watcher
	if c := w.Next(photo(wall, nil), Box{}); c.Known {
		t.Errorf("the first picture: %+v", c)
	}
	tiny := video.NewFrame(0, 12, 9, make([]byte, 3*12*9))
	if c := w.Next(tiny, Box{}); c.Known {
		t.Errorf("a tiny picture: %+v", c)
	}
	if c := w.Next(photo(wall, nil), Box{-50, -50, 10, 9000}); c.Known {
		t.Errorf("after a tiny picture: %+v", c)
	}
	if c := w.Next(video.NewFrame(0, 300, 300, make([]byte, 3*300*300)), Box{}); c.Known {
		t.Errorf("after a change of size: %+v", c)
	}
}

func BenchmarkNext(b *testing.B) {
	f := photo(room(0, 0, 0), nil)
	var w Watcher
	for b.Loop() {
		w.Next(f, Box{200, 60, 440, 340})
	}
}
