package anatomy

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Polygon is a convex area of the floor: corners counter-clockwise seen from above (as Hull returns them), heights
// ignored.
type Polygon []spatial.Vec3

// Margin returns how far the point lies inside the nearest edge, in m; negative outside. An empty polygon is infinitely
// far away.
func (g Polygon) Margin(p spatial.Vec3) float64 {
	if len(g) < 3 {
		_, d := g.nearest(p)
		return -d
	}
	inside := math.Inf(1)
	for i, a := range g {
		b := g[(i+1)%len(g)]
		e := b.Sub(a)
		if n := math.Hypot(e[0], e[1]); n > 1e-12 {
			inside = min(inside, (e[0]*(p[1]-a[1])-e[1]*(p[0]-a[0]))/n)
		}
	}
	if inside >= 0 {
		return inside
	}
	_, d := g.nearest(p)
	return -d
}

// Project returns the point of the polygon nearest to p: p itself if it lies inside.
func (g Polygon) Project(p spatial.Vec3) spatial.Vec3 {
	if g.Margin(p) >= 0 {
		return p
	}
	q, _ := g.nearest(p)
	return q
}

// nearest returns the point of the outline nearest to p and its distance.
func (g Polygon) nearest(p spatial.Vec3) (spatial.Vec3, float64) {
	best, far := p, math.Inf(1)
	for i, a := range g {
		b := g[(i+1)%len(g)]
		e := b.Sub(a)
		t := 0.0
		if n := e[0]*e[0] + e[1]*e[1]; n > 1e-18 {
			t = min(max((e[0]*(p[0]-a[0])+e[1]*(p[1]-a[1]))/n, 0), 1)
		}
		q := spatial.Vec3{a[0] + t*e[0], a[1] + t*e[1], p[2]}
		if d := math.Hypot(q[0]-p[0], q[1]-p[1]); d < far {
			best, far = q, d
		}
	}
	return best, far
}

// Support returns the area of the floor under the soles of the given feet, in the configuration of d.
func (a *Anatomy) Support(d *kin.Data, on [2]bool) Polygon {
	var pts []spatial.Vec3
	for s := range on {
		if !on[s] {
			continue
		}
		for _, c := range a.Legs[s].Sole {
			p := d.Point(a.Legs[s].Foot, c)
			pts = append(pts, spatial.Vec3{p[0], p[1], 0})
		}
	}
	if len(pts) == 0 {
		return nil
	}
	return Polygon(Hull(pts))
}
