package overlay

import (
	"context"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

const (
	// headCells is the number of mosaic cells across a head: few enough that
	// nobody can be recognised, enough to see which way the head turns.
	headCells = 5
	// headMemoryS is how long a head is masked before it is first seen at a
	// place, and after it was last seen there.
	headMemoryS = 1.0
)

// head is the disc that covers the head of a tracked person.
func head(f *track.Frame) track.Disc {
	var x, y float64
	for _, m := range f.Landmarks[:landmark.LShoulder] {
		x += m.XPx / float64(landmark.LShoulder)
		y += m.YPx / float64(landmark.LShoulder)
	}
	c := track.Disc{XPx: x, YPx: y}
	for _, m := range f.Landmarks[:landmark.LShoulder] {
		c.RadiusPx = math.Max(c.RadiusPx, math.Hypot(m.XPx-x, m.YPx-y))
	}
	// Face landmarks end at the mouth and the ears, and in profile they lie
	// close together: a head is never smaller than a part of the trunk.
	c.RadiusPx = math.Max(1.7*c.RadiusPx, 0.32*trunkPx(f))
	return c
}

// headsNear gives the head of the tracked person in frame i and its places in
// the nearest frames before and after: a landmark that jumps in one frame must
// not bare a face.
func headsNear(frames []track.Frame, i int) (heads []track.Disc) {
	heads = append(heads, head(&frames[i]))
	for _, step := range [...]int{-1, 1} {
		for k := i + step; k >= 0 && k < len(frames); k += step {
			if math.Abs(frames[k].TimeS-frames[i].TimeS) > headMemoryS {
				break
			}
			if frames[k].Found {
				heads = append(heads, head(&frames[k]))
				break
			}
		}
	}
	return heads
}

// others lists, for each frame, the heads that find sees before the body of the
// tracked person: those of other people who stand nearer to the camera. Heads
// beside and behind the body are no part of the outline, and do not count.
func others(ctx context.Context, src video.Source, frames []track.Frame, find func(*video.Frame) ([]track.Disc, error)) ([][]track.Disc, error) {
	out := make([][]track.Disc, len(frames))
	err := pictures(ctx, src, frames, func(i int, f *video.Frame) error {
		found, err := find(f)
		for _, d := range found {
			if frames[i].Found && within(&frames[i], d) && !own(&frames[i], d) {
				out[i] = append(out[i], d)
			}
		}
		return err
	})
	return out, err
}

// own tells whether a head is the tracked person's: near the place and not of
// another size. Another head there is not before the body.
func own(f *track.Frame, d track.Disc) bool {
	c, trunk := head(f), trunkPx(f)
	// The finder's discs are 0.45 trunks wide, give or take a factor of two.
	return d.RadiusPx > 0.22*trunk && d.RadiusPx < 0.9*trunk &&
		math.Hypot(d.XPx-c.XPx, d.YPx-c.YPx) < math.Max(1.2*c.RadiusPx, 0.75*trunk)
}

// around gives all heads seen within headMemoryS of frame i: a detector misses
// somebody now and then, and whoever is first seen now was there before.
func around(frames []track.Frame, heads [][]track.Disc, i int) (near []track.Disc) {
	for k := range heads {
		if math.Abs(frames[k].TimeS-frames[i].TimeS) <= headMemoryS {
			near = append(near, heads[k]...)
		}
	}
	return near
}

// mosaic replaces a disc by square cells of their mean colour.
func mosaic(f *video.Frame, c track.Disc, cells int) {
	side := max(2, int(math.Ceil(2*c.RadiusPx/float64(cells))))
	x0, y0 := int(math.Floor(c.XPx-c.RadiusPx)), int(math.Floor(c.YPx-c.RadiusPx))
	n := int(math.Ceil(2*c.RadiusPx/float64(side))) + 1
	for cy := range n {
		for cx := range n {
			left, top := x0+cx*side, y0+cy*side
			mx, my := float64(left)+float64(side)/2-c.XPx, float64(top)+float64(side)/2-c.YPx
			if math.Hypot(mx, my) > c.RadiusPx+float64(side)/2 {
				continue
			}
			average(f, max(0, left), max(0, top), min(f.WidthPx, left+side), min(f.HeightPx, top+side))
		}
	}
}

// average gives all pixels of a rectangle their mean colour.
func average(f *video.Frame, x0, y0, x1, y1 int) {
	if x0 >= x1 || y0 >= y1 {
		return
	}
	b, g, r := mean(f, x0, y0, x1, y1)
	for y := y0; y < y1; y++ {
		row := f.Pix[3*(y*f.WidthPx+x0) : 3*(y*f.WidthPx+x1)]
		for i := 0; i < len(row); i += 3 {
			row[i], row[i+1], row[i+2] = b, g, r
		}
	}
}
