package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// climber steps onto a block beside them, first with the left foot, and stays there.
func climber(blockM float64) *actor {
	foot := func(t float64, side int) (spatial.Vec3, float64) {
		from := 1.2 + 1.1*float64(side)
		s := smoothStep((t - from) / 0.7)
		up := smoothStep((t - from) / 0.4)
		return spatial.Vec3{0, 0.12 - 0.24*float64(side) + 0.5*s, blockM*up + 0.06*pulse(t, from, from+0.7)}, 0
	}
	return &actor{
		heightM: 1.75,
		pelvis: func(t float64) spatial.Vec3 {
			s := smoothStep((t - 1.9) / 0.9)
			return spatial.Vec3{0.01, 0.5 * smoothStep((t-1.2)/1.8), standing - 0.03*pulse(t, 1.2, 3) + blockM/1.75*s}
		},
		lean: func(float64) float64 { return 0.03 },
		arm:  func(float64, int) (float64, float64) { return 0.2, 0.3 },
		foot: foot,
	}
}

// A step onto a block is a floor of its own: it neither tilts the clip nor is it
// flattened.
func TestAStepOntoABlock(t *testing.T) {
	for _, blockM := range []float64{0.35, 0.20} {
		a, cam := climber(blockM), defaultCamera()
		in, truth := film(a, cam, 6, 30, typical, 11)
		m, rep := solved(t, in, Options{HeightM: a.heightM, FocalPx: cam.focalPx})
		if len(rep.LevelsM) != 1 || math.Abs(rep.LevelsM[0]-blockM) > 0.08 {
			t.Errorf("a block of %g m: levels %v", blockM, rep.LevelsM)
		}
		if off := math.Acos(min(1, rep.UpInCamera.Dot(cam.upInCamera()))) * 180 / math.Pi; off > 4 {
			t.Errorf("a block of %g m: up is %.1f degrees off", blockM, off)
		}
		last := len(m.Frames) - 15
		for _, j := range []human.Joint{human.Pelvis, human.LHeel, human.RToe} {
			got, want := m.Frames[last].Positions[j][2], truth.Frames[last].Positions[j][2]
			if math.Abs(got-want) > 0.08 {
				t.Errorf("a block of %g m: %v is %.2f m high in the end, want %.2f", blockM, j, got, want)
			}
		}
		if c := compare(t, m, truth); c.MPJPEMm > 60 {
			t.Errorf("a block of %g m: MPJPE %.0f mm", blockM, c.MPJPEMm)
		}
	}
}

// Places on one floor, seen with the usual error and by a camera that is thought to
// be turned otherwise than it is, are one floor; places on two levels are two,
// wherever they lie.
func TestSurveyOfPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const doubt = 0.03
	for trial := range 200 {
		slopeA, slopeB := doubt*r.NormFloat64(), doubt*r.NormFloat64()
		blockM := 0.0
		if trial%2 == 1 {
			blockM = 0.25 + 0.4*r.Float64()
		}
		var places []place
		for range 6 + r.IntN(10) {
			q := place{a: 2 * r.Float64(), b: 3 + 2*r.Float64()}
			q.h = 1 + slopeA*q.a + slopeB*q.b + 0.02*r.NormFloat64()
			if q.a > 1 {
				q.h += blockM
			}
			places = append(places, q)
		}
		// One step is nothing yet: both levels are stood on.
		places[0].a, places[1].a = 0.3, 1.7
		places[0].h = 1 + slopeA*0.3 + slopeB*places[0].b
		places[1].h = 1 + slopeA*1.7 + slopeB*places[1].b + blockM
		g := survey(places, doubt)
		want := 1 + trial%2
		if len(g.level) != want {
			t.Errorf("trial %d, a block of %.2f m: %d levels, want %d", trial, blockM, len(g.level), want)
			continue
		}
		if most := slopeDoubts * doubt; abs(g.slopeA) > most || abs(g.slopeB) > most {
			t.Errorf("trial %d: slopes %.2f and %.2f, bound %.2f", trial, g.slopeA, g.slopeB, most)
		}
		if want == 2 && abs(abs(g.level[0]-g.level[1])-blockM) > 0.13 {
			t.Errorf("trial %d: levels %v, want %.2f m apart", trial, g.level, blockM)
		}
	}
	if survey(nil, doubt) != nil {
		t.Error("a floor of no places")
	}
}
