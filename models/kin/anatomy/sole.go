package anatomy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// corners returns points that span a shape, in the frame of its body; none for meshes and planes. Round shapes give
// the corners of the box around them, except that spheres and capsules give their extreme points.
func corners(g *mjcf.Geom) []spatial.Vec3 {
	s := g.SizeM
	switch g.Kind {
	case mjcf.Plane, mjcf.Mesh:
		return nil
	case mjcf.Sphere:
		s = spatial.Vec3{s[0], s[0], s[0]}
	case mjcf.Capsule:
		s = spatial.Vec3{s[0], s[0], s[1] + s[0]}
	case mjcf.Cylinder:
		s = spatial.Vec3{s[0], s[0], s[1]}
	}
	var out []spatial.Vec3
	if g.Kind == mjcf.Sphere || g.Kind == mjcf.Ellipsoid || g.Kind == mjcf.Capsule {
		for k := 0; k < 3; k++ {
			for _, sign := range [2]float64{-1, 1} {
				var p spatial.Vec3
				p[k] = sign * s[k]
				out = append(out, g.PosM.Add(g.Quat.Rotate(p)))
			}
		}
		if g.Kind == mjcf.Capsule { // the flanks at both ends, for capsules that lie on the floor
			for i := 0; i < 8; i++ {
				p := spatial.Vec3{0, 0, g.SizeM[1] * float64(1-2*(i&1))}
				p[i>>2] = g.SizeM[0] * float64(1-(i&2))
				out = append(out, g.PosM.Add(g.Quat.Rotate(p)))
			}
		}
		return out
	}
	for i := 0; i < 8; i++ {
		p := spatial.Vec3{s[0] * float64(1-2*(i&1)), s[1] * float64(1-(i&2)), s[2] * float64(1-(i&4)/2)}
		out = append(out, g.PosM.Add(g.Quat.Rotate(p)))
	}
	return out
}

// soles finds what the feet stand on: the lowest colliding points of the foot's shapes.
func (e *explorer) soles() {
	for s := range e.out.Legs {
		l := &e.out.Legs[s]
		yaw := spatial.FromYaw(e.d.BodyRot[e.out.Root].YawRad())
		l.FootFromSole = e.d.BodyRot[l.Foot].Inv().Mul(yaw)
		l.SoleGeoms = e.soleGeoms(l.Foot)
		pts := e.bottom(l.Foot, true)
		if len(pts) < 3 {
			pts = e.bottom(l.Foot, false)
		}
		ankle := l.Ankle.At(e.d)
		if len(pts) < 3 {
			// Only meshes: assume a foot a quarter of the leg long, as most humanoids have.
			size := l.ThighM + l.ShankM
			z := min(e.low[l.Foot], ankle[2]-0.08*size)
			for _, c := range [4][2]float64{{0.16, 0.07}, {-0.1, 0.07}, {-0.1, -0.07}, {0.16, -0.07}} {
				pts = append(pts, spatial.Vec3{ankle[0] + c[0]*size, ankle[1] + c[1]*size, z})
			}
			e.out.Notes = append(e.out.Notes, fmt.Sprintf("body %q: the sole is assumed, as its shape is a mesh", e.m.Tree.Bodies[l.Foot].Name))
		}
		hull := Hull(pts)
		lo, hi := hull[0], hull[0]
		l.Sole = l.Sole[:0]
		for _, p := range hull {
			for k := 0; k < 3; k++ {
				lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
			}
			l.Sole = append(l.Sole, e.fix(l.Foot, p).Local)
		}
		mid := lo.Lerp(hi, 0.5)
		mid[2] = lo[2]
		l.SoleCenter = e.fix(l.Foot, mid).Local
		l.AnkleHeightM = ankle[2] - lo[2]
		l.HalfSizeM = [2]float64{(hi[0] - lo[0]) / 2, (hi[1] - lo[1]) / 2}
	}
}

// footGeoms lists the shapes of a foot: its own, and those of bodies fixed to it, as soles often are.
func (e *explorer) footGeoms(foot int) []int {
	out := slices.Clone(e.m.Tree.Bodies[foot].Geoms)
	for _, k := range e.kids[foot] {
		if len(e.m.Tree.Bodies[k].Joints) == 0 {
			out = append(out, e.footGeoms(k)...)
		}
	}
	return out
}

// soleGeoms finds the colliding shapes that reach the floor, the lowest first. Where none has a surface that is known
// here, all colliding meshes of the foot are meant.
func (e *explorer) soleGeoms(foot int) []int {
	var out, meshes []int
	low := map[int]float64{}
	floor := math.Inf(1)
	for _, gi := range e.footGeoms(foot) {
		g := &e.m.Tree.Geoms[gi]
		switch {
		case !g.Collides:
		case g.Kind == mjcf.Mesh:
			meshes = append(meshes, gi)
		case g.Kind != mjcf.Plane:
			low[gi], _ = e.zRange(g)
			floor = min(floor, low[gi])
			out = append(out, gi)
		}
	}
	out = slices.DeleteFunc(out, func(gi int) bool { return low[gi] > floor+touching*e.out.HeightM })
	if len(out) == 0 {
		return meshes
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(low[a], low[b]) })
	return out
}

// touching is how far above the lowest point of a foot what touches the floor may lie, as a share of the height.
const touching = 0.01

// bottom returns the points of a foot that touch the floor when it stands, in the world.
func (e *explorer) bottom(foot int, colliding bool) []spatial.Vec3 {
	var all []spatial.Vec3
	for _, gi := range e.footGeoms(foot) {
		g := &e.m.Tree.Geoms[gi]
		if colliding && !g.Collides {
			continue
		}
		for _, c := range corners(g) {
			all = append(all, e.d.Point(g.Body, c))
		}
	}
	low := math.Inf(1)
	for _, p := range all {
		low = min(low, p[2])
	}
	out := all[:0]
	for _, p := range all {
		if p[2] < low+touching*e.out.HeightM {
			p[2] = low
			out = append(out, p)
		}
	}
	return out
}

// Hull returns the convex hull of the points seen from above, counter-clockwise (Andrew's monotone chain).
func Hull(pts []spatial.Vec3) []spatial.Vec3 {
	p := append([]spatial.Vec3(nil), pts...)
	sort.Slice(p, func(i, j int) bool {
		if p[i][0] != p[j][0] {
			return p[i][0] < p[j][0]
		}
		return p[i][1] < p[j][1]
	})
	cross := func(o, a, b spatial.Vec3) float64 { return (a[0]-o[0])*(b[1]-o[1]) - (a[1]-o[1])*(b[0]-o[0]) }
	var h []spatial.Vec3
	half := func(q spatial.Vec3, keep int) {
		for len(h) >= keep+2 && cross(h[len(h)-2], h[len(h)-1], q) <= 1e-12 {
			h = h[:len(h)-1]
		}
		h = append(h, q)
	}
	for _, q := range p {
		half(q, 0)
	}
	keep := len(h) - 1
	for i := len(p) - 2; i >= 0; i-- {
		half(p[i], keep)
	}
	if len(h) > 1 {
		h = h[:len(h)-1]
	}
	return h
}
