package mjcf

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

var geomKinds = map[string]GeomKind{"plane": Plane, "sphere": Sphere, "capsule": Capsule, "ellipsoid": Ellipsoid,
	"cylinder": Cylinder, "box": Box, "mesh": Mesh, "hfield": Mesh, "sdf": Mesh}

// sizes says how many numbers of "size" a shape needs without and with "fromto".
var sizes = [...][2]int{Plane: {0, 0}, Sphere: {1, 1}, Capsule: {2, 1}, Ellipsoid: {3, 1}, Cylinder: {2, 1}, Box: {3, 1}, Mesh: {0, 0}}

// readGeom compiles a geom and returns its mass (0 for planes and meshes).
func readGeom(n *node, u units, defaultDensity float64) (Geom, float64, error) {
	g := Geom{Name: n.attr["name"], Collides: true, Friction: 1}
	word := n.attr["type"]
	if word == "" {
		word = "sphere"
	}
	kind, ok := geomKinds[word]
	if !ok {
		return g, 0, n.fail("type", "is not legal; legal: plane, sphere, capsule, ellipsoid, cylinder, box, mesh, hfield")
	}
	if n.has("mesh") { // a primitive fitted to a mesh also needs the mesh file
		kind = Mesh
	}
	if n.attr["shellinertia"] == "true" {
		return g, 0, n.fail("shellinertia", "is not supported; give the body an <inertial>")
	}
	g.Kind = kind
	if err := readSize(n, u, &g); err != nil {
		return g, 0, err
	}
	ct, err := n.float("contype", 1)
	if err != nil {
		return g, 0, err
	}
	ca, err := n.float("conaffinity", 1)
	if err != nil {
		return g, 0, err
	}
	g.Collides = ct != 0 || ca != 0
	grp, err := n.float("group", 0)
	if err != nil {
		return g, 0, err
	}
	g.Group = int(grp)
	fr := [3]float64{1}
	if _, err := n.floats("friction", fr[:], 1); err != nil {
		return g, 0, err
	}
	g.Friction = fr[0]
	density, err := n.float("density", defaultDensity)
	if err != nil {
		return g, 0, err
	}
	mass, err := n.float("mass", density*g.Volume())
	if err == nil && mass < 0 {
		err = n.fail("mass", "is negative")
	}
	if kind == Mesh || kind == Plane {
		mass = 0
	}
	return g, mass, err
}

// readSize reads where a shape lies and how large it is.
func readSize(n *node, u units, g *Geom) error {
	var err error
	if g.PosM, g.Quat, err = u.pose(n); err != nil || g.Kind == Mesh {
		return err
	}
	fit := 0
	if n.has("fromto") {
		fit = 1
	}
	k, err := n.floats("size", g.SizeM[:], 0)
	if err != nil {
		return err
	}
	if k < sizes[g.Kind][fit] {
		return fmt.Errorf("%s attribute %q: %d numbers, a %s needs %d", n.where(), "size", k, g.Kind, sizes[g.Kind][fit])
	}
	for i := 0; i < sizes[g.Kind][fit]; i++ {
		if g.SizeM[i] <= 0 && g.Kind != Plane {
			return n.fail("size", "has a size that is not positive")
		}
	}
	if fit == 0 {
		return nil
	}
	if g.Kind == Plane || g.Kind == Sphere {
		return n.fail("fromto", fmt.Sprintf("is not legal for a %s; legal: for capsules, cylinders, boxes, ellipsoids", g.Kind))
	}
	var half float64
	if g.PosM, g.Quat, half, err = ends(n); err != nil {
		return err
	}
	if g.Kind == Box || g.Kind == Ellipsoid {
		g.SizeM[1], g.SizeM[2] = g.SizeM[0], half
	} else {
		g.SizeM[1] = half
	}
	return nil
}

// ends reads "fromto": the middle between two ends, the turn of z into their direction, and half their distance.
func ends(n *node) (mid spatial.Vec3, turn spatial.Quat, half float64, err error) {
	var e [6]float64
	if _, err = n.floats("fromto", e[:], 6); err != nil {
		return mid, turn, 0, err
	}
	a, b := spatial.Vec3{e[0], e[1], e[2]}, spatial.Vec3{e[3], e[4], e[5]}
	along := a.Sub(b) // MuJoCo's local z points from the second end to the first
	if along.Norm() < 1e-10 {
		return mid, turn, 0, n.fail("fromto", "has length zero")
	}
	return a.Lerp(b, 0.5), turnZ(along), along.Norm() / 2, nil
}

// Volume returns the volume in m^3; 0 for planes and meshes.
func (g Geom) Volume() float64 {
	s := g.SizeM
	switch g.Kind {
	case Sphere:
		return 4. / 3 * math.Pi * s[0] * s[0] * s[0]
	case Capsule:
		return math.Pi*s[0]*s[0]*2*s[1] + 4./3*math.Pi*s[0]*s[0]*s[0]
	case Ellipsoid:
		return 4. / 3 * math.Pi * s[0] * s[1] * s[2]
	case Cylinder:
		return math.Pi * s[0] * s[0] * 2 * s[1]
	case Box:
		return 8 * s[0] * s[1] * s[2]
	}
	return 0
}

// inertia returns the principal moments in kg m^2 of a solid of the given mass, along the shape's own axes.
func (g Geom) inertia(mass float64) spatial.Vec3 {
	s := g.SizeM
	switch g.Kind {
	case Sphere:
		i := 2. / 5 * mass * s[0] * s[0]
		return spatial.Vec3{i, i, i}
	case Capsule:
		// A cylinder and two half balls sharing the mass by volume; a half ball's own centre of mass lies 3r/8
		// from its flat face.
		r, h := s[0], 2*s[1]
		vc, vs := math.Pi*r*r*h, 4./3*math.Pi*r*r*r
		mc, ms := mass*vc/(vc+vs), mass*vs/(vc+vs)
		z := mc*r*r/2 + 2./5*ms*r*r
		x := mc*(3*r*r+h*h)/12 + ms*(2./5*r*r+3./8*r*h+h*h/4)
		return spatial.Vec3{x, x, z}
	case Ellipsoid:
		a, b, c := s[0]*s[0], s[1]*s[1], s[2]*s[2]
		return spatial.Vec3{b + c, a + c, a + b}.Scale(mass / 5)
	case Cylinder:
		r, h := s[0], 2*s[1]
		x := mass * (3*r*r + h*h) / 12
		return spatial.Vec3{x, x, mass * r * r / 2}
	case Box:
		a, b, c := s[0]*s[0], s[1]*s[1], s[2]*s[2]
		return spatial.Vec3{b + c, a + c, a + b}.Scale(mass / 3)
	}
	return spatial.Vec3{}
}

// rotatedInertia turns principal moments into the matrix along the outer axes: R diag R^T.
func rotatedInertia(q spatial.Quat, diag spatial.Vec3) (out [3][3]float64) {
	var ax [3]spatial.Vec3
	ax[0], ax[1], ax[2] = q.Axes()
	for k := 0; k < 3; k++ {
		for i := 0; i < 3; i++ {
			for j := 0; j < 3; j++ {
				out[i][j] += ax[k][i] * diag[k] * ax[k][j]
			}
		}
	}
	return out
}

// turned returns the matrix in the outer axes: R in R^T.
func turned(q spatial.Quat, in [3][3]float64) (out [3][3]float64) {
	var ax [3]spatial.Vec3
	ax[0], ax[1], ax[2] = q.Axes()
	for k := range in {
		for l := range in {
			for i := range out {
				for j := range out {
					out[i][j] += ax[k][i] * in[k][l] * ax[l][j]
				}
			}
		}
	}
	return out
}

// positive reports whether sign*m + add*1 has no negative principal value, to rounding: by its leading minors
// (Sylvester's criterion).
func positive(m [3][3]float64, sign, add float64) bool {
	var size float64
	for i := range m {
		for k := range m {
			m[i][k] *= sign
			size += math.Abs(m[i][k])
		}
	}
	for k := range m {
		m[k][k] += add + 1e-12*size
	}
	minor := m[0][0]*m[1][1] - m[0][1]*m[1][0]
	det := m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) + m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	return m[0][0] >= 0 && minor >= 0 && det >= 0
}

// addShifted adds inertia in, of a mass whose centre is d away from the reference point (parallel axes).
func addShifted(dst *[3][3]float64, in [3][3]float64, mass float64, d spatial.Vec3) {
	dd := d.Dot(d)
	for i := 0; i < 3; i++ {
		for j := 0; j < 3; j++ {
			v := in[i][j] - mass*d[i]*d[j]
			if i == j {
				v += mass * dd
			}
			dst[i][j] += v
		}
	}
}
