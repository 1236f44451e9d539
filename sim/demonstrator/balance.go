package demonstrator

import "math"

// gravityMPerS2 is standard gravity.
const gravityMPerS2 = 9.80665

// floorPath is a smooth curve in the floor plane sampled on a fixed grid.
type floorPath struct {
	dtS  float64
	x, y []float64
}

// balance finds the path of the centre of mass that puts the pressure point
// where pressure(t) says, for a body whose centre of mass stays near heightM:
// the cart-table model of Kajita et al. (2003),
//
//	pressure = com - height/g * d2com/dt2,
//
// solved as a boundary value problem with the body at rest at both ends. So a
// slow motion has its centre of mass over the stance foot and a brisk one sways
// just as far as a person would.
func balance(durationS, heightM float64, pressure func(tS float64) (x, y float64)) floorPath {
	const dtS = 0.01
	n := int(math.Ceil(durationS/dtS-1e-9)) + 1
	t := floorPath{dtS: dtS, x: make([]float64, n), y: make([]float64, n)}
	for i := range n {
		t.x[i], t.y[i] = pressure(float64(i) * dtS)
	}
	k := heightM / (gravityMPerS2 * dtS * dtS)
	solveSmooth(t.x, k)
	solveSmooth(t.y, k)
	return t
}

// solveSmooth replaces p by the c with c[i] - k (c[i-1] - 2 c[i] + c[i+1]) = p[i],
// mirrored at the ends: a tridiagonal system, by Thomas' algorithm.
func solveSmooth(p []float64, k float64) {
	n := len(p)
	if n < 2 {
		return
	}
	upper := make([]float64, n)
	diag := 1 + k
	upper[0] = -k / diag
	p[0] /= diag
	for i := 1; i < n; i++ {
		diag = 1 + 2*k
		if i == n-1 {
			diag = 1 + k
		}
		diag += k * upper[i-1]
		upper[i] = -k / diag
		p[i] = (p[i] + k*p[i-1]) / diag
	}
	for i := n - 2; i >= 0; i-- {
		p[i] -= upper[i] * p[i+1]
	}
}

// at interpolates with a cubic through four grid points (Catmull-Rom).
func (t floorPath) at(tS float64) (x, y float64) {
	u := math.Max(0, math.Min(tS/t.dtS, float64(len(t.x)-1)))
	i := min(int(u), len(t.x)-2)
	f := u - float64(i)
	get := func(v []float64) float64 {
		a, b, c, d := v[max(i-1, 0)], v[i], v[i+1], v[min(i+2, len(v)-1)]
		return b + f/2*(c-a+f*(2*a-5*b+4*c-d+f*(3*(b-c)+d-a)))
	}
	return get(t.x), get(t.y)
}
