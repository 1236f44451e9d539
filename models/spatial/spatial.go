// Package spatial holds the small three-dimensional maths that every stage
// shares: vectors, unit quaternions (w, x, y, z) and rotation vectors.
//
// Frames follow the rule "worldFromBase maps base coordinates to world
// coordinates". Euler angles are absent on purpose: they appear only at the
// edges (file import, IMU registers). All functions are pure and safe for
// concurrent use; none allocates.
package spatial

import "math"

// Vec3 is a vector in metres (or m/s, rad/s, N m where the name says so).
type Vec3 [3]float64

// Add returns a + b.
func (a Vec3) Add(b Vec3) Vec3 { return Vec3{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }

// Sub returns a - b.
func (a Vec3) Sub(b Vec3) Vec3 { return Vec3{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }

// Scale returns s a.
func (a Vec3) Scale(s float64) Vec3 { return Vec3{s * a[0], s * a[1], s * a[2]} }

// Dot returns the inner product.
func (a Vec3) Dot(b Vec3) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// Cross returns the vector product a x b.
func (a Vec3) Cross(b Vec3) Vec3 {
	return Vec3{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// Norm returns the Euclidean length.
func (a Vec3) Norm() float64 { return math.Sqrt(a.Dot(a)) }

// Unit returns a / |a|, or fallback when |a| is below 1e-12.
func (a Vec3) Unit(fallback Vec3) Vec3 {
	n := a.Norm()
	if n < 1e-12 {
		return fallback
	}
	return a.Scale(1 / n)
}

// Lerp returns (1-t) a + t b.
func (a Vec3) Lerp(b Vec3, t float64) Vec3 { return a.Scale(1 - t).Add(b.Scale(t)) }

// Quat is a quaternion (w, x, y, z). Rotations are unit quaternions.
type Quat [4]float64

// Identity is the rotation that changes nothing.
func Identity() Quat { return Quat{1, 0, 0, 0} }

// Mul returns the Hamilton product q p: first p, then q.
func (q Quat) Mul(p Quat) Quat {
	return Quat{
		q[0]*p[0] - q[1]*p[1] - q[2]*p[2] - q[3]*p[3],
		q[0]*p[1] + q[1]*p[0] + q[2]*p[3] - q[3]*p[2],
		q[0]*p[2] - q[1]*p[3] + q[2]*p[0] + q[3]*p[1],
		q[0]*p[3] + q[1]*p[2] - q[2]*p[1] + q[3]*p[0],
	}
}

// Inv returns the inverse of a unit quaternion.
func (q Quat) Inv() Quat { return Quat{q[0], -q[1], -q[2], -q[3]} }

// Dot returns the inner product of the four components.
func (q Quat) Dot(p Quat) float64 { return q[0]*p[0] + q[1]*p[1] + q[2]*p[2] + q[3]*p[3] }

// Rotate returns q v q^-1.
func (q Quat) Rotate(v Vec3) Vec3 {
	// v + w t + u x t with t = 2 u x v, written out: the compiler keeps scalars in registers, arrays in memory.
	w, x, y, z := q[0], q[1], q[2], q[3]
	tx, ty, tz := 2*(y*v[2]-z*v[1]), 2*(z*v[0]-x*v[2]), 2*(x*v[1]-y*v[0])
	return Vec3{v[0] + w*tx + (y*tz - z*ty), v[1] + w*ty + (z*tx - x*tz), v[2] + w*tz + (x*ty - y*tx)}
}

// Normalize returns q / |q|, or the identity when |q| is below 1e-12.
func (q Quat) Normalize() Quat {
	n := math.Sqrt(q.Dot(q))
	if n < 1e-12 {
		return Identity()
	}
	return Quat{q[0] / n, q[1] / n, q[2] / n, q[3] / n}
}

// FromAxisAngle returns the rotation by angleRad about axis (need not be unit).
func FromAxisAngle(axis Vec3, angleRad float64) Quat {
	a := axis.Unit(Vec3{0, 0, 1})
	s, c := math.Sincos(angleRad / 2)
	return Quat{c, s * a[0], s * a[1], s * a[2]}
}

// Exp maps a rotation vector (axis times angle, rad) to a unit quaternion.
func Exp(rotvec Vec3) Quat {
	angle := rotvec.Norm()
	if angle < 1e-9 {
		return Quat{1, rotvec[0] / 2, rotvec[1] / 2, rotvec[2] / 2}.Normalize()
	}
	return FromAxisAngle(rotvec, angle)
}

// Log maps a unit quaternion to its rotation vector with angle in [0, pi].
func (q Quat) Log() Vec3 {
	if q[0] < 0 {
		q = Quat{-q[0], -q[1], -q[2], -q[3]}
	}
	v := Vec3{q[1], q[2], q[3]}
	s := v.Norm()
	if s < 1e-12 {
		return v.Scale(2)
	}
	return v.Scale(2 * math.Atan2(s, q[0]) / s)
}

// Slerp interpolates along the shortest arc; t in [0, 1].
func (q Quat) Slerp(p Quat, t float64) Quat {
	return q.Mul(Exp(q.Inv().Mul(p).Log().Scale(t))).Normalize()
}

// Between returns the smallest rotation that maps direction a onto b.
func Between(a, b Vec3) Quat {
	a, b = a.Unit(Vec3{0, 0, 1}), b.Unit(Vec3{0, 0, 1})
	w := 1 + a.Dot(b)
	if w < 1e-9 { // opposite: any axis normal to a
		n := a.Cross(Vec3{1, 0, 0})
		if n.Norm() < 1e-6 {
			n = a.Cross(Vec3{0, 1, 0})
		}
		return FromAxisAngle(n, math.Pi)
	}
	c := a.Cross(b)
	return Quat{w, c[0], c[1], c[2]}.Normalize()
}

// FromAxes returns the rotation whose columns are the orthonormal right-handed
// axes x, y, z (images of the unit vectors).
func FromAxes(x, y, z Vec3) Quat {
	// Shepperd's method: divide by the largest of the four components.
	t := x[0] + y[1] + z[2]
	var q Quat
	switch {
	case t > 0:
		s := 2 * math.Sqrt(1+t)
		q = Quat{s / 4, (y[2] - z[1]) / s, (z[0] - x[2]) / s, (x[1] - y[0]) / s}
	case x[0] > y[1] && x[0] > z[2]:
		s := 2 * math.Sqrt(1+x[0]-y[1]-z[2])
		q = Quat{(y[2] - z[1]) / s, s / 4, (y[0] + x[1]) / s, (z[0] + x[2]) / s}
	case y[1] > z[2]:
		s := 2 * math.Sqrt(1+y[1]-x[0]-z[2])
		q = Quat{(z[0] - x[2]) / s, (y[0] + x[1]) / s, s / 4, (z[1] + y[2]) / s}
	default:
		s := 2 * math.Sqrt(1+z[2]-x[0]-y[1])
		q = Quat{(x[1] - y[0]) / s, (z[0] + x[2]) / s, (z[1] + y[2]) / s, s / 4}
	}
	return q.Normalize()
}

// Axes returns the images of the three unit vectors (columns of the matrix).
func (q Quat) Axes() (x, y, z Vec3) {
	return q.Rotate(Vec3{1, 0, 0}), q.Rotate(Vec3{0, 1, 0}), q.Rotate(Vec3{0, 0, 1})
}

// YawRad returns the heading of the rotated x axis about world z.
func (q Quat) YawRad() float64 {
	x := q.Rotate(Vec3{1, 0, 0})
	return math.Atan2(x[1], x[0])
}

// Yawed turns a about z.
func (a Vec3) Yawed(yawRad float64) Vec3 {
	s, c := math.Sincos(yawRad)
	return Vec3{c*a[0] - s*a[1], s*a[0] + c*a[1], a[2]}
}

// FromYaw returns a rotation about world z.
func FromYaw(yawRad float64) Quat { return FromAxisAngle(Vec3{0, 0, 1}, yawRad) }

// GravityInBase returns the unit "down" direction seen from a body with the
// given orientation: (0, 0, -1) when upright.
func GravityInBase(worldFromBase Quat) Vec3 {
	return worldFromBase.Inv().Rotate(Vec3{0, 0, -1})
}

// TiltRad returns the angle between the body's z axis and world up.
func (q Quat) TiltRad() float64 { return TiltRad(GravityInBase(q)) }

// TiltRad returns the angle between a body's z axis and the vertical, from where gravity pulls as the body sees it (of
// any length). The arc tangent keeps all digits near upright, where the arc cosine loses half of them.
func TiltRad(gravityDir Vec3) float64 {
	return math.Atan2(math.Hypot(gravityDir[0], gravityDir[1]), -gravityDir[2])
}

// AngleRad returns the angle between a and b, in [0, pi]; 0 where one of them has no length.
func (a Vec3) AngleRad(b Vec3) float64 { return math.Atan2(a.Cross(b).Norm(), a.Dot(b)) }
