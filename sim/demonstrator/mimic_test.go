package demonstrator

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func performed(t *testing.T, name string, o Options) *human.Motion {
	t.Helper()
	m, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Perform(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mimicked(t *testing.T, m *human.Motion, o Options) *human.Motion {
	t.Helper()
	p, err := Mimic(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compared(t *testing.T, a, b *human.Motion) *metrics.Comparison {
	t.Helper()
	c, err := metrics.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Who does what they did themselves does the same, and so does one of another height, in their own size. What is left
// is a pelvis that is held back, softly, from straight legs once more: straight knees bend by up to 4 degrees.
func TestMimicOfItselfIsItself(t *testing.T) {
	for _, name := range []string{"march", "squat_arm_raise", "turn_360", "kick", "approach"} {
		truth := performed(t, name, Options{HeightM: 1.6})
		c := compared(t, mimicked(t, truth, Options{HeightM: 1.6}), truth)
		if c.MPJPEMm > 3 || c.JointAngleP95Deg > 4 || c.RootMaxM > 0.006 || c.ContactAgreement != 1 {
			t.Errorf("%s: %.1f mm, angles %.1f deg, root %.4f m", name, c.MPJPEMm, c.JointAngleP95Deg, c.RootMaxM)
		}
		small := performed(t, name, Options{HeightM: 1.2})
		if c := compared(t, mimicked(t, small, Options{HeightM: 1.6}), truth); c.MPJPEMm > 5 || c.FootMedianDeg > 0.1 {
			t.Errorf("%s of a child: %.1f mm, feet %.2f deg", name, c.MPJPEMm, c.FootMedianDeg)
		}
	}
}

// odd stretches a person: other proportions, arms turned, feet that float a little.
func odd(m *human.Motion) *human.Motion {
	out := *m
	out.Frames = append([]human.Pose(nil), m.Frames...)
	for i := range out.Frames {
		p := &out.Frames[i]
		for _, j := range [...]human.Joint{human.LElbow, human.LWrist, human.LHand} {
			p.Positions[j][2] -= 0.05
		}
		for j := range p.Positions {
			p.Positions[j][0] *= 1.1
			p.Positions[j][2] = p.Positions[j][2]*0.9 + 0.02
		}
	}
	return &out
}

// Whatever is mimicked: own bones, nothing under the floor, standing feet stand.
func TestMimicKeepsItsBones(t *testing.T) {
	for _, name := range []string{"march", "side_step", "step_up", "jumps", "lying"} {
		p := mimicked(t, odd(performed(t, name, Options{HeightM: 1.8})), Options{FPS: 25})
		b := newBody(referenceHeightM)
		for i := range p.Frames {
			f := &p.Frames[i]
			for j := human.Joint(1); int(j) < human.NumJoints; j++ {
				up := j.Parent()
				if d := f.Positions[up].Add(f.Rotations[up].Rotate(b.offset[j])).Sub(f.Positions[j]).Norm(); d > 1e-9 {
					t.Fatalf("%s, frame %d: %s is %g m off its place", name, i, j, d)
				}
			}
			for _, j := range [...]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe} {
				if name != "lying" && f.Positions[j][2] < -1e-9 {
					t.Fatalf("%s, frame %d: %s is %g m under the floor", name, i, j, f.Positions[j][2])
				}
			}
		}
		if s := metrics.Plausible(p); name == "march" && s.FootSlideMaxMPerS > 0.01 {
			t.Errorf("%s: standing feet slide at %g m/s", name, s.FootSlideMaxMPerS)
		}
	}
}

// The mirror image of a motion is done as the mirror image.
func TestMimicInTheMirror(t *testing.T) {
	m := odd(performed(t, "one_leg_balance", Options{}))
	flip := func(m *human.Motion) *human.Motion {
		out := *m
		out.Frames = append([]human.Pose(nil), m.Frames...)
		for i := range out.Frames {
			was := m.Frames[i]
			for j := range human.Joint(human.NumJoints) {
				at, q := was.Positions[j.Mirror()], was.Rotations[j.Mirror()]
				out.Frames[i].Positions[j] = spatial.Vec3{at[0], -at[1], at[2]}
				out.Frames[i].Rotations[j] = spatial.Quat{q[0], -q[1], q[2], -q[3]}
			}
			out.Frames[i].Contacts = [4]float64{was.Contacts[2], was.Contacts[3], was.Contacts[0], was.Contacts[1]}
		}
		return &out
	}
	a, b := mimicked(t, flip(m), Options{}), flip(mimicked(t, m, Options{}))
	if c := compared(t, a, b); c.GMPJPEMm > 1e-6 || c.JointAngleP95Deg > 1e-3 || c.ContactAgreement != 1 {
		t.Errorf("%+v", c)
	}
}

// A long way is filmed from as far as it needs, in the garden, and stays in the picture.
func TestSurroundHoldsTheWay(t *testing.T) {
	m := performed(t, "march", Options{})
	far := *m
	far.Frames = append([]human.Pose(nil), m.Frames...)
	for i := range far.Frames {
		for j := range far.Frames[i].Positions {
			far.Frames[i].Positions[j][1] += 3 * float64(i) / float64(len(far.Frames))
			far.Frames[i].Positions[j][0] += 2.5 * float64(i) / float64(len(far.Frames))
		}
	}
	o, err := Surround(&far, Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := TakeOf(&far, o)
	if err != nil {
		t.Fatal(err)
	}
	for j := range human.Joint(human.NumJoints) {
		if k.seen(j) != 1 {
			t.Errorf("%s is seen for %.2f of the time", j, k.seen(j))
		}
	}
	if o.Look.Background != "garden" || o.Camera.DistanceM < 5 || math.Abs(o.StageM[1]-1.5) > 0.1 {
		t.Errorf("%+v", o)
	}
	if near, _ := Surround(m, Options{}); near.Camera.DistanceM != 3.6 || near.Look.Background != "room" {
		t.Errorf("on the spot: %+v", near)
	}
	if asked, _ := Surround(&far, Options{Camera: Camera{DistanceM: 3}, Look: Look{Background: "room"}}); asked.Camera.DistanceM != 3 || asked.Look.Background != "room" {
		t.Errorf("asked for: %+v", asked)
	}
}

// The hard motions have the same skeleton, on the floor or on the block, and move smoothly.
func TestTrialsAreDoneByABody(t *testing.T) {
	for _, m := range Trials() {
		for _, o := range []Options{{}, {HeightM: 1.3, Seed: 4, FPS: 60}} {
			p, err := Perform(m, o)
			if err != nil {
				t.Fatal(err)
			}
			o, _ = o.withDefaults()
			b, k := newBody(o.HeightM), o.HeightM/referenceHeightM
			for i := range p.Frames {
				f := &p.Frames[i]
				for j := human.Joint(1); int(j) < human.NumJoints; j++ {
					up := j.Parent()
					if d := f.Positions[up].Add(f.Rotations[up].Rotate(b.offset[j])).Sub(f.Positions[j]).Norm(); d > 1e-9 {
						t.Fatalf("%s, frame %d: %s is %g m off its place", m.Name, i, j, d)
					}
					if i == 0 {
						continue
					}
					// A jump's feet and a kick's shank are the fastest: 8 m/s would be a jump in the curves.
					if v := f.Positions[j].Sub(p.Frames[i-1].Positions[j]).Norm() * o.FPS; v > 8 {
						t.Fatalf("%s, frame %d: %s moves at %.1f m/s", m.Name, i, j, v)
					}
				}
				for c, j := range [...]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe} {
					z := f.Positions[j][2]
					if on := math.Min(math.Abs(z), math.Abs(z-k*blockTopM)); f.Contacts[c] > 0 && on > 1e-9 || z < -1e-9 {
						t.Fatalf("%s, frame %d: %s is %g m high, in contact: %g", m.Name, i, j, z, f.Contacts[c])
					}
				}
			}
		}
	}
	turn := performed(t, "turn_360", Options{})
	total := 0.0
	for i := 1; i < len(turn.Frames); i++ {
		total += math.Remainder(turn.Frames[i].Rotations[human.Pelvis].YawRad()-turn.Frames[i-1].Rotations[human.Pelvis].YawRad(), 2*math.Pi)
	}
	if math.Abs(total-2*math.Pi) > 1e-6 {
		t.Errorf("turn_360 turns by %.1f degrees", total*180/math.Pi)
	}
	if l := performed(t, "lying", Options{}); l.Frames[0].Rotations[human.Chest].TiltRad() < rad(80) {
		t.Error("lying does not lie")
	}
}
