package feasible

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
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

// pair names two bodies that may meet, and the pills of both that may.
type pair struct {
	a, b  int
	pills [][2]int
}

// ball is a sphere around all pills of a body, in the body's frame.
type ball struct {
	mid    spatial.Vec3
	r      float64
	pills  []int
	center spatial.Vec3 // in the world, at the configuration looked at last
	placed bool         // the body's pills are in the world too
}

// fill fills a shape with capsules: one for round shapes, three side by side for boxes.
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

// collisionPairs lists the pairs of bodies worth watching: at least three joints apart, not excluded by the model; and
// of their shapes those that are clear of each other in the standing pose, which the data must hold.
func (c *Checker) collisionPairs() {
	tree := c.kin.Tree
	c.balls = make([]ball, len(tree.Bodies))
	for i := range tree.Geoms {
		g := &tree.Geoms[i]
		if g.Body == 0 {
			continue
		}
		for _, p := range fill(g) {
			c.balls[g.Body].pills = append(c.balls[g.Body].pills, len(c.pills))
			c.pills = append(c.pills, p)
		}
	}
	c.placed = make([]placed, len(c.pills))
	for b := range c.balls {
		w := &c.balls[b]
		for _, i := range w.pills {
			w.mid = w.mid.Add(c.pills[i].a.Lerp(c.pills[i].b, 0.5).Scale(1 / float64(len(w.pills))))
		}
		for _, i := range w.pills {
			p := &c.pills[i]
			w.r = math.Max(w.r, p.a.Lerp(p.b, 0.5).Sub(w.mid).Norm()+p.reach)
		}
	}
	off := map[[2]int]bool{}
	for _, e := range tree.Excludes {
		off[e], off[[2]int{e[1], e[0]}] = true, true
	}
	c.place(c.d)
	for a := range c.balls {
		for b := a + 1; b < len(c.balls); b++ {
			if off[[2]int{a, b}] || c.jointsBetween(a, b) < 3 {
				continue
			}
			p := pair{a: a, b: b}
			for _, i := range c.balls[a].pills {
				for _, k := range c.balls[b].pills {
					c.show(c.d, a)
					c.show(c.d, b)
					if c.gap(i, k) >= 0 {
						p.pills = append(p.pills, [2]int{i, k})
					}
				}
			}
			if len(p.pills) > 0 {
				c.pairs = append(c.pairs, p)
			}
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

// place puts the balls around all bodies where the configuration of d has them.
func (c *Checker) place(d *kin.Data) {
	for b := range c.balls {
		if w := &c.balls[b]; len(w.pills) > 0 {
			w.center, w.placed = d.Point(b, w.mid), false
		}
	}
}

// show puts the pills of one body into the world, once for each place.
func (c *Checker) show(d *kin.Data, body int) {
	w := &c.balls[body]
	if w.placed {
		return
	}
	w.placed = true
	for _, i := range w.pills {
		p := &c.pills[i]
		a, b := d.Point(body, p.a), d.Point(body, p.b)
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
	a, b := nearest(p.a, p.b, q.a, q.b)
	return a.Sub(b).Norm() - c.pills[i].r - c.pills[k].r
}

// Pairs are pairs of bodies to watch for collisions.
type Pairs []pair

// PairsOf returns the pairs that keep accepts.
func (c *Checker) PairsOf(keep func(a, b int) bool) Pairs {
	var out Pairs
	for _, p := range c.pairs {
		if keep(p.a, p.b) {
			out = append(out, p)
		}
	}
	return out
}

// Close calls visit for every two shapes of the pairs with a gap below marginM in the configuration of d: their
// bodies, the points in their insides that are nearest to each other, and the gap (negative: how deep they overlap).
func (c *Checker) Close(d *kin.Data, pairs Pairs, marginM float64, visit func(a, b int, onA, onB spatial.Vec3, gapM float64)) {
	c.place(d)
	for i := range pairs {
		p := &pairs[i]
		v, w := &c.balls[p.a], &c.balls[p.b]
		x, y, z, reach := v.center[0]-w.center[0], v.center[1]-w.center[1], v.center[2]-w.center[2], v.r+w.r+marginM
		if x*x+y*y+z*z > reach*reach {
			continue
		}
		c.show(d, p.a)
		c.show(d, p.b)
		for _, ik := range p.pills {
			gap := c.gap(ik[0], ik[1])
			if gap >= marginM {
				continue
			}
			x, y := &c.placed[ik[0]], &c.placed[ik[1]]
			onA, onB := nearest(x.a, x.b, y.a, y.b)
			if onA.Sub(onB).Norm() < 1e-6 { // axes that cross: apart from the middles
				onA, onB = x.mid, y.mid
			}
			visit(p.a, p.b, onA, onB, gap)
		}
	}
}

// nearest returns the points of two line segments that are nearest to each other (Ericson, Real-Time Collision
// Detection, 5.1.9).
func nearest(p0, p1, q0, q1 spatial.Vec3) (onP, onQ spatial.Vec3) {
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
	return p0.Add(d1.Scale(s)), q0.Add(d2.Scale(t))
}
