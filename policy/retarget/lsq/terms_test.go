package lsq

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// bent returns kata20 in a random pose off its standing one, and that pose.
func bent(t testing.TB, seed uint64) (*kin.Model, *anatomy.Anatomy, []float64) {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	an, err := b.Humanoid()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	step, q := make([]float64, b.Kin.Tree.NV), make([]float64, len(an.Ref))
	for i := range step {
		step[i] = 0.3 * rng.NormFloat64()
	}
	b.Kin.Integrate(q, an.Ref, step)
	return b.Kin, an, q
}

func posed(m *kin.Model, q []float64) *kin.Data {
	d := m.NewData()
	m.Forward(d, q)
	return d
}

// all are one of every kind of term, far from met but for rotations, whose Jacobian is exact only there.
func all(m *kin.Model, an *anatomy.Anatomy, d *kin.Data) map[string]Term {
	active := make([]int, m.Tree.NV)
	for i := range active {
		active[i] = i
	}
	leg, arm := &an.Legs[0], &an.Arms[1]
	local := spatial.Exp(spatial.Vec3{0.3, -0.2, 0.5})
	segment := Segment{Model: m, From: arm.Elbow, To: arm.End, Limb: m.Path(arm.End.Body), Want: spatial.Vec3{0.6, 0, 0.8}, Gain: 4}
	upper := segment
	upper.From, upper.To = arm.Shoulder, arm.Elbow
	upper.Limb = m.Path(arm.Elbow.Body)
	return map[string]Term{
		"place":          Place{Model: m, Body: leg.Foot, Local: spatial.Vec3{0.02, 0.01, -0.03}, Want: spatial.Vec3{1, 2, 3}, PerM: 3.7, Gain: 4},
		"height":         Height{Model: m, Body: an.Root, Local: spatial.Vec3{0.1, 0.2, 0}, WantM: 2, PerM: 3.7, Gain: 4},
		"centre of mass": CentreOfMass{Model: m, Active: active, Want: [2]float64{0.4, -0.1}, PerM: 3.7, Gain: 4},
		"rotation":       Rotation{Model: m, Body: leg.Foot, Local: local, Want: d.BodyRot[leg.Foot].Mul(local), Gain: 4},
		"forearm":        segment,
		"upper arm":      upper,
	}
}

// TestJacobiansAreTheDerivatives compares every column of every term with centred differences of its residual, and
// those of the joints that it says it does not depend on with zero.
func TestJacobiansAreTheDerivatives(t *testing.T) {
	const h = 1e-5
	for seed := range uint64(5) {
		m, an, q := bent(t, seed)
		d := posed(m, q)
		for name, term := range all(m, an, d) {
			depends := map[int]bool{}
			for _, i := range term.Dofs() {
				depends[i] = true
			}
			_, rows := term.Residual(d)
			for i := range m.Tree.NV {
				step, moved := make([]float64, m.Tree.NV), make([]float64, len(q))
				step[i] = h
				m.Integrate(moved, q, step)
				up, _ := term.Residual(posed(m, moved))
				step[i] = -h
				m.Integrate(moved, q, step)
				down, _ := term.Residual(posed(m, moved))
				var want spatial.Vec3
				if depends[i] {
					want = term.Column(d, i)
				}
				for k := range rows {
					if got := -(up[k] - down[k]) / (2 * h); math.Abs(got-want[k]) > 1e-6 {
						t.Fatalf("seed %d, %s, dof %d, row %d: %g by differences, %g", seed, name, i, k, got, want[k])
					}
				}
			}
		}
	}
}

// TestClearanceGrowsTheGap: its column is how fast the distance from a point that stays grows.
func TestClearanceGrowsTheGap(t *testing.T) {
	const h = 1e-6
	m, an, q := bent(t, 7)
	d := posed(m, q)
	hand, still := an.Arms[0].End, spatial.Vec3{0.3, 0.4, 0.1}
	at := hand.At(d)
	c := Clearance{Model: m, Body: hand.Body, At: at, Away: at.Sub(still).Unit(spatial.Vec3{}), GapM: at.Sub(still).Norm(), LeastM: 2, Gain: 1}
	if r, rows := c.Residual(d); rows != 1 || math.Abs(r[0]-(2-c.GapM)) > 1e-12 {
		t.Errorf("residual %g of %d rows", r[0], rows)
	}
	for _, i := range c.Dofs() {
		step, moved := make([]float64, m.Tree.NV), make([]float64, len(q))
		step[i] = h
		m.Integrate(moved, q, step)
		gap := hand.At(posed(m, moved)).Sub(still).Norm()
		if got := (gap - c.GapM) / h; math.Abs(got-c.Column(d, i)[0]) > 1e-5 {
			t.Errorf("dof %d: %g by differences, %g", i, got, c.Column(d, i)[0])
		}
	}
}

// TestTermsAreMetWhereTheyAre: wanting what there is leaves no residual; units and weights are those given.
func TestTermsAreMetWhereTheyAre(t *testing.T) {
	m, an, q := bent(t, 3)
	d := posed(m, q)
	arm := &an.Arms[0]
	dir := arm.Elbow.At(d).Sub(arm.Shoulder.At(d)).Unit(spatial.Vec3{})
	for name, c := range map[string]struct {
		term Term
		unit Unit
		rows int
	}{
		"place":          {Place{Model: m, Body: an.Legs[1].Foot, Want: d.Point(an.Legs[1].Foot, spatial.Vec3{}), PerM: 4, Gain: 5}, Legs, 3},
		"height":         {Height{Model: m, Body: an.Root, WantM: d.BodyPos[an.Root][2], PerM: 4, Gain: 5}, Legs, 1},
		"centre of mass": {CentreOfMass{Model: m, Want: [2]float64{d.ComM[0], d.ComM[1]}, PerM: 4, Gain: 5}, Legs, 2},
		"rotation":       {Rotation{Model: m, Body: an.Root, Local: spatial.Identity(), Want: d.BodyRot[an.Root], Gain: 5}, Rad, 3},
		"segment":        {Segment{Model: m, From: arm.Shoulder, To: arm.Elbow, Want: dir, Gain: 5}, Direction, 3},
		"clearance":      {Clearance{GapM: 0.1, LeastM: 0.1, Gain: 5}, Metres, 1},
	} {
		r, rows := c.term.Residual(d)
		if r.Norm() > 1e-9 || rows != c.rows || c.term.Unit() != c.unit || c.term.Weight() != 5 {
			t.Errorf("%s: residual %v of %d rows in %s, weight %g", name, r, rows, c.term.Unit(), c.term.Weight())
		}
	}
}

// TestAnOppositeDirectionHasAWayRound: where a limb points the opposite way, the plain residual has no slope to follow,
// the other has: at right angles to the limb.
func TestAnOppositeDirectionHasAWayRound(t *testing.T) {
	m, an, q := bent(t, 2)
	d := posed(m, q)
	arm := &an.Arms[0]
	dir := arm.Elbow.At(d).Sub(arm.Shoulder.At(d)).Unit(spatial.Vec3{})
	for _, off := range []spatial.Vec3{{}, {0.1, 0, 0}, {0, 0.05, 0.05}} {
		s := Segment{Model: m, From: arm.Shoulder, To: arm.Elbow, Limb: m.Path(arm.Elbow.Body), Want: dir.Scale(-1).Add(off).Unit(spatial.Vec3{}), Around: true}
		r, _ := s.Residual(d)
		if math.Abs(r.Norm()-1) > 1e-9 || math.Abs(r.Dot(dir)) > 0.7 && off == (spatial.Vec3{}) || off != (spatial.Vec3{}) && math.Abs(r.Dot(dir)) > 1e-9 {
			t.Errorf("off by %v: residual %v, along the limb %g", off, r, r.Dot(dir))
		}
		if off != (spatial.Vec3{}) && r.Dot(s.Want) <= 0 {
			t.Errorf("off by %v: the way %v leads away from %v", off, r, s.Want)
		}
	}
}
