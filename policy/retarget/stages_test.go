package retarget

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/balance"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
	"github.com/mitori-robotics/mitori/policy/retarget/wholebody"
)

// stepS is the time between the lifts of a walk.
const stepS = 1.5

// ahead is how many steps are made by a time, rising while a foot is in the air.
func ahead(t float64) float64 {
	return math.Floor(t/stepS) + math.Min(math.Max((math.Mod(t, stepS)-0.375)/0.75, 0), 1)
}

// lifts is a person who lifts the feet in turn, left first, each for half of the time between lifts, and puts each down
// this far (m, of the robot) ahead of the other.
func lifts(r *Retargeter, n int, stepM float64) *human.Motion {
	m := person(r, stepS*float64(n), 30, func(t float64) act {
		k, s := int(t/stepS), math.Mod(t, stepS)
		h := 0.0
		if s > 0.375 && s < 1.125 {
			h = 0.5 * math.Pow(math.Sin(math.Pi*(s-0.375)/0.75), 2)
		}
		a := act{on: both, joint: map[string]float64{}, forward: stepM * ahead(t)}
		side := [...]string{"l", "r"}[k%2]
		a.joint[side+"_hip_pitch"], a.joint[side+"_knee"], a.joint[side+"_ankle_pitch"] = -0.35-h, 0.7+2*h, -0.35-h
		a.on[k%2] = h < 0.02
		return a
	})
	for k := range m.Frames { // the body went ahead with both feet: put them where they stand or swing
		t := float64(k) / m.FPS
		lifting, done := int(t/stepS)%2, math.Floor(t/stepS)
		for s := range 2 {
			at := done // in steps: the foot that stands made the last one
			if s == lifting {
				at = math.Max(done-1, 0) + (ahead(t)-done)*(done+1-math.Max(done-1, 0))
			}
			by := spatial.Vec3{size * stepM * (at - ahead(t)), 0, 0}
			for j, share := range []float64{0, 0.5, 1, 1, 1} { // hip to toe
				m.Frames[k].Positions[leg(s)[j]] = m.Frames[k].Positions[leg(s)[j]].Add(by.Scale(share))
			}
		}
	}
	return m
}

// runs returns the frames [from, to) in which a foot is in the air.
func runs(p *observe.Performance, s int) (out [][2]int) {
	for t := 0; t < len(p.Intents); t++ {
		if p.Intents[t].On[s] {
			continue
		}
		from := t
		for t < len(p.Intents) && !p.Intents[t].On[s] {
			t++
		}
		out = append(out, [2]int{from, t})
	}
	return out
}

// planned lays out a motion with its balance.
func planned(r *Retargeter, m *human.Motion) *plan.Plan {
	p := plan.Layout(r.robot, seen(r, m, 1), 50, [2]float64{plan.LeadS, plan.LeadS})
	return p.WithCom(balance.CentreOfMass(p, nil))
}

// TestPlanOfAWalk: the stances of a walk on the spot are the lifts', where the robot stands; of a walk forward each
// is a step ahead, in the robot's size; at the end the robot stands as at the start.
func TestPlanOfAWalk(t *testing.T) {
	r := kata(t)
	for _, stepM := range []float64{0, 0.04} {
		p := planned(r, lifts(r, 4, stepM))
		for s := range 2 {
			if n := len(p.Stances[s]); n < 3 {
				t.Fatalf("steps of %g: foot %d has %d stances", stepM, s, n)
			}
			for k, st := range p.Stances[s] {
				if st.From >= st.To || k > 0 && st.From <= p.Stances[s][k-1].To {
					t.Errorf("steps of %g: foot %d, stance %d: frames %d to %d", stepM, s, k, st.From, st.To)
				}
				if off := math.Abs(st.At[1] - r.robot.StandFeet[s][1]); stepM == 0 && (off > 0.01 || math.Abs(st.At[0]-r.robot.StandFeet[s][0]) > 0.01) {
					t.Errorf("on the spot: foot %d, stance %d at %v, it stands at %v", s, k, st.At, r.robot.StandFeet[s])
				}
			}
		}
		if want := 3 * stepM; p.End.At[0] < 0.8*want-0.005 || p.End.At[0] > want+stepM+0.005 { // the feet end three and four steps ahead
			t.Errorf("four steps of %g m end %.3f m ahead", stepM, p.End.At[0])
		}
		n := len(p.Targets)
		for s := range 2 {
			first, last := p.Targets[0].Foot[s], p.Targets[n-1].Foot[s]
			if !first.On || !last.On || last.At.Sub(p.End.Apply(first.At)).Norm() > 1e-9 {
				t.Errorf("steps of %g: foot %d stands at %v at first, at %v in the end", stepM, s, first.At, last.At)
			}
		}
	}
}

// TestPlannedFeetAreSound: in every plan, a standing foot is still and on the floor, one always stands, no foot is
// below the floor, the feet keep apart, and a foot's way has no jump.
func TestPlannedFeetAreSound(t *testing.T) {
	r := kata(t)
	all := motions(r)
	for name, m := range strange(r) {
		all["strange "+name] = m
	}
	all["poor"] = spoil(all["march"], 5, 0.02)
	for name, m := range all {
		p := planned(r, m)
		least := 1.2 * r.robot.An.Legs[0].HalfSizeM[1]
		for k := range p.Targets {
			tg := &p.Targets[k]
			if p.Contacts[k] == [2]bool{} {
				t.Fatalf("%s, frame %d: no foot stands", name, k)
			}
			gap := tg.Foot[0].At.Sub(tg.Foot[1].At)
			if gap[2] = 0; gap.Norm() < least {
				t.Fatalf("%s, frame %d: the feet are %.1f mm apart", name, k, 1e3*gap.Norm())
			}
			for s := range tg.Foot {
				f := &tg.Foot[s]
				if f.On != p.Contacts[k][s] || f.At[2] < -1e-9 || f.On && f.At[2] > 1e-9 {
					t.Fatalf("%s, frame %d, foot %d: %+v", name, k, s, *f)
				}
				if k == 0 {
					continue
				}
				before := &p.Targets[k-1].Foot[s]
				if d := f.At.Sub(before.At).Norm(); f.On && before.On && d > 1e-9 || d > 0.4*p.ScaleM {
					t.Fatalf("%s, frame %d, foot %d: moves by %.1f mm", name, k, s, 1e3*d)
				}
			}
		}
	}
}

// TestPlanIsAValue: what makes a changed plan leaves the one it was made from alone.
func TestPlanIsAValue(t *testing.T) {
	r := kata(t)
	p := planned(r, motions(r)["squat"])
	was := fmt.Sprint(p.Targets)
	com := make([][2]float64, len(p.Targets))
	for k := range com {
		com[k] = [2]float64{9, 9}
	}
	if q := p.WithCom(com).InReach(nil); fmt.Sprint(p.Targets) != was || q.Targets[3].Com[0] != 9 {
		t.Error("the plan was changed")
	}
}

// TestNoLegGoesStraight: brought into reach, every standing leg is shorter than stretched; hips only go down, feet in
// the air keep their height; what was in reach stays.
func TestNoLegGoesStraight(t *testing.T) {
	r := kata(t)
	for name, m := range motions(r) {
		p := planned(r, m)
		in := p.InReach(nil)
		for k := range in.Targets {
			a, b := &p.Targets[k], &in.Targets[k]
			if b.HipM > a.HipWantM+1e-12 {
				t.Fatalf("%s, frame %d: the hips rise", name, k)
			}
			for s := range b.Foot {
				if b.Foot[s].On && b.Foot[s].At != a.Foot[s].Want || b.Foot[s].At[2] != a.Foot[s].Want[2] {
					t.Fatalf("%s, frame %d, foot %d: from %v to %v", name, k, s, a.Foot[s].Want, b.Foot[s].At)
				}
			}
		}
	}
}

// TestBalanceKeepsThePressureInside: the zero moment point of the planned path, by the pendulum's equation, lies in the
// feet that stand, in every plan; and the path begins and ends over the standing robot's place.
func TestBalanceKeepsThePressureInside(t *testing.T) {
	r := kata(t)
	for name, m := range motions(r) {
		p := planned(r, m)
		n, h := len(p.Targets), r.robot.ComHeightM/9.81*p.FPS*p.FPS
		outside := 0
		for k := 1; k+1 < n; k++ {
			var zmp spatial.Vec3
			for c := range 2 {
				zmp[c] = p.Targets[k].Com[c] - h*(p.Targets[k-1].Com[c]-2*p.Targets[k].Com[c]+p.Targets[k+1].Com[c])
			}
			inside := false
			for s := range 2 {
				f, l := &p.Targets[k].Foot[s], &r.robot.An.Legs[s]
				v := zmp.Sub(f.At).Yawed(-f.Yaw).Sub(r.robot.SoleOffset[s])
				inside = inside || f.On && math.Abs(v[0]) < l.HalfSizeM[0] && math.Abs(v[1]) < l.HalfSizeM[1]
			}
			a, b := p.Targets[k].Foot[0], p.Targets[k].Foot[1]
			if a.On && b.On { // between the feet, too
				way := b.At.Sub(a.At)
				way[2] = 0
				x := zmp.Sub(a.At).Dot(way) / way.Dot(way)
				side := zmp.Sub(a.At).Sub(way.Scale(x))
				inside = inside || x > 0 && x < 1 && math.Hypot(side[0], side[1]) < r.robot.An.Legs[0].HalfSizeM[0]
			}
			if !inside {
				outside++
			}
		}
		if outside > n/100 {
			t.Errorf("%s: the pressure point is outside in %d of %d frames", name, outside, n)
		}
		for c := range 2 {
			if a, b := p.Targets[0].Com[c]-r.robot.StandCom[c], p.Targets[n-1].Com[c]-p.End.Apply(r.robot.StandCom)[c]; math.Abs(a) > 1e-9 || math.Abs(b) > 1e-9 {
				t.Errorf("%s: begins %g and ends %g off", name, a, b)
			}
		}
	}
}

// TestCorrectionIsTakenOff: a pressure error that is the same all the time moves the path against it by as much.
func TestCorrectionIsTakenOff(t *testing.T) {
	r := kata(t)
	p := planned(r, motions(r)["stand"])
	off := make([][2]float64, len(p.Targets))
	for k := range off {
		off[k] = [2]float64{0.004, -0.002}
	}
	com, mid := balance.CentreOfMass(p, off), len(off)/2
	for c, want := range []float64{-0.004, 0.002} {
		if d := com[mid][c] - p.Targets[mid].Com[c]; math.Abs(d-want) > 1e-5 {
			t.Errorf("axis %d moves by %g, want %g", c, d, want)
		}
	}
}

// TestAReachablePoseIsReached: feet, hips, trunk and centre of mass of every planned frame of a motion that the robot
// can do are met.
func TestAReachablePoseIsReached(t *testing.T) {
	r := kata(t)
	for _, name := range []string{"stand", "squat", "march", "arms"} {
		p := planned(r, motions(r)[name]).InReach(nil)
		body, err := wholebody.New(r.robot).Draft(p)
		if err != nil {
			t.Fatal(err)
		}
		d := r.robot.Kin.NewData()
		for k := range p.Targets {
			tg := &p.Targets[k]
			r.robot.Kin.Forward(d, body.Q[k])
			for s := range tg.Foot {
				l := &r.robot.An.Legs[s]
				if miss := d.Point(l.Foot, r.robot.FootPoint[s]).Sub(tg.Foot[s].At).Norm(); tg.Foot[s].On && miss > 1e-3 || miss > 0.02 {
					t.Fatalf("%s, frame %d: foot %d misses by %.2f mm", name, k, s, 1e3*miss)
				}
			}
			if miss := math.Hypot(d.ComM[0]-tg.Com[0], d.ComM[1]-tg.Com[1]); miss > 4e-3 {
				t.Fatalf("%s, frame %d: the centre of mass misses by %.2f mm", name, k, 1e3*miss)
			}
			for _, i := range r.robot.Hinges() {
				if v := body.Q[k][r.robot.DofQ[i]]; v < r.robot.LoRad[i]-1e-9 || v > r.robot.HiRad[i]+1e-9 {
					t.Fatalf("%s, frame %d: dof %d at %g", name, k, i, v)
				}
			}
		}
		if body.Unsolved > len(p.Targets)/20 {
			t.Errorf("%s: %d of %d frames are unsolved", name, body.Unsolved, len(p.Targets))
		}
	}
}

// TestAPoseOutOfReachIsReported: feet a metre apart cannot be met; it is said, in numbers that are numbers.
func TestAPoseOutOfReachIsReported(t *testing.T) {
	r := kata(t)
	p := planned(r, motions(r)["stand"])
	for k := range p.Targets {
		p.Targets[k].Foot[0].At[1] += 1
	}
	body, err := wholebody.New(r.robot).Draft(p)
	if err != nil {
		t.Fatal(err)
	}
	for k := range body.Q {
		for _, v := range body.Q[k] {
			if math.IsNaN(v) || math.Abs(v) > 10 {
				t.Fatalf("frame %d: %g", k, v)
			}
		}
	}
	p.Targets[7].HipM = math.NaN()
	if _, err := wholebody.New(r.robot).Draft(p); err == nil {
		t.Error("a plan that holds no number is solved")
	} else if want := "frame 7"; !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %s", err, want)
	}
}

// TestRefiningKeepsWhatIsGood: solved again from its own solution, nothing moves but by the rest of the iteration, and
// arms stay where they are known to be.
func TestRefiningKeepsWhatIsGood(t *testing.T) {
	r := kata(t)
	p := planned(r, motions(r)["arms"]).InReach(nil)
	s := wholebody.New(r.robot)
	a, err := s.Draft(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Refine(p, a.Q)
	if err != nil {
		t.Fatal(err)
	}
	for k := range a.Q {
		for _, i := range r.robot.Hinges() {
			if d := a.Q[k][r.robot.DofQ[i]] - b.Q[k][r.robot.DofQ[i]]; math.Abs(d) > 0.01 {
				t.Fatalf("frame %d: dof %d moves by %g", k, i, d)
			}
		}
	}
}
