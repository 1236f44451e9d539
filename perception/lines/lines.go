// Package lines finds straight edges in the surroundings of a person (walls, doors,
// shelves, boards) and says how well a camera explains them: in rooms and streets
// many edges stand upright, and many lie level along two directions at right angles
// (J. M. Coughlan and A. L. Yuille, "Manhattan world", 1999). That tells how a camera
// is turned against gravity, and, where level edges run away from it, how wide it
// sees. Places without such edges say nothing.
//
// Which camera is the likeliest, with all that the person shows, is package solve's.
// Everything is deterministic; a View does not change and may be shared.
package lines

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// Box is a part of a picture in pixels.
type Box struct{ X0, Y0, X1, Y1 float64 }

func (b Box) holds(x, y float64) bool { return x > b.X0 && x < b.X1 && y > b.Y0 && y < b.Y1 }

// Around is the box around a person, with room for what sticks out of a skeleton: hair,
// hands, shadows.
func Around(f *landmark.Frame) Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for i := range f.Landmarks {
		p := &f.Landmarks[i]
		b = Box{min(b.X0, p.XPx), min(b.Y0, p.YPx), max(b.X1, p.XPx), max(b.Y1, p.YPx)}
	}
	m := personMargin * max(b.X1-b.X0, b.Y1-b.Y0)
	return Box{b.X0 - m, b.Y0 - m, b.X1 + m, b.Y1 + m}
}

// personMargin is the room around a skeleton, of its larger side.
const personMargin = 0.12

// Find returns the straight edges of a picture of w x h pixels (blue, green, red
// bytes, rows from the top without gaps) outside the box where the person is.
func Find(pix []byte, w, h int, person Box) []Segment {
	step := max(1, (max(w, h)+workPx-1)/workPx)
	g := shrink(pix, w, h, step)
	k := float64(step)
	out := g.gradient(func(x, y int) bool { return person.holds(k*(float64(x)+0.5), k*(float64(y)+0.5)) }).segments()
	for i := range out {
		for c := range 2 {
			out[i].A[c], out[i].B[c] = k*(out[i].A[c]+0.5), k*(out[i].B[c]+0.5)
		}
	}
	return out
}

// shrink averages squares of step x step pixels.
func shrink(pix []byte, w, h, step int) *grey {
	g := &grey{w: w / step, h: h / step}
	g.pix = make([]float64, g.w*g.h)
	scale := 1 / float64(step*step)
	for y := range g.h * step {
		row := pix[3*w*y:]
		for x := range g.w * step {
			b, gr, r := row[3*x], row[3*x+1], row[3*x+2]
			g.pix[y/step*g.w+x/step] += scale * (0.114*float64(b) + 0.587*float64(gr) + 0.299*float64(r))
		}
	}
	return g
}
