package idle

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
)

// motor is what heats.
type motor struct{ ohm, nmPerA float64 }

// problem is one robot with what its stance must keep.
type problem struct {
	b      *body.Body
	an     *anatomy.Anatomy
	check  *feasible.Checker
	all    feasible.Pairs
	d      *kin.Data
	motors []motor // by described joint
	stand  []float64
	still  []float64 // NV zeros: velocities and accelerations
	lo, hi []float64 // rad, by velocity index
	soles  []lsq.Term
	centre spatial.Vec3 // m, world: the middle of the feet
	wide   [2]float64   // m: how far the centre of mass may lie from it, forward and sideways
}

// What keeps the soles and the centre of mass, against a heat of 1 in the standing pose. A micrometre, or a microradian,
// is then what they give way by.
const (
	holdPerM2   = 1e7 // a metre squared, a radian squared
	centrePerM2 = 1e6
	// stayPerRad2 is what a joint must save to be moved: of the standing pose's heat, a radian squared. It leaves a joint
	// that changes no heat, as a yaw, where it stands.
	stayPerRad2 = 0.01
	// clearM is the gap that parts keep that are farther apart in the standing pose.
	clearM = 0.005
)

func newProblem(b *body.Body, bounds Bounds) (*problem, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, fmt.Errorf("idle: %w", err)
	}
	check, err := feasible.New(b)
	if err != nil {
		return nil, fmt.Errorf("idle: %w", err)
	}
	p := &problem{b: b, an: an, check: check, d: b.Kin.NewData(), stand: an.Ref, still: make([]float64, b.Kin.Tree.NV)}
	p.all = check.PairsOf(func(int, int) bool { return true })
	if err := p.bindMotors(); err != nil {
		return nil, err
	}
	b.Kin.Forward(p.d, p.stand)
	p.keepSoles()
	p.keepCentre(bounds.CentreShare)
	p.bound(bounds)
	return p, nil
}

// bindMotors takes resistance and torque constant of each servo from the catalogue.
func (p *problem) bindMotors() error {
	for k := range p.b.Joints {
		s := p.b.Desc.ServoOf(k).Entry
		if !(s.StallCurrentA > 0 && s.StallTorqueNm > 0 && s.AtV > 0) {
			return fmt.Errorf("idle: robot %s: %w: of the servo of joint %s no stall torque and current are known",
				p.b.Desc.Name, ErrNone, p.b.Desc.Joints[k].Name)
		}
		p.motors = append(p.motors, motor{ohm: s.AtV / s.StallCurrentA, nmPerA: s.NmPerA()})
	}
	return nil
}

// keepSoles wants both feet where they stand.
func (p *problem) keepSoles() {
	for s := range p.an.Legs {
		l := &p.an.Legs[s]
		at := p.d.Point(l.Foot, l.SoleCenter)
		p.centre = p.centre.Add(at.Scale(0.5))
		p.soles = append(p.soles,
			lsq.Place{Model: p.b.Kin, Body: l.Foot, Local: l.SoleCenter, Want: at, PerM: 1, Gain: holdPerM2},
			lsq.Rotation{Model: p.b.Kin, Body: l.Foot, Local: spatial.Identity(), Want: p.d.BodyRot[l.Foot], Gain: holdPerM2})
	}
}

// keepCentre finds how far the centre of mass may lie from the middle of the feet. The reference pose looks along x.
func (p *problem) keepCentre(share float64) {
	for i := range p.wide {
		half := min(p.an.Legs[0].HalfSizeM[i], p.an.Legs[1].HalfSizeM[i])
		p.wide[i] = max(share*half, math.Abs(p.d.ComM[i]-p.centre[i]))
	}
}

// bound finds how far each joint may turn. A standing pose that is itself beyond a margin may stay.
func (p *problem) bound(bounds Bounds) {
	nv := p.b.Kin.Tree.NV
	p.lo, p.hi = make([]float64, nv), make([]float64, nv)
	for i := range p.b.Joints {
		j, at := &p.b.Joints[i], p.stand[p.b.Joints[i].QPos]
		p.lo[j.QVel] = min(at, max(j.MinRad+bounds.MarginRad, at-bounds.TurnRad))
		p.hi[j.QVel] = max(at, min(j.MaxRad-bounds.MarginRad, at+bounds.TurnRad))
	}
	for s := range p.an.Legs {
		p.boundKnee(&p.an.Legs[s], bounds.LeastBendRad)
	}
}

// boundKnee keeps a knee from becoming straighter than least.
func (p *problem) boundKnee(l *anatomy.Leg, least float64) {
	const probeRad = 1e-3
	knee, slope, now := -1, 0.0, p.bendRad(l, p.stand)
	for i := range p.b.Joints {
		if p.b.Joints[i].Hinge.Body != l.Knee.Body {
			continue
		}
		q := append([]float64(nil), p.stand...)
		q[p.b.Joints[i].QPos] += probeRad
		if d := (p.bendRad(l, q) - now) / probeRad; math.Abs(d) > math.Abs(slope) {
			knee, slope = i, d
		}
	}
	if knee < 0 {
		return // nothing bends it
	}
	j, give := p.b.Joints[knee].QVel, max(0, now-least)/math.Abs(slope)
	at := p.stand[p.b.Joints[knee].QPos]
	if slope > 0 {
		p.lo[j] = max(p.lo[j], at-give)
	} else {
		p.hi[j] = min(p.hi[j], at+give)
	}
}

// bendRad is the angle between thigh and shank, 0 for a straight leg. It leaves the standing pose in p.d.
func (p *problem) bendRad(l *anatomy.Leg, q []float64) float64 {
	p.b.Kin.Forward(p.d, q)
	knee := l.Knee.At(p.d)
	up, down := knee.Sub(l.Hip.At(p.d)), l.Ankle.At(p.d).Sub(knee)
	p.b.Kin.Forward(p.d, p.stand)
	return math.Atan2(up.Cross(down).Norm(), up.Dot(down))
}

// touches reports whether two parts of the robot come nearer than clearM in q that do not in the standing pose, or come
// nearer still.
func (p *problem) touches(q []float64) bool {
	type pair struct{ a, b int }
	const slackM = 1e-4
	gaps := func(q []float64) map[pair]float64 {
		out := map[pair]float64{}
		p.b.Kin.Forward(p.d, q)
		p.check.Close(p.d, p.all, clearM, func(a, b int, _, _ spatial.Vec3, gapM float64) {
			if was, ok := out[pair{a, b}]; !ok || gapM < was {
				out[pair{a, b}] = gapM
			}
		})
		return out
	}
	before := gaps(p.stand)
	for at, gap := range gaps(q) {
		if was, ok := before[at]; gap < clearM-slackM && (!ok || gap < was-slackM) {
			return true
		}
	}
	return false
}
