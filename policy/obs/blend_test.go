package obs

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// A blend starts with the pose, speed and phase that it takes over, ends in the pose that it leads to, at rest, and
// its speeds are the slopes of its poses: nothing jumps.
func TestBlendJoinsBothEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	const joints, periods, periodS = 3, 400, 0.002
	some := func() *RefFrame {
		f := &RefFrame{RootQuat: spatial.Exp(spatial.Vec3{rng.NormFloat64() / 4, rng.NormFloat64() / 4, rng.NormFloat64()})}
		for range joints {
			f.JointPosRad, f.JointVelRadPerS = append(f.JointPosRad, rng.NormFloat64()), append(f.JointVelRadPerS, 3*rng.NormFloat64())
		}
		f.Gravity = spatial.GravityInBase(f.RootQuat)
		return f
	}
	r := NewBlend(joints, periods)
	for range 50 {
		from, to, phase := some(), some(), rng.Float64()
		r.Blend(from, to, phase, periodS)
		first, last := r.At(0), r.At(periods)
		for j := range joints {
			near(t, "start", first.JointPosRad[j], from.JointPosRad[j], 1e-12)
			near(t, "starting speed", first.JointVelRadPerS[j], from.JointVelRadPerS[j], 1e-12)
			near(t, "end", last.JointPosRad[j], to.JointPosRad[j], 1e-9)
			near(t, "end speed", last.JointVelRadPerS[j], 0, 1e-9)
			for k := 1; k < periods; k++ {
				slope := (r.At(k + 1).JointPosRad[j] - r.At(k - 1).JointPosRad[j]) / (2 * periodS)
				near(t, "speed", r.At(k).JointVelRadPerS[j], slope, 0.01)
			}
		}
		near(t, "phase at the start", r.Phase(0), phase, 1e-12)
		near(t, "phase at the end", r.Phase(periods), 1, 1e-12)
		near(t, "down at the start", first.Gravity.Sub(from.Gravity).Norm(), 0, 1e-9)
		near(t, "down at the end", last.Gravity.Sub(to.Gravity).Norm(), 0, 1e-9) // whichever way it looks
		near(t, "heading", math.Remainder(last.RootQuat.YawRad()-from.RootQuat.YawRad(), 2*math.Pi), 0, 1e-9)
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Fatalf("%s: %g, want %g", what, got, want)
	}
}
