package calib

import (
	"errors"
	"math"

	"github.com/mitori-robotics/mitori/models/band"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// fit is a lens and the poses of a board that shall explain the corners on photos. The
// unknowns of the lens come first, then six for each photo: a small turn and a shift.
type fit struct {
	board    Board
	photos   []Photo
	freeLens bool
	lens     camera.Lens
	poses    []pose
}

func (f *fit) lensVars() int {
	if f.freeLens {
		return lensVars
	}
	return 0
}

// run minimises the squared distances of all corners in the pictures.
func (f *fit) run() error {
	n := f.lensVars() + poseVars*len(f.poses)
	h, keep, g := band.New(n, n-1), band.New(n, n-1), make([]float64, n)
	lambda, cost := 1e-3, f.cost()
	for range fitSteps {
		f.normal(keep, g)
		before, was, poses := cost, f.lens, append([]pose(nil), f.poses...)
		for range 8 {
			h.Copy(keep)
			h.Damp(lambda)
			step := append([]float64(nil), g...)
			if err := h.FactorAbove(1e-14); err != nil {
				lambda *= 10
				continue
			}
			h.Solve(step)
			f.move(step)
			if c := f.cost(); c < cost {
				cost, lambda = c, math.Max(lambda/10, 1e-9)
				break
			}
			f.lens, f.poses = was, append(f.poses[:0], poses...)
			lambda *= 10
		}
		if !(cost < before) {
			break
		}
		if before-cost <= 1e-12*before {
			break
		}
	}
	if math.IsNaN(cost) || math.IsInf(cost, 0) {
		return errors.New("no lens explains these photos: is the board's size right?")
	}
	return nil
}

// corner is a residual: pixels seen minus those expected, and what they depend on.
type corner struct {
	r    [2]float64
	lens [2][lensVars]float64
	pose [2][poseVars]float64
}

// visit calls back for every corner; false where one lies behind the camera.
func (f *fit) visit(emit func(photo int, c *corner)) bool {
	for k := range f.photos {
		p := &f.poses[k]
		for i, px := range f.photos[k].Corners {
			turned := p.turn.Rotate(f.board.at(i))
			in := turned.Add(p.at)
			seen, slopes, ok := f.lens.PixelSlopes(in)
			if !ok {
				return false
			}
			var c corner
			c.r = [2]float64{px[0] - seen[0], px[1] - seen[1]}
			x, y := in[0]/in[2], in[1]/in[2]
			q := x*x + y*y
			bend := [2][4]float64{{x * q, x * q * q, 2 * x * y, q + 2*x*x}, {y * q, y * q * q, q + 2*y*y, 2 * x * y}}
			for a := range 2 {
				c.lens[a][a] = (seen[a] - f.lens.CentrePx[a]) / f.lens.FocalPx[a]
				c.lens[a][2+a] = 1
				for b, v := range bend[a] {
					c.lens[a][4+b] = f.lens.FocalPx[a] * v
				}
				// d(turn . v) for a small turn w about the camera's axes is w x v.
				w := turned.Cross(slopes[a])
				for b := range 3 {
					c.pose[a][b], c.pose[a][3+b] = w[b], slopes[a][b]
				}
			}
			emit(k, &c)
		}
	}
	return true
}

func (f *fit) cost() float64 {
	sum := 0.0
	if !f.visit(func(_ int, c *corner) { sum += c.r[0]*c.r[0] + c.r[1]*c.r[1] }) {
		return math.Inf(1)
	}
	return sum
}

func (f *fit) errorPx() float64 {
	return math.Sqrt(f.cost() / float64(len(f.photos)*f.board.Columns*f.board.Rows))
}

// normal fills J^T J and J^T r.
func (f *fit) normal(h *band.Matrix, g []float64) {
	h.Clear()
	clear(g)
	nl := f.lensVars()
	f.visit(func(k int, c *corner) {
		for a := range 2 {
			var row [lensVars + poseVars]float64
			copy(row[:nl], c.lens[a][:nl])
			copy(row[nl:], c.pose[a][:])
			place := func(i int) int {
				if i < nl {
					return i
				}
				return nl + poseVars*k + i - nl
			}
			for i := range nl + poseVars {
				g[place(i)] += row[i] * c.r[a]
				for j := range i + 1 {
					h.Add(place(i), place(j), row[i]*row[j])
				}
			}
		}
	})
}

func (f *fit) move(step []float64) {
	if f.freeLens {
		for a := range 2 {
			f.lens.FocalPx[a] += step[a]
			f.lens.CentrePx[a] += step[2+a]
		}
		for b := range 4 {
			f.lens.Distortion[b] += step[4+b]
		}
	}
	for k := range f.poses {
		s := step[f.lensVars()+poseVars*k:]
		p := &f.poses[k]
		p.turn = spatial.Exp(spatial.Vec3{s[0], s[1], s[2]}).Mul(p.turn).Normalize()
		p.at = p.at.Add(spatial.Vec3{s[3], s[4], s[5]})
	}
}

// result tells how well the lens is known.
func (f *fit) result() (Fit, error) {
	out := Fit{Lens: f.lens, ErrorPx: f.errorPx()}
	n := f.lensVars() + poseVars*len(f.poses)
	h, g := band.New(n, n-1), make([]float64, n)
	f.normal(h, g)
	free := float64(2*len(f.photos)*f.board.Columns*f.board.Rows - n)
	if err := h.FactorAbove(1e-14); err != nil || free < 1 {
		return out, errors.New("the photos do not tell the lens: take more, from the side and from above, too")
	}
	for a := range 2 {
		unit := make([]float64, n)
		unit[a] = 1
		h.Solve(unit)
		out.FocalErrorPx = math.Max(out.FocalErrorPx, math.Sqrt(math.Max(0, unit[a])*f.cost()/free))
	}
	sums := make([]float64, len(f.photos))
	f.visit(func(k int, c *corner) { sums[k] += c.r[0]*c.r[0] + c.r[1]*c.r[1] })
	for _, s := range sums {
		out.PhotoPx = append(out.PhotoPx, math.Sqrt(s/float64(f.board.Columns*f.board.Rows)))
	}
	return out, nil
}
