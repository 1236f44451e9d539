package overlay

import (
	"math"

	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

const (
	// headCells is the number of mosaic cells across a head: few enough that
	// nobody can be recognised, enough to see which way the head turns.
	headCells = 5
	// wholeCells is that across a picture that is masked as a whole; a head
	// of a tenth of the picture's height then has a few cells.
	wholeCells = 60
	// headMemoryS is how long a head's place stays good when it is not seen.
	headMemoryS = 1.0
)

// head is the disc that covers the head of a tracked person.
func head(f *track.Frame) track.Disc {
	var x, y float64
	for _, m := range f.Landmarks[:track.LeftShoulder] {
		x += m.XPx / float64(track.LeftShoulder)
		y += m.YPx / float64(track.LeftShoulder)
	}
	c := track.Disc{XPx: x, YPx: y}
	for _, m := range f.Landmarks[:track.LeftShoulder] {
		c.RadiusPx = math.Max(c.RadiusPx, math.Hypot(m.XPx-x, m.YPx-y))
	}
	// Face landmarks end at the mouth and the ears, and in profile they lie
	// close together: a head is never smaller than a part of the trunk.
	l, r := f.Landmarks[track.LeftShoulder], f.Landmarks[track.RightShoulder]
	hl, hr := f.Landmarks[track.LeftHip], f.Landmarks[track.RightHip]
	trunk := math.Hypot((l.XPx+r.XPx-hl.XPx-hr.XPx)/2, (l.YPx+r.YPx-hl.YPx-hr.YPx)/2)
	trunk = math.Max(trunk, math.Hypot(l.XPx-r.XPx, l.YPx-r.YPx))
	c.RadiusPx = math.Max(1.7*c.RadiusPx, 0.32*trunk)
	return c
}

// headsNear gives the head in frame i, or where it was and will be if it is
// not seen there; known is false if nothing is known within headMemoryS.
func headsNear(frames []track.Frame, i int) (heads []track.Disc, known bool) {
	if frames[i].Found {
		heads = append(heads, head(&frames[i]))
	}
	// Neighbours too: a landmark that jumps in one frame must not bare a face.
	for _, step := range [...]int{-1, 1} {
		for k := i + step; k >= 0 && k < len(frames); k += step {
			awayS := math.Abs(frames[k].TimeS - frames[i].TimeS)
			if awayS > headMemoryS {
				break
			}
			if !frames[k].Found {
				continue
			}
			c := head(&frames[k])
			if !frames[i].Found {
				c.RadiusPx *= 1.3 + awayS
			}
			heads = append(heads, c)
			break
		}
	}
	return heads, len(heads) > 0
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
