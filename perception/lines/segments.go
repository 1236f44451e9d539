package lines

import (
	"cmp"
	"math"
	"slices"
)

const (
	// workPx is the longer side of the picture that is searched; larger ones are
	// averaged down, which calms them.
	workPx = 800
	// leastStep is the difference in brightness (of 255) across an edge; below, it
	// is noise.
	leastStep = 3.0
	// alike is how far the directions of the pixels of one edge may lie apart.
	alike = 22.5 * math.Pi / 180
	// leastShare is the shortest edge that is kept, of the picture's longer side.
	leastShare = 0.03
	// thickest is the widest that a straight edge may be, in pixels searched, as
	// twice the spread of its pixels across.
	thickest = 3.0
	// filled is the share of an edge's length that must be covered by its pixels.
	filled = 0.7
)

// Segment is a straight edge in a picture, in pixels of it (the middle of the upper
// left pixel is 0.5, 0.5).
type Segment struct{ A, B [2]float64 }

// Length is that of the segment in pixels.
func (s Segment) Length() float64 { return math.Hypot(s.B[0]-s.A[0], s.B[1]-s.A[1]) }

// grey is a picture of brightness.
type grey struct {
	w, h int
	pix  []float64
}

// gradient holds slope and direction of brightness at every pixel; the direction
// is NaN where there is none.
type gradient struct {
	w, h      int
	slope     []float64
	direction []float64
}

// gradient leaves out the pixels where out says so.
func (g *grey) gradient(out func(x, y int) bool) *gradient {
	d := &gradient{w: g.w, h: g.h, slope: make([]float64, len(g.pix)), direction: make([]float64, len(g.pix))}
	for y := range g.h {
		for x := range g.w {
			i := y*g.w + x
			d.direction[i] = math.NaN()
			if x == 0 || y == 0 || x == g.w-1 || y == g.h-1 || out(x, y) {
				continue
			}
			p := func(dx, dy int) float64 { return g.pix[i+dy*g.w+dx] }
			// Scharr's weights: the best direction that three by three pixels give.
			dx := (3*(p(1, -1)-p(-1, -1)) + 10*(p(1, 0)-p(-1, 0)) + 3*(p(1, 1)-p(-1, 1))) / 32
			dy := (3*(p(-1, 1)-p(-1, -1)) + 10*(p(0, 1)-p(0, -1)) + 3*(p(1, 1)-p(1, -1))) / 32
			if s := math.Hypot(dx, dy); s >= leastStep {
				d.slope[i], d.direction[i] = s, math.Atan2(dy, dx)
			}
		}
	}
	return d
}

// segments grows edges from the steepest pixels on (after R. Grompone von Gioi
// and others, "LSD: a line segment detector", 2012, without its test of
// significance: length and straightness decide).
func (d *gradient) segments() []Segment {
	var seeds []int
	for i, v := range d.direction {
		if !math.IsNaN(v) {
			seeds = append(seeds, i)
		}
	}
	slices.SortStableFunc(seeds, func(a, b int) int { return cmp.Compare(d.slope[b], d.slope[a]) })
	used := make([]bool, len(d.slope))
	var region []int
	var out []Segment
	least := leastShare * float64(max(d.w, d.h))
	for _, s := range seeds {
		if used[s] {
			continue
		}
		region = d.grow(region[:0], s, used)
		if float64(len(region)) < least {
			continue
		}
		if seg, ok := d.fit(region); ok && seg.Length() >= least {
			out = append(out, seg)
		}
	}
	return out
}

// grow collects the pixels around seed whose brightness rises the same way.
func (d *gradient) grow(region []int, seed int, used []bool) []int {
	region = append(region, seed)
	used[seed] = true
	sin, cos := math.Sincos(d.direction[seed])
	mean := d.direction[seed]
	for k := 0; k < len(region); k++ {
		x, y := region[k]%d.w, region[k]/d.w
		for ny := max(0, y-1); ny <= min(d.h-1, y+1); ny++ {
			for nx := max(0, x-1); nx <= min(d.w-1, x+1); nx++ {
				i := ny*d.w + nx
				if used[i] || !(math.Abs(math.Remainder(d.direction[i]-mean, 2*math.Pi)) < alike) {
					continue
				}
				used[i] = true
				region = append(region, i)
				s, c := math.Sincos(d.direction[i])
				sin, cos = sin+s, cos+c
				mean = math.Atan2(sin, cos)
			}
		}
	}
	return region
}

// fit lays a line through a region; false if it is not straight, or full of holes.
func (d *gradient) fit(region []int) (Segment, bool) {
	var sum, mx, my float64
	for _, i := range region {
		w := d.slope[i]
		sum, mx, my = sum+w, mx+w*float64(i%d.w), my+w*float64(i/d.w)
	}
	mx, my = mx/sum, my/sum
	var xx, xy, yy float64
	for _, i := range region {
		w, x, y := d.slope[i]/sum, float64(i%d.w)-mx, float64(i/d.w)-my
		xx, xy, yy = xx+w*x*x, xy+w*x*y, yy+w*y*y
	}
	sin, cos := math.Sincos(0.5 * math.Atan2(2*xy, xx-yy))
	across := math.Sqrt(math.Max(0, xx*sin*sin-2*xy*sin*cos+yy*cos*cos))
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, i := range region {
		t := (float64(i%d.w)-mx)*cos + (float64(i/d.w)-my)*sin
		lo, hi = math.Min(lo, t), math.Max(hi, t)
	}
	s := Segment{[2]float64{mx + lo*cos, my + lo*sin}, [2]float64{mx + hi*cos, my + hi*sin}}
	return s, 2*across <= thickest && float64(len(region)) >= filled*(hi-lo)
}
