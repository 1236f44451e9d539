package observe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// at is where the joints of a person of 1.7 m are who stands facing +x.
func at(j human.Joint) spatial.Vec3 {
	y := 1.0
	if m := j.Mirror(); m < j { // the right one of a pair
		y, j = -1, m
	}
	v := map[human.Joint]spatial.Vec3{
		human.Pelvis: {0, 0, 0.92}, human.Chest: {0, 0, 1.38}, human.Head: {0, 0, 1.6}, human.Nose: {0.1, 0, 1.6},
		human.LHip: {0, 0.1, 0.9}, human.LKnee: {0.02, 0.1, 0.49}, human.LAnkle: {0, 0.1, 0.08}, human.LHeel: {-0.06, 0.1, 0},
		human.LToe: {0.15, 0.1, 0}, human.LShoulder: {0, 0.19, 1.38}, human.LElbow: {0, 0.22, 1.1}, human.LWrist: {0.02, 0.23, 0.86},
	}[j]
	return spatial.Vec3{v[0], y * v[1], v[2]}
}

// acted returns a motion of n frames at 50 frames/s; change may move joints of a frame.
func acted(n int, change func(k int, p *human.Pose)) *human.Motion {
	m := &human.Motion{FPS: 50}
	for k := range n {
		var p human.Pose
		for j := range p.Positions {
			p.Positions[j], p.Rotations[j], p.Confidence[j] = at(human.Joint(j)), spatial.Identity(), 1
		}
		p.Contacts = [4]float64{1, 1, 1, 1}
		if change != nil {
			change(k, &p)
		}
		m.Frames = append(m.Frames, p)
	}
	return m
}

func seen(m *human.Motion) *Performance {
	times := make([]float64, len(m.Frames))
	for k := range times {
		times[k] = float64(k) / 50
	}
	return Read(m, times, Options{FPS: 50, Soft: 1, Amplify: 1})
}

// raised lifts a foot by so many metres in the frames from a to before b.
func raised(p *human.Pose, s int, byM float64) {
	for _, j := range legJoints[s][2:] {
		p.Positions[j][2] += byM
	}
}

// TestStandingIsRead: a person who stands has the hips at the top, no lean, arms that hang, feet that face ahead.
func TestStandingIsRead(t *testing.T) {
	p := seen(acted(60, nil))
	for k, in := range p.Intents {
		if math.Abs(in.Hip-1) > 1e-9 || in.Tilt.Sub(spatial.Vec3{0, 0, 1}).Norm() > 1e-9 || math.Abs(in.Heading) > 1e-9 || in.On != [2]bool{true, true} ||
			in.Upper[0][2] > -0.9 || math.Abs(in.FootYaw[0]) > 1e-9 || in.Foot[0].Sub(p.Intents[0].Foot[0]).Norm() > 1e-9 {
			t.Fatalf("frame %d: %+v", k, in)
		}
	}
	if leg := at(human.LHip)[2]; math.Abs(p.LegM-leg) > 0.01 || math.Abs(p.HipRatio-0.2/p.LegM) > 1e-9 {
		t.Errorf("the leg is %.3f m long, want %.3f; hips %.3f of it apart", p.LegM, leg, p.HipRatio)
	}
}

// TestStepsAreToldFromNoise: a foot is in the air where it was lifted long and high enough, whatever the file says of
// contacts while it is high; lesser lifts and touches are none.
func TestStepsAreToldFromNoise(t *testing.T) {
	for what, c := range map[string]struct {
		from, to int
		lift     float64 // m
		contact  float64
		air      bool
	}{
		"a step":                     {20, 40, 0.15, 0, true},
		"high, said to be down":      {20, 40, 0.3, 1, true},
		"said to be up, not lifted":  {20, 40, 0.005, 0, false},
		"too short to be a swing":    {20, 26, 0.15, 0, false},
		"low, said to be up halfway": {20, 40, 0.05, 0.5, false},
	} {
		p := seen(acted(70, func(k int, f *human.Pose) {
			if k >= c.from && k < c.to {
				raised(f, 1, c.lift)
				f.Contacts[human.RHeelContact], f.Contacts[human.RToeContact] = c.contact, c.contact
			}
		}))
		air := 0
		for k, in := range p.Intents {
			if !in.On[0] {
				t.Fatalf("%s, frame %d: the other foot is up", what, k)
			}
			if !in.On[1] {
				air++
			}
		}
		if (air > 0) != c.air || c.air && math.Abs(float64(air-(c.to-c.from))) > 6 {
			t.Errorf("%s: %d frames in the air", what, air)
		}
	}
}

// TestSomebodyAlwaysStands: in a jump the foot that stood last, or the lower one, stands on; it is counted as flight.
func TestSomebodyAlwaysStands(t *testing.T) {
	p := seen(acted(80, func(k int, f *human.Pose) {
		if k >= 30 && k < 50 {
			f.Contacts = [4]float64{}
			for j := range f.Positions {
				f.Positions[j][2] += 0.2
			}
		}
	}))
	for k, in := range p.Intents {
		if in.On == [2]bool{} {
			t.Fatalf("frame %d: nobody stands", k)
		}
	}
	if p.Flight < 15 || p.Flight > 25 {
		t.Errorf("%d frames of flight; 20 were acted", p.Flight)
	}
}

// TestBothFeetStandWhileTheWeightGoesOver: where one foot lifts as the other lands, both stand for the overlap;
// elsewhere nothing changes.
func TestBothFeetStandWhileTheWeightGoesOver(t *testing.T) {
	p := &Performance{Intents: make([]Intent, 40)}
	for k := range p.Intents {
		p.Intents[k].On = [2]bool{k < 20, k >= 20}
	}
	p.overlap(3)
	for k, in := range p.Intents {
		want := [2]bool{k < 23, k >= 17}
		if in.On != want {
			t.Errorf("frame %d: %v, want %v", k, in.On, want)
		}
	}
}

// TestJitterIsMeasured: white noise is found, joint by joint, also on top of motion, and clean motion has none.
func TestJitterIsMeasured(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	noise := map[human.Joint]float64{human.LWrist: 0.02, human.RKnee: 0.005}
	m := acted(400, func(k int, f *human.Pose) {
		for j := range f.Positions {
			f.Positions[j][0] += 0.2 * math.Sin(2*math.Pi*float64(k)/50)
			for c := range 3 {
				f.Positions[j][c] += noise[human.Joint(j)] * rng.NormFloat64()
			}
		}
	})
	for j, got := range jitter(bridge(m)) {
		if want := noise[human.Joint(j)]; math.Abs(got-want) > 0.1*want+1e-4 {
			t.Errorf("joint %d: %.4f m, want %.4f", j, got, want)
		}
	}
}

// TestTheLeanIsLimitedWithoutACorner: more lean is never less, small ones are copied in proportion, none is beyond the
// ellipse of the limits, and those beyond it are counted.
func TestTheLeanIsLimitedWithoutACorner(t *testing.T) {
	for _, axis := range []spatial.Vec3{{0, 1, 0}, {0, -1, 0}, {1, 0, 0}, {0.6, 0.8, 0}} {
		limit := 1 / math.Hypot(axis[1]/MaxTiltRad, axis[0]/MaxSideRad)
		last, slope := 0.0, tiltDamping
		const h = 0.01
		for a := h; a < 1.5; a += h {
			var p Performance
			in := Intent{Tilt: spatial.Exp(axis.Scale(a)).Rotate(spatial.Vec3{0, 0, 1}), Chest: spatial.Identity()}
			p.limitTilt(&in, 1)
			got := spatial.Between(spatial.Vec3{0, 0, 1}, in.Tilt).Log().Norm()
			if got < last-1e-12 || got > limit+1e-9 || math.Abs((got-last)/h-slope) > 0.06 {
				t.Fatalf("axis %v: %.2f rad becomes %.4f after %.4f; limit %.2f", axis, a, got, last, limit)
			}
			if (p.Tilted > 0) != (a*tiltDamping > limit) {
				t.Fatalf("axis %v: %.2f rad is counted %d times", axis, a, p.Tilted)
			}
			last, slope = got, (got-last)/h
		}
	}
}

// TestAConstantLeanIsTheCameras: a small one is taken out, what is left of a large one is its excess; it leans the
// chest, too.
func TestAConstantLeanIsTheCameras(t *testing.T) {
	for _, c := range []struct{ lean, left float64 }{{0.05, 0}, {-0.08, 0}, {0.3, 0.3 - biasTiltRad}} {
		p := &Performance{Intents: make([]Intent, 9)}
		for k := range p.Intents {
			q := spatial.Exp(spatial.Vec3{0, c.lean, 0})
			p.Intents[k] = Intent{Tilt: q.Rotate(spatial.Vec3{0, 0, 1}), Chest: q}
		}
		p.removeBias()
		for _, in := range p.Intents {
			if a, b := math.Acos(in.Tilt[2]), in.Chest.TiltRad(); math.Abs(a-c.left) > 0.01 || math.Abs(b-c.left) > 0.01 {
				t.Fatalf("%g rad: %g are left, of the chest %g", c.lean, a, b)
			}
		}
	}
}

// TestResamplingGoesThroughTheFrames: at whole frames nothing changes; between, directions stay unit and near both
// neighbours.
func TestResamplingGoesThroughTheFrames(t *testing.T) {
	m := acted(60, func(k int, f *human.Pose) {
		a := 0.5 - 0.5*math.Cos(float64(k)/10)
		f.Positions[human.LElbow] = f.Positions[human.LShoulder].Add(spatial.Vec3{0.28 * math.Sin(a), 0, -0.28 * math.Cos(a)})
	})
	p := seen(m)
	out := p.At([]float64{0, 10, 10.5, 11, 59}, 0)
	for k, from := range []int{0, 10, -1, 11, 59} {
		if from >= 0 && out.Intents[k].Upper[0].Sub(p.Intents[from].Upper[0]).Norm() > 1e-12 {
			t.Errorf("frame %d: %v, was %v", from, out.Intents[k].Upper[0], p.Intents[from].Upper[0])
		}
	}
	mid := out.Intents[2].Upper[0]
	straight := p.Intents[10].Upper[0].Lerp(p.Intents[11].Upper[0], 0.5)
	if math.Abs(mid.Norm()-1) > 1e-12 || mid.Sub(straight).Norm() > 2e-3 {
		t.Errorf("between two frames: %v, straight %v", mid, straight)
	}
}
