package drivertest

import (
	"math"
	"testing"
)

func TestFakeConforms(t *testing.T) {
	Conform(t, func(*testing.T) Rig {
		f := NewFake(3)
		return Rig{Driver: clamped{f}, Joints: 3, SafeRad: []float64{0.3, -0.2, 0}, ResolutionRad: 1e-9,
			Pass: func() {}, Cut: func() { f.Gone = true }}
	})
}

// clamped gives the fake the range that a real servo has.
type clamped struct{ *Fake }

func (c clamped) Write(applied, goalsRad []float64) error {
	for j, q := range goalsRad {
		if !math.IsNaN(q) && !math.IsInf(q, 0) {
			goalsRad[j] = min(max(q, -math.Pi), math.Pi)
		}
	}
	return c.Fake.Write(applied, goalsRad)
}
