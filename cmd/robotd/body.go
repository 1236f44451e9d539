package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	model "github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// body is what the loop needs to know that follows from the robot's shape.
type body struct {
	standRad  []float64 // joints of the stand keyframe
	settleRad []float64 // a deeper bend of the same knees
	leg       []bool
}

// settleBend is how much deeper than standing the legs are bent before torque
// goes off: the trunk then has a third less far to fall.
const settleBend = 2.3

// bodyOf reads poses and legs from the robot's scene.
func bodyOf(desc *robot.Description) (*body, error) {
	bound, err := model.New(desc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", desc.Source, err)
	}
	b := &body{standRad: slices.Clone(bound.StandRad), settleRad: slices.Clone(bound.StandRad), leg: make([]bool, len(bound.Joints))}
	for i := range bound.Joints {
		b.leg[i] = bound.Joints[i].Limb == model.Leg // what is no humanoid has no legs to lose
	}
	b.bend(desc)
	return b, nil
}

// bend deepens the stand's own leg angles in one common proportion, so that the
// soles stay flat and the trunk upright, as far as every joint allows.
func (b *body) bend(desc *robot.Description) {
	scale := settleBend
	for i, j := range desc.Joints {
		if q := b.standRad[i]; b.leg[i] && q > 0 {
			scale = min(scale, (j.MaxRad-0.05)/q)
		} else if b.leg[i] && q < 0 {
			scale = min(scale, (j.MinRad+0.05)/q)
		}
	}
	for i := range b.settleRad {
		if b.leg[i] && scale > 1 {
			b.settleRad[i] *= scale
		}
	}
}

// Limits on commands that do not come from a policy.
const (
	gentleRadS = 1.5
	// stallTorquePerA relates the description's stall torque to the stall current
	// of geared hobby servos: 4.1 N m at 2.3 A for the XM430-W350.
	stallTorquePerA = 4.1 / 2.3
	playOut         = loop.MaxPlayOut
)

// loopConfig derives the loop's configuration from the robot and its rates.
//
// A policy that obeys speed_limit_rad_s may move its target by that times its
// own period at once, so over one tick the command may be ControlEvery times
// faster; the guard lets exactly this through, and any stop or reversal of it.
func loopConfig(desc *robot.Description, b *body, rateHz, controlEvery int) loop.Config {
	cfg := loop.Config{
		RateHz: rateHz, ControlEvery: controlEvery, MinRamp: loop.MinRamp, PlayOut: playOut,
		Thresholds: guard.DefaultThresholds(desc.Battery.WarnV, desc.Battery.StopV),
		StandRad:   b.standRad, SettleRad: b.settleRad,
	}
	cfg.Thresholds.PolicyTicks = 3 * controlEvery
	for i, j := range desc.Joints {
		servo := desc.ServoOf(i)
		full := j.SpeedLimitRadS * float64(controlEvery) * 1.01 // rounding of the policy's own limit
		cfg.Limits = append(cfg.Limits, guard.Joint{
			MinRad: j.MinRad, MaxRad: j.MaxRad, GentleRadS: min(gentleRadS, full), FullRadS: full,
			AccelRadS2: 2 * full * float64(rateHz),
		})
		warn, stop := 60.0, 70.0
		if servo.MaxTempC > 0 { // the servo itself stops at this temperature
			warn, stop = servo.MaxTempC-20, servo.MaxTempC-10
		}
		cfg.Health = append(cfg.Health, guard.Health{
			Leg: b.leg[i], StallCurrentA: servo.StallTorqueNm / stallTorquePerA, TempWarnC: warn, TempStopC: stop,
		})
	}
	return cfg
}

// forgive widens what depends on the host's punctuality. An emulated bus shares
// its processors with everything else that runs, and its bytes pass kernel
// threads of ordinary priority: on a busy machine answers come tens of
// milliseconds late, which a wire never does. What a robot would feel (angles,
// tilt, heat, voltage, torque) keeps its limits; --strict keeps these too.
func forgive(cfg *loop.Config) {
	t := &cfg.Thresholds
	patience := cfg.RateHz // a second
	t.StaleTicks, t.SilentTicks, t.IMUTicks, t.Overruns, t.Stops = patience, patience, patience, patience, patience
	t.FrozenS, t.NoisyShare = 2, math.Inf(1)
}
