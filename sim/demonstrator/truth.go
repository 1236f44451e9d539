package demonstrator

import (
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// referenceHeightM is the height the lengths in the authored motions are for.
const referenceHeightM = 1.72

// centreOfMassShare is the height of a standing person's centre of mass.
const centreOfMassShare = 0.56

// Perform returns the motion as the demonstrator with the given options does
// it, at the frame times of the video: the exact truth, without rendering.
func Perform(m Motion, opt Options) (*human.Motion, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	act := perform(m, newBody(opt.HeightM), vary(opt.Seed))
	n := int(math.Round(act.seconds*opt.FPS)) + 1
	out := &human.Motion{FPS: opt.FPS, Frames: make([]human.Pose, n), Meta: human.Meta{
		Schema: 1, Source: "demonstrator:" + m.Name, SubjectHeightM: opt.HeightM,
		Model: "truth", Runtime: "none", Tool: "mitori demonstrate",
	}}
	// World x points at the camera, so a camera to the person's left is a person
	// turned to the right.
	turned := spatial.FromYaw(-rad(opt.Camera.AzimuthDeg))
	var origin spatial.Vec3
	for i := range out.Frames {
		p := act.pose(math.Min(float64(i)/opt.FPS, act.seconds))
		if i == 0 {
			origin = p.Positions[human.Pelvis]
			origin[2] = 0
		}
		for j := range p.Positions {
			p.Positions[j] = turned.Rotate(p.Positions[j].Sub(origin))
			p.Rotations[j] = turned.Mul(p.Rotations[j])
		}
		out.Frames[i] = p
	}
	return out, out.Validate()
}

// acting is a motion done by one body, at any time.
type acting struct {
	seconds float64
	pose    func(tS float64) human.Pose
}

func perform(m Motion, b *body, v variation) acting {
	at := func(tS float64) stance {
		s := m.at(tS * v.tempo)
		v.apply(&s)
		return s
	}
	k := b.heightM / referenceHeightM
	seconds := m.Seconds / v.tempo
	com := balance(seconds, centreOfMassShare*b.heightM, func(tS float64) (x, y float64) {
		s := at(tS)
		lx, ly := s.footPoint(left, k)
		rx, ry := s.footPoint(right, k)
		return mix(rx, lx, s.loadLeft), mix(ry, ly, s.loadLeft)
	})
	return acting{seconds, func(tS float64) human.Pose {
		s := at(tS)
		x, y := com.at(tS)
		p := b.posture(&s, x, y)
		if s.lying {
			b.lay(&p)
		}
		return p
	}}
}

// lay tips a standing body onto its back, its feet where they were. What lies is as deep
// as the seat.
func (b *body) lay(p *human.Pose) {
	const deepShare = 0.070
	back := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -math.Pi/2)
	for j := range p.Positions {
		p.Positions[j] = back.Rotate(p.Positions[j]).Add(spatial.Vec3{0, 0, deepShare * b.heightM})
		p.Rotations[j] = back.Mul(p.Rotations[j])
	}
	p.Contacts = [human.NumContacts]float64{}
}

// variation is how one person's performance differs from another's; seed 0 is
// the motion exactly as authored.
type variation struct {
	tempo, arms, lift float64
	chestPitch        float64
}

func vary(seed uint64) variation {
	if seed == 0 {
		return variation{tempo: 1, arms: 1, lift: 1}
	}
	r := rand.New(rand.NewPCG(seed, 0x6d69746f7269))
	around := func(mean, spread float64) float64 { return mean + spread*(2*r.Float64()-1) }
	return variation{
		tempo: around(0.97, 0.05), arms: around(1, 0.06), lift: around(1, 0.1),
		chestPitch: around(0, rad(3)),
	}
}

func (v variation) apply(s *stance) {
	for i := range s.arm {
		s.arm[i].flex *= v.arms
		s.arm[i].abduct *= v.arms
		s.foot[i].liftM *= v.lift
	}
	s.chest.pitch += v.chestPitch
	s.head.pitch -= v.chestPitch
}
