package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// evidence lays the finished clip beside the person's motion as the file has it, instant by instant: joints of the
// robot by its kinematics, those of the person by interpolation. Nothing that was read, smoothed or planned on the way
// is used.
func (r *Retargeter) evidence(m *human.Motion, c *motion.Clip, o Options, stretch float64) *likeness.Evidence {
	leg := &r.robot.An.Legs[0]
	e := &likeness.Evidence{PersonLegM: personLeg(m), RobotLegM: leg.ThighM + leg.ShankM, Amplify: o.Amplify, Stretch: stretch}
	d := r.robot.Kin.NewData()
	from := int(math.Round(c.Meta.LeadInS * c.FPS))
	to := len(c.Frames) - int(math.Round(c.Meta.LeadOutS*c.FPS))
	for t := from; t < to; t++ {
		s := likeness.Sample{PersonS: c.Meta.SourceS[t], RobotS: float64(t) / c.FPS}
		s.Still = legsLost(m, s.PersonS)
		hips := allSeen(m, s.PersonS, human.Pelvis, human.LHip, human.RHip)
		if !allSeen(m, s.PersonS, human.Chest) || !hips && !s.Still {
			continue // where the trunk is invented there is nothing to compare
		}
		s.Robot = r.posture(d, &c.Frames[t])
		s.Person = personAt(m, s.PersonS, o.Mirror)
		e.Samples = append(e.Samples, s)
	}
	return e
}

// around returns the frames before and after a time (s), and how far it lies between them.
func around(m *human.Motion, atS float64) (a, b *human.Pose, share float64) {
	u := curve.Clamp(atS*m.FPS, 0, float64(len(m.Frames)-1))
	i := min(int(u), len(m.Frames)-2)
	return &m.Frames[i], &m.Frames[i+1], u - float64(i)
}

// legsLost says whether neither knee nor ankle of either leg was seen.
func legsLost(m *human.Motion, atS float64) bool {
	a, b, _ := around(m, atS)
	for _, j := range [...]human.Joint{human.LKnee, human.LAnkle, human.RKnee, human.RAnkle} {
		if math.Max(a.Confidence[j], b.Confidence[j]) >= human.Missing {
			return false
		}
	}
	return true
}

// allSeen says whether joints were seen.
func allSeen(m *human.Motion, atS float64, joints ...human.Joint) bool {
	a, b, _ := around(m, atS)
	for _, j := range joints {
		if math.Min(a.Confidence[j], b.Confidence[j]) < human.Missing {
			return false
		}
	}
	return true
}

// posture places the robot as a frame of a clip says.
func (r *Retargeter) posture(d *kin.Data, f *motion.Frame) likeness.Posture {
	q := append([]float64(nil), r.robot.An.Ref...)
	root := r.robot.Kin.Tree.Joints[r.robot.Kin.Tree.Bodies[r.robot.An.Root].Joints[0]].QPos
	copy(q[root:], f.BodyPosM[0][:])
	copy(q[root+3:], f.BodyQuat[0][:])
	for k, i := range r.robot.Joints {
		q[r.robot.DofQ[i]] = f.JointPosRad[k]
	}
	r.robot.Kin.Forward(d, q)
	p := likeness.Posture{Up: d.BodyRot[r.robot.An.Chest].Mul(r.robot.ChestFromBody).Rotate(spatial.Vec3{0, 0, 1})}
	for s := range r.robot.An.Legs {
		l, a := &r.robot.An.Legs[s], &r.robot.An.Arms[s]
		leg, arm := likeness.Joint(3*s), likeness.LShoulder+likeness.Joint(3*s)
		p.At[leg], p.At[leg+1], p.At[leg+2] = l.Hip.At(d), l.Knee.At(d), l.Ankle.At(d)
		p.Has[leg], p.Has[leg+1], p.Has[leg+2] = true, true, true
		if r.robot.An.HasArms {
			p.At[arm], p.At[arm+1], p.At[arm+2] = a.Shoulder.At(d), a.Elbow.At(d), a.End.At(d)
			p.Has[arm], p.Has[arm+1], p.Has[arm+2] = true, true, a.HasElbow
		}
	}
	return p
}

// personJoints are the person's joints in the order of likeness.
var personJoints = [likeness.NumJoints]human.Joint{
	human.LHip, human.LKnee, human.LAnkle, human.RHip, human.RKnee, human.RAnkle,
	human.LShoulder, human.LElbow, human.LWrist, human.RShoulder, human.RElbow, human.RWrist}

// personAt is the person at a time (s). Joints that were not seen are left out.
func personAt(m *human.Motion, atS float64, mirror bool) likeness.Posture {
	a, b, share := around(m, atS)
	at := func(j human.Joint) spatial.Vec3 {
		if !mirror {
			return a.Positions[j].Lerp(b.Positions[j], share)
		}
		v := a.Positions[j.Mirror()].Lerp(b.Positions[j.Mirror()], share)
		return spatial.Vec3{v[0], -v[1], v[2]}
	}
	var p likeness.Posture
	for k, j := range personJoints {
		seen := j
		if mirror {
			seen = j.Mirror()
		}
		p.At[k] = at(j)
		p.Has[k] = math.Min(a.Confidence[seen], b.Confidence[seen]) >= human.Missing
	}
	p.Up = at(human.Chest).Sub(at(human.Pelvis)).Unit(spatial.Vec3{0, 0, 1})
	return p
}

// personLeg is the length of thigh and shank.
func personLeg(m *human.Motion) float64 {
	var leg []float64
	for t := range m.Frames {
		q := &m.Frames[t].Positions
		for _, hip := range [...]likeness.Joint{likeness.LHip, likeness.RHip} {
			l := personJoints[hip : hip+3]
			leg = append(leg, q[l[0]].Sub(q[l[1]]).Norm()+q[l[1]].Sub(q[l[2]]).Norm())
		}
	}
	return math.Max(curve.Median(leg), 1e-3)
}
