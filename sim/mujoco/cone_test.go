//go:build mujoco && cgo

package mujoco

import (
	"math"
	"testing"
)

const slider = `<mujoco><option timestep="0.001"/><worldbody><geom type="plane" size="5 5 1" friction="0.5 0 0"/>
<body pos="0 0 0.02"><freejoint/><geom type="box" size="0.1 0.1 0.02" mass="1" friction="0.5 0 0"/></body></worldbody></mujoco>`

// way is how far a box slides that starts at 1 m/s in a direction.
func way(t *testing.T, cone Cone, headingRad float64) float64 {
	t.Helper()
	m, err := Load("slider.xml", []byte(slider), nil)
	must(t, err)
	t.Cleanup(m.Close)
	m.SetCone(cone)
	d := newData(t, m)
	d.QVel[0], d.QVel[1] = math.Cos(headingRad), math.Sin(headingRad)
	for range 1000 {
		must(t, d.Step(1))
	}
	return math.Hypot(d.QPos[0], d.QPos[1])
}

// With elliptic cones a box slides v^2 / (2 mu g) in every direction, as
// Coulomb's law says; a pyramid has less grip along its diagonal.
func TestConesDifferAlongTheDiagonal(t *testing.T) {
	law := 1 / (2 * 0.5 * 9.81)
	for _, heading := range []float64{0, math.Pi / 8, math.Pi / 4} {
		if got := way(t, Elliptic, heading); math.Abs(got-law) > 0.05*law {
			t.Errorf("elliptic, %.0f degrees: %.1f mm; want %.1f", heading*180/math.Pi, 1e3*got, 1e3*law)
		}
	}
	straight, diagonal := way(t, Pyramidal, 0), way(t, Pyramidal, math.Pi/4)
	if math.Abs(straight-law) > 0.05*law || diagonal < 1.2*straight {
		t.Errorf("pyramidal: %.1f mm straight, %.1f mm along the diagonal; want %.1f and a fifth more", 1e3*straight, 1e3*diagonal, 1e3*law)
	}
}
