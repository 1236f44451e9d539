package control

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// wave is a clip of n frames in which one joint goes out by rad and comes back.
func wave(desc *robot.Description, joint, n int, rad float64) *motion.Clip {
	c := &motion.Clip{FPS: 50, JointNames: desc.JointNames(), BodyNames: []string{desc.RootBody}}
	for k := range n {
		f := motion.NewFrame(len(desc.Joints), 1)
		f.JointPosRad[joint] = rad / 2 * (1 - math.Cos(2*math.Pi*float64(k)/float64(n-1)))
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, 0.28}, spatial.Identity()
		c.Frames = append(c.Frames, f)
	}
	c.Meta.Robot, c.Meta.RobotHash = desc.Name, desc.Hash
	return c
}

// made is a bundle whose network answers bias for every joint, with two clips.
func made(t *testing.T, bias float32, spoil func(b *bundle.Bundle)) (*bundle.Bundle, *robot.Description) {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(desc)
	in, out := spec.Dim(), len(desc.Joints)
	norm := infer.Normalizer{Mean: make([]float32, in), InvStd: make([]float32, in), Clip: 10}
	biases := make([]float32, out)
	for i := range biases {
		biases[i] = bias
	}
	net, err := infer.New(norm, []infer.Layer{{In: in, Out: out, W: make([]float32, in*out), B: biases}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	elbow := desc.JointIndex("l_shoulder_roll")
	b := &bundle.Bundle{Net: net, Clips: []*motion.Clip{wave(desc, elbow, 20, 0.3), wave(desc, elbow, 10, 0.1)}, Manifest: bundle.Manifest{
		Name: "made", Robot: desc.Name, RobotHash: desc.Hash, JointNames: desc.JointNames(), PolicyRateHz: 50, Observation: text,
	}}
	for i := range desc.Joints {
		s := desc.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmPerRad: s.StiffnessNmPerRad, DampingNmSPerRad: s.DampingNmSPerRad, TorqueLimitNm: s.StallTorqueNm})
	}
	if spoil != nil {
		spoil(b)
	}
	return b, desc
}

func player(t *testing.T, bias float32) (*Player, *sensed.Robot) {
	t.Helper()
	b, desc := made(t, bias, nil)
	p, err := New(b, desc)
	if err != nil {
		t.Fatal(err)
	}
	n := len(desc.Joints)
	s := &sensed.Robot{PosRad: make([]float64, n), VelRadPerS: make([]float64, n), GravityDir: spatial.Vec3{0, 0, -1}}
	p.Enter(s.PosRad)
	return p, s
}

// A network that answers nothing plays its clips, one after the other, and stands
// between them where the clips begin.
func TestPlaysItsClipsInTurn(t *testing.T) {
	p, s := player(t, 0)
	dst := make([]float64, len(s.PosRad))
	act := func(play bool) (standing bool) {
		t.Helper()
		standing, err := p.Act(dst, s, play)
		if err != nil {
			t.Fatal(err)
		}
		return standing
	}
	top := func() (rad float64, acts int) {
		for standing := act(true); !standing; standing = act(false) { // nobody asks for more: it is finished all the same
			for _, q := range dst {
				rad = max(rad, q)
			}
			acts++
		}
		return rad, acts
	}
	for range 5 {
		if !act(false) {
			t.Fatal("plays without being asked to")
		}
	}
	for _, want := range []struct {
		rad  float64
		acts int
	}{{0.3, 20}, {0.1, 10}, {0.3, 20}} {
		rad, acts := top()
		if math.Abs(rad-want.rad) > 0.02 || acts != want.acts {
			t.Errorf("rose to %.3f rad within %d decisions, want %.3f within %d", rad, acts, want.rad, want.acts)
		}
		if p.Phase() < 1 {
			t.Errorf("phase %g at the end", p.Phase())
		}
		for j, q := range dst {
			if math.Abs(q-p.StartRad()[j]) > 1e-6 {
				t.Errorf("joint %d rests at %g rad, the clips start at %g", j, q, p.StartRad()[j])
			}
		}
	}
}

// Broken off anywhere, a motion is over within a second: the joints stand where the
// clips begin, no command jumps on the way, and the next motion is played whole.
func TestStopBreaksOffWithinASecond(t *testing.T) {
	second := int(1 / 0.02)
	for at := 1; at < 20; at++ {
		p, s := player(t, 0)
		dst, before := make([]float64, len(s.PosRad)), make([]float64, len(s.PosRad))
		act := func(play bool) (standing bool) {
			copy(before, dst)
			standing, err := p.Act(dst, s, play)
			if err != nil {
				t.Fatal(err)
			}
			for j := range dst {
				if step := math.Abs(dst[j] - before[j]); step > 0.06 {
					t.Fatalf("broken off after %d: joint %d steps %.3f rad", at, j, step)
				}
			}
			return standing
		}
		for range at {
			act(true)
		}
		reached := p.Phase()
		p.Stop()
		n, phase := 1, 0.0
		for ; !act(false); n++ {
			if p.Phase() < max(phase, reached-0.1) || n > second {
				t.Fatalf("broken off after %d: decision %d, phase %g after %g", at, n, p.Phase(), phase)
			}
			phase = p.Phase()
			p.Stop() // twice is as good as once
		}
		for j, q := range dst {
			if math.Abs(q-p.StartRad()[j]) > 1e-3 {
				t.Errorf("broken off after %d: joint %d rests at %g rad, the clips start at %g", at, j, q, p.StartRad()[j])
			}
		}
		acts := 0
		for standing := act(true); !standing; standing = act(false) {
			acts++
		}
		if acts != 10 { // the second clip
			t.Errorf("broken off after %d: the next motion took %d decisions", at, acts)
		}
	}
}

func TestStopAllocatesNothing(t *testing.T) {
	p, s := player(t, 0.1)
	dst := make([]float64, len(s.PosRad))
	if n := testing.AllocsPerRun(20, func() {
		_, _ = p.Act(dst, s, true)
		_, _ = p.Act(dst, s, true)
		p.Stop()
		for standing := false; !standing; {
			standing, _ = p.Act(dst, s, false)
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestAnOutputThatIsNoNumberIsAnError(t *testing.T) {
	p, s := player(t, 0)
	s.GyroRadPerS[1] = math.NaN()
	if _, err := p.Act(make([]float64, len(s.PosRad)), s, true); err == nil {
		t.Error("accepted")
	}
}

func TestActAllocatesNothing(t *testing.T) {
	p, s := player(t, 0.1)
	dst := make([]float64, len(s.PosRad))
	for _, play := range []bool{false, true} {
		if n := testing.AllocsPerRun(20, func() { _, _ = p.Act(dst, s, play) }); n != 0 {
			t.Errorf("play %v: %g allocations", play, n)
		}
	}
}

func TestRefusals(t *testing.T) {
	for word, spoil := range map[string]func(b *bundle.Bundle){
		"other9":                      func(b *bundle.Bundle) { b.Manifest.Robot = "other9" },
		"observation":                 func(b *bundle.Bundle) { b.Manifest.Observation = []byte(`{"surprise":1}`) },
		"version":                     func(b *bundle.Bundle) { b.Manifest.Observation = []byte(`{"version":7}`) },
		"must start and end standing": func(b *bundle.Bundle) { b.Clips[1].Frames[9].JointPosRad[3] += 0.2 },
		"the network maps": func(b *bundle.Bundle) {
			norm := infer.Normalizer{Mean: make([]float32, 3), InvStd: []float32{1, 1, 1}, Clip: 10}
			b.Net, _ = infer.New(norm, []infer.Layer{{In: 3, Out: 20, W: make([]float32, 60), B: make([]float32, 20)}})
		},
		"joint 0 of the observation": func(b *bundle.Bundle) {
			b.Manifest.Observation = []byte(strings.Replace(string(b.Manifest.Observation), b.Manifest.JointNames[0], "tail", 1))
		},
	} {
		b, desc := made(t, 0, spoil)
		if _, err := New(b, desc); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// A robot that is to be spared plays on more slowly from where it is, and as fast as ever
// once it is rested; no command jumps, and the motion comes to the same end.
func TestATiredRobotPlaysSlower(t *testing.T) {
	length := func(tiredFrom, restedFrom int) (acts int, rad float64) {
		p, s := player(t, 0)
		dst, before := make([]float64, len(s.PosRad)), make([]float64, len(s.PosRad))
		for standing := false; !standing && acts < 100; acts++ {
			switch acts {
			case tiredFrom:
				p.Pace(0.7)
			case restedFrom:
				p.Pace(1)
			}
			copy(before, dst)
			phase := p.Phase()
			if standing, _ = p.Act(dst, s, acts == 0); acts > 0 && (p.Phase() < phase || p.Phase() > phase+0.12) {
				t.Fatalf("decision %d: phase %g after %g", acts, p.Phase(), phase)
			}
			for j, q := range dst {
				if rad = max(rad, q); math.Abs(q-before[j]) > 0.08 {
					t.Fatalf("decision %d: joint %d steps %.3f rad", acts, j, q-before[j])
				}
			}
		}
		for j, q := range dst {
			if math.Abs(q-p.StartRad()[j]) > 1e-6 {
				t.Errorf("joint %d rests at %g rad, the clips start at %g", j, q, p.StartRad()[j])
			}
		}
		return acts, rad
	}
	whole, top := length(-1, -1)
	for _, tt := range []struct{ tired, rested, low, high int }{
		{0, -1, whole * 10 / 7, whole*10/7 + 2}, {10, -1, whole + 3, whole + 6}, {0, 10, whole + 2, whole + 5},
	} {
		if acts, rad := length(tt.tired, tt.rested); acts < tt.low || acts > tt.high || math.Abs(rad-top) > 0.02 {
			t.Errorf("tired from %d, rested from %d: %d decisions up to %.2f rad; want %d to %d, %.2f", tt.tired, tt.rested, acts, rad, tt.low, tt.high, top)
		}
	}
}
