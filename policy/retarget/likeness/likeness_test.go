package likeness

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

const fps = 50

// body is an upright figure with a leg length of 1, at a place, turned, its limbs and trunk bent by an angle in its own
// frame.
func body(at spatial.Vec3, yawRad, bendRad, size float64) Posture {
	var p Posture
	place := func(j Joint, v spatial.Vec3) {
		p.At[j], p.Has[j] = spatial.FromYaw(yawRad).Rotate(v).Scale(size).Add(at.Scale(size)), true
	}
	bend := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, bendRad)
	for s, side := range []float64{1, -1} {
		hip, shoulder := spatial.Vec3{0, 0.2 * side, 1}, spatial.Vec3{0, 0.25 * side, 1.6}
		for k, joint := range []Joint{LHip, LKnee, LAnkle} {
			place(joint+Joint(3*s), hip.Add(bend.Rotate(spatial.Vec3{0, 0, -0.5 * float64(k)})))
		}
		for k, joint := range []Joint{LShoulder, LElbow, LWrist} {
			place(joint+Joint(3*s), shoulder.Add(bend.Rotate(spatial.Vec3{0, 0, -0.4 * float64(k)})))
		}
	}
	p.Up = spatial.FromYaw(yawRad).Rotate(bend.Rotate(spatial.Vec3{0, 0, 1}))
	return p
}

// state is where a body is.
type state struct{ x, y, z, yaw, bend float64 }

// tell makes evidence of ten seconds from what both do.
func tell(size float64, person, robot func(t float64) state) *Evidence {
	e := &Evidence{PersonLegM: size, RobotLegM: 0.2, Amplify: 1, Stretch: 1}
	for k := 0; k <= 10*fps; k++ {
		t := float64(k) / fps
		p, r := person(t), robot(t)
		e.Samples = append(e.Samples, Sample{PersonS: t, RobotS: t,
			Person: body(spatial.Vec3{p.x, p.y, p.z}, p.yaw, p.bend, size), Robot: body(spatial.Vec3{r.x, r.y, r.z}, r.yaw, r.bend, 0.2)})
	}
	return e
}

// ramp rises from 0 at a to 1 at b.
func ramp(t, a, b float64) float64 { return math.Min(math.Max((t-a)/(b-a), 0), 1) }

// dance goes everywhere, faces everywhere and bends.
func dance(t float64) state {
	return state{3 * math.Sin(t), 2 * math.Cos(0.7*t), -0.3 * ramp(t, 2, 3), 1.3 * t, 0.5 * math.Sin(2*t)}
}

// turned is the same motion of somebody who stands elsewhere and faces elsewhere, as a robot that starts along x.
func turned(of func(float64) state) func(float64) state {
	return func(t float64) state {
		s := of(t)
		v := spatial.FromYaw(-2).Rotate(spatial.Vec3{s.x, s.y, 0})
		return state{v[0] + 5, v[1] - 3, s.z, s.yaw - 2, s.bend}
	}
}

func TestTheSameMotionIsKept(t *testing.T) {
	for _, size := range []float64{0.2, 0.8, 1.1} {
		r := Judge(tell(size, dance, turned(dance)))
		if r.Verdict != Kept || len(r.Findings) != 0 || r.HeadingMaxDeg > 0.01 || r.PathMaxLegs > 0.01 || r.HeightMaxLegs > 0.01 || r.LimbMaxDeg > 0.01 {
			t.Errorf("size %g: %+v", size, r)
		}
	}
}

// Every fault is found, where it was put, and only it.
func TestEveryLossIsNamed(t *testing.T) {
	for what, c := range map[string]struct {
		kind     string
		from, to float64
		words    string
		robot    func(t float64, s state) state
	}{
		"a turn that sticks":     {"heading", 3, 10, "turned", func(t float64, s state) state { s.yaw -= 1.2 * ramp(t, 3, 3.5); return s }},
		"a turn the other way":   {"heading", 3, 10, "turned", func(t float64, s state) state { s.yaw += 1.2 * ramp(t, 3, 3.5); return s }},
		"a turn caught up":       {"heading", 3, 6, "turned", func(t float64, s state) state { s.yaw -= 1.2 * (ramp(t, 3, 3.5) - ramp(t, 5.5, 6)); return s }},
		"a way that is not gone": {"path", 4, 10, "leg lengths", func(t float64, s state) state { s.x -= 1.6 * ramp(t, 4, 5); return s }},
		"sideways":               {"path", 4, 10, "leg lengths", func(t float64, s state) state { s.y += 1.6 * ramp(t, 4, 5); return s }},
		"no jump":                {"height", 5, 6, "does not leave the floor", func(t float64, s state) state { s.z -= 0.6 * (ramp(t, 5, 5.2) - ramp(t, 5.8, 6)); return s }},
		"not down":               {"height", 5, 9, "kneel", func(t float64, s state) state { s.z += 0.5 * (ramp(t, 5, 5.2) - ramp(t, 8, 9)); return s }},
		"another posture":        {"limbs", 6, 8, "off", func(t float64, s state) state { s.bend += 0.9 * (ramp(t, 6, 6.2) - ramp(t, 7.8, 8)); return s }},
	} {
		calm := func(t float64) state { return state{x: 0.1 * t, yaw: 0.3 * t} }
		r := Judge(tell(0.9, calm, turned(func(t float64) state { return c.robot(t, calm(t)) })))
		if r.Verdict != Lost || len(r.Findings) != 1 {
			t.Errorf("%s: %s, %d findings: %s", what, r.Verdict, len(r.Findings), r.Summary)
			continue
		}
		f := r.Findings[0]
		if f.Kind != c.kind || f.FromS < c.from || f.FromS > c.from+1 || f.ToS > c.to+1e-9 || f.ToS < c.to-1 || !strings.Contains(f.Text, c.words) {
			t.Errorf("%s: %+v; want %s within %g to %g s", what, f, c.kind, c.from, c.to)
		}
		if !strings.Contains(r.Summary, "no longer the motion") || !strings.Contains(r.Summary, f.Text) {
			t.Errorf("%s: the summary does not say so: %s", what, r.Summary)
		}
		for _, cut := range r.CutsS() {
			if cut[0] != f.FromS || cut[1] > f.ToS {
				t.Errorf("%s: cut %v for %+v", what, cut, f)
			}
		}
	}
}

// Noise, a short slip and a small lost way are no alarm.
func TestSmallThingsAreNoLoss(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for what, robot := range map[string]func(t float64, s state) state{
		"noise": func(_ float64, s state) state {
			s.x += 0.1 * r.NormFloat64()
			s.yaw += 0.08 * r.NormFloat64()
			return s
		},
		"small step":   func(t float64, s state) state { s.x -= 0.12 * ramp(t, 1, 2); return s },
		"sway":         func(t float64, s state) state { s.y += 0.35 * math.Sin(6*t); return s },
		"short twitch": func(t float64, s state) state { s.yaw += 0.7 * (ramp(t, 4, 4.1) - ramp(t, 4.15, 4.25)); return s },
		"bent knees":   func(t float64, s state) state { s.z -= 0.1 * ramp(t, 1, 2); return s },
	} {
		if got := Judge(tell(0.9, dance, turned(func(t float64) state { return robot(t, dance(t)) }))); got.Verdict != Kept {
			t.Errorf("%s: %s: %s", what, got.Verdict, got.Summary)
		}
	}
}

// The verdict does not depend on the person's size, nor on which side is which.
func TestSizeAndSidesDoNotMatter(t *testing.T) {
	robot := turned(func(t float64) state {
		s := dance(t)
		s.yaw -= 0.9 * ramp(t, 2, 3)
		s.x += 1.5 * ramp(t, 5, 7)
		return s
	})
	want := Judge(tell(0.9, dance, robot))
	if want.Verdict != Lost {
		t.Fatalf("nothing to compare: %+v", want)
	}
	for _, size := range []float64{0.3, 1.4} {
		same(t, "size", Judge(tell(size, dance, robot)), want)
	}
	e := tell(0.9, dance, robot)
	for i := range e.Samples {
		e.Samples[i].Person, e.Samples[i].Robot = flip(e.Samples[i].Person), flip(e.Samples[i].Robot)
	}
	same(t, "mirror", Judge(e), want)
}

func same(t *testing.T, what string, got, want *Result) {
	t.Helper()
	if got.Verdict != want.Verdict || len(got.Findings) != len(want.Findings) || math.Abs(got.PathMaxLegs-want.PathMaxLegs) > 1e-9 || math.Abs(got.HeadingMaxDeg-want.HeadingMaxDeg) > 1e-9 {
		t.Errorf("%s changes the verdict: %s %s; want %s %s", what, got.Verdict, got.Summary, want.Verdict, want.Summary)
	}
}

func flip(p Posture) Posture {
	out := p
	for j := range p.At {
		k := [...]Joint{RHip, RKnee, RAnkle, LHip, LKnee, LAnkle, RShoulder, RElbow, RWrist, LShoulder, LElbow, LWrist}[j]
		v := p.At[k]
		out.At[j], out.Has[j] = spatial.Vec3{v[0], -v[1], v[2]}, p.Has[k]
	}
	out.Up[1] = -p.Up[1]
	return out
}

// What was asked for is no loss: steps twice as wide are compared with steps twice as wide; and a motion that takes far
// longer than asked for is one.
func TestWishesAndTime(t *testing.T) {
	walk := func(t float64) state { return state{x: 0.3 * t} }
	e := tell(0.9, walk, func(t float64) state { return state{x: 0.6 * t} })
	if r := Judge(e); r.Verdict != Lost {
		t.Errorf("twice the way: %s", r.Verdict)
	}
	e.Amplify = 2
	if r := Judge(e); r.Verdict != Kept {
		t.Errorf("twice the way, as asked for: %s %s", r.Verdict, r.Summary)
	}
	e = tell(0.9, walk, walk)
	if e.Stretch = 3; Judge(e).Verdict != Lost {
		t.Error("three times as long is the same motion")
	}
}

// Nothing to compare is no agreement.
func TestNobodySeen(t *testing.T) {
	if r := Judge(&Evidence{PersonLegM: 1, RobotLegM: 1, Amplify: 1}); r.Verdict != Lost || r.Summary == "" {
		t.Errorf("%+v", r)
	}
}

// A robot without arms is compared by what it has.
func TestWithoutArms(t *testing.T) {
	e := tell(0.9, dance, turned(dance))
	for i := range e.Samples {
		for j := LShoulder; int(j) < NumJoints; j++ {
			e.Samples[i].Robot.Has[j] = false
			e.Samples[i].Robot.At[j] = spatial.Vec3{}
		}
	}
	if r := Judge(e); r.Verdict != Kept || r.LimbMaxDeg > 0.01 {
		t.Errorf("%s %s", r.Verdict, r.Summary)
	}
}

// TestStandingStillIsNoLoss: while the person's legs are not seen, what they go, sink and turn is not held against a
// robot that stands, nor afterwards; what is lost later is.
func TestStandingStillIsNoLoss(t *testing.T) {
	person := func(t float64) state {
		return state{2 * ramp(t, 2, 5), 0, -0.5 * ramp(t, 2, 3) * (1 - ramp(t, 4, 5)), ramp(t, 2, 5), 0}
	}
	e := tell(1, person, func(float64) state { return state{} })
	for k := range e.Samples {
		e.Samples[k].Still = e.Samples[k].PersonS >= 1.9 && e.Samples[k].PersonS <= 5.1
	}
	if r := Judge(e); r.Verdict != Kept || r.PathMaxLegs > 0.01 || r.HeadingMaxDeg > 0.1 || r.HeightMaxLegs > 0.01 {
		t.Errorf("%+v", r)
	}
	gone := tell(1, func(t float64) state { s := person(t); s.x += 2 * ramp(t, 6, 8); return s }, func(float64) state { return state{} })
	for k := range gone.Samples {
		gone.Samples[k].Still = e.Samples[k].Still
	}
	if r := Judge(gone); r.Verdict != Lost {
		t.Errorf("a way of two legs afterwards: %+v", r)
	}
}

// TestATrunkWithoutHipsIsNotCompared: what was not seen is not held against the robot.
func TestATrunkWithoutHipsIsNotCompared(t *testing.T) {
	e := tell(1, func(float64) state { return state{bend: 1.4} }, func(float64) state { return state{} })
	for k := range e.Samples {
		p := &e.Samples[k].Person
		e.Samples[k].Still = true
		for j := range p.Has {
			p.Has[j] = Joint(j) == LShoulder || Joint(j) == RShoulder
		}
	}
	if r := Judge(e); r.Verdict != Kept || r.LimbMaxDeg > 1e-6 {
		t.Errorf("%+v", r)
	}
}
