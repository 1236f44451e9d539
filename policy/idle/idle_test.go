package idle

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func kata(t testing.TB, edit func(*robot.Description)) *body.Body {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(d)
	}
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// public describes a maker's file, with the servo that the maker uses in every joint; nil where it is not here.
func public(t testing.TB, file, keyframe string) *body.Body {
	t.Helper()
	text, err := os.ReadFile("../../../shared/data/robots/" + file)
	if err != nil {
		t.Logf("without %s: %v", file, err)
		return nil
	}
	tree, err := mjcf.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	entry, _ := servos.Shipped().Named("xm430-w350")
	d := &robot.Description{Name: file, StandKeyframe: keyframe, MJCF: string(text),
		ServoTypes: map[string]robot.ServoType{"s": {Entry: entry, StallTorqueNm: entry.StallTorqueNm, NoLoadSpeedRadPerS: entry.NoLoadRadPerS}}}
	for _, j := range tree.Joints {
		switch j.Kind {
		case mjcf.Free:
			d.RootBody = tree.Bodies[j.Body].Name
		case mjcf.Hinge:
			d.Joints = append(d.Joints, robot.Joint{Name: j.Name, MinRad: -2.5, MaxRad: 2.5, Servo: "s"})
		}
	}
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func robots(t testing.TB) map[string]*body.Body {
	all := map[string]*body.Body{"kata20": kata(t, nil)}
	for _, key := range []string{"stand", "stand_bent_knees"} {
		if b := public(t, "robotis_op3/op3_mjx_feetonly.xml", key); b != nil {
			all["op3 "+key] = b
		}
	}
	return all
}

func find(t testing.TB, b *body.Body) *Stance {
	t.Helper()
	s, err := Find(b, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStancesKeepTheirBounds: less heat, and nothing that must stay has moved.
func TestStancesKeepTheirBounds(t *testing.T) {
	wide, tight := Defaults(), Defaults()
	wide.TurnRad, tight.CentreShare = 1, 0
	for name, b := range robots(t) {
		keeps(t, name, b, Defaults())
		keeps(t, name+", far", b, wide)
		keeps(t, name+", centred", b, tight)
	}
}

func keeps(t *testing.T, name string, b *body.Body, bounds Bounds) {
	t.Helper()
	s, err := Find(b, bounds)
	if err != nil {
		t.Fatal(err)
	}
	an, _ := b.Humanoid()
	t.Logf("%s: %.3f W standing, %.3f W idle, %.1f mm higher, legs only: %v", name, s.StandW, s.IdleW, 1e3*s.RiseM, s.LegsOnly)
	if !(s.IdleW > 0 && s.IdleW < 0.85*s.StandW) {
		t.Errorf("%s: %g W of %g", name, s.IdleW, s.StandW)
	}
	for k, j := range s.Joints {
		own := &b.Joints[k]
		at, was := j.Idle.AngleRad, j.Stand.AngleRad
		if was != b.StandRad[k] || math.Abs(at-was) > bounds.TurnRad+1e-9 {
			t.Errorf("%s: %s goes from %g to %g", name, j.Name, was, at)
		}
		if at != was && (at < min(was, own.MinRad+bounds.MarginRad)-1e-9 || at > max(was, own.MaxRad-bounds.MarginRad)+1e-9) {
			t.Errorf("%s: %s at %g; legal: %g to %g less a margin", name, j.Name, at, own.MinRad, own.MaxRad)
		}
	}
	before, after := b.Kin.NewData(), b.Kin.NewData()
	b.Kin.Forward(before, an.Ref)
	b.Kin.Forward(after, s.QPos)
	for i := range an.Legs {
		l := &an.Legs[i]
		moved := after.Point(l.Foot, l.SoleCenter).Sub(before.Point(l.Foot, l.SoleCenter)).Norm()
		turned := after.BodyRot[l.Foot].Mul(before.BodyRot[l.Foot].Inv()).Log().Norm()
		if moved > 1e-5 || turned > 1e-5 {
			t.Errorf("%s: foot %d moves by %g m and %g rad", name, i, moved, turned)
		}
		p := problem{b: b, d: b.Kin.NewData(), stand: an.Ref}
		if now, was := p.bendRad(l, s.QPos), p.bendRad(l, an.Ref); now < min(was, bounds.LeastBendRad)-1e-4 {
			t.Errorf("%s: knee %d is bent by %g rad", name, i, now)
		}
	}
	for i := range 2 {
		off := func(d *kin.Data) float64 {
			mid := d.Point(an.Legs[0].Foot, an.Legs[0].SoleCenter).Lerp(d.Point(an.Legs[1].Foot, an.Legs[1].SoleCenter), 0.5)
			return math.Abs(d.ComM[i] - mid[i])
		}
		if most := max(off(before), bounds.CentreShare*an.Legs[0].HalfSizeM[i]); off(after) > most+1e-5 {
			t.Errorf("%s: the centre of mass is %g m off the middle; legal: %g", name, off(after), most)
		}
	}
}

// TestSymmetricRobotsStandSymmetrically: what hangs left has its image on the right.
func TestSymmetricRobotsStandSymmetrically(t *testing.T) {
	b := kata(t, nil)
	an, _ := b.Humanoid()
	d := b.Kin.NewData()
	b.Kin.Forward(d, find(t, b).QPos)
	check := func(what string, left, right spatial.Vec3) {
		if left[1] = -left[1]; left.Sub(right).Norm() > 1e-5 {
			t.Errorf("%s: %v left, %v right", what, left, right)
		}
	}
	l, r := &an.Legs[0], &an.Legs[1]
	check("hip", l.Hip.At(d), r.Hip.At(d))
	check("knee", l.Knee.At(d), r.Knee.At(d))
	check("elbow", an.Arms[0].Elbow.At(d), an.Arms[1].Elbow.At(d))
	check("hand", an.Arms[0].End.At(d), an.Arms[1].End.At(d))
}

// heavier multiplies every mass of a model's text.
func heavier(text string, by float64) string {
	return regexp.MustCompile(`\b(mass|diaginertia)="([^"]*)"`).ReplaceAllStringFunc(text, func(m string) string {
		key, value, _ := strings.Cut(strings.Trim(m, `"`), `="`)
		var out []string
		for _, f := range strings.Fields(value) {
			v, _ := strconv.ParseFloat(f, 64)
			out = append(out, fmt.Sprint(v*by))
		}
		return fmt.Sprintf(`%s="%s"`, key, strings.Join(out, " "))
	})
}

// TestMassChangesNoStance: twice the weight is twice the torque, four times the heat, and the same stance.
func TestMassChangesNoStance(t *testing.T) {
	light := find(t, kata(t, nil))
	heavy := find(t, kata(t, func(d *robot.Description) { d.MJCF = heavier(d.MJCF, 2) }))
	for k := range light.Joints {
		if a, b := light.Joints[k].Idle, heavy.Joints[k].Idle; math.Abs(a.AngleRad-b.AngleRad) > 1e-5 || math.Abs(2*a.TorqueNm-b.TorqueNm) > 1e-4 {
			t.Errorf("%s: %+v light, %+v heavy", light.Joints[k].Name, a, b)
		}
	}
	if math.Abs(heavy.IdleW-4*light.IdleW) > 1e-3*heavy.IdleW {
		t.Errorf("%g W light, %g W heavy", light.IdleW, heavy.IdleW)
	}
}

// TestServosHeatByTheirDataSheet: at stall torque, supply times stall current.
func TestServosHeatByTheirDataSheet(t *testing.T) {
	b := kata(t, nil)
	entry := b.Desc.ServoOf(0).Entry
	for _, j := range find(t, b).Joints {
		share := j.Stand.TorqueNm / entry.StallTorqueNm
		if want := share * share * entry.AtV * entry.StallCurrentA; math.Abs(want-j.Stand.HeatW) > 1e-12+1e-9*want {
			t.Errorf("%s: %g W, want %g W", j.Name, j.Stand.HeatW, want)
		}
	}
}

// wander moves the robot at random with its feet where they are.
func wander(t *testing.T, s *search, rng *rand.Rand, from []float64, far float64) []float64 {
	t.Helper()
	q, step := slices.Clone(from), make([]float64, s.b.Kin.Tree.NV)
	for _, i := range s.active {
		step[i] = far * rng.NormFloat64()
	}
	s.b.Kin.Integrate(q, q, step)
	for _, k := range s.moving {
		j := &s.b.Joints[k]
		q[j.QPos] = min(max(q[j.QPos], s.lo[j.QVel]), s.hi[j.QVel])
	}
	for range 3 {
		if err := s.restore(q); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

// TestNothingElseIsColder: no stance near or far within the bounds costs less.
func TestNothingElseIsColder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for name, b := range robots(t) {
		p, err := newProblem(b, Defaults())
		if err != nil {
			t.Fatal(err)
		}
		q, err := p.solve(false)
		if err != nil {
			t.Fatal(err)
		}
		s := p.newSearch(false)
		best := s.cost(q)
		for n := range 300 {
			from, far := q, math.Pow(10, -1-2*rng.Float64())
			if n%3 == 0 {
				from = p.stand
			}
			if c := s.cost(wander(t, s, rng, from, far)); c < best-1e-4 {
				t.Errorf("%s: %g, found without search: %g", name, best, c)
			}
		}
	}
}

// TestTorquesDoTheWorkOfLifting: whatever way the robot moves on its feet, its joints do what its weight gains in height.
// The judge knows nothing of how feet share a weight.
func TestTorquesDoTheWorkOfLifting(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 11))
	for name, b := range robots(t) {
		p, err := newProblem(b, Defaults())
		if err != nil {
			t.Fatal(err)
		}
		s, nv := p.newSearch(false), b.Kin.Tree.NV
		for i := range nv { // limits are of no matter here
			s.lo[i], s.hi[i] = -10, 10
		}
		delta := make([]float64, nv)
		for range 20 {
			q := wander(t, s, rng, p.stand, 0.03)
			tau := slices.Clone(p.check.Torques(q, p.still, p.still, [2]bool{true, true}))
			a, c := wander(t, s, rng, q, 1e-4), wander(t, s, rng, q, 1e-4)
			b.Kin.Difference(delta, a, c)
			work := 0.0
			for k := range b.Joints {
				work += tau[b.Joints[k].QVel] * delta[b.Joints[k].QVel]
			}
			b.Kin.Forward(p.d, a)
			low := p.d.ComM[2]
			b.Kin.Forward(p.d, c)
			lifted := b.Kin.MassKg * 9.81 * (p.d.ComM[2] - low)
			if math.Abs(work-lifted) > 0.02*math.Abs(lifted)+2e-6 {
				t.Errorf("%s: the joints do %g J, the weight gains %g J", name, work, lifted)
			}
		}
	}
}

// TestArmsStayWhereTheyWouldTouch: a chest so wide that only spread arms are free of it.
func TestArmsStayWhereTheyWouldTouch(t *testing.T) {
	b := kata(t, func(d *robot.Description) {
		d.MJCF = strings.Replace(d.MJCF, `type="box" size="0.040 0.058 0.050"`, `type="box" size="0.040 0.080 0.050"`, 1)
	})
	s := find(t, b)
	for k, j := range s.Joints {
		if b.Joints[k].Limb != body.Leg && j.Idle.AngleRad != j.Stand.AngleRad {
			t.Errorf("%s goes from %g to %g", j.Name, j.Stand.AngleRad, j.Idle.AngleRad)
		}
	}
	if !s.LegsOnly || s.IdleW > 0.5*s.StandW {
		t.Errorf("legs only: %v, %g W of %g W", s.LegsOnly, s.IdleW, s.StandW)
	}
}

func TestRobotsWithoutFiguresAreRefused(t *testing.T) {
	b := kata(t, func(d *robot.Description) {
		s := d.ServoTypes["xm430-w350"]
		s.Entry.StallCurrentA = 0
		d.ServoTypes = map[string]robot.ServoType{"xm430-w350": s}
	})
	if _, err := Find(b, Defaults()); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "l_hip_yaw") {
		t.Error(err)
	}
}
