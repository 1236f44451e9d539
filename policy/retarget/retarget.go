// Package retarget turns the motion of a person into a reference motion for a robot.
//
// It works on the whole motion at once, in stages; each is a package that takes values and returns one:
//
//	observe    what the person does, free of body size
//	plan       footfalls on the floor, paths of the feet, trunk and hips, from standing to standing
//	balance    the centre of mass, as a pendulum that knows the coming steps
//	wholebody  joint angles frame by frame, within the joint limits (inverse kinematics)
//	arms       the arms' joint angles over all frames at once, clear of the body
//	pace       more time where a joint would be too fast or a servo overloaded; then all again
//
// stages.go is the one page that calls them. Beside them, physique measures the robot, lsq solves what is to be
// solved, likeness says whether the result is still the person's motion. Which of the robot's bodies is an arm or a
// leg is found by models/kin/anatomy; no table per robot exists.
//
// Lengths are in metres, angles in rad, times in s; world axes with z up, the robot starting at the origin facing +x.
// Not here: whether servos can do it (policy/feasible), learning to do it (policy/train). A Retargeter is immutable
// apart from scratch space and belongs to one goroutine.
package retarget

import (
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

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
	minFPS, maxFPS         = 10, 500
)

// Retargeter knows one robot.
type Retargeter struct {
	robot *physique.Robot
	check *feasible.Checker
}

// New prepares a robot, which must be a humanoid.
func New(b *body.Body) (*Retargeter, error) {
	robot, err := physique.New(b)
	if err != nil {
		return nil, err
	}
	check, err := feasible.New(b)
	if err != nil {
		return nil, err
	}
	return &Retargeter{robot: robot, check: check}, nil
}

// Retarget computes the robot's motion. It fails only on options or motions that make no sense; what the robot cannot
// copy is changed, and the report says how.
func (r *Retargeter) Retarget(m *human.Motion, o Options) (*motion.Clip, *Report, error) {
	begin := time.Now()
	o, err := o.legal(r.robot.Desc.PolicyRateHz)
	if err != nil {
		return nil, nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, nil, fmt.Errorf("retarget: %w", err)
	}
	done, err := r.stages(m, o)
	if err != nil {
		return nil, nil, fmt.Errorf("retarget: %w", err)
	}
	clip := done.clip(m)
	rep := done.report(r.evidence(m, clip, o, done.longer))
	rep.WallS = time.Since(begin).Seconds()
	rep.FPS = float64(rep.Frames) / rep.WallS
	if err := rep.attach(clip); err != nil {
		return nil, nil, err
	}
	return clip, rep, nil
}

// legal fills in what was left open and refuses what makes no sense.
func (o Options) legal(policyRateHz float64) (Options, error) {
	for _, v := range []struct {
		name            string
		at              *float64
		open, low, high float64
	}{
		{"tempo", &o.Tempo, 1, minTempo, maxTempo},
		{"amplify", &o.Amplify, 1, minAmplify, maxAmplify},
		{"fps", &o.FPS, policyRateHz, minFPS, maxFPS},
	} {
		if *v.at == 0 {
			*v.at = v.open
		}
		if !(*v.at >= v.low && *v.at <= v.high) {
			return o, fmt.Errorf("retarget: %s is %g; legal: %g to %g", v.name, *v.at, v.low, v.high)
		}
	}
	return o, nil
}

// moments are the times (s) of the person's motion at which the robot's frames lie at the tempo asked for, at least
// two.
func (o Options) moments(m *human.Motion) (times []float64) {
	n := max(2, int(math.Floor(m.Seconds()/o.Tempo*o.FPS+1e-6))+1)
	for k := range n {
		times = append(times, math.Min(float64(k)/o.FPS*o.Tempo, m.Seconds()))
	}
	return times
}
