package feasible

import (
	"math"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// pill is a capsule inside a shape of a body: a stand-in that touches no earlier than the shape does.
type pill struct {
	body  int
	a, b  spatial.Vec3 // ends of the axis, body frame
	r     float64
	reach float64 // of the whole pill from the middle of its axis
}

// pair names two pills that may meet.
type pair struct{ a, b int }

// pills fills the shapes with capsules: one for round shapes, three side by side for boxes.
func fill(g *mjcf.Geom) []pill {
	s := g.SizeM
	mk := func(mid, axis spatial.Vec3, half, r float64) pill {
		d := axis.Scale(math.Max(half, 0))
		a, b := mid.Add(d), mid.Sub(d)
		return pill{body: g.Body, a: g.PosM.Add(g.Quat.Rotate(a)), b: g.PosM.Add(g.Quat.Rotate(b)), r: r, reach: math.Max(half, 0) + r}
	}
	z := spatial.Vec3{0, 0, 1}
	switch g.Kind {
	case mjcf.Sphere:
		return []pill{mk(spatial.Vec3{}, z, 0, s[0])}
	case mjcf.Capsule:
		return []pill{mk(spatial.Vec3{}, z, s[1], s[0])}
	case mjcf.Cylinder:
		r := math.Min(s[0], s[1])
		return []pill{mk(spatial.Vec3{}, z, s[1]-r, r)}
	case mjcf.Ellipsoid, mjcf.Box:
		long, thin := 0, 0
		for k := range s {
			if s[k] > s[long] {
				long = k
			}
			if s[k] <= s[thin] {
				thin = k
			}
		}
		if long == thin {
			return []pill{mk(spatial.Vec3{}, z, 0, s[0])}
		}
		var axis, side spatial.Vec3
		axis[long], side[3-long-thin] = 1, 1
		r := s[thin]
		if g.Kind == mjcf.Ellipsoid {
			return []pill{mk(spatial.Vec3{}, axis, 0, r)}
		}
		off := side.Scale(s[3-long-thin] - r)
		return []pill{mk(off, axis, s[long]-r, r), mk(spatial.Vec3{}, axis, s[long]-r, r), mk(off.Scale(-1), axis, s[long]-r, r)}
	}
	return nil
}

// collisionPairs lists the pairs of limbs worth watching: on bodies at least three joints apart, not excluded by the
// model, and clear of each other in the standing pose, which the data must hold.
func (c *Checker) collisionPairs() {
	tree := c.kin.Tree
	for i := range tree.Geoms {
		if tree.Geoms[i].Body > 0 {
			c.pills = append(c.pills, fill(&tree.Geoms[i])...)
		}
	}
	c.placed = make([]placed, len(c.pills))
	c.place()
	off := map[[2]int]bool{}
	for _, e := range tree.Excludes {
		off[e], off[[2]int{e[1], e[0]}] = true, true
	}
	for i := range c.pills {
		for k := i + 1; k < len(c.pills); k++ {
			a, b := c.pills[i].body, c.pills[k].body
			if a == b || off[[2]int{a, b}] || c.jointsBetween(a, b) < 3 || c.gap(i, k) < 0 {
				continue
			}
			c.pairs = append(c.pairs, pair{i, k})
		}
	}
}

// jointsBetween counts the joints on the way from one body to another.
func (c *Checker) jointsBetween(a, b int) int {
	pa, pb := c.kin.Path(a), c.kin.Path(b)
	k := 0
	for k < len(pa) && k < len(pb) && pa[k] == pb[k] {
		k++
	}
	return len(pa) + len(pb) - 2*k
}

// placed is a pill in the world.
type placed struct{ a, b, mid spatial.Vec3 }

// place puts all pills where the configuration of the data has them.
func (c *Checker) place() {
	for i := range c.pills {
		p := &c.pills[i]
		a, b := c.d.Point(p.body, p.a), c.d.Point(p.body, p.b)
		c.placed[i] = placed{a, b, a.Lerp(b, 0.5)}
	}
}

// gap returns the distance between two placed pills; negative: how deep they overlap. Far apart, it is a lower bound.
func (c *Checker) gap(i, k int) float64 {
	p, q, reach := &c.placed[i], &c.placed[k], c.pills[i].reach+c.pills[k].reach
	x, y, z := p.mid[0]-q.mid[0], p.mid[1]-q.mid[1], p.mid[2]-q.mid[2]
	if d := x*x + y*y + z*z; d > reach*reach {
		return math.Sqrt(d) - reach
	}
	return segments(p.a, p.b, q.a, q.b) - c.pills[i].r - c.pills[k].r
}

// segments returns the distance between two line segments (Ericson, Real-Time Collision Detection, 5.1.9).
func segments(p0, p1, q0, q1 spatial.Vec3) float64 {
	d1, d2, r := p1.Sub(p0), q1.Sub(q0), p0.Sub(q0)
	a, e, f := d1.Dot(d1), d2.Dot(d2), d2.Dot(r)
	clamp01 := func(x float64) float64 { return math.Min(math.Max(x, 0), 1) }
	var s, t float64
	switch {
	case a < 1e-12 && e < 1e-12:
	case a < 1e-12:
		t = clamp01(f / e)
	case e < 1e-12:
		s = clamp01(-d1.Dot(r) / a)
	default:
		b, c := d1.Dot(d2), d1.Dot(r)
		if den := a*e - b*b; den > 1e-12 {
			s = clamp01((b*f - c*e) / den)
		}
		t = (b*s + f) / e
		if t < 0 {
			t, s = 0, clamp01(-c/a)
		} else if t > 1 {
			t, s = 1, clamp01((b-c)/a)
		}
	}
	return p0.Add(d1.Scale(s)).Sub(q0.Add(d2.Scale(t))).Norm()
}
