package observe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// guessed puts joints anywhere, with no confidence.
func guessed(r *rand.Rand, f *human.Pose, joints ...human.Joint) {
	for _, j := range joints {
		f.Confidence[j] = 0
		f.Positions[j] = spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
	}
}

// TestUnseenLegsStandStill: whatever a file says of legs that were not seen, and
// however hips that were seen go up and down, the person stands on both feet.
func TestUnseenLegsStandStill(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := seen(acted(100, func(k int, f *human.Pose) {
		for j := range f.Positions {
			f.Positions[j][2] -= 0.3 * math.Sin(float64(k)/20)
		}
		guessed(r, f, append(legJoints[0][1:], legJoints[1][1:]...)...)
		f.Contacts = [4]float64{r.Float64(), r.Float64(), r.Float64(), r.Float64()}
	}))
	for k, in := range p.Intents {
		if math.Abs(in.Still-1) > 1e-9 || math.Abs(in.Hip-1) > 1e-9 || in.On != [2]bool{true, true} || in.LegLost != [2]bool{true, true} ||
			in.Foot[0].Sub(p.Intents[0].Foot[0]).Norm() > 0.02 || math.Abs(in.FootYaw[0]) > 1e-9 {
			t.Fatalf("frame %d: %+v", k, in)
		}
	}
	if math.Abs(p.Legless-1) > 1e-9 || p.Flight != 0 {
		t.Errorf("legless %.2f, %d frames of flight", p.Legless, p.Flight)
	}
}

// TestAHiddenLegStands: the leg that is seen says how high the hips are, the other one
// stands, also while that one is lifted.
func TestAHiddenLegStands(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	p := seen(acted(100, func(k int, f *human.Pose) {
		if k >= 40 && k < 60 {
			raised(f, 1, 0.15)
			f.Contacts[human.RHeelContact], f.Contacts[human.RToeContact] = 0, 0
		}
		guessed(r, f, legJoints[0][1:]...)
	}))
	for k, in := range p.Intents {
		if !in.On[0] || in.Still > 1e-9 || in.LegLost != [2]bool{true, false} {
			t.Fatalf("frame %d: %+v", k, in)
		}
	}
	if on := p.Intents[50].On[1]; on {
		t.Error("the foot that is seen to be lifted stands")
	}
}

// TestALostArmHangs: an arm that is raised and lost for two seconds hangs in the middle
// of them, counts less, and has no jump.
func TestALostArmHangs(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	up := func(f *human.Pose) {
		s := f.Positions[human.LShoulder]
		f.Positions[human.LElbow], f.Positions[human.LWrist] = s.Add(spatial.Vec3{0, 0.28, 0}), s.Add(spatial.Vec3{0, 0.28, 0.25})
	}
	p := seen(acted(200, func(k int, f *human.Pose) {
		up(f)
		if k >= 50 && k < 150 {
			guessed(r, f, human.LElbow, human.LWrist, human.LHand)
		}
	}))
	for k, in := range p.Intents {
		if k > 0 && in.Upper[0].Sub(p.Intents[k-1].Upper[0]).Norm() > 0.12 {
			t.Errorf("frame %d: the arm jumps from %v to %v", k, p.Intents[k-1].Upper[0], in.Upper[0])
		}
	}
	mid, first := p.Intents[100], p.Intents[10]
	if mid.Upper[0][2] > -0.99 || mid.Fore[0][2] > -0.99 || mid.ArmDoubt[0] < 0.5 || mid.ArmDoubt[1] > 1e-9 {
		t.Errorf("in the middle: %+v", mid)
	}
	if first.Upper[0][1] < 0.98 || first.ArmDoubt[0] > 1e-9 || math.Abs(p.Armless[0]-0.5) > 0.02 || p.Armless[1] != 0 {
		t.Errorf("armless %v, at first %+v", p.Armless, first)
	}
}

// TestAShortGapIsBridged: for half a second an arm is taken to have gone straight on,
// unless that is too far.
func TestAShortGapIsBridged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2))
	for turnRad, bridged := range map[float64]bool{0.8: true, 2.2: false} {
		p := seen(acted(100, func(k int, f *human.Pose) {
			a := 0.4 + turnRad*min(max(float64(k-40)/20, 0), 1)
			s := f.Positions[human.LShoulder]
			d := spatial.Vec3{0, math.Sin(a), -math.Cos(a)}
			f.Positions[human.LElbow], f.Positions[human.LWrist] = s.Add(d.Scale(0.28)), s.Add(d.Scale(0.5))
			if k > 40 && k < 60 {
				guessed(r, f, human.LElbow, human.LWrist)
			}
		}))
		a := 0.4 + turnRad/2
		off := p.Intents[50].Upper[0].Sub(spatial.Vec3{0, math.Sin(a), -math.Cos(a)}).Norm()
		if (off < 0.05) != bridged {
			t.Errorf("over %.1f rad: halfway %.2f off", turnRad, off)
		}
	}
}
