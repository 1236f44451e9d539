package sight

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
)

const fps = 30.0

// clip is somebody who is seen well in n frames; change may spoil each.
func clip(n int, change func(i int, f *landmark.Frame)) *landmark.Clip {
	c := &landmark.Clip{WidthPx: 640, HeightPx: 480, Frames: make([]landmark.Frame, n)}
	for i := range c.Frames {
		f := &c.Frames[i]
		f.TimeS, f.Found = float64(i)/fps, true
		for k := range f.Landmarks {
			f.Landmarks[k] = landmark.Point{XPx: 300, YPx: 200, Visibility: 0.9, Presence: 1}
		}
		if change != nil {
			change(i, f)
		}
	}
	return c
}

func leg(f *landmark.Frame, change func(p *landmark.Point)) {
	for _, k := range []landmark.Index{landmark.LKnee, landmark.LAnkle, landmark.LHeel, landmark.LToe} {
		change(&f.Landmarks[k])
	}
}

func guess(p *landmark.Point) { p.Visibility = 0.1 }

// TestHidden: out of the picture or guessed is hidden, wherever the network puts it,
// for as long as it lasts; one sight in between does not end it, short stretches are
// none, and other parts are seen.
func TestHidden(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *landmark.Point)
		from   int
		to     int
		want   bool
	}{
		"guessed":           {guess, 30, 90, true},
		"below the picture": {func(p *landmark.Point) { p.YPx = 480 }, 30, 90, true},
		"beside it":         {func(p *landmark.Point) { p.XPx = -1 }, 30, 90, true},
		"in the last row":   {func(p *landmark.Point) { p.YPx = 479.9 }, 30, 90, false},
		"behind furniture":  {func(p *landmark.Point) { p.Visibility, p.Presence = 0.7, 0.8 }, 30, 90, true},
		"behind the body":   {func(p *landmark.Point) { p.Visibility, p.Presence = 0.4, 0.99 }, 30, 90, false},
		"in a bad light":    {func(p *landmark.Point) { p.Visibility, p.Presence = 0.95, 0.8 }, 30, 90, false},
		"for a moment":      {guess, 30, 40, false},
		"from the start":    {guess, 0, 60, true},
		"to the end":        {guess, 60, 150, true},
	} {
		h := Hidden(clip(150, func(i int, f *landmark.Frame) {
			if i >= c.from && i < c.to && i != 45 {
				leg(f, c.change)
			}
		}))
		for p := range Part(NumParts) {
			got := h[p]
			if want := c.want && (p == LeftLeg || p == LeftFoot); !want {
				if len(got) > 0 {
					t.Errorf("%s: part %d is hidden %v", name, p, got)
				}
				continue
			}
			if len(got) != 1 || math.Abs(got[0].FromS-float64(c.from)/fps) > 0.02 || math.Abs(got[0].ToS-float64(c.to-1)/fps) > 0.02 {
				t.Errorf("%s: part %d is hidden %v, want frames %d to %d", name, p, got, c.from, c.to)
			}
		}
	}
}

// TestSides: left and right are told apart, and a part with one visible mark is seen.
func TestSides(t *testing.T) {
	h := Hidden(clip(60, func(_ int, f *landmark.Frame) {
		guess(&f.Landmarks[landmark.RElbow])
		guess(&f.Landmarks[landmark.RWrist])
		guess(&f.Landmarks[landmark.LElbow])
	}))
	if len(h[RightArm]) != 1 || len(h[LeftArm]) != 0 {
		t.Errorf("right arm %v, left arm %v", h[RightArm], h[LeftArm])
	}
}

// TestAtTheEdge: a knee above a shank that the picture cuts off is seen, however little
// the network thinks that the leg is there; one behind furniture is not.
func TestAtTheEdge(t *testing.T) {
	for yPx, want := range map[float64]bool{490: true, 300: false} {
		c := clip(1, func(_ int, f *landmark.Frame) {
			f.Landmarks[landmark.RKnee] = landmark.Point{XPx: 300, YPx: 250, Visibility: 0.8, Presence: 0.6}
			f.Landmarks[landmark.RAnkle] = landmark.Point{XPx: 300, YPx: yPx, Visibility: 0.4, Presence: 0.1}
		})
		if got := Seen(&c.Frames[0], landmark.RKnee, c.WidthPx, c.HeightPx); got != want {
			t.Errorf("ankle at %g px: %v", yPx, got)
		}
	}
}

// TestNobody: frames without the person hide nothing.
func TestNobody(t *testing.T) {
	h := Hidden(clip(60, func(_ int, f *landmark.Frame) { *f = landmark.Frame{TimeS: f.TimeS} }))
	for p, s := range h {
		if len(s) > 0 {
			t.Errorf("part %d: %v", p, s)
		}
	}
}
