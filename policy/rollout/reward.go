package rollout

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Reward weighs how well a step tracked its reference. Each tracking term is weight * exp(-sharpness * squared error).
type Reward struct {
	Joint, JointSharp float64 // sum over joints, rad^2
	Speed, SpeedSharp float64 // sum over joints, (rad/s)^2
	Tilt, TiltSharp   float64 // root rotation, rad^2
	Root, RootSharp   float64 // root position, m^2
	Contact           float64 // share of feet whose contact is as in the reference
	Torque            float64 // cost a (N m)^2, summed over joints
	ActionRate        float64 // cost of squared change of the applied action, summed over joints
	FootSlip          float64 // cost of a loaded foot's horizontal speed, m/s
}

// DefaultReward is the weighting that mitori trains with.
func DefaultReward() Reward {
	return Reward{Joint: 0.4, JointSharp: 1, Speed: 0.05, SpeedSharp: 0.01, Tilt: 0.25, TiltSharp: 10, Root: 0.3,
		RootSharp: 30, Contact: 0.1, Torque: 0.0005, ActionRate: 0.01, FootSlip: 0.1}
}

// Limits end an episode that strays from its reference. They are about the motion; whether the robot has fallen is
// models/fall's to say. A limit of 0 is none.
type Limits struct {
	TiltRad     float64 // angle between gravity as felt and as in the reference
	HeightShare float64 // root height as a share of the reference's
	RootM       float64 // horizontal distance of the root from the reference's
}

// TrainLimits end a training episode early, while the state still says something about the task.
func TrainLimits() Limits { return Limits{TiltRad: 0.8, HeightShare: 0.7, RootM: 0.15} }

// ContactN is the load from which a foot counts as standing.
const ContactN = 3.0

// judge rates world i's present state against its reference.
func (r *Runner) judge(i int) Outcome {
	w, row, rw := &r.worlds[i], &r.views[i], &r.task.Reward
	f, moving := w.player.Frame(), w.player.Moving()
	var o Outcome
	if row.Diverged[0] != 0 {
		o.End = Failed
		return o
	}
	n := len(f.JointPosRad)
	applied := w.player.Applied()
	var pos, speed, torque, rate float64
	for j := range n {
		e := row.TrueJointPosRad[j] - f.JointPosRad[j]
		v := row.TrueJointVelRadPerS[j] - moving*f.JointVelRadPerS[j]
		a := applied[j] - w.before[j]
		pos += e * e
		speed += v * v
		torque += row.TorqueNm[j] * row.TorqueNm[j]
		rate += a * a
		o.JointErrRad += math.Abs(e)
	}
	q := quat(row.RootQuat)
	rot := f.RootQuat.Inv().Mul(q).Log()
	d := vec(row.RootPosM).Sub(f.RootPosM)
	o.JointErrRad /= float64(n)
	o.RootErrM = d.Norm()
	o.ActionRate = rate / float64(n)
	o.TorqueNm = math.Sqrt(torque / float64(n))

	agree, slip := 0.0, 0.0
	for k := range Feet {
		loaded := row.FootForceN[k] > ContactN
		if loaded == (f.Contacts[k] > 0.5) {
			agree += 1.0 / Feet
		}
		if loaded {
			slip += math.Hypot(row.FootVelMPerS[3*k], row.FootVelMPerS[3*k+1])
		}
	}
	o.Reward = rw.Joint*math.Exp(-rw.JointSharp*pos) + rw.Speed*math.Exp(-rw.SpeedSharp*speed) +
		rw.Tilt*math.Exp(-rw.TiltSharp*rot.Dot(rot)) + rw.Root*math.Exp(-rw.RootSharp*d.Dot(d)) + rw.Contact*agree -
		rw.Torque*torque - rw.ActionRate*rate - rw.FootSlip*slip

	lim := &r.task.Limits
	tilt := spatial.GravityInBase(q).AngleRad(f.Gravity)
	switch {
	case r.task.Fall.Fallen(row.RootPosM[2], q.TiltRad()):
		o.End = Failed
	case lim.TiltRad > 0 && tilt > lim.TiltRad, row.RootPosM[2] < lim.HeightShare*f.RootPosM[2],
		lim.RootM > 0 && math.Hypot(d[0], d[1]) > lim.RootM:
		o.End = Failed
	case w.player.Ended(r.task.HoldSteps):
		o.End = Finished
	}
	return o
}
