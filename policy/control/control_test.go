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
