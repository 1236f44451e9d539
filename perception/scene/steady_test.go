package scene

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

// turned is the Warp to the first picture of a camera that has turned: pan to the
// right, tilt down and roll in degrees, zoom as a factor of the focal length.
func turned(pan, tilt, roll, zoom float64) Warp {
	const f = 0.9 * width
	sp, cp := math.Sincos(pan * math.Pi / 180)
	st, ct := math.Sincos(tilt * math.Pi / 180)
	sr, cr := math.Sincos(roll * math.Pi / 180)
	in := Warp{1 / (f * zoom), 0, -(width - 1) / 2.0 / (f * zoom), 0, 1 / (f * zoom), -(height - 1) / 2.0 / (f * zoom), 0, 0, 1}
	out := Warp{f, 0, (width - 1) / 2.0, 0, f, (height - 1) / 2.0, 0, 0, 1}
	yaw, pitch, about := Warp{cp, 0, sp, 0, 1, 0, -sp, 0, cp}, Warp{1, 0, 0, 0, ct, st, 0, -st, ct}, Warp{cr, -sr, 0, sr, cr, 0, 0, 0, 1}
	w := about.after(&in)
	w = pitch.after(&w)
	w = yaw.after(&w)
	return out.after(&w)
}

// through draws a place as seen through a Warp to the first picture.
func through(w Warp, place func(x, y float64) float64, change func(x, y int, v float64) float64) *video.Frame {
	return photo(func(x, y float64) float64 { return place(w.At(x, y)) }, change)
}

// off is the mean distance between two Warps over the picture, pixels.
func off(a, b Warp) (sum float64) {
	n := 0.0
	for y := 20.0; y < height; y += 40 {
		for x := 20.0; x < width; x += 40 {
			ax, ay := a.At(x, y)
			bx, by := b.At(x, y)
			sum, n = sum+math.Hypot(ax-bx, ay-by), n+1
		}
	}
	return sum / n
}

// walker is somebody who is not to be looked at: they move by themselves.
func walker(box Box, i int) func(x, y int, v float64) float64 {
	return func(x, y int, v float64) float64 {
		if float64(x) > box.X0 && float64(x) < box.X1 && float64(y) > box.Y0 && float64(y) < box.Y1 {
			return room(3, 9*float64(i), 0)(float64(x), float64(y))
		}
		return v
	}
}

// TestSteady: a camera that pans, tilts, rolls and zooms while a person walks is
// followed to a third of a pixel and a hundredth of its motion, beyond the first
// picture's sight.
func TestSteady(t *testing.T) {
	for name, at := range map[string]func(s float64) Warp{
		"still":  func(float64) Warp { return Same() },
		"pan":    func(s float64) Warp { return turned(20*s, 0, 0, 1) },
		"shakes": func(s float64) Warp { return turned(2*math.Sin(20*s), 1.5*math.Sin(27*s), math.Sin(15*s), 1) },
		"zoom":   func(s float64) Warp { return turned(0, 0, 0, 1+0.2*s) },
		"roll":   func(s float64) Warp { return turned(0, 0, 8*s, 1) },
	} {
		var s Steady
		var w Watcher
		const n = 8
		for i := range n {
			want := at(float64(i) / n)
			box := Box{200 + 9*float64(i), 60, 340 + 9*float64(i), 340}
			f := through(want, room(0, 0, 0), walker(box, i))
			got := s.Next(f, []Box{box}, w.Next(f, box).ShiftPx)
			if !got.Known || off(got.ToFirst, want) > 0.3+0.01*want.far(width, height) || got.RestPx > 0.6 {
				t.Errorf("%s, picture %d: off by %.2f px, rest %.2f px, known %v", name, i, off(got.ToFirst, want), got.RestPx, got.Known)
				break
			}
		}
	}
}

// TestSteadySaysWhereItCannot: near things that move otherwise than far ones, a
// blank wall, another place, and a person who fills the picture.
func TestSteadySaysWhereItCannot(t *testing.T) {
	person := Box{280, 60, 360, 340}
	run := func(a, b *video.Frame, box Box) View {
		var s Steady
		s.Next(a, []Box{box}, [2]float64{})
		return s.Next(b, []Box{box}, [2]float64{})
	}
	// The camera moves sideways: the left half is near, the right half far away.
	near := func(shift float64) func(x, y int, v float64) float64 {
		return func(x, y int, v float64) float64 {
			if x < width/2 {
				return room(1, shift, 0)(float64(x), float64(y))
			}
			return v
		}
	}
	if got := run(photo(room(0, 0, 0), near(0)), photo(room(0, 2, 0), near(14)), person); got.Known {
		t.Errorf("parallax of 12 px: %+v", got)
	}
	blank := func(x, y float64) float64 { return 150 }
	if got := run(photo(blank, nil), photo(blank, nil), person); got.Known {
		t.Errorf("a blank wall: %+v", got)
	}
	if got := run(photo(room(0, 0, 0), nil), photo(room(2, 0, 0), nil), person); got.Known {
		t.Errorf("another place: %+v", got)
	}
	full := Box{5, 5, 635, 355}
	if got := run(photo(room(0, 0, 0), nil), photo(room(0, 3, 0), nil), full); got.Known {
		t.Errorf("the person fills the picture: %+v", got)
	}
}

// TestWarp: inverse and local change are those of the matrix.
func TestWarp(t *testing.T) {
	w := turned(5, -3, 4, 1.1)
	back := w.inverse()
	if d := off(back.after(&w), Same()); d > 1e-9 {
		t.Errorf("there and back: off by %g px", d)
	}
	roll := turned(0, 0, 10, 1)
	if s, turn := roll.Local(100, 200); math.Abs(s-1) > 1e-9 || math.Abs(math.Abs(turn)-10*math.Pi/180) > 1e-9 {
		t.Errorf("rolled by 10 degrees: %v, %v", s, turn)
	}
	frame := scaledTo(160, 90)
	p := params{1, 2, 0.5, -0.4, 0.3, 0.2, 0.1, -0.2}
	small := frame.warp(&p)
	for i, v := range frame.params(&small) {
		if math.Abs(v-p[i]) > 1e-9 {
			t.Errorf("param %d: %v, want %v", i, v, p[i])
		}
	}
}

func BenchmarkSteady(b *testing.B) {
	f, g := photo(room(0, 0, 0), nil), photo(room(0, 3, 2), nil)
	var s Steady
	for i := 0; b.Loop(); i++ {
		s.Next([]*video.Frame{f, g}[i%2], []Box{{200, 60, 440, 340}}, [2]float64{})
	}
}
