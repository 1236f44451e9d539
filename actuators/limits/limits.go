// Package limits derives from a robot's description what keeps it safe: how far, how
// fast and how suddenly each joint may be commanded, what each servo can stand, and
// when the loop gives up.
//
// Everything here is a pure function of its arguments: the same description gives the
// same limits in flight, in evaluation and in a test. What is not here: enforcing them
// (package guard), and deciding what to do about them (package mode).
package limits

import (
	"math"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// Shape is what the limits need to know of the robot's body. Slices are in the order
// of the description's joints.
type Shape struct {
	StandRad []float64 // joint angles of the standing pose
	Leg      []bool    // the joint belongs to a leg: losing it topples the robot
}

// ShapeOf reads the shape from a bound robot. What is no humanoid has no legs to lose.
func ShapeOf(b *body.Body) Shape {
	s := Shape{StandRad: slices.Clone(b.StandRad), Leg: make([]bool, len(b.Joints))}
	for i := range b.Joints {
		s.Leg[i] = b.Joints[i].Limb == body.Leg
	}
	return s
}

// settleBend is how much deeper than standing the legs are bent before torque
// goes off: the trunk then has a third less far to fall.
const settleBend = 2.3

// settleMarginRad keeps the settle pose away from the ends of the joints.
const settleMarginRad = 0.05

// SettleRad is the pose in which torque goes off: standing, with the legs bent in one
// common proportion, so that the soles stay flat and the trunk upright, as far as
// every joint allows.
func SettleRad(d *robot.Description, s Shape) []float64 {
	scale := settleBend
	for i, j := range d.Joints {
		if q := s.StandRad[i]; s.Leg[i] && q > 0 {
			scale = min(scale, (j.MaxRad-settleMarginRad)/q)
		} else if s.Leg[i] && q < 0 {
			scale = min(scale, (j.MinRad+settleMarginRad)/q)
		}
	}
	pose := make([]float64, len(s.StandRad))
	for i, q := range s.StandRad {
		if pose[i] = q; s.Leg[i] && scale > 1 {
			pose[i] *= scale
		}
	}
	return pose
}

const (
	// gentleRadPerS bounds what does not come from a policy: ramps and poses.
	gentleRadPerS = 1.5
	// roundingShare is what the policy's own speed limit may be missed by.
	roundingShare = 1.01
	// How far below the temperature at which a servo stops itself people are warned, it gets
	// less torque, and the robot settles.
	warnBelowC, derateBelowC, stopBelowC = 20.0, 15.0, 10.0
)

// Joint is the limit on commands to joint i, at rateHz ticks a second of which every
// controlEvery-th is a decision.
//
// A policy that obeys speed_limit_rad_s may move its target by that times its own period
// at once, so in one tick the command may make the way of controlEvery; the guard lets
// exactly this through, and any stop or reversal of it. Over a period no joint is
// commanded faster than its servo turns without load.
func Joint(d *robot.Description, i, rateHz, controlEvery int) guard.Joint {
	j := &d.Joints[i]
	full := min(j.SpeedLimitRadPerS*roundingShare, d.ServoOf(i).NoLoadSpeedRadPerS)
	return guard.Joint{
		MinRad: j.MinRad, MaxRad: j.MaxRad, GentleRadPerS: min(gentleRadPerS, full), FullRadPerS: full,
		Burst: controlEvery, AccelRadPerS2: 2 * full * float64(controlEvery) * float64(rateHz),
	}
}

// Health is what the servo of joint i can stand.
func Health(d *robot.Description, i int, leg bool) guard.Health {
	servo := d.ServoOf(i)
	return guard.Health{
		Leg: leg, StallCurrentA: servo.StallCurrentA(),
		TempWarnC: servo.MaxTempC - warnBelowC, TempDerateC: servo.MaxTempC - derateBelowC,
		TempStopC: servo.MaxTempC - stopBelowC,
		Motor:     motor(&servo.Entry),
	}
}

// motor is what a servo of that type draws, by its data sheet.
func motor(s *servos.Type) energy.Motor {
	if !(s.StallCurrentA > 0 && s.NoLoadRadPerS > 0) {
		return energy.Motor{}
	}
	return energy.Motor{ResistanceOhm: s.AtV / s.StallCurrentA, VPerRadPerS: s.AtV / s.NoLoadRadPerS}
}

// policyPatience is how many decisions in a row may be unusable.
const policyPatience = 3

// Derive returns the loop's configuration for a robot at rateHz ticks a second, of
// which every controlEvery-th is a decision of the policy.
func Derive(d *robot.Description, s Shape, rateHz, controlEvery int) loop.Config {
	cfg := loop.Config{
		RateHz: rateHz, ControlEvery: controlEvery, MinRamp: loop.MinRamp, PlayOut: loop.MaxPlayOut,
		Thresholds: guard.DefaultThresholds(d.Battery.WarnV, d.Battery.StopV),
		StandRad:   append([]float64(nil), s.StandRad...), SettleRad: SettleRad(d, s),
	}
	cfg.Thresholds.PolicyTicks = policyPatience * controlEvery
	cfg.Thresholds.NoIMU = d.IMU.Bus == ""
	for i := range d.Joints {
		cfg.Limits = append(cfg.Limits, Joint(d, i, rateHz, controlEvery))
		cfg.Health = append(cfg.Health, Health(d, i, s.Leg[i]))
	}
	return cfg
}

const (
	// lateS is for how long an emulated bus may be late or silent.
	lateS = 1
	// slowRounds is for how many rounds slow registers may not be heard of.
	slowRounds = 12
	// frozenS is for how long its sensor hub may repeat a sample.
	frozenS = 2
	// EmulatedMargin is how much longer than on a wire an emulated answer is waited
	// for: better a missed tick than one without news, when the machine is busy.
	EmulatedMargin = 40 * time.Millisecond
)

// OnEmulatedBus is the variant for a bus that is emulated on this machine: it widens
// what depends on the host's punctuality, and nothing else. Such a bus shares its
// processors with everything else that runs, and its bytes pass kernel threads of
// ordinary priority: on a busy machine answers come tens of milliseconds late, which a
// wire never does.
//
//	StaleTicks, SilentTicks, IMUTicks, Overruns, Stops   as many ticks as a second has
//	FrozenS                                              2 s
//	SlowRounds                                           12
//	StuckS, GapS, GatewayS                               1 s
//	NoisyShare                                           off: late answers count as failed
//
// What a robot would feel (angles, tilt, heat, voltage, torque) keeps its limits.
// Never use it on hardware.
func OnEmulatedBus(cfg loop.Config) loop.Config {
	t := &cfg.Thresholds
	patience := lateS * cfg.RateHz
	t.StaleTicks, t.SilentTicks, t.IMUTicks, t.Overruns, t.Stops = patience, patience, patience, patience, patience
	t.FrozenS, t.NoisyShare, t.SlowRounds, t.StuckS, t.GapS = frozenS, math.Inf(1), slowRounds, lateS, lateS
	t.GatewayS = lateS
	return cfg
}
