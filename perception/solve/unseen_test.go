package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// invent hides landmarks from one time to another and puts them anywhere: within the
// picture, as a network does that guesses, or below it.
func invent(in *landmark.Clip, marks []landmark.Index, fromS, toS float64, seed uint64) *landmark.Clip {
	r := rand.New(rand.NewPCG(seed, 1))
	out := *in
	out.Frames = append([]landmark.Frame(nil), in.Frames...)
	for i := range out.Frames {
		f := &out.Frames[i]
		if f.TimeS < fromS || f.TimeS > toS {
			continue
		}
		for _, j := range marks {
			p := &f.Landmarks[j]
			p.XPx, p.YPx = float64(in.WidthPx)*r.Float64(), float64(in.HeightPx)*r.Float64()
			p.Visibility = 0.2 * r.Float64()
			if r.Float64() < 0.3 {
				p.YPx, p.Visibility = float64(in.HeightPx)*(1+r.Float64()), 0.9
			}
			f.WorldM[j] = spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		}
	}
	return &out
}

var (
	legMarks = []landmark.Index{landmark.LKnee, landmark.RKnee, landmark.LAnkle, landmark.RAnkle,
		landmark.LHeel, landmark.RHeel, landmark.LToe, landmark.RToe}
	rightArmMarks = []landmark.Index{landmark.RElbow, landmark.RWrist, landmark.RPinky, landmark.RIndex, landmark.RThumb}
)

// TestInventedLegsSayNothing: two guesses about legs that are never seen give the same
// motion to the bit; arms are near the truth, legs below the hips, feet on the floor,
// and nothing is claimed of them.
func TestInventedLegsSayNothing(t *testing.T) {
	in, truth := film(squatter(), defaultCamera(), 4, 20, noise{}, 1)
	a, rep := solved(t, invent(in, legMarks, 0, 9, 1), Options{HeightM: 1.75})
	b, _ := solved(t, invent(in, legMarks, 0, 9, 2), Options{HeightM: 1.75})
	for i := range a.Frames {
		if a.Frames[i] != b.Frames[i] {
			t.Fatalf("frame %d depends on how the legs were guessed", i)
		}
		p, c := &a.Frames[i].Positions, &a.Frames[i].Confidence
		for _, h := range hipJoints {
			down := p[h+2].Sub(p[h]).Unit(spatial.Vec3{})
			if c[h+1] != 0 || c[h+2] != 0 || c[h+3] != 0 || c[h+4] != 0 || down[2] > -0.7 || p[h+4][2] > 0.03 || p[h+4][2] < -0.01 {
				t.Fatalf("frame %d: confidence %v, leg %v, toe %.3f m high", i, *c, down, p[h+4][2])
			}
		}
		if c[human.LElbow] < 0.9 {
			t.Fatalf("frame %d: confidence of an arm that is seen: %v", i, c[human.LElbow])
		}
	}
	if e := armError(a, truth); e > 18 {
		t.Errorf("upper arms are %.1f degrees off", e)
	}
	if rep.StanceShare != 1 || rep.CameraTiltDeg > 6 {
		t.Errorf("stance %.2f, tilt %.1f", rep.StanceShare, rep.CameraTiltDeg)
	}
}

// armError is the mean angle between the upper arms of two motions, degrees.
func armError(a, b *human.Motion) float64 {
	sum, n := 0.0, 0.0
	for i := range a.Frames {
		p, q := &a.Frames[i].Positions, &b.Frames[i].Positions
		for _, s := range []human.Joint{human.LShoulder, human.RShoulder} {
			u, v := p[s+1].Sub(p[s]), q[s+1].Sub(q[s])
			sum += math.Atan2(u.Cross(v).Norm(), u.Dot(v)) * 180 / math.Pi
			n++
		}
	}
	return sum / n
}

// TestALostArmHangs: an arm that is not seen for two seconds hangs meanwhile, without a
// jump at either end, and the rest of the body does as if it were seen.
func TestALostArmHangs(t *testing.T) {
	still := func(float64) float64 { return 0 }
	raised := &actor{heightM: 1.75, lean: still, foot: stillFeet,
		pelvis: func(float64) spatial.Vec3 { return spatial.Vec3{0.01, 0, standing} },
		arm:    func(float64, int) (float64, float64) { return 1.3, 0.3 }}
	in, _ := film(raised, defaultCamera(), 4, 20, noise{}, 1)
	whole, _ := solved(t, in, Options{HeightM: 1.75})
	m, _ := solved(t, invent(in, rightArmMarks, 1, 3, 3), Options{HeightM: 1.75})
	for i := range m.Frames {
		at, f := float64(i)/20, &m.Frames[i]
		lost := at > 0.95 && at < 3.05
		if lost != (f.Confidence[human.RElbow] == 0) || f.Confidence[human.LElbow] == 0 {
			t.Errorf("%.2f s: confidence %v", at, f.Confidence)
		}
		arm := f.Positions[human.RWrist].Sub(f.Positions[human.RShoulder]).Unit(spatial.Vec3{})
		if at > 1.95 && at < 2.05 && arm[2] > -0.97 {
			t.Errorf("%.2f s: the arm points to %v", at, arm)
		}
		if i > 0 {
			if v := f.Positions[human.RWrist].Sub(m.Frames[i-1].Positions[human.RWrist]).Norm() * 20; v > 3.5 {
				t.Errorf("%.2f s: the hand moves at %.1f m/s", at, v)
			}
		}
		for _, j := range []human.Joint{human.Head, human.LWrist, human.LAnkle, human.RAnkle} {
			if d := f.Positions[j].Sub(whole.Frames[i].Positions[j]).Norm(); d > 0.03 {
				t.Errorf("%.2f s: %v is %.3f m elsewhere", at, j, d)
			}
		}
		if at < 0.8 || at > 3.2 {
			if d := f.Positions[human.RWrist].Sub(whole.Frames[i].Positions[human.RWrist]).Norm(); d > 0.03 {
				t.Errorf("%.2f s: the wrist that is seen is %.3f m off", at, d)
			}
		}
	}
}

// TestALostLegStands: a leg that is lost while the other is seen stands, and comes back.
func TestALostLegStands(t *testing.T) {
	in, truth := film(stepper(), defaultCamera(), 5, 20, noise{}, 1)
	left := []landmark.Index{landmark.LKnee, landmark.LAnkle, landmark.LHeel, landmark.LToe}
	m, _ := solved(t, invent(in, left, 2, 4, 4), Options{HeightM: 1.68})
	for i := range m.Frames {
		at, p := float64(i)/20, &m.Frames[i].Positions
		if at > 2.7 && at < 3.3 && (p[human.LToe][2] > 0.03 || m.Frames[i].Confidence[human.LAnkle] != 0) {
			t.Errorf("%.2f s: toe %.3f m high, confidence %v", at, p[human.LToe][2], m.Frames[i].Confidence[human.LAnkle])
		}
		rel := func(m *human.Motion) spatial.Vec3 {
			return m.Frames[i].Positions[human.RAnkle].Sub(m.Frames[i].Positions[human.Pelvis])
		}
		if d := rel(m).Sub(rel(truth)).Norm(); d > 0.12 {
			t.Errorf("%.2f s: the ankle that is seen is %.2f m off", at, d)
		}
	}
}
