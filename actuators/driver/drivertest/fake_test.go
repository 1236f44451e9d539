package drivertest

import "testing"

func TestFakeConforms(t *testing.T) {
	Conform(t, func(*testing.T) Rig {
		f := NewFake(3)
		return Rig{Driver: f, Joints: 3, SafeRad: []float64{0.3, -0.2, 0}, ResolutionRad: 1e-9,
			Pass: func() {}, Now: f.Now,
			Cut: func() { f.Gone = true }, Torque: func() int {
				if f.TorqueOn {
					return 3
				}
				return 0
			}}
	})
}
