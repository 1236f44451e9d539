package scene

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/perception/video"
)

// thumb is a small grey picture; one of its pixels covers step x step pixels.
type thumb struct {
	w, h, step int
	pix        []float32 // grey levels, 0 to 255
}

// fill makes t the thumbnail of f, of which the longer side has at most so many
// pixels; it reports false if the picture is too small.
func (t *thumb) fill(f *video.Frame, longest int) bool {
	t.step = max(1, (max(f.WidthPx, f.HeightPx)+longest-1)/longest)
	t.w, t.h = f.WidthPx/t.step, f.HeightPx/t.step
	if min(t.w, t.h) < minThumbPx {
		return false
	}
	if cap(t.pix) < t.w*t.h {
		t.pix = make([]float32, t.w*t.h)
	}
	t.pix = t.pix[:t.w*t.h]
	// Every second pixel of large squares is enough.
	skip := 1
	if t.step >= 4 {
		skip = 2
	}
	count := (t.step + skip - 1) / skip
	scale := 1 / float32(4*count*count)
	for y := range t.h {
		row := t.pix[y*t.w : (y+1)*t.w]
		clear(row)
		for k := 0; k < t.step; k += skip {
			line := f.Pix[3*(y*t.step+k)*f.WidthPx:]
			for x := range row {
				sum := 0
				for i := 0; i < t.step; i += skip {
					p := line[3*(x*t.step+i):][:3]
					sum += int(p[0]) + 2*int(p[1]) + int(p[2])
				}
				row[x] += float32(sum)
			}
		}
		for x := range row {
			row[x] *= scale
		}
	}
	return true
}

// half is t at half the size.
func (t *thumb) half() *thumb {
	o := &thumb{w: t.w / 2, h: t.h / 2, step: 2 * t.step}
	o.pix = make([]float32, o.w*o.h)
	for y := range o.h {
		for x := range o.w {
			at := 2*y*t.w + 2*x
			o.pix[y*o.w+x] = (t.pix[at] + t.pix[at+1] + t.pix[at+t.w] + t.pix[at+t.w+1]) / 4
		}
	}
	return o
}

// at interpolates; ok is false beyond the edge.
func (t *thumb) at(x, y float64) (v float64, ok bool) {
	if !(x >= 0 && y >= 0 && x <= float64(t.w-1) && y <= float64(t.h-1)) {
		return 0, false
	}
	ix, iy := min(int(x), t.w-2), min(int(y), t.h-2)
	u, w := x-float64(ix), y-float64(iy)
	p := t.pix[iy*t.w+ix:]
	top := float64(p[0]) + u*float64(p[1]-p[0])
	low := float64(p[t.w]) + u*float64(p[t.w+1]-p[t.w])
	return top + w*(low-top), true
}

// mask marks what lies outside all boxes and returns how much that is.
func (t *thumb) mask(out []bool, boxes ...Box) (free int) {
	for i := range out {
		out[i] = true
	}
	for _, b := range boxes {
		if !(b.X1 > b.X0 && b.Y1 > b.Y0) {
			continue
		}
		grow := personMargin * math.Max(b.X1-b.X0, b.Y1-b.Y0)
		s := float64(t.step)
		x0, x1 := max(0, int(math.Floor((b.X0-grow)/s))), min(t.w, int(math.Ceil((b.X1+grow)/s)))
		y0, y1 := max(0, int(math.Floor((b.Y0-grow)/s))), min(t.h, int(math.Ceil((b.Y1+grow)/s)))
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				out[y*t.w+x] = false
			}
		}
	}
	for _, v := range out {
		if v {
			free++
		}
	}
	return free
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// quantile is the value below which a share of x lies; 0 for an empty x, which it
// sorts.
func quantile(x []float64, share float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[min(len(x)-1, int(share*float64(len(x))))]
}
