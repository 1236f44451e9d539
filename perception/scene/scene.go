// Package scene compares the surroundings of a person in one picture with those
// in the picture before: how far they moved, and whether they are the same at
// all. It tells a camera that shakes or pans from one that stands, and a cut
// from a motion; it says nothing about the person, who is left out.
//
// Pictures are reduced to grey thumbnails of about 160 pixels; the shift between
// two of them is found to a small fraction of a pixel by least squares
// (B. D. Lucas and T. Kanade, "An iterative image registration technique",
// 1981), coarse to fine, with bounded influence of what moves by itself.
//
// Everything is deterministic. A Watcher belongs to one goroutine.
package scene

import (
	"math"

	"github.com/mitori-robotics/mitori/perception/video"
)

// Box is a part of a picture in pixels; an empty one (the zero value) holds
// nothing.
type Box struct{ X0, Y0, X1, Y1 float64 }

// Change is how the surroundings differ from those in the picture before.
type Change struct {
	// Known is false where there is no picture before, or too little that is
	// not the person.
	Known bool
	// ShiftPx is how far the surroundings moved, in pixels of the picture, x to
	// the right and y down. A direction without any structure counts as still.
	ShiftPx [2]float64
	// FarPx, where it is not negative, is how far the surroundings have moved, turned
	// or grown since the first picture, in the mean over the picture's corners. It
	// is told about once a second; the shifts in between may miss a slow pan, a zoom
	// and a roll.
	FarPx float64
	// Alike is the correlation of the two surroundings once shifted, -1 to 1:
	// brightness and contrast do not matter.
	Alike float64
}

const (
	thumbPx      = 160  // of the longer side, at most
	minThumbPx   = 16   // of the shorter side; smaller pictures say nothing
	personMargin = 0.12 // of the box's larger side: hair, hands, shadows
	minShare     = 0.10 // of the picture that must not be the person
	farEvery     = 24   // pictures between two looks at the way since the first one
)

// Watcher compares each picture with the one before.
type Watcher struct {
	last    thumb
	lastBox Box
	have    bool
	spare   thumb
	// since follows the way since the first picture; gonePx is the sum of shifts
	// since it was last asked.
	since  Steady
	count  int
	gonePx [2]float64
}

// Next compares f with the picture of the call before. person is where the
// person is in f.
func (w *Watcher) Next(f *video.Frame, person Box) Change {
	now := w.spare
	if !now.fill(f, thumbPx) {
		w.have = false
		return Change{}
	}
	var c Change
	if w.have && now.w == w.last.w && now.h == w.last.h && now.step == w.last.step {
		c = compare(&w.last, &now, w.lastBox, person)
	}
	w.spare, w.last = w.last, now
	w.lastBox, w.have = person, true
	c.FarPx = w.far(f, person, c.ShiftPx)
	return c
}

// far is Change.FarPx.
func (w *Watcher) far(f *video.Frame, person Box, shiftPx [2]float64) float64 {
	w.gonePx[0], w.gonePx[1] = w.gonePx[0]+shiftPx[0], w.gonePx[1]+shiftPx[1]
	w.count++
	if w.count%farEvery != 1 {
		return -1
	}
	v := w.since.Next(f, []Box{person}, w.gonePx)
	w.gonePx = [2]float64{}
	if !v.Known {
		return -1
	}
	return v.ToFirst.far(float64(f.WidthPx), float64(f.HeightPx))
}

// compare finds the change from a to b.
func compare(a, b *thumb, boxA, boxB Box) Change {
	mask := make([]bool, len(a.pix)) // true: surroundings
	free := a.mask(mask, boxA, boxB)
	if float64(free) < minShare*float64(len(mask)) {
		return Change{}
	}
	// Coarse first: one step sees shifts of about a pixel.
	var shift [2]float64
	ha, hb := a.half(), b.half()
	hm := make([]bool, len(ha.pix))
	for y := range ha.h {
		for x := range ha.w {
			at := 2*y*a.w + 2*x
			hm[y*ha.w+x] = mask[at] && mask[at+1] && mask[at+a.w] && mask[at+a.w+1]
		}
	}
	qa, qb := ha.half(), hb.half()
	qm := make([]bool, len(qa.pix))
	for y := range qa.h {
		for x := range qa.w {
			at := 2*y*ha.w + 2*x
			qm[y*qa.w+x] = hm[at] && hm[at+1] && hm[at+ha.w] && hm[at+ha.w+1]
		}
	}
	for _, level := range []struct {
		a, b  *thumb
		mask  []bool
		scale float64
	}{{qa, qb, qm, 4}, {ha, hb, hm, 2}, {a, b, mask, 1}} {
		d := register(level.a, level.b, level.mask, [2]float64{shift[0] / level.scale, shift[1] / level.scale})
		shift = [2]float64{d[0] * level.scale, d[1] * level.scale}
	}
	c := Change{Known: true, Alike: correlation(a, b, mask, shift)}
	if shift == [2]float64{} {
		return c
	}
	if still := correlation(a, b, mask, [2]float64{}); still >= c.Alike || !carried(a, b, mask, shift) {
		c.Alike, shift = still, [2]float64{}
	}
	for k := range shift {
		c.ShiftPx[k] = shift[k] * float64(a.step)
	}
	return c
}

const (
	registerSteps = 6
	enoughPx      = 0.003 // a step this small ends the search
	// stiffness is added to the squared gradients per pixel, in grey levels
	// squared: directions without structure stay where they are.
	stiffness = 0.02
	// residuals beyond this many times their median lose influence; the median is
	// taken of every so-manieth
	robust, medianOf = 2.0, 8
	minGradient      = 0.5 // squared, grey levels: less tells nothing
	maxStepPx        = 2.0
	minSamples       = 30
)

// register finds the shift that takes a to b, starting from a guess, in pixels
// of the thumbnails.
func register(a, b *thumb, mask []bool, shift [2]float64) [2]float64 {
	edges := structure(a, mask)
	sizes := make([]float64, 0, len(edges)/medianOf+1)
	for range registerSteps {
		n, mean := 0.0, 0.0
		sizes = sizes[:0]
		for i := range edges {
			s := &edges[i]
			v, ok := b.at(float64(s.x)+shift[0], float64(s.y)+shift[1])
			if s.seen = ok; !ok {
				continue
			}
			s.e = v - float64(a.pix[s.y*a.w+s.x])
			n, mean = n+1, mean+s.e
		}
		if n < minSamples {
			return shift
		}
		mean /= n // the light may change
		for i := 0; i < len(edges); i += medianOf {
			sizes = append(sizes, math.Abs(edges[i].e-mean))
		}
		limit := robust*median(sizes) + 1
		xx, yy, xy, xe, ye := stiffness*n, stiffness*n, 0.0, 0.0, 0.0
		for i := range edges {
			s := &edges[i]
			if !s.seen {
				continue
			}
			e, w := s.e-mean, 1.0
			if size := math.Abs(e); size > limit {
				w = limit / size
			}
			xx, yy, xy = xx+w*s.gx*s.gx, yy+w*s.gy*s.gy, xy+w*s.gx*s.gy
			xe, ye = xe+w*s.gx*e, ye+w*s.gy*e
		}
		det := xx*yy - xy*xy
		dx, dy := -(yy*xe-xy*ye)/det, -(xx*ye-xy*xe)/det
		if m := math.Hypot(dx, dy); m > maxStepPx {
			dx, dy = dx*maxStepPx/m, dy*maxStepPx/m
		}
		shift[0], shift[1] = shift[0]+dx, shift[1]+dy
		if math.Hypot(dx, dy) < enoughPx {
			break
		}
	}
	return shift
}

// edge is a pixel of the surroundings with structure; e is the difference that
// is left there.
type edge struct {
	x, y   int
	gx, gy float64
	e      float64
	seen   bool
}

// structure lists the pixels that can tell a shift.
func structure(t *thumb, mask []bool) []edge {
	out := make([]edge, 0, len(mask)/2)
	for y := 1; y < t.h-1; y++ {
		for x := 1; x < t.w-1; x++ {
			at := y*t.w + x
			if !mask[at] {
				continue
			}
			gx, gy := float64(t.pix[at+1]-t.pix[at-1])/2, float64(t.pix[at+t.w]-t.pix[at-t.w])/2
			if gx*gx+gy*gy >= minGradient {
				out = append(out, edge{x: x, y: y, gx: gx, gy: gy})
			}
		}
	}
	return out
}

const (
	blockPx      = 8    // side of a block
	blockTexture = 4.0  // mean squared gradient that makes a block count, grey levels squared
	blockMajor   = 0.65 // share of the blocks that must move for all to have moved
	blockSpread  = 0.4  // of the picture's width, between the outermost of them: wider than a person
)

// carried tells whether most of the surroundings went along with the shift, not
// just somebody in front of a wall: the picture is cut into blocks, and each one
// with structure votes.
func carried(a, b *thumb, mask []bool, shift [2]float64) bool {
	moved, still, left, right := 0, 0, a.w, 0
	for y0 := 1; y0+blockPx < a.h; y0 += blockPx {
		for x0 := 1; x0+blockPx < a.w; x0 += blockPx {
			var n, texture float64
			var stays, goes spread
			for y := y0; y < y0+blockPx; y++ {
				for x := x0; x < x0+blockPx; x++ {
					at := y*a.w + x
					v, ok := b.at(float64(x)+shift[0], float64(y)+shift[1])
					if !mask[at] || !ok {
						continue
					}
					// Only structure across the shift can tell.
					gx, gy := float64(a.pix[at+1]-a.pix[at-1])/2, float64(a.pix[at+a.w]-a.pix[at-a.w])/2
					along := (gx*shift[0] + gy*shift[1]) / math.Hypot(shift[0], shift[1])
					u := float64(a.pix[at])
					n++
					texture += along * along
					stays.add(float64(b.pix[at]) - u)
					goes.add(v - u)
				}
			}
			switch {
			case n < blockPx || texture < blockTexture*n:
			case goes.of(n) < stays.of(n):
				moved++
				left, right = min(left, x0), max(right, x0+blockPx)
			default:
				still++
			}
		}
	}
	return float64(moved) >= blockMajor*float64(moved+still) && float64(right-left) >= blockSpread*float64(a.w)
}

// spread sums up differences, to tell how unequal they are: an equal one is light.
type spread struct{ sum, squares float64 }

func (s *spread) add(d float64) { s.sum, s.squares = s.sum+d, s.squares+d*d }

func (s *spread) of(n float64) float64 { return s.squares/n - s.sum/n*s.sum/n }

// correlation of a with b moved back by shift, over the surroundings; every second
// pixel is enough.
func correlation(a, b *thumb, mask []bool, shift [2]float64) float64 {
	var n, sa, sb, saa, sbb, sab float64
	for y := range a.h {
		for x := y % 2; x < a.w; x += 2 {
			at := y*a.w + x
			if !mask[at] {
				continue
			}
			v, ok := b.at(float64(x)+shift[0], float64(y)+shift[1])
			if !ok {
				continue
			}
			u := float64(a.pix[at])
			n, sa, sb, saa, sbb, sab = n+1, sa+u, sb+v, saa+u*u, sbb+v*v, sab+u*v
		}
	}
	if n < minSamples {
		return -1
	}
	// One grey level of noise is the least contrast that counts: a plain wall is
	// like itself.
	va, vb := saa/n-sa/n*sa/n+1, sbb/n-sb/n*sb/n+1
	return (sab/n - sa/n*sb/n + 1) / math.Sqrt(va*vb)
}
