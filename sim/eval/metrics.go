package eval

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// sums gathers an episode's metrics step by step.
type sums struct {
	steps, agree, overSpeed         int // periods; feet loaded as the reference says; joints too fast
	joint, local, root, yaw, tilt   float64
	maxRootM, maxLocalM, maxTiltRad float64
	slip, torqueSq, atLimit         float64 // sums over feet, over servos
	actionRate, workJ               float64
}

// judge rates what the latest step made of world w and reports whether the
// episode is over. The step in which the robot fell is not part of the tracking
// metrics.
func (p *player) judge(w int, e *episode) bool {
	_, step := p.runner.Where(w)
	row, f := p.runner.Row(w), e.ref.At(step)
	res, s := &e.result, &e.sums
	root, q := spatial.Vec3(row.RootPosM), spatial.Quat(row.RootQuat)
	s.actionRate += change(e.before, p.runner.Target(w))
	kept := &p.guard.keepers[w].kept
	if p.outcome[w].End == rollout.Failed || kept.stopped != mode.NoReason {
		res.Stopped = kept.stopped.String()
		res.Fell = p.outcome[w].End == rollout.Failed || kept.stopped == mode.Caused(mode.Falling)
		res.TimeS = float64(step) * p.layout.PeriodS
		if res.Fell {
			res.FallPhase = math.Min(1, float64(step)/float64(len(e.ref.Frames)-1))
			res.FallDirection = direction(spatial.GravityInBase(q), f.Gravity)
		}
		p.finish(w, e)
		return true
	}
	s.steps++
	d := root.Sub(f.RootPosM)
	s.root += d.Norm()
	s.maxRootM = math.Max(s.maxRootM, d.Norm())
	s.tilt += q.TiltRad()
	s.maxTiltRad = math.Max(s.maxTiltRad, q.TiltRad())
	s.yaw = math.Abs(wrap(q.YawRad() - f.RootQuat.YawRad()))
	p.joints(row.TrueJointPosRad, row.TrueJointVelRadPerS, row.TorqueNm, f.JointPosRad, s)
	p.body(w, e, step, root, q)
	tel := p.env.Telemetry(w)
	for k, n := range row.FootForceN {
		if (n > rollout.ContactN) == (f.Contacts[k] > 0.5) {
			s.agree++
		}
		s.slip += tel.FootSlideMPerS[k]
	}
	for k := range tel.TorqueSat {
		s.torqueSq += tel.TorqueSqNm2[k]
		s.atLimit += tel.TorqueSat[k]
	}
	if p.outcome[w].End == rollout.Running {
		return false
	}
	res.TimeS = float64(step) * p.layout.PeriodS
	p.finish(w, e)
	return true
}

// change is the mean squared difference of a command from the one before, which
// it replaces.
func change(before, now []float64) float64 {
	sum := 0.0
	for j, v := range now {
		sum += (v - before[j]) * (v - before[j])
		before[j] = v
	}
	return sum / float64(len(now))
}

func (p *player) joints(q, qd, torque, ref []float64, s *sums) {
	n := float64(len(q))
	for j := range q {
		s.joint += math.Abs(q[j]-ref[j]) / n
		s.workJ += math.Abs(torque[j]*qd[j]) * p.layout.PeriodS
		if math.Abs(qd[j]) > p.test.Robot.Desc.Joints[j].SpeedLimitRadPerS {
			s.overSpeed++
		}
	}
}

// body compares the bodies' places in the root frame.
func (p *player) body(w int, e *episode, step int, root spatial.Vec3, q spatial.Quat) {
	poses := p.env.Telemetry(w).BodyPoses
	local := p.local[e.result.Clip]
	want := local[min(step, len(local)-1)]
	inv := q.Inv()
	for b := range want {
		at := inv.Rotate(spatial.Vec3(poses[7*b : 7*b+3]).Sub(root))
		miss := at.Sub(want[b]).Norm()
		e.sums.local += miss / float64(len(want))
		e.sums.maxLocalM = math.Max(e.sums.maxLocalM, miss)
	}
}

func (p *player) finish(w int, e *episode) {
	s, res, kept := &e.sums, &e.result, &p.guard.keepers[w].kept
	res.GuardCommands, res.GuardChanged, res.GuardMaxRad = kept.commands, kept.changed, kept.largestRad
	steps := max(1, s.steps)
	n, servos := float64(steps), float64(len(p.test.Robot.Desc.Joints))
	res.Strict = res.Survived() && s.maxRootM <= strictRootM && s.maxLocalM <= strictBodyM
	res.JointMAERad = s.joint / n
	res.MPJPELocalMm = 1000 * s.local / n
	res.RootErrorCm = 100 * s.root / n
	res.RootErrorMaxCm = 100 * s.maxRootM
	res.YawDriftDeg = deg(s.yaw)
	res.TiltDeg, res.TiltMaxDeg = deg(s.tilt/n), deg(s.maxTiltRad)
	res.FootSlipMPerS = s.slip / (n * rollout.Feet)
	res.ContactAgreement = rate.Rate{Hits: s.agree, Trials: rollout.Feet * steps}.Share()
	res.TorqueRMSNm = math.Sqrt(s.torqueSq / (n * servos))
	res.TorqueAtLimit = s.atLimit / (n * servos)
	res.ActionRate = s.actionRate / n
	res.OverSpeed = rate.Rate{Hits: s.overSpeed, Trials: steps * len(p.test.Robot.Desc.Joints)}.Share()
	res.WorkJ = s.workJ
}

// direction says in words which way the robot fell: the horizontal part of
// gravity in the root frame, against that of the reference.
func direction(felt, ref spatial.Vec3) string {
	d := felt.Sub(ref)
	switch {
	case math.Abs(d[0]) < 0.3 && math.Abs(d[1]) < 0.3:
		return "down"
	case math.Abs(d[0]) >= math.Abs(d[1]) && d[0] > 0:
		return "forward"
	case math.Abs(d[0]) >= math.Abs(d[1]):
		return "backward"
	case d[1] > 0:
		return "left"
	}
	return "right"
}

func deg(rad float64) float64 { return rad * 180 / math.Pi }

// wrap maps an angle to -pi..pi.
func wrap(rad float64) float64 { return math.Remainder(rad, 2*math.Pi) }
