package track

import (
	"math"

	"github.com/mitori-robotics/mitori/perception/video"
)

// border says what lies beyond the picture's edge.
type border int

const (
	borderReplicate border = iota // the edge goes on
	borderBlack
)

// crop resamples the rotated square roi of a picture to n x n by bilinear
// interpolation into dst: red, green and blue planes of n*n values, 0 and 255
// mapped to lo and hi. Coordinates follow the convention that pixel i covers
// i..i+1.
//
// Positions are 32.16 fixed-point and weights have 8 bits, which is finer than
// the picture's own 8-bit values; the error against exact interpolation is
// below one grey level.
func crop(dst []float32, f *video.Frame, roi ROI, n int, lo, hi float32, edge border) {
	if len(dst) != 3*n*n {
		panic("track: crop: dst is not 3*n*n")
	}
	const one = 1 << 16
	sin, cos := math.Sincos(roi.RotationRad)
	step := roi.SidePx / float64(n)
	dxu, dyu := int64(math.Round(cos*step*one)), int64(math.Round(sin*step*one))
	gain := (hi - lo) / 255 / (1 << 16)
	red, green, blue := dst[:n*n], dst[n*n:2*n*n], dst[2*n*n:]
	w, h := f.WidthPx, f.HeightPx
	for v := range n {
		// Centre of the row's first pixel, in pixel indices.
		lx, ly := (0.5/float64(n)-0.5)*roi.SidePx, ((float64(v)+0.5)/float64(n)-0.5)*roi.SidePx
		x := int64(math.Round((roi.CentreXPx + cos*lx - sin*ly - 0.5) * one))
		y := int64(math.Round((roi.CentreYPx + sin*lx + cos*ly - 0.5) * one))
		inside := within(x, w) && within(y, h) && within(x+dxu*int64(n-1), w) && within(y+dyu*int64(n-1), h)
		r, g, b := red[v*n:(v+1)*n], green[v*n:(v+1)*n], blue[v*n:(v+1)*n]
		if inside {
			stride := 3 * w
			for u := range r {
				at := 3*int(x>>16) + stride*int(y>>16)
				p := f.Pix[at : at+6 : at+6]
				q := f.Pix[at+stride : at+stride+6 : at+stride+6]
				wx, wy := int32(x>>8&255), int32(y>>8&255)
				w00, w01, w10, w11 := (256-wx)*(256-wy), wx*(256-wy), (256-wx)*wy, wx*wy
				b[u] = lo + gain*float32(w00*int32(p[0])+w01*int32(p[3])+w10*int32(q[0])+w11*int32(q[3]))
				g[u] = lo + gain*float32(w00*int32(p[1])+w01*int32(p[4])+w10*int32(q[1])+w11*int32(q[4]))
				r[u] = lo + gain*float32(w00*int32(p[2])+w01*int32(p[5])+w10*int32(q[2])+w11*int32(q[5]))
				x += dxu
				y += dyu
			}
			continue
		}
		for u := range r {
			c := edgePixel(f, int(x>>16), int(y>>16), int32(x>>8&255), int32(y>>8&255), edge)
			b[u], g[u], r[u] = lo+gain*float32(c[0]), lo+gain*float32(c[1]), lo+gain*float32(c[2])
			x += dxu
			y += dyu
		}
	}
}

// within tells whether a fixed-point index and its right neighbour are inside.
func within(x int64, size int) bool { return x >= 0 && x < int64(size-1)<<16 }

// edgePixel interpolates where some neighbours may lie outside; the result is
// scaled by 2^16.
func edgePixel(f *video.Frame, x, y int, wx, wy int32, edge border) (sum [3]int32) {
	for k := range 4 {
		px, py := x+k&1, y+k>>1
		weight := [2]int32{256 - wx, wx}[k&1] * [2]int32{256 - wy, wy}[k>>1]
		if px < 0 || py < 0 || px >= f.WidthPx || py >= f.HeightPx {
			if edge == borderBlack {
				continue
			}
			px, py = min(max(px, 0), f.WidthPx-1), min(max(py, 0), f.HeightPx-1)
		}
		at := 3 * (py*f.WidthPx + px)
		for c := range sum {
			sum[c] += weight * int32(f.Pix[at+c])
		}
	}
	return sum
}
