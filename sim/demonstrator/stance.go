package demonstrator

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// side indexes paired limbs.
const (
	left = iota
	right
)

// stance is what a motion says at one instant. The person faces +x from the
// origin; angles are radians, lengths metres for a person of 1.72 m (posture
// scales them). What it leaves out follows: the pelvis goes where the balance
// puts it and the legs reach from there to the feet.
type stance struct {
	dropM       float64 // pelvis below its standing height
	pelvisYaw   float64 // to the left
	pelvisPitch float64 // leaning forward
	pelvisRoll  float64 // leaning to the right
	chest       turn    // rib cage against the pelvis
	head        turn    // head against the rib cage
	arm         [2]arm
	foot        [2]foot
	loadLeft    float64 // share of the weight on the left foot
	leanM       float64 // pressure point ahead of the ankles
	lying       bool    // all that, on the back
}

type turn struct{ yaw, pitch, roll float64 }

// arm holds joint angles; zero is hanging with the palm at the thigh.
type arm struct {
	flex, abduct float64 // forward, sideways
	twist        float64 // of the upper arm, outward
	elbow        float64
	wrist        float64 // bent towards the palm
}

type foot struct {
	x, y  float64 // of the ankle's foot point on the floor
	baseM float64 // height of what it stands on
	liftM float64 // over that
	yaw   float64 // outward
	pitch float64 // toe down
	swing bool    // off the floor
}

// standing is the quiet pose every motion starts and ends in.
func standing() stance {
	s := stance{dropM: 0.005, loadLeft: 0.5, leanM: 0.035}
	for i := range s.arm {
		s.arm[i] = arm{flex: rad(2), abduct: rad(7), elbow: rad(14)}
		s.foot[i] = foot{y: sign(i) * 0.088, yaw: rad(5)}
	}
	return s
}

// sign is +1 for the left side, -1 for the right: the y axis points left.
func sign(i int) float64 { return float64(1 - 2*i) }

func (t turn) quat() spatial.Quat {
	return spatial.FromYaw(t.yaw).
		Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, t.pitch)).
		Mul(spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, t.roll))
}

// joint returns the joint of the wanted side, given the left one.
func joint(left human.Joint, i int) human.Joint {
	if i == right {
		return left.Mirror()
	}
	return left
}

// footPoint is the pressure point of a foot flat at its place.
func (s *stance) footPoint(i int, scale float64) (x, y float64) {
	f := s.foot[i]
	sin, cos := math.Sincos(sign(i) * f.yaw)
	return scale * (f.x + s.leanM*cos), scale * (f.y + s.leanM*sin)
}

// posture solves the whole body for a stance with its centre of mass over
// (comX, comY): the feet as the stance says, the pelvis where the balance needs
// it, the legs by two-bone inverse kinematics.
func (b *body) posture(s *stance, comX, comY float64) human.Pose {
	var p human.Pose
	b.turnUpperBody(s, &p)
	b.setFeet(s, &p)

	// The pelvis carries about three quarters of the mass with it, so pushing it
	// by the remaining error shrinks that error about fourfold each round.
	p.Positions[human.Pelvis] = spatial.Vec3{comX, comY, 0}
	for range 60 {
		b.reach(s, &p)
		c := centreOfMass(&p)
		ex, ey := comX-c[0], comY-c[1]
		if math.Hypot(ex, ey) < 1e-9 {
			break
		}
		p.Positions[human.Pelvis][0] += ex
		p.Positions[human.Pelvis][1] += ey
	}
	for j := range p.Confidence {
		p.Confidence[j] = 1
	}
	return p
}

// turnUpperBody sets every rotation above the hips.
func (b *body) turnUpperBody(s *stance, p *human.Pose) {
	r := &p.Rotations
	r[human.Pelvis] = turn{s.pelvisYaw, s.pelvisPitch, s.pelvisRoll}.quat()
	r[human.Chest] = r[human.Pelvis].Mul(s.chest.quat())
	r[human.Head] = r[human.Chest].Mul(s.head.quat())
	r[human.Nose] = r[human.Head]
	x, y, z := spatial.Vec3{1, 0, 0}, spatial.Vec3{0, 1, 0}, spatial.Vec3{0, 0, 1}
	for i, a := range s.arm {
		upper := r[human.Chest].
			Mul(spatial.FromAxisAngle(y, -a.flex)).
			Mul(spatial.FromAxisAngle(x, sign(i)*a.abduct)).
			Mul(spatial.FromAxisAngle(z, sign(i)*a.twist))
		fore := upper.Mul(spatial.FromAxisAngle(y, -a.elbow))
		hand := fore.Mul(spatial.FromAxisAngle(x, -sign(i)*a.wrist))
		r[joint(human.LShoulder, i)] = upper
		r[joint(human.LElbow, i)] = fore
		r[joint(human.LWrist, i)] = hand
		r[joint(human.LHand, i)] = hand
	}
}

// setFeet sets the rotations and ankle positions of the feet and the contacts.
// A pitched foot turns about its toe, so that a heel can rise from the floor.
func (b *body) setFeet(s *stance, p *human.Pose) {
	k := b.heightM / referenceHeightM
	for i, f := range s.foot {
		rot := spatial.FromYaw(sign(i) * f.yaw).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, f.pitch))
		toe := b.offset[human.LToe]
		flat := spatial.FromYaw(sign(i) * f.yaw).Rotate(toe)
		ankle := spatial.Vec3{k * f.x, k * f.y, b.ankleM + k*(f.baseM+f.liftM)}.Add(flat).Sub(rot.Rotate(toe))
		p.Positions[joint(human.LAnkle, i)] = ankle
		p.Rotations[joint(human.LAnkle, i)] = rot
		p.Rotations[joint(human.LHeel, i)] = rot
		p.Rotations[joint(human.LToe, i)] = rot
		if !f.swing {
			p.Contacts[int(human.LHeelContact)+2*i] = 1
			p.Contacts[int(human.LToeContact)+2*i] = 1
		}
	}
}

// reach sets the pelvis height and the legs for the pelvis' place in the plan,
// then the positions of everything.
func (b *body) reach(s *stance, p *human.Pose) {
	k := b.heightM / referenceHeightM
	pelvis := &p.Positions[human.Pelvis]
	leg := b.thighM + b.shankM
	// The pelvis stands as high as the motion wants, but no higher than the legs
	// reach with a little bend left; the soft minimum keeps it smooth.
	const softM, reserve = 0.004, 0.996
	wanted := b.ankleM + leg - k*s.dropM
	sum := math.Exp(-(wanted - leg) / softM)
	for i := range s.foot {
		hip := p.Rotations[human.Pelvis].Rotate(b.offset[joint(human.LHip, i)])
		a := p.Positions[joint(human.LAnkle, i)]
		dx, dy := pelvis[0]+hip[0]-a[0], pelvis[1]+hip[1]-a[1]
		far := reserve * leg
		top := a[2] + math.Sqrt(math.Max(0, far*far-dx*dx-dy*dy)) - hip[2]
		sum += math.Exp(-(top - leg) / softM)
	}
	pelvis[2] = leg - softM*math.Log(sum)
	for i := range s.foot {
		b.bendLeg(p, i)
	}
	ankles := [2]spatial.Vec3{p.Positions[human.LAnkle], p.Positions[human.RAnkle]}
	b.place(p)
	// The legs end at the ankles by construction; writing them back removes the
	// rounding, so that a foot on the floor keeps its place to the last bit.
	for i, a := range ankles {
		for _, j := range [...]human.Joint{human.LAnkle, human.LHeel, human.LToe} {
			j = joint(j, i)
			p.Positions[j] = a
			if j != joint(human.LAnkle, i) {
				p.Positions[j] = a.Add(p.Rotations[j].Rotate(b.offset[j]))
			}
		}
	}
}

// bendLeg turns thigh and shank so that the leg reaches its ankle, with the knee
// pointing half way between where the pelvis and the foot point.
func (b *body) bendLeg(p *human.Pose, i int) {
	hipJ, kneeJ, ankleJ := joint(human.LHip, i), joint(human.LKnee, i), joint(human.LAnkle, i)
	hip := p.Positions[human.Pelvis].Add(p.Rotations[human.Pelvis].Rotate(b.offset[hipJ]))
	d := p.Positions[ankleJ].Sub(hip)
	dist := d.Norm()
	down := d.Scale(1 / dist)
	yaw := p.Rotations[human.Pelvis].Slerp(p.Rotations[ankleJ], 0.5).YawRad()
	ahead := spatial.FromYaw(yaw).Rotate(spatial.Vec3{1, 0, 0})
	// Hinge axis to the left; the knee goes forward along axis x down.
	toLeft := spatial.FromYaw(yaw).Rotate(spatial.Vec3{0, 1, 0})
	axis := down.Cross(ahead).Unit(toLeft.Scale(-1)).Scale(-1)
	if axis.Dot(toLeft) < 0 {
		axis = axis.Scale(-1)
	}
	t, s := b.thighM, b.shankM
	cosHip := (t*t + dist*dist - s*s) / (2 * t * dist)
	hipAngle := math.Acos(math.Max(-1, math.Min(1, cosHip)))
	thighDir := spatial.FromAxisAngle(axis, -hipAngle).Rotate(down)
	knee := hip.Add(thighDir.Scale(t))
	shankDir := p.Positions[ankleJ].Sub(knee).Unit(down)
	p.Rotations[hipJ] = segment(axis, thighDir)
	p.Rotations[kneeJ] = segment(axis, shankDir)
}
