package overlay

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/track"
)

const (
	// washCells is the number of cells, over width and height together, whose
	// mean colours are all that is left of the surroundings: a head of a fifth
	// of an upright picture's height is four cells high, and nobody can be
	// recognised by four times four colours.
	washCells = 30
	// bodyCells is the number of cells across the followed person's head whose mean
	// colours are all that is left of the body: whoever else is within its outline,
	// before or behind it, has no more of them across their head, unless they stand
	// much nearer to the camera.
	bodyCells = 5
	// limbSeen is the visibility below which a limb is a guess and shows nothing.
	limbSeen = 0.3
	// feather is the width of the outline's soft edge, in lengths of the trunk.
	feather = 0.1
)

// limbs are the parts of the body that stay as they were filmed: a line between
// two landmarks, and how far around it, in lengths of the trunk. The head is not
// among them.
var limbs = [...]struct {
	a, b   int
	radius float64
}{
	{landmark.LShoulder, landmark.RShoulder, 0.2}, {landmark.LHip, landmark.RHip, 0.26},
	{landmark.LShoulder, landmark.LHip, 0.22}, {landmark.RShoulder, landmark.RHip, 0.22},
	{landmark.LShoulder, landmark.RHip, 0.25}, {landmark.RShoulder, landmark.LHip, 0.25},
	{landmark.LShoulder, landmark.LElbow, 0.2}, {landmark.RShoulder, landmark.RElbow, 0.2},
	{landmark.LElbow, landmark.LWrist, 0.17}, {landmark.RElbow, landmark.RWrist, 0.17},
	{landmark.LWrist, landmark.LIndex, 0.17}, {landmark.RWrist, landmark.RIndex, 0.17},
	{landmark.LHip, landmark.LKnee, 0.26}, {landmark.RHip, landmark.RKnee, 0.26},
	{landmark.LKnee, landmark.LAnkle, 0.22}, {landmark.RKnee, landmark.RAnkle, 0.22},
	{landmark.LAnkle, landmark.LHeel, 0.18}, {landmark.RAnkle, landmark.RHeel, 0.18},
	{landmark.LHeel, landmark.LToe, 0.18}, {landmark.RHeel, landmark.RToe, 0.18},
}

// trunkPx is the length of the trunk, seen from wherever: a person who bends to
// the camera is not smaller.
func trunkPx(f *track.Frame) float64 {
	l, r := f.Landmarks[landmark.LShoulder], f.Landmarks[landmark.RShoulder]
	hl, hr := f.Landmarks[landmark.LHip], f.Landmarks[landmark.RHip]
	long := math.Hypot((l.XPx+r.XPx-hl.XPx-hr.XPx)/2, (l.YPx+r.YPx-hl.YPx-hr.YPx)/2)
	return math.Max(long, math.Hypot(l.XPx-r.XPx, l.YPx-r.YPx))
}

// outline is what of a picture stays: 0 nothing, 255 everything.
type outline struct {
	keep []byte
	w, h int
}

// person adds the body of a tracked person and the disc of their head, which is
// a mosaic by now; sx and sy scale landmarks to the outline.
func (o *outline) person(f *track.Frame, sx, sy float64) {
	trunk := trunkPx(f) * sy
	for _, l := range limbs {
		a, b := f.Landmarks[l.a], f.Landmarks[l.b]
		if math.Min(a.Visibility, b.Visibility) >= limbSeen {
			o.add(a.XPx*sx, a.YPx*sy, b.XPx*sx, b.YPx*sy, l.radius*trunk, feather*trunk)
		}
	}
	c := head(f)
	o.add(c.XPx*sx, c.YPx*sy, c.XPx*sx, c.YPx*sy, c.RadiusPx*sy, feather*trunk)
}

// within tells whether a head reaches into the body of a tracked person.
func within(f *track.Frame, d track.Disc) bool {
	trunk := trunkPx(f)
	for _, l := range limbs {
		a, b := f.Landmarks[l.a], f.Landmarks[l.b]
		if math.Min(a.Visibility, b.Visibility) >= limbSeen &&
			toLine(d.XPx, d.YPx, a.XPx, a.YPx, b.XPx-a.XPx, b.YPx-a.YPx) < l.radius*trunk+d.RadiusPx {
			return true
		}
	}
	return false
}

// toLine is the distance of a point from a line that begins at (x0, y0) and has
// the extent (dx, dy); a line of no length is a point.
func toLine(x, y, x0, y0, dx, dy float64) float64 {
	t := 0.0
	if square := dx*dx + dy*dy; square > 0 {
		t = math.Min(1, math.Max(0, ((x-x0)*dx+(y-y0)*dy)/square))
	}
	return math.Hypot(x-x0-t*dx, y-y0-t*dy)
}

// add keeps what lies within a radius of a line; the edge fades inwards.
func (o *outline) add(x0, y0, x1, y1, radius, edge float64) {
	for _, v := range [...]float64{x0, y0, x1, y1, radius} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return
		}
	}
	left, right := max(0, int(math.Min(x0, x1)-radius)), min(o.w-1, int(math.Max(x0, x1)+radius))
	top, bottom := max(0, int(math.Min(y0, y1)-radius)), min(o.h-1, int(math.Max(y0, y1)+radius))
	edge = math.Max(edge, 1)
	for y := top; y <= bottom; y++ {
		for x := left; x <= right; x++ {
			in := math.Min(1, (radius-toLine(float64(x)+0.5, float64(y)+0.5, x0, y0, x1-x0, y1-y0))/edge)
			if p := &o.keep[y*o.w+x]; in > 0 && byte(255*in) > *p {
				*p = byte(255 * in)
			}
		}
	}
}

// remove cuts a disc out.
func (o *outline) remove(x, y, radius float64) {
	top, bottom := max(0, int(y-radius)), min(o.h-1, int(y+radius))
	for row := top; row <= bottom; row++ {
		d := float64(row) + 0.5 - y
		half := math.Sqrt(math.Max(0, radius*radius-d*d))
		if left, right := max(0, int(x-half)), min(o.w, int(x+half)+1); left < right {
			clear(o.keep[row*o.w+left : row*o.w+right])
		}
	}
}

// cells holds the mean colours of a picture in squares.
type cells struct {
	rgb    []float32
	nx, ny int
	sidePx float64
}

func (c *canvas) cells(side int) cells {
	m := cells{nx: (c.w + side - 1) / side, ny: (c.h + side - 1) / side, sidePx: float64(side)}
	m.rgb = make([]float32, 3*m.nx*m.ny)
	for cy := range m.ny {
		for cx := range m.nx {
			x0, y0, x1, y1 := cx*side, cy*side, min(c.w, (cx+1)*side), min(c.h, (cy+1)*side)
			var sum [3]int
			for y := y0; y < y1; y++ {
				row := c.rgb[3*(y*c.w+x0) : 3*(y*c.w+x1)]
				for i := 0; i < len(row); i += 3 {
					sum[0] += int(row[i])
					sum[1] += int(row[i+1])
					sum[2] += int(row[i+2])
				}
			}
			for k, s := range sum {
				m.rgb[3*(cy*m.nx+cx)+k] = float32(s) / float32((x1-x0)*(y1-y0))
			}
		}
	}
	return m
}

// between gives the two cells around a pixel along one side, and how far it is
// from the first to the second.
func between(px int, sidePx float64, n int) (a, b int, part float32) {
	v := (float64(px)+0.5)/sidePx - 0.5
	i := int(math.Floor(v))
	return max(0, i), min(n-1, i+1), float32(v - float64(i))
}

// wash replaces the picture by the colours of cells, small ones (of bodyPx) where it
// is kept and large ones elsewhere, blended into each other so that it looks like
// frosted glass.
func (c *canvas) wash(o outline, bodyPx int) {
	large := c.cells(max(2, (c.w+c.h)/washCells))
	small := c.cells(max(2, bodyPx))
	far, near := make([]float32, 3*large.nx), make([]float32, 3*small.nx)
	for y := range c.h {
		large.row(y, far)
		small.row(y, near)
		for x := range c.w {
			keep := float32(o.keep[y*c.w+x]) / 255
			p := c.rgb[3*(y*c.w+x):][:3]
			for k := range p {
				v := large.at(x, k, far)
				if keep > 0 {
					v += keep * (small.at(x, k, near) - v)
				}
				p[k] = byte(v + 0.5)
			}
		}
	}
}

// row blends the cells above and below a row of pixels.
func (m *cells) row(y int, out []float32) {
	above, below, down := between(y, m.sidePx, m.ny)
	for i := range out {
		a, b := m.rgb[3*above*m.nx+i], m.rgb[3*below*m.nx+i]
		out[i] = a + down*(b-a)
	}
}

// at blends a row at a pixel; k is the colour.
func (m *cells) at(x, k int, row []float32) float32 {
	a, b, part := between(x, m.sidePx, m.nx)
	return row[3*a+k] + part*(row[3*b+k]-row[3*a+k])
}
