package mjcf

import (
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// units holds the compiler settings that change the meaning of numbers.
type units struct {
	rad        float64 // one angle unit of the file in rad
	eulerseq   string
	autolimits bool
}

func readUnits(c *node) (units, error) {
	u := units{rad: math.Pi / 180, eulerseq: "xyz", autolimits: true}
	if c == nil {
		return u, nil
	}
	switch c.attr["angle"] {
	case "radian":
		u.rad = 1
	case "", "degree":
	default:
		return u, c.fail("angle", "is not legal; legal: degree, radian")
	}
	if s, ok := c.attr["eulerseq"]; ok {
		if len(s) != 3 || strings.Trim(s, "xyzXYZ") != "" {
			return u, c.fail("eulerseq", "is not legal; legal: three letters of xyzXYZ")
		}
		u.eulerseq = s
	}
	var err error
	u.autolimits, err = c.tristate("autolimits", true)
	return u, err
}

// orientation reads whichever orientation attribute the element has; identity if none.
func (u units) orientation(n *node) (spatial.Quat, error) {
	id := spatial.Identity()
	switch {
	case n.has("quat"):
		var q spatial.Quat
		if _, err := n.floats("quat", q[:], 4); err != nil {
			return id, err
		}
		if math.Sqrt(q.Dot(q)) < 1e-10 {
			return id, n.fail("quat", "has length zero")
		}
		return q.Normalize(), nil
	case n.has("axisangle"):
		var a [4]float64
		if _, err := n.floats("axisangle", a[:], 4); err != nil {
			return id, err
		}
		return spatial.FromAxisAngle(spatial.Vec3{a[0], a[1], a[2]}, a[3]*u.rad), nil
	case n.has("euler"):
		var e [3]float64
		if _, err := n.floats("euler", e[:], 3); err != nil {
			return id, err
		}
		q := id
		for i := 0; i < 3; i++ {
			c := u.eulerseq[i]
			var axis spatial.Vec3
			axis[(c|0x20)-'x'] = 1
			r := spatial.FromAxisAngle(axis, e[i]*u.rad)
			if c >= 'x' { // lower case turns with the frame, upper case about fixed axes
				q = q.Mul(r)
			} else {
				q = r.Mul(q)
			}
		}
		return q, nil
	case n.has("xyaxes"):
		var a [6]float64
		if _, err := n.floats("xyaxes", a[:], 6); err != nil {
			return id, err
		}
		x := spatial.Vec3{a[0], a[1], a[2]}.Unit(spatial.Vec3{1, 0, 0})
		y := spatial.Vec3{a[3], a[4], a[5]}
		y = y.Sub(x.Scale(x.Dot(y)))
		z := x.Cross(y)
		if z.Norm() < 1e-10 {
			return id, n.fail("xyaxes", "has parallel axes")
		}
		return spatial.FromAxes(x, y.Unit(y), z.Unit(z)), nil
	case n.has("zaxis"):
		var z spatial.Vec3
		if _, err := n.floats("zaxis", z[:], 3); err != nil {
			return id, err
		}
		if z.Norm() < 1e-10 {
			return id, n.fail("zaxis", "has length zero")
		}
		return turnZ(z), nil
	}
	return id, nil
}

// turnZ returns the shortest turn that brings z to the direction of v. For one that points straight down, where every
// horizontal axis would do, MuJoCo turns about x.
func turnZ(v spatial.Vec3) spatial.Quat {
	axis := spatial.Vec3{-v[1], v[0], 0}
	sin := axis.Norm()
	if sin < 1e-10*v.Norm() {
		axis = spatial.Vec3{1, 0, 0}
	}
	return spatial.FromAxisAngle(axis, math.Atan2(sin, v[2]))
}

// pose reads pos and orientation.
func (u units) pose(n *node) (spatial.Vec3, spatial.Quat, error) {
	var p spatial.Vec3
	if _, err := n.floats("pos", p[:], 3); err != nil {
		return p, spatial.Quat{}, err
	}
	q, err := u.orientation(n)
	return p, q, err
}
