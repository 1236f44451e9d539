// Package retarget turns the motion of a person into a reference motion for a robot.
//
// It works on the whole motion at once. The person is read as directions, heights in leg lengths and footfalls, free
// of body size. Footfalls become fixed places on the floor; a lead-in and a lead-out join the robot's standing pose
// to the motion, with a step where the feet must go elsewhere. The centre of mass follows from where the feet bear
// weight, as a pendulum that knows the coming steps. Inverse kinematics then finds joint angles frame by frame,
// within the joint limits, and time is stretched where a joint would be too fast. Which of the robot's bodies is an
// arm or a leg is found by models/kin/anatomy; no table per robot exists.
//
// Not here: whether servos can do it (policy/feasible), learning to do it (policy/train). A Retargeter is immutable
// apart from scratch space and belongs to one goroutine.
package retarget

import (
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
)

// speedShare is the part of a servo's no-load speed that a motion may ask for: beyond it no torque is left.
const speedShare = 0.7

// leastBendRad is how bent the knees stay.
const leastBendRad = 0.2

// Options changes what is copied. The zero value means 1, 1, no mirror, the robot's policy rate.
type Options struct {
	Tempo   float64 // 2 = twice as fast
	Amplify float64 // 1.2 = a fifth wider
	Mirror  bool    // left becomes right
	FPS     float64 // of the result
}

// Legal ranges of the options.
const (
	minTempo, maxTempo     = 0.1, 4
	minAmplify, maxAmplify = 0.1, 3
)

// Retargeter knows one robot.
type Retargeter struct {
	desc *robot.Description
	kin  *kin.Model
	an   *anatomy.Anatomy

	active   []int     // velocity indices that may change: the free joint, then the described joints, rising
	dofQ     []int     // position index of each velocity (hinges)
	lo, hi   []float64 // rad, by velocity index, with a gap
	speed    []float64 // rad/s, by velocity index
	isLeg    []bool
	isArm    []bool
	check    *feasible.Checker
	scratch  []int
	joints   []int // velocity index of each described joint
	hasWaist bool

	chestFromBody, headFromBody spatial.Quat
	hipMid                      spatial.Vec3    // in the root's frame
	hipFromMid                  [2]spatial.Vec3 // in the standing root's frame turned upright
	footPoint                   [2]spatial.Vec3 // sole point below the ankle, foot frame
	soleOffset                  [2]spatial.Vec3 // from that point to the sole's middle, sole frame

	// The standing pose: keyframe with the root over the origin.
	standFeet                        [2]spatial.Vec3
	standCom                         spatial.Vec3
	standHipM, comHeightM            float64
	widestM                          float64 // feet may stand this far apart sideways
	reachEasy                        float64 // share of the stretched leg that it reaches easily
	standRoot, standChest, standHead spatial.Quat
}

// New prepares a robot, which must be a humanoid.
func New(b *body.Body) (*Retargeter, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, fmt.Errorf("retarget: %w", err)
	}
	r := &Retargeter{desc: b.Desc, kin: b.Kin, an: an, hasWaist: len(an.Waist) > 0}
	r.mapJoints(b.Joints)
	r.measureStand()
	if r.check, err = feasible.New(b); err != nil {
		return nil, err
	}
	return r, nil
}

// mapJoints notes the range and speed of each described joint.
func (r *Retargeter) mapJoints(joints []body.Joint) {
	nv := r.kin.Tree.NV
	r.dofQ, r.lo, r.hi = make([]int, nv), make([]float64, nv), make([]float64, nv)
	r.speed, r.isLeg, r.isArm = make([]float64, nv), make([]bool, nv), make([]bool, nv)
	used := make([]bool, nv)
	for k, j := range r.desc.Joints {
		tj := &joints[k]
		i := tj.QVel
		used[i] = true
		r.dofQ[i] = tj.QPos
		r.lo[i], r.hi[i] = tj.MinRad, tj.MaxRad
		gap := math.Min(limitGap, (r.hi[i]-r.lo[i])/8)
		r.lo[i], r.hi[i] = math.Min(r.lo[i]+gap, r.an.Ref[tj.QPos]), math.Max(r.hi[i]-gap, r.an.Ref[tj.QPos])
		r.speed[i] = speedShare * r.desc.ServoTypes[j.Servo].NoLoadSpeedRadS
		if j.SpeedLimitRadS > 0 {
			r.speed[i] = math.Min(r.speed[i], j.SpeedLimitRadS)
		}
		r.joints = append(r.joints, i)
	}
	first := r.kin.Path(r.an.Root)
	r.active = append(r.active, first[len(first)-rootFree:]...)
	for i := range used {
		if used[i] {
			r.active = append(r.active, i)
		}
	}
	for s := range r.an.Legs {
		for _, i := range r.an.Legs[s].Dofs {
			r.isLeg[i] = true
		}
		for _, i := range r.an.Arms[s].Dofs {
			r.isArm[i] = true
		}
	}
	r.scratch = make([]int, 0, len(r.active))
	r.bendKnees()
}

// bendKnees keeps the knees from going straight (or through), where the slightest reach costs a great turn: at least
// as bent as leastBendRad, or as half of the standing pose if that is less.
func (r *Retargeter) bendKnees() {
	d := r.kin.NewData()
	r.kin.Forward(d, r.an.Ref)
	for s := range r.an.Legs {
		l := &r.an.Legs[s]
		path := r.kin.Path(l.Knee.Body)
		i := path[len(path)-1]
		if r.dofQ[i] == 0 {
			continue
		}
		// The angle at which the leg is straight, from the bend that the standing pose has.
		thigh, shank := l.Knee.At(d).Sub(l.Hip.At(d)), l.Ankle.At(d).Sub(l.Knee.At(d))
		bend := spatial.Between(thigh, shank).Log().Dot(d.DofAng[i])
		least := math.Min(leastBendRad, math.Abs(bend)/2)
		if straight := r.an.Ref[r.dofQ[i]] - bend; bend > 0 {
			r.lo[i] = math.Max(r.lo[i], straight+least)
		} else if bend < 0 {
			r.hi[i] = math.Min(r.hi[i], straight-least)
		}
	}
}

// widest returns how far apart the feet may stand sideways: with the hips over one foot, the other leg must reach out
// with a level sole, which the smallest of its roll joints bounds.
func (r *Retargeter) widest(d *kin.Data) float64 {
	l := &r.an.Legs[anatomy.Left]
	roll := 1.0
	for _, i := range l.Dofs {
		if r.dofQ[i] > 0 && math.Abs(d.DofAng[i][0]) > 0.7 {
			roll = math.Min(roll, math.Max(math.Abs(r.lo[i]), math.Abs(r.hi[i])))
		}
	}
	return math.Abs(l.Hip.At(d)[1]) + (l.ThighM+l.ShankM)*(math.Sin(roll)+0.02)
}

// measureStand reads off the standing pose what the plan is built from.
func (r *Retargeter) measureStand() {
	d := r.kin.NewData()
	r.kin.Forward(d, r.an.Ref)
	var hip spatial.Vec3
	for s := range r.an.Legs {
		l := &r.an.Legs[s]
		foot := d.BodyRot[l.Foot].Mul(l.FootFromSole)
		sole, ankle := d.Point(l.Foot, l.SoleCenter), l.Ankle.At(d)
		below := spatial.Vec3{ankle[0], ankle[1], sole[2]}
		r.footPoint[s] = d.BodyRot[l.Foot].Inv().Rotate(below.Sub(d.BodyPos[l.Foot]))
		r.soleOffset[s] = foot.Inv().Rotate(sole.Sub(below))
		r.standFeet[s] = spatial.Vec3{below[0], below[1], 0}
		hip = hip.Add(l.Hip.At(d).Scale(0.5))
	}
	for s := range r.an.Legs {
		r.hipFromMid[s] = r.an.Legs[s].Hip.At(d).Sub(hip)
	}
	r.widestM = r.widest(d)
	r.reachEasy = reachEasy
	for s := range r.an.Legs {
		l := &r.an.Legs[s]
		r.reachEasy = math.Max(r.reachEasy, math.Min(l.Hip.At(d).Sub(l.Ankle.At(d)).Norm()/(l.ThighM+l.ShankM)+1e-3, 0.999))
	}
	r.hipMid = d.BodyRot[r.an.Root].Inv().Rotate(hip.Sub(d.BodyPos[r.an.Root]))
	r.standHipM, r.comHeightM = hip[2], d.ComM[2]
	r.standCom = spatial.Vec3{d.ComM[0], d.ComM[1], 0}
	r.standRoot = d.BodyRot[r.an.Root]
	r.chestFromBody = d.BodyRot[r.an.Chest].Inv()
	r.standChest, r.standHead = spatial.Identity(), spatial.Identity()
	if r.an.Head >= 0 {
		r.headFromBody = d.BodyRot[r.an.Head].Inv()
	}
}

// Retarget computes the robot's motion. It fails only on options or motions that make no sense; what the robot cannot
// copy is changed, and the report says how.
func (r *Retargeter) Retarget(m *human.Motion, o Options) (*motion.Clip, *Report, error) {
	begin := time.Now()
	if o.Tempo == 0 {
		o.Tempo = 1
	}
	if o.Amplify == 0 {
		o.Amplify = 1
	}
	if o.FPS == 0 {
		o.FPS = r.desc.PolicyRateHz
	}
	if !(o.Tempo >= minTempo && o.Tempo <= maxTempo) {
		return nil, nil, fmt.Errorf("retarget: tempo is %g; legal: %g to %g", o.Tempo, float64(minTempo), float64(maxTempo))
	}
	if !(o.Amplify >= minAmplify && o.Amplify <= maxAmplify) {
		return nil, nil, fmt.Errorf("retarget: amplify is %g; legal: %g to %g", o.Amplify, float64(minAmplify), float64(maxAmplify))
	}
	if !(o.FPS >= 10 && o.FPS <= 500) {
		return nil, nil, fmt.Errorf("retarget: fps is %g; legal: 10 to 500", o.FPS)
	}
	if err := m.Validate(); err != nil {
		return nil, nil, fmt.Errorf("retarget: %w", err)
	}
	w := &work{r: r, o: o, s: newSolver(r)}
	w.run(m)
	clip := w.clip(m)
	rep := w.report(m, clip)
	rep.WallS = time.Since(begin).Seconds()
	rep.FPS = float64(rep.Frames) / rep.WallS
	if err := rep.attach(clip); err != nil {
		return nil, nil, err
	}
	return clip, rep, nil
}
