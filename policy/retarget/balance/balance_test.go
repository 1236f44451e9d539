package balance

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// waiting is kata20 on its standing feet for so many frames, and a person whose centre of mass is where the test says.
func waiting(t testing.TB, frames int) *plan.Plan {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := physique.New(b)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Robot: r, FPS: 50, ScaleM: r.An.LegLengthM(), Targets: make([]plan.Target, frames), Contacts: make([][2]bool, frames),
		Person: &observe.Performance{Intents: make([]observe.Intent, frames), LegM: 0.9, Amplify: 1}}
	for k := range p.Targets {
		p.Targets[k].RootRot = spatial.Identity()
		p.Contacts[k] = [2]bool{true, true}
		for s := range 2 {
			p.Targets[k].Foot[s] = plan.FootTarget{At: r.StandFeet[s], On: true, Level: 1, Grip: 1}
			p.Person.Intents[k].On[s] = true
			p.Person.Intents[k].Foot[s] = spatial.Vec3{0, 0.2 * float64(1-2*s), 0}
		}
	}
	return p
}

// TestThePendulumObeysItsEquation: put back into c - a c" = p, the path gives the pressure; it is linear in it, and
// has no direction of time.
func TestThePendulumObeysItsEquation(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	const n, a = 120, 37.0
	p, q, sum, back := make([][2]float64, n), make([][2]float64, n), make([][2]float64, n), make([][2]float64, n)
	for k := range p {
		for c := range 2 {
			p[k][c], q[k][c] = rng.NormFloat64(), rng.NormFloat64()
			sum[k][c] = 2*p[k][c] - q[k][c]
		}
	}
	for k := range p {
		back[n-1-k] = p[k]
	}
	x, y, z, w := pendulum(p, a), pendulum(q, a), pendulum(sum, a), pendulum(back, a)
	for k := range x {
		for c := range 2 {
			if k > 0 && k+1 < n {
				if got := x[k][c] - a*(x[k-1][c]-2*x[k][c]+x[k+1][c]); math.Abs(got-p[k][c]) > 1e-9 {
					t.Fatalf("frame %d: pressure %g, want %g", k, got, p[k][c])
				}
			} else if x[k][c] != p[k][c] {
				t.Errorf("the end %d is at %g, not over the pressure %g", k, x[k][c], p[k][c])
			}
			if math.Abs(z[k][c]-2*x[k][c]+y[k][c]) > 1e-9 || math.Abs(w[n-1-k][c]-x[k][c]) > 1e-9 {
				t.Fatalf("frame %d: not linear, or it depends on the direction of time", k)
			}
		}
	}
}

// TestWeightGoesOverBeforeAFootLifts: the foot that lifts bears nothing shortly before and after, the other all the
// time.
func TestWeightGoesOverBeforeAFootLifts(t *testing.T) {
	p := waiting(t, 100)
	for k := 40; k < 60; k++ {
		p.Contacts[k][1] = false
	}
	for _, c := range []struct {
		frame int
		want  [2]bool
	}{
		{0, [2]bool{true, true}}, {34, [2]bool{true, true}}, {36, [2]bool{true, false}}, {50, [2]bool{true, false}},
		{60, [2]bool{true, false}}, {63, [2]bool{true, true}}, {99, [2]bool{true, true}},
	} {
		if got := bearing(p, c.frame); got != c.want {
			t.Errorf("frame %d: %v, want %v", c.frame, got, c.want)
		}
	}
	p.Contacts[30] = [2]bool{true, false} // one foot at once after the other: somebody must bear it
	p.Contacts[31] = [2]bool{false, true}
	if got := bearing(p, 30); got != p.Contacts[30] {
		t.Errorf("between: %v", got)
	}
}

// TestPressureStaysInTheFeet: however far the person leans out, the pressure is planned inside the soles that bear;
// inside them it is where the person has it.
func TestPressureStaysInTheFeet(t *testing.T) {
	for _, out := range []spatial.Vec3{{}, {2, 0, 0}, {-2, 0, 0}, {0, 3, 0}, {1, -3, 0}} {
		p := waiting(t, 200)
		for k := range p.Person.Intents {
			if k > 100 {
				p.Contacts[k] = [2]bool{false, true}
			}
			if k > 60 {
				p.Person.Intents[k].Com = out
			}
		}
		at := supported(p, natural(p))
		for k := range at {
			area := area(p, k, bearing(p, k))
			if m := area.Margin(spatial.Vec3{at[k][0], at[k][1], 0}); k != 0 && (k < 85 || k > 115) && m < -2e-3 {
				t.Fatalf("leaning to %v, frame %d: %.1f mm outside", out, k, -1e3*m)
			}
		}
		if out == (spatial.Vec3{}) && math.Hypot(at[50][0]-p.Robot.StandCom[0], at[50][1]-p.Robot.StandCom[1]) > 0.02 {
			t.Errorf("a person who stands has the robot's pressure at %v; it stands at %v", at[50], p.Robot.StandCom)
		}
	}
}

// TestStillAtBothEnds: the first and last moments do not move.
func TestStillAtBothEnds(t *testing.T) {
	p := waiting(t, 150)
	for k := range p.Person.Intents {
		p.Person.Intents[k].Com = spatial.Vec3{0.1 * math.Sin(float64(k)/10), 0.05 * math.Cos(float64(k)/7), 0}
	}
	com := CentreOfMass(p, nil)
	for _, k := range []int{0, 1, len(com) - 2, len(com) - 1} {
		if d := math.Hypot(com[k][0]-p.Robot.StandCom[0], com[k][1]-p.Robot.StandCom[1]); d > 1e-3 {
			t.Errorf("frame %d is %.2f mm from where the robot stands", k, 1e3*d)
		}
	}
}

// TestStandingStillHasItsPressureUnderIt: by full inverse dynamics, a robot that does not move needs the pressure
// point below its centre of mass: the plan that has it there is not corrected, another is by the difference; and the
// margin is that of the point in the feet.
func TestStandingStillHasItsPressureUnderIt(t *testing.T) {
	p := waiting(t, 60)
	q := make([][]float64, 60)
	for k := range q {
		q[k] = p.Robot.An.Ref
	}
	m := p.Robot.Derive(q, 50)
	for _, off := range []float64{0, 0.005} {
		for k := range p.Targets {
			p.Targets[k].Com = [2]float64{p.Robot.StandCom[0] - off, p.Robot.StandCom[1] + 2*off}
		}
		e := Error(p, m)[30]
		if math.Abs(e[0]-off) > 1e-6 || math.Abs(e[1]+2*off) > 1e-6 {
			t.Errorf("planned %g m off: corrected by %v", off, e)
		}
	}
	d := p.Robot.Kin.NewData()
	p.Robot.Kin.Forward(d, p.Robot.An.Ref)
	want := p.Robot.An.Support(d, [2]bool{true, true}).Margin(p.Robot.StandCom)
	margins := Margins(p.Robot, m, p.Contacts)
	if math.Abs(margins[20]-want) > 1e-6 || want <= 0 {
		t.Errorf("margin %g, want %g", margins[20], want)
	}
	for k := range p.Contacts {
		p.Contacts[k] = [2]bool{true, false}
	}
	if v := Margins(p.Robot, m, p.Contacts)[20]; v >= 0 {
		t.Errorf("standing between the feet on the left one alone has a margin of %g", v)
	}
}

// TestFallingHasNoPressurePoint: where the floor would have to pull, the margin says so and the plan is not corrected.
func TestFallingHasNoPressurePoint(t *testing.T) {
	p := waiting(t, 60)
	var q [][]float64
	for k := range 60 {
		row := append([]float64(nil), p.Robot.An.Ref...)
		s := float64(k) / 50
		row[2] += 3 - 10*s*s // faster than it would fall
		q = append(q, row)
	}
	m := p.Robot.Derive(q, 50)
	if v := Margins(p.Robot, m, p.Contacts)[30]; !math.IsInf(v, -1) {
		t.Errorf("margin %g", v)
	}
	for k := range p.Targets {
		p.Targets[k].Com = [2]float64{p.Robot.StandCom[0], p.Robot.StandCom[1]}
	}
	if e := Error(p, m)[30]; e != ([2]float64{}) {
		t.Errorf("corrected by %v", e)
	}
}
