package spatial

import (
	"math"
	"math/rand/v2"
	"testing"
)

func randomQuat(r *rand.Rand) Quat {
	return Quat{r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}.Normalize()
}

func randomVec(r *rand.Rand) Vec3 { return Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()} }

func near(t *testing.T, what string, a, b Vec3) {
	t.Helper()
	// 1e-9: a few dozen float64 operations on values of order one.
	if a.Sub(b).Norm() > 1e-9 {
		t.Fatalf("%s: %v != %v", what, a, b)
	}
}

func TestRotationAxioms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		q, p, v := randomQuat(r), randomQuat(r), randomVec(r)
		near(t, "composition", q.Mul(p).Rotate(v), q.Rotate(p.Rotate(v)))
		near(t, "inverse", q.Inv().Rotate(q.Rotate(v)), v)
		near(t, "exp(log)", Exp(q.Log()).Rotate(v), q.Rotate(v))
		x, y, z := q.Axes()
		near(t, "axes", FromAxes(x, y, z).Rotate(v), q.Rotate(v))
		near(t, "slerp end", q.Slerp(p, 1).Rotate(v), p.Rotate(v))
		a, b := randomVec(r).Unit(Vec3{}), randomVec(r).Unit(Vec3{})
		near(t, "between", Between(a, b).Rotate(a), b)
		if math.Abs(q.Rotate(v).Norm()-v.Norm()) > 1e-9 {
			t.Fatal("rotation changes length")
		}
	}
	near(t, "between opposite", Between(Vec3{0, 0, 1}, Vec3{0, 0, -1}).Rotate(Vec3{0, 0, 1}), Vec3{0, 0, -1})
}

func TestYawAndGravity(t *testing.T) {
	for _, yaw := range []float64{-3, -1, 0, 0.5, 3} {
		if got := FromYaw(yaw).YawRad(); math.Abs(got-yaw) > 1e-12 {
			t.Errorf("yaw %g comes back as %g", yaw, got)
		}
		near(t, "gravity is blind to yaw", GravityInBase(FromYaw(yaw)), Vec3{0, 0, -1})
	}
	if tilt := FromAxisAngle(Vec3{1, 0, 0}, 0.3).TiltRad(); math.Abs(tilt-0.3) > 1e-12 {
		t.Errorf("tilt %g, want 0.3", tilt)
	}
}

// TestSmallTiltsKeepTheirDigits: tilts from the nearly upright to the upside down come back whatever the heading, by the
// quaternion, by gravity as a sensor gives it, and as the angle between two directions. The arc cosine gives 0 for 1e-9.
func TestSmallTiltsKeepTheirDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, want := range []float64{0, 1e-12, 1e-9, 1e-5, 0.3, 1.5, 3, math.Pi - 1e-9, math.Pi} {
		heading := FromYaw(6 * r.Float64())
		axis := Vec3{r.NormFloat64(), r.NormFloat64(), 0}
		q := heading.Mul(FromAxisAngle(axis, want))
		down := GravityInBase(q)
		for what, got := range map[string]float64{"quaternion": q.TiltRad(), "gravity": TiltRad(down),
			"long gravity": TiltRad(down.Scale(9.8)), "directions": down.AngleRad(Vec3{0, 0, -2})} {
			if math.Abs(got-want) > 1e-15+1e-15*want {
				t.Errorf("%s: %.17g, want %.17g", what, got, want)
			}
		}
	}
	if got := (Vec3{}).AngleRad(Vec3{1, 2, 3}); got != 0 {
		t.Errorf("no direction: %g", got)
	}
}
