package track

import (
	"context"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/scene"
)

// join makes sure that every part follows the person of the part before, and
// tracks it again from there where it does not.
func (v *run) join(ctx context.Context) error {
	for i := 1; i < len(v.parts); i++ {
		before, p := &v.parts[i-1], &v.parts[i]
		if before.end == nil {
			continue // nobody yet: the choice is free
		}
		if before.end.meet == nil && agree(before.frames, p.warm) {
			continue
		}
		v.report.add(-len(p.frames))
		if err := v.track(ctx, p, v.open, false, before.end); err != nil {
			return err
		}
	}
	return nil
}

// agree tells whether two trackers saw the same person in the last frame that
// both saw.
func agree(a, b []Frame) bool {
	for i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0; {
		switch {
		case a[i].TimeS > b[j].TimeS:
			i--
		case a[i].TimeS < b[j].TimeS:
			j--
		case !a[i].Found || !b[j].Found:
			i, j = i-1, j-1
		default:
			// Regions come out of a slow filter: compare the body.
			p, q := a[i].body(), b[j].body()
			size := math.Max(p.SidePx, q.SidePx)
			return math.Hypot(p.CentreXPx-q.CentreXPx, p.CentreYPx-q.CentreYPx) < 0.1*size && math.Min(p.SidePx, q.SidePx) > 0.7*size
		}
	}
	return false
}

// body is the upright square around the landmarks.
func (f *Frame) body() ROI {
	b := f.box()
	return ROI{CentreXPx: (b.X0 + b.X1) / 2, CentreYPx: (b.Y0 + b.Y1) / 2, SidePx: math.Max(b.X1-b.X0, b.Y1-b.Y0)}
}

// box is the upright rectangle around the landmarks, empty where nobody is seen.
func (f *Frame) box() scene.Box {
	if !f.Found {
		return scene.Box{}
	}
	return boxAround(&f.Landmarks)
}

func boxAround(marks *[landmark.Num]landmark.Point) scene.Box {
	b := scene.Box{X0: math.Inf(1), Y0: math.Inf(1), X1: math.Inf(-1), Y1: math.Inf(-1)}
	for _, m := range marks {
		b.X0, b.X1 = math.Min(b.X0, m.XPx), math.Max(b.X1, m.XPx)
		b.Y0, b.Y1 = math.Min(b.Y0, m.YPx), math.Max(b.Y1, m.YPx)
	}
	return b
}
