package gait

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// swing is one lift of a synthetic walk.
type swing struct{ fromS, toS, heightM, stepM float64 }

// walk makes a path whose feet swing as told, on ankles 8 cm high.
func walk(fps, seconds float64, feet [2][]swing) Path {
	p := Path{FPS: fps, LegM: 0.9}
	for s := range feet {
		y := 0.1 - 0.2*float64(s)
		for t := 0.0; t <= seconds; t += 1 / fps {
			at := spatial.Vec3{0, y, 0.08}
			for _, w := range feet[s] {
				u := math.Max(0, math.Min(1, (t-w.fromS)/(w.toS-w.fromS)))
				at[0] += w.stepM * u
				at[2] += w.heightM * math.Pow(math.Sin(math.Pi*u), 2)
			}
			p.Ankle[s] = append(p.Ankle[s], at)
		}
	}
	return p
}

var march = [2][]swing{
	{{0.5, 1.3, 0.159, 0.3}, {2.5, 3.3, 0.159, 0.3}},
	{{1.5, 2.3, 0.159, 0.3}, {3.5, 4.3, 0.159, 0.3}},
}

// A march has the lifts, heights and steps it was made of, at any rate.
func TestKnownLiftsAreFound(t *testing.T) {
	for _, fps := range []float64{25, 30, 60, 200} {
		f, err := Measure(walk(fps, 5, march))
		if err != nil {
			t.Fatal(err)
		}
		for s, foot := range []Foot{f.Left, f.Right} {
			if len(foot.Lifts) != 2 {
				t.Fatalf("%g frames/s, side %d: %d lifts; want 2", fps, s, len(foot.Lifts))
			}
			for i, l := range foot.Lifts {
				w := march[s][i]
				if math.Abs(l.HeightM-w.heightM) > 0.004 || l.StepM > w.stepM+1e-9 || l.StepM < 0.6*w.stepM {
					t.Errorf("%g frames/s, side %d: lift %d is %.0f mm high, %.0f mm far; want %.0f and at most %.0f", fps, s, i, 1e3*l.HeightM, 1e3*l.StepM, 1e3*w.heightM, 1e3*w.stepM)
				}
				if l.FromS < w.fromS-0.01 || l.ToS > w.toS+0.01 {
					t.Errorf("lift from %g to %g s; made from %g to %g", l.FromS, l.ToS, w.fromS, w.toS)
				}
			}
			if math.Abs(foot.HeightLegs*0.9-foot.HeightM) > 1e-12 {
				t.Errorf("%g leg lengths are %g m", foot.HeightLegs, foot.HeightM)
			}
		}
		if f.Symmetry == nil || *f.Symmetry < 0.97 {
			t.Errorf("%g frames/s: symmetry %v of equal feet", fps, f.Symmetry)
		}
	}
}

// A mirrored walk has mirrored figures; a body twice as large has the same ones
// in leg lengths.
func TestMirrorAndScale(t *testing.T) {
	p := walk(50, 5, [2][]swing{{{0.5, 1.3, 0.1, 0.2}, {2.5, 3.3, 0.08, 0}}, {{1.5, 2.3, 0.045, 0.3}}})
	f, err := Measure(p)
	if err != nil {
		t.Fatal(err)
	}
	m, large := p, Path{FPS: p.FPS, LegM: 2 * p.LegM}
	m.Ankle[0], m.Ankle[1] = nil, nil
	for s := range p.Ankle {
		for _, a := range p.Ankle[s] {
			m.Ankle[1-s] = append(m.Ankle[1-s], spatial.Vec3{a[0], -a[1], a[2]})
			large.Ankle[s] = append(large.Ankle[s], a.Scale(2))
		}
	}
	g, err := Measure(m)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Left.Lifts, g.Right.Lifts) || !slices.Equal(f.Right.Lifts, g.Left.Lifts) || *f.Symmetry != *g.Symmetry {
		t.Errorf("mirrored: %+v, %+v; want %+v, %+v", g.Right, g.Left, f.Left, f.Right)
	}
	if math.Abs(*f.Symmetry-0.5) > 0.02 { // 90 mm and 45 mm
		t.Errorf("symmetry %.3f; want 0.5", *f.Symmetry)
	}
	h, err := Measure(large)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(h.Left.HeightLegs-f.Left.HeightLegs) > 1e-12 || math.Abs(h.Right.StepLegs-f.Right.StepLegs) > 1e-12 {
		t.Errorf("twice as large: %+v; want %+v in leg lengths", h.Left, f.Left)
	}
}

func TestStandingLiftsNothing(t *testing.T) {
	f, err := Measure(walk(50, 3, [2][]swing{}))
	if err != nil || f.Symmetry != nil || len(f.Left.Lifts)+len(f.Right.Lifts) != 0 || f.Odd("It") != "" {
		t.Errorf("standing: %+v, %v", f, err)
	}
	one, err := Measure(walk(50, 3, [2][]swing{{{1, 2, 0.2, 0}}}))
	if err != nil || one.Symmetry == nil || *one.Symmetry != 0 || one.Odd("It") != "" {
		t.Errorf("standing on the right foot: %+v, %v; want symmetry 0, and nothing odd about it", one, err)
	}
	if _, err := Measure(Path{FPS: 50, LegM: 1}); err == nil {
		t.Error("no frames: no error")
	}
}

// A foot that is hardly raised is said, with the truth and without it; a motion
// as it was is not.
func TestAsymmetryIsSaid(t *testing.T) {
	measure := func(right float64) *Figures {
		feet := march
		feet[1] = []swing{{1.5, 2.3, right, 0}, {3.5, 4.3, right, 0}}
		f, err := Measure(walk(30, 5, feet))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	truth := measure(0.159)
	if s := measure(0.15).Against(truth, "It", "the truth"); len(s) != 0 || measure(0.15).Odd("It") != "" {
		t.Errorf("6 %% lower on one side: %q", s)
	}
	low := measure(0.043)
	said := strings.Join(low.Against(truth, "The pose", "the truth"), " ")
	for _, want := range []string{"lifts the right foot 2 times by 5 % of", "the truth 2 times by 18 %", "unequally", "ratio 0.27"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q does not say %q", said, want)
		}
	}
	if strings.Contains(said, "left foot") || !strings.Contains(low.Odd("It"), "misread") {
		t.Errorf("%q, %q", said, low.Odd("It"))
	}
	if said := strings.Join(measure(0).Against(truth, "It", "the truth"), " "); !strings.Contains(said, "lifts the right foot not at all, the truth 2 times") {
		t.Errorf("never lifted: %q", said)
	}
}

// A person's leg is measured from hip to sole.
func TestPerson(t *testing.T) {
	m := &human.Motion{FPS: 30, Frames: make([]human.Pose, 10)}
	for i := range m.Frames {
		p := &m.Frames[i].Positions
		p[human.LHip], p[human.LKnee], p[human.LAnkle] = spatial.Vec3{0, 0.1, 0.9}, spatial.Vec3{0, 0.1, 0.5}, spatial.Vec3{0, 0.1, 0.1}
		p[human.RHip], p[human.RKnee], p[human.RAnkle] = spatial.Vec3{0, -0.1, 0.9}, spatial.Vec3{0, -0.1, 0.5}, spatial.Vec3{0, -0.1, 0.1}
	}
	p := Person(m)
	if math.Abs(p.LegM-0.9) > 1e-12 || len(p.Ankle[0]) != 10 || p.Ankle[1][3][1] != -0.1 {
		t.Errorf("leg of %g m, %d frames", p.LegM, len(p.Ankle[0]))
	}
}
