package metrics

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// changed gives every frame another toe, knee and contact than the truth has.
func changed(m *human.Motion) *human.Motion {
	i := 0.0
	return edit(m, func(p *human.Pose) {
		i++
		p.Positions[human.LToe] = p.Positions[human.LToe].Add(spatial.Vec3{0.05 * math.Sin(i), 0.1, 0.02})
		p.Positions[human.RKnee] = p.Positions[human.RKnee].Add(spatial.Vec3{0.1, 0, 0.02 * math.Cos(i)})
		p.Positions[human.RToe][1] -= 0.15
		p.Positions[human.LElbow][2] -= 0.07
		p.Contacts[human.RHeelContact] = math.Mod(i, 2)
	})
}

// standing gives truth contacts of the left foot in two of three frames.
func standing(m *human.Motion) *human.Motion {
	i := 0
	return edit(m, func(p *human.Pose) {
		i++
		if i%3 > 0 {
			p.Contacts[human.LToeContact], p.Contacts[human.RToeContact] = 1, 1
		}
	})
}

func flip(m *human.Motion) *human.Motion {
	return edit(m, func(p *human.Pose) {
		was := *p
		for j := range human.Joint(human.NumJoints) {
			at := was.Positions[j.Mirror()]
			p.Positions[j] = spatial.Vec3{at[0], -at[1], at[2]}
			q := was.Rotations[j.Mirror()] // a mirror across y keeps turns about y and reverses the others
			p.Rotations[j] = spatial.Quat{q[0], -q[1], q[2], -q[3]}
		}
		p.Contacts = [4]float64{was.Contacts[2], was.Contacts[3], was.Contacts[0], was.Contacts[1]}
	})
}

// The mirror image of a motion is as far from the mirror image of the truth; only the two feet change places.
func TestLimbsInTheMirror(t *testing.T) {
	truth := standing(walker(30, 0, 3))
	m := changed(truth)
	a, b := mustCompare(t, m, truth).Limbs, mustCompare(t, flip(m), flip(truth)).Limbs
	b.FootLift[0], b.FootLift[1] = b.FootLift[1], b.FootLift[0]
	for what, v := range map[string][2]float64{"foot": {a.FootMedianDeg, b.FootMedianDeg}, "foot p95": {a.FootP95Deg, b.FootP95Deg},
		"knee": {a.KneeBiasDeg, b.KneeBiasDeg}, "knee p95": {a.KneeP95Deg, b.KneeP95Deg}, "elbow": {a.ElbowBiasDeg, b.ElbowBiasDeg},
		"elbow p95": {a.ElbowP95Deg, b.ElbowP95Deg}, "left lift": {a.FootLift[0], b.FootLift[0]}, "right lift": {a.FootLift[1], b.FootLift[1]},
		"contacts": {a.ContactF1, b.ContactF1}} {
		near(t, what, v[1], v[0], 1e-9)
		if what != "right lift" && math.Abs(v[0]) < 1e-3 {
			t.Errorf("%s is %g: the change does not show", what, v[0])
		}
	}
}

// A body twice as large, seen as large, has the same angles, shares and lifts.
func TestLimbsKnowNoSize(t *testing.T) {
	twice := func(m *human.Motion) *human.Motion {
		return edit(m, func(p *human.Pose) {
			for j := range p.Positions {
				p.Positions[j] = p.Positions[j].Scale(2)
			}
		})
	}
	truth := standing(walker(30, 0, 3))
	m := changed(truth)
	a, b := mustCompare(t, m, truth).Limbs, mustCompare(t, twice(m), twice(truth)).Limbs
	near(t, "foot", b.FootMedianDeg, a.FootMedianDeg, 1e-9)
	near(t, "knee", b.KneeBiasDeg, a.KneeBiasDeg, 1e-9)
	near(t, "elbow p95", b.ElbowP95Deg, a.ElbowP95Deg, 1e-9)
	near(t, "left lift", b.FootLift[0], a.FootLift[0], 1e-9)
	near(t, "contacts", b.ContactF1, a.ContactF1, 0)
}

// A straight leg and a foot ahead, spoilt by known amounts.
func TestKnownLimbErrors(t *testing.T) {
	truth := edit(walker(30, 0, 3), func(p *human.Pose) {
		for side, hip := range [2]human.Joint{human.LHip, human.RHip} {
			y := 0.1 - 0.2*float64(side)
			p.Positions[hip], p.Positions[hip+1], p.Positions[hip+2] = spatial.Vec3{0, y, 0.9}, spatial.Vec3{0, y, 0.5}, spatial.Vec3{0, y, 0.1}
			p.Positions[hip+3], p.Positions[hip+4] = spatial.Vec3{-0.05, y, 0}, spatial.Vec3{0.2, y, 0}
		}
	})
	raised := 0
	truth = edit(truth, func(p *human.Pose) {
		if raised++; raised > 80 {
			p.Positions[human.RToe][2] = 0.2
		}
	})
	frame := 0
	m := edit(truth, func(p *human.Pose) {
		// The left knee bends by 30 degrees; both feet point 60 degrees outwards; the right toe rises half as high.
		p.Positions[human.LAnkle] = p.Positions[human.LKnee].Add(spatial.Vec3{-0.4 * math.Sin(math.Pi/6), 0, -0.4 * math.Cos(math.Pi/6)})
		if frame++; frame > 80 {
			p.Positions[human.RToe][2] = 0.1
			return
		}
		for side, heel := range [2]human.Joint{human.LHeel, human.RHeel} {
			out := float64(1-2*side) * math.Pi / 3
			p.Positions[heel+1] = p.Positions[heel].Add(spatial.Vec3{0.25 * math.Cos(out), 0.25 * math.Sin(out), 0})
		}
	})
	l := mustCompare(t, m, truth).Limbs
	near(t, "feet", l.FootMedianDeg, 60, 1e-6)
	near(t, "knees", l.KneeBiasDeg, 15, 1e-6)
	near(t, "deepest knees", l.KneeP95Deg, 30, 1e-6)
	near(t, "lift", l.FootLift[1], 0.5, 1e-6)
	near(t, "standing foot's lift", l.FootLift[0], 1, 0)
}

// F1 by hand: 2 hits, 1 missed, 1 invented of each three frames is 2*2/(2*2+2).
func TestContactF1(t *testing.T) {
	on := func(p *human.Pose, left bool) {
		p.Contacts = [4]float64{}
		p.Contacts[0] = map[bool]float64{true: 1}[left]
	}
	i, k := 0, 0
	truth := edit(walker(30, 0, 3.97), func(p *human.Pose) { on(p, i%4 != 3); i++ })
	m := edit(truth, func(p *human.Pose) { on(p, k%4 != 0); k++ })
	if len(truth.Frames)%4 != 0 {
		t.Fatalf("%d frames", len(truth.Frames))
	}
	near(t, "F1", mustCompare(t, m, truth).ContactF1, 4.0/6, 1e-9)
}
