package retarget

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
)

// TestFootfallsOfAWalkAreKnown: every lift that was acted is read, on its foot and when it happened, and no other; the
// same without any word on contacts in the file, by the height of the feet.
func TestFootfallsOfAWalkAreKnown(t *testing.T) {
	r := kata(t)
	for _, silent := range []bool{false, true} {
		m := lifts(r, 4, 0)
		for t := range m.Frames {
			if silent {
				m.Frames[t].Contacts = [4]float64{}
			}
		}
		p := seen(r, m, 1)
		for s := range 2 {
			air := runs(p, s)
			if len(air) != 2 {
				t.Errorf("silent %v, foot %d: %v; it was lifted twice", silent, s, air)
				continue
			}
			for k, a := range air {
				from, to := float64(a[0])/50, float64(a[1])/50
				begin := 1.5*float64(2*k+s) + 0.375
				if math.Abs(from-begin) > 0.2 || math.Abs(to-begin-0.75) > 0.2 {
					t.Errorf("silent %v, foot %d, lift %d: %.2f to %.2f s; was acted from %.2f to %.2f", silent, s, k, from, to, begin, begin+0.75)
				}
			}
		}
		if p.Flight != 0 {
			t.Errorf("silent %v: %d frames in the air", silent, p.Flight)
		}
	}
}

// same fails where two performances differ by more than far.
func same(t *testing.T, what string, a, b *observe.Performance, far float64) {
	t.Helper()
	if len(a.Intents) != len(b.Intents) {
		t.Fatalf("%s: %d and %d frames", what, len(a.Intents), len(b.Intents))
	}
	for k := range a.Intents {
		x, y := &a.Intents[k], &b.Intents[k]
		worst := math.Max(math.Abs(x.Heading-y.Heading), math.Abs(x.Hip-y.Hip))
		for _, v := range [][2]spatial.Vec3{{x.Tilt, y.Tilt}, {x.Com, y.Com}, {x.Upper[0], y.Upper[0]}, {x.Upper[1], y.Upper[1]}, {x.Fore[0], y.Fore[0]},
			{x.Fore[1], y.Fore[1]}, {x.Foot[0], y.Foot[0]}, {x.Foot[1], y.Foot[1]}} {
			worst = math.Max(worst, v[0].Sub(v[1]).Norm())
		}
		if worst > far || x.On != y.On {
			t.Fatalf("%s: frame %d differs by %g; stands %v and %v", what, k, worst, x.On, y.On)
		}
	}
}

// TestWhatIsReadHasNoSizeNorPlace: a child, a giant, somebody elsewhere who faces elsewhere and somebody who drifts
// away with standing feet do the same.
func TestWhatIsReadHasNoSizeNorPlace(t *testing.T) {
	r := kata(t)
	for _, name := range []string{"arms", "march", "bow"} {
		m := motions(r)[name]
		want := seen(r, m, 1)
		for what, c := range map[string]struct {
			m   *human.Motion
			far float64
		}{
			"larger": {moved(m, 1.7, 0), 1e-6}, "smaller": {moved(m, 0.6, 0), 1e-6}, "turned": {moved(m, 1, 2.5), 1e-6},
			"elsewhere": {shifted(m, func(int) spatial.Vec3 { return spatial.Vec3{3, -7, 0} }), 1e-6},
			"drifting":  {shifted(m, func(k int) spatial.Vec3 { return spatial.Vec3{0.002 * float64(k), 0, 0} }), 0.02},
		} {
			// Jitter is measured in metres, so a person of another size is smoothed a little differently where it is not 0.
			far := c.far
			if what == "larger" || what == "smaller" {
				far = 0.02
			}
			same(t, name+", "+what, want, seen(r, c.m, 1), far)
		}
	}
}

// shifted moves every frame of a motion.
func shifted(m *human.Motion, by func(k int) spatial.Vec3) *human.Motion {
	out := *m
	out.Frames = append([]human.Pose(nil), m.Frames...)
	for k := range out.Frames {
		for j := range out.Frames[k].Positions {
			out.Frames[k].Positions[j] = out.Frames[k].Positions[j].Add(by(k))
		}
	}
	return &out
}

// flipped is the mirror image of a motion.
func flipped(m *human.Motion) *human.Motion {
	out := *m
	out.Frames = make([]human.Pose, len(m.Frames))
	for k := range m.Frames {
		a, b := &m.Frames[k], &out.Frames[k]
		for j := range a.Positions {
			v, q := a.Positions[j], a.Rotations[j]
			to := human.Joint(j).Mirror()
			b.Positions[to], b.Rotations[to] = spatial.Vec3{v[0], -v[1], v[2]}, spatial.Quat{q[0], -q[1], q[2], -q[3]}
			b.Confidence[to] = a.Confidence[j]
		}
		b.Contacts = [4]float64{a.Contacts[2], a.Contacts[3], a.Contacts[0], a.Contacts[1]}
	}
	return &out
}

// TestMirrorIsTheMirrorImage: reading with Mirror is reading the mirror image of the file, of good and of poor footage.
func TestMirrorIsTheMirrorImage(t *testing.T) {
	r := kata(t)
	for name, m := range map[string]*human.Motion{"arms": motions(r)["arms"], "march": motions(r)["march"], "poor": spoil(motions(r)["march"], 2, 0.01)} {
		times := Options{Tempo: 1, FPS: 50}.moments(m)
		a := observe.Read(m, times, observe.Options{FPS: 50, Soft: 1, Amplify: 1, Mirror: true})
		b := observe.Read(flipped(m), times, observe.Options{FPS: 50, Soft: 1, Amplify: 1})
		same(t, name, a, b, 1e-9)
	}
}

// backwards is a motion in reversed time.
func backwards(m *human.Motion) *human.Motion {
	out := *m
	out.Frames = nil
	for k := range m.Frames {
		out.Frames = append(out.Frames, m.Frames[len(m.Frames)-1-k])
	}
	return &out
}

// TestReadingHasNoDirectionOfTime: directions and heights of a motion played backwards are those of the motion,
// backwards. (Footfalls have: a foot is said to land later than it is said to lift.)
func TestReadingHasNoDirectionOfTime(t *testing.T) {
	r := kata(t)
	for _, name := range []string{"arms", "squat", "bow"} {
		m := motions(r)[name]
		a, b := seen(r, m, 1), seen(r, backwards(m), 1)
		n := len(a.Intents)
		for k := range a.Intents {
			x, y := &a.Intents[k], &b.Intents[n-1-k]
			if d := math.Max(x.Upper[0].Sub(y.Upper[0]).Norm(), x.Tilt.Sub(y.Tilt).Norm()); d > 1e-6 || math.Abs(x.Hip-y.Hip) > 1e-6 {
				t.Fatalf("%s, frame %d: %g, hips %g", name, k, d, x.Hip-y.Hip)
			}
		}
	}
}

// TestWhatWasNotSeenIsBridged: a limb that is lost for a moment is where it must have been; one that was never seen
// is no obstacle.
func TestWhatWasNotSeenIsBridged(t *testing.T) {
	r := kata(t)
	m := motions(r)["arms"]
	want := seen(r, m, 1)
	holed := shifted(m, func(int) spatial.Vec3 { return spatial.Vec3{} })
	for k := 40; k < 46; k++ { // a fifth of a second
		for _, j := range []human.Joint{human.LElbow, human.LWrist, human.RKnee} {
			holed.Frames[k].Positions[j], holed.Frames[k].Confidence[j] = spatial.Vec3{99, -99, 99}, 0
		}
	}
	same(t, "a hole", want, seen(r, holed, 1), 0.05)
	for k := range holed.Frames {
		holed.Frames[k].Confidence[human.Nose] = 0
		holed.Frames[k].Confidence[human.LWrist] = 0
	}
	for k, in := range seen(r, holed, 1).Intents {
		if v := in.Fore[0]; math.Abs(v.Norm()-1) > 1e-9 {
			t.Fatalf("frame %d: the forearm of a hand that was never seen points to %v", k, v)
		}
	}
}

// TestAmplifyWidensAboutRest: upper arms at a small angle go as much farther as was asked for, hips as much lower.
func TestAmplifyWidensAboutRest(t *testing.T) {
	r := kata(t)
	read := func(name string, amplify float64) *observe.Performance {
		m := motions(r)[name]
		return observe.Read(m, Options{Tempo: 1, FPS: 50}.moments(m), observe.Options{FPS: 50, Soft: 1, Amplify: amplify})
	}
	a, b := read("arms", 1), read("arms", 1.4)
	for k := range a.Intents {
		x, y := math.Acos(-a.Intents[k].Upper[0][2]), math.Acos(-b.Intents[k].Upper[0][2])
		if x > 0.05 && 1.4*x < 2.5 && math.Abs(y/x-1.4) > 0.01 {
			t.Fatalf("arms, frame %d: %.3f rad from hanging becomes %.3f", k, x, y)
		}
	}
	a, b = read("squat", 1), read("squat", 1.3)
	for k := range a.Intents {
		if x, y := 1-a.Intents[k].Hip, 1-b.Intents[k].Hip; x > 0.02 && y < 0.44 && math.Abs(y/x-1.3) > 0.03 {
			t.Fatalf("squat, frame %d: hips lower by %.3f become %.3f", k, x, y)
		}
	}
}
