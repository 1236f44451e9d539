package scene

import "math"

// Warp is how one picture lies in another one, taken with the camera turned,
// zoomed or a little moved: a homography, row by row, that maps positions in
// pixels.
type Warp [9]float64

// Same is the Warp that changes nothing.
func Same() Warp { return Warp{1, 0, 0, 0, 1, 0, 0, 0, 1} }

// At maps a position.
func (w *Warp) At(x, y float64) (float64, float64) {
	d := w[6]*x + w[7]*y + w[8]
	return (w[0]*x + w[1]*y + w[2]) / d, (w[3]*x + w[4]*y + w[5]) / d
}

// after is the Warp that applies v first.
func (w *Warp) after(v *Warp) (out Warp) {
	for r := range 3 {
		for c := range 3 {
			for k := range 3 {
				out[3*r+c] += w[3*r+k] * v[3*k+c]
			}
		}
	}
	return out.unit()
}

// unit scales the matrix, which changes nothing, to a last entry of 1.
func (w Warp) unit() Warp {
	d := w[8]
	for i := range w {
		w[i] /= d
	}
	return w
}

// inverse maps back.
func (w *Warp) inverse() Warp {
	return Warp{
		w[4]*w[8] - w[5]*w[7], w[2]*w[7] - w[1]*w[8], w[1]*w[5] - w[2]*w[4],
		w[5]*w[6] - w[3]*w[8], w[0]*w[8] - w[2]*w[6], w[2]*w[3] - w[0]*w[5],
		w[3]*w[7] - w[4]*w[6], w[1]*w[6] - w[0]*w[7], w[0]*w[4] - w[1]*w[3],
	}.unit()
}

// Local is how much larger things become at a position, and by what angle they turn
// (radians, clockwise on the screen).
func (w *Warp) Local(x, y float64) (scale, turnRad float64) {
	const h = 1.0
	x0, y0 := w.At(x, y)
	ax, ay := w.At(x+h, y)
	bx, by := w.At(x, y+h)
	ux, uy, vx, vy := ax-x0, ay-y0, bx-x0, by-y0
	return math.Sqrt(math.Abs(ux*vy - uy*vx)), math.Atan2(uy-vx, ux+vy)
}

// far is how far a Warp moves the corners of a picture, in the mean.
func (w *Warp) far(widthPx, heightPx float64) float64 {
	sum := 0.0
	for _, c := range [...][2]float64{{0, 0}, {widthPx, 0}, {0, heightPx}, {widthPx, heightPx}} {
		x, y := w.At(c[0], c[1])
		sum += math.Hypot(x-c[0], y-c[1]) / 4
	}
	return sum
}

// valid tells a Warp that a camera can make: finite, right way round, and not much
// larger or smaller anywhere.
func (w *Warp) valid(widthPx, heightPx float64) bool {
	for _, c := range [...][2]float64{{0, 0}, {widthPx, 0}, {0, heightPx}, {widthPx, heightPx}} {
		s, turn := w.Local(c[0], c[1])
		if !(s > 1.0/3 && s < 3 && math.Abs(turn) < 1) || w[6]*c[0]+w[7]*c[1]+w[8] < 0.2 {
			return false
		}
	}
	return true
}

// params of a small Warp, in pixels at the edge of the picture (scaled positions u, v
// go from -1 to 1 along its longer side):
//
//	du = p0 + p2 u - p3 v + p4 u + p5 v + (p6 u + p7 v) u
//	dv = p1 + p2 v + p3 u - p4 v + p5 u + (p6 u + p7 v) v
//
// shift, zoom, roll, two shears, and the two of perspective.
type params [8]float64

// scaled goes between pixels and u, v.
type scaled struct{ cx, cy, half float64 }

func scaledTo(w, h int) scaled {
	return scaled{float64(w-1) / 2, float64(h-1) / 2, float64(max(w, h)) / 2}
}

// warp is the Warp of params.
func (s scaled) warp(p *params) Warp {
	k := 1 / s.half
	m := Warp{1 + k*(p[2]+p[4]), k * (p[5] - p[3]), k * p[0], k * (p[3] + p[5]), 1 + k*(p[2]-p[4]), k * p[1], -k * p[6], -k * p[7], 1}
	in := Warp{1 / s.half, 0, -s.cx / s.half, 0, 1 / s.half, -s.cy / s.half, 0, 0, 1}
	out := Warp{s.half, 0, s.cx, 0, s.half, s.cy, 0, 0, 1}
	m = m.after(&in)
	return out.after(&m)
}

// params of a Warp.
func (s scaled) params(w *Warp) params {
	in := Warp{1 / s.half, 0, -s.cx / s.half, 0, 1 / s.half, -s.cy / s.half, 0, 0, 1}
	out := Warp{s.half, 0, s.cx, 0, s.half, s.cy, 0, 0, 1}
	m := w.after(&out)
	m = in.after(&m)
	h := s.half
	return params{h * m[2], h * m[5], h * ((m[0]+m[4])/2 - 1), h * (m[3] - m[1]) / 2, h * (m[0] - m[4]) / 2, h * (m[1] + m[3]) / 2, -h * m[6], -h * m[7]}
}

// slopes are the derivatives of grey by params, for a gradient at a position.
func (s scaled) slopes(x, y, gx, gy float64) (j params) {
	u, v := (x-s.cx)/s.half, (y-s.cy)/s.half
	return params{gx, gy, gx*u + gy*v, gy*u - gx*v, gx*u - gy*v, gx*v + gy*u, u * (gx*u + gy*v), v * (gx*u + gy*v)}
}
