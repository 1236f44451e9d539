package multiview

import (
	"math"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// sight is one camera's view of one point.
type sight struct {
	cam    *camera.Camera
	px     [2]float64
	ray    [2]float64 // the same without distortion, (x, y, 1)
	weight float64    // 0..1
}

const (
	refineSteps = 3
	// leastSine is the sine of the angle between two lines of sight below which they do
	// not tell how far away a point is.
	leastSine = 0.1
)

// triangulate finds the point that fits the sights best: linear least squares along the
// lines of sight, then Gauss and Newton on distances in the distorted pictures, which are
// taken in metres at the point. It fails for lines of sight that hardly cross.
func triangulate(sights []sight) (spatial.Vec3, bool) {
	if !crossing(sights) {
		return spatial.Vec3{}, false
	}
	p, ok := linear(sights)
	for range refineSteps {
		if !ok {
			return p, false
		}
		var q spatial.Vec3
		if q, ok = refine(sights, p); ok {
			p = q
		}
	}
	return p, ok
}

// crossing tells whether two sights look from directions that differ enough.
func crossing(sights []sight) bool {
	for i := range sights {
		a := sights[i].direction()
		for j := range i {
			if a.Cross(sights[j].direction()).Norm() >= leastSine {
				return true
			}
		}
	}
	return false
}

// direction is that of the line of sight in the world.
func (s *sight) direction() spatial.Vec3 {
	return s.cam.Rotation.Inv().Rotate(spatial.Vec3{s.ray[0], s.ray[1], 1}.Unit(spatial.Vec3{0, 0, 1}))
}

// linear minimises the distances from the lines of sight, by weight.
func linear(sights []sight) (spatial.Vec3, bool) {
	var h [3][3]float64
	var g spatial.Vec3
	for i := range sights {
		s := &sights[i]
		d, at := s.direction(), s.cam.Place()
		w := s.weight * s.weight
		for r := range 3 {
			for c := range 3 {
				v := -d[r] * d[c]
				if r == c {
					v++
				}
				h[r][c] += w * v
				g[r] += w * v * at[c]
			}
		}
	}
	return solve3(&h, g)
}

// refine is one step of Gauss and Newton.
func refine(sights []sight, p spatial.Vec3) (spatial.Vec3, bool) {
	var h [3][3]float64
	var g spatial.Vec3
	for i := range sights {
		s := &sights[i]
		in := s.cam.InCamera(p)
		px, slopes, ok := s.cam.PixelSlopes(in)
		if !ok {
			return p, false
		}
		for k := range 2 {
			scale := s.weight * in[2] / s.cam.FocalPx[k]
			r := scale * (px[k] - s.px[k])
			j := s.cam.Rotation.Inv().Rotate(slopes[k].Scale(scale))
			for a := range 3 {
				g[a] += j[a] * r
				for b := range 3 {
					h[a][b] += j[a] * j[b]
				}
			}
		}
	}
	step, ok := solve3(&h, g)
	return p.Sub(step), ok
}

// solve3 solves h x = g for a symmetric positive h.
func solve3(h *[3][3]float64, g spatial.Vec3) (spatial.Vec3, bool) {
	a, b, c := spatial.Vec3(h[0]), spatial.Vec3(h[1]), spatial.Vec3(h[2])
	det := a.Dot(b.Cross(c))
	scale := (h[0][0] + h[1][1] + h[2][2]) / 3
	if !(det > 1e-9*scale*scale*scale) {
		return spatial.Vec3{}, false
	}
	x := b.Cross(c).Scale(g[0]).Add(c.Cross(a).Scale(g[1])).Add(a.Cross(b).Scale(g[2]))
	return x.Scale(1 / det), true
}

// missM is the distance between where a camera sees a point and where p would appear, in
// metres at p; infinite behind the camera.
func (s *sight) missM(p spatial.Vec3) float64 {
	in := s.cam.InCamera(p)
	px, ok := s.cam.Pixel(in)
	if !ok {
		return math.Inf(1)
	}
	return math.Hypot((px[0]-s.px[0])/s.cam.FocalPx[0], (px[1]-s.px[1])/s.cam.FocalPx[1]) * in[2]
}

// worst is the sight that p misses most, and by how much.
func worst(sights []sight, p spatial.Vec3) (at int, missM float64) {
	for i := range sights {
		if m := sights[i].missM(p); m > missM {
			at, missM = i, m
		}
	}
	return at, missM
}

// dropM: a view that misses a point by more than this, in metres at the person, is left
// out while two others are left. [The network's own spread on four calibrated views of
// an adult is 0.03 on average; another program's default, 15 px, is 0.04 there.]
const dropM = 0.06

// robust triangulates and leaves out views, one by one, until the rest fit or two are
// left. used holds a bit for each sight that was used.
func robust(sights []sight, scratch []sight) (p spatial.Vec3, used uint, missM float64, ok bool) {
	rest := append(scratch[:0], sights...)
	where := make([]int, len(sights))
	for i := range where {
		where[i] = i
	}
	p, ok = triangulate(rest)
	for ok && len(rest) > minViews {
		if _, m := worst(rest, p); m <= dropM {
			break
		}
		k, q, found := bestWithout(rest)
		if !found {
			break
		}
		p = q
		rest = append(rest[:k], rest[k+1:]...)
		where = append(where[:k], where[k+1:]...)
	}
	for i, k := range where {
		used |= 1 << k
		if ok {
			missM += rest[i].missM(p) / float64(len(rest))
		}
	}
	return p, used, missM, ok
}

// bestWithout is the sight without which the others fit best.
func bestWithout(sights []sight) (drop int, p spatial.Vec3, ok bool) {
	least := math.Inf(1)
	rest := make([]sight, 0, maxViews)
	for k := range sights {
		rest = append(append(rest[:0], sights[:k]...), sights[k+1:]...)
		q, fine := triangulate(rest)
		if !fine {
			continue
		}
		if _, m := worst(rest, q); m < least {
			drop, p, least, ok = k, q, m, true
		}
	}
	return drop, p, ok
}
