package metrics

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// alignScale returns the mean distance between b and the best-scaled a, both
// centred on their first point (the pelvis).
func alignScale(a, b []spatial.Vec3) float64 {
	var ab, aa float64
	for i := range a {
		p, q := a[i].Sub(a[0]), b[i].Sub(b[0])
		ab += p.Dot(q)
		aa += p.Dot(p)
	}
	s := 1.0
	if aa > 0 {
		s = ab / aa
	}
	sum := 0.0
	for i := range a {
		sum += a[i].Sub(a[0]).Scale(s).Sub(b[i].Sub(b[0])).Norm()
	}
	return sum / float64(len(a))
}

// alignSimilarity returns the mean distance between b and a after the rotation,
// scale and translation of a that fit b best in the least squares sense, without
// reflection (Horn, Closed-form solution of absolute orientation using unit
// quaternions, 1987).
func alignSimilarity(a, b []spatial.Vec3) float64 {
	n := float64(len(a))
	var ca, cb spatial.Vec3
	for i := range a {
		ca, cb = ca.Add(a[i]), cb.Add(b[i])
	}
	ca, cb = ca.Scale(1/n), cb.Scale(1/n)
	var s [3][3]float64
	aa := 0.0
	for i := range a {
		p, q := a[i].Sub(ca), b[i].Sub(cb)
		aa += p.Dot(p)
		for r := range 3 {
			for c := range 3 {
				s[r][c] += p[r] * q[c]
			}
		}
	}
	rot := hornRotation(s)
	trace := 0.0
	for i := range a {
		trace += rot.Rotate(a[i].Sub(ca)).Dot(b[i].Sub(cb))
	}
	scale := 1.0
	if aa > 0 {
		scale = trace / aa
	}
	sum := 0.0
	for i := range a {
		sum += rot.Rotate(a[i].Sub(ca)).Scale(scale).Sub(b[i].Sub(cb)).Norm()
	}
	return sum / n
}

// hornRotation returns the rotation q that maximises sum b . (q a) for the
// cross-covariance s = sum a b^T: the eigenvector of the largest eigenvalue of
// Horn's symmetric 4x4 matrix, by Jacobi rotations.
func hornRotation(s [3][3]float64) spatial.Quat {
	m := [4][4]float64{
		{s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]},
		{0, s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]},
		{0, 0, -s[0][0] + s[1][1] - s[2][2], s[1][2] + s[2][1]},
		{0, 0, 0, -s[0][0] - s[1][1] + s[2][2]},
	}
	for r := range 4 {
		for c := range r {
			m[r][c] = m[c][r]
		}
	}
	v := [4][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}
	for range 32 {
		off := 0.0
		for p := range 4 {
			for q := p + 1; q < 4; q++ {
				off += m[p][q] * m[p][q]
				if math.Abs(m[p][q]) < 1e-300 {
					continue
				}
				theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
				t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(theta*theta+1))
				c := 1 / math.Sqrt(t*t+1)
				sn := t * c
				for k := range 4 {
					m[k][p], m[k][q] = c*m[k][p]-sn*m[k][q], sn*m[k][p]+c*m[k][q]
				}
				for k := range 4 {
					m[p][k], m[q][k] = c*m[p][k]-sn*m[q][k], sn*m[p][k]+c*m[q][k]
				}
				for k := range 4 {
					v[k][p], v[k][q] = c*v[k][p]-sn*v[k][q], sn*v[k][p]+c*v[k][q]
				}
			}
		}
		if off < 1e-30 {
			break
		}
	}
	best := 0
	for k := range 4 {
		if m[k][k] > m[best][best] {
			best = k
		}
	}
	return spatial.Quat{v[0][best], v[1][best], v[2][best], v[3][best]}.Normalize()
}
