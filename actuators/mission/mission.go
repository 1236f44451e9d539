// Package mission is the operator that a command line describes: arm, hold, play,
// hold and again, until the time is over.
//
// A [Script] is a pure function of the samples that it sees, so that it is tested
// without a robot. It looks at monotonic time only. It only asks: whether the robot does it is decided in the loop,
// and whoever else has a say (the command link) talks to the same loop. A Script
// belongs to one goroutine.
package mission

import (
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Script is one mission. Its exported fields are set before the first Step.
type Script struct {
	Arm    bool          // arm by itself, once
	Play   bool          // play motions
	For    time.Duration // end so long after arming; 0: no end
	Hold   time.Duration // between arming and playing
	Again  time.Duration // between plays
	Clip   time.Duration // how long a motion takes
	Daemon bool          // stay after a fault or a disarm, for an operator to go on
	Reopen bool          // end when the servos are gone, for somebody to open their port again; see Gone

	// Words, if set, says why arming was refused: joints, values, limits.
	Words func(failing mode.Checks, x *trace.Sample) string

	start    int64 // first sample, ns on the loop's monotonic clock
	armed    int64 // torque switched on
	held     int64 // hold entered
	askedArm int64
	played   int
	yields   bool // an operator has ended a motion: the next one is his to start
	over     bool
	failing  string // the checks of the latest refusal
	unfit    driver.Unfit
	gaveUp   bool
	goneAt   int64 // the servos are gone since; 0: they are not
	gone     bool  // and for so long that the script ended
}

const (
	settleBeforeArm = time.Second // one round of slow registers and a second of lateness
	armRetry        = time.Second / 2
	armPatience     = 10 * time.Second // before the script gives up
	gonePatience    = time.Second      // before servos that are gone are given up
)

// Step takes in a sample and returns what to ask of the loop, and whether the
// script is over and the loop is to stop.
func (s *Script) Step(x *trace.Sample) (ask mode.Request, stop bool) {
	now := x.MonoNs
	if s.start == 0 {
		s.start = now
	}
	if x.From != x.Mode {
		switch x.Mode {
		case mode.Arming:
			s.armed = now
		case mode.Hold:
			s.held = now
		case mode.Active:
			s.played++
		}
	}
	if !x.Refused && (x.Request == mode.HoldPose || x.Request == mode.StopMotion) {
		s.yields = true
	}
	if x.Refused && x.Request == mode.Arm {
		s.failing = x.Failing.String()
		if s.Words != nil {
			s.failing = s.Words(x.Failing, x)
		}
	}
	if s.over {
		return mode.NoRequest, true
	}
	if s.missing(x) {
		s.over, s.gone = true, true
		return mode.NoRequest, true
	}
	if x.From != x.Mode && x.Why == mode.ServosUnfit { // torque never went on
		s.armed, s.unfit = 0, x.Robot.Unfit
		if s.Arm {
			s.over, s.gaveUp = true, true
			return mode.NoRequest, true
		}
	}
	switch x.Mode {
	case mode.Disarmed, mode.Fault:
		if s.armed != 0 { // it was armed and is no more
			s.over = !s.Daemon
			return mode.NoRequest, s.over
		}
		if s.Arm && x.Mode == mode.Disarmed {
			return s.tryArm(now)
		}
		if s.Arm && !s.Daemon { // stopped before it was armed: nobody will reset it
			s.over = true
			return mode.NoRequest, true
		}
	case mode.Hold, mode.Active, mode.Arming:
		if s.For > 0 && since(now, s.armed) >= s.For {
			s.over = true
			return mode.Disarm, true
		}
		if action, _ := mode.Worst(x.Conditions); action >= mode.ActHold {
			return mode.NoRequest, false // nothing may be begun
		}
		if x.Mode == mode.Hold && s.Play && !s.yields && s.due(now) {
			return mode.Activate, false
		}
	}
	return mode.NoRequest, false
}

func (s *Script) tryArm(now int64) (mode.Request, bool) {
	if since(now, s.start) < settleBeforeArm || s.askedArm != 0 && since(now, s.askedArm) < armRetry {
		return mode.NoRequest, false
	}
	if since(now, s.start) > armPatience {
		s.over, s.gaveUp = true, true
		return mode.NoRequest, true
	}
	s.askedArm = now
	return mode.Arm, false
}

// due reports whether the next play may start: rested long enough, and time
// left to end it.
func (s *Script) due(now int64) bool {
	rest := s.Hold
	if s.played > 0 {
		rest = s.Again
	}
	if since(now, s.held) < rest {
		return false
	}
	return s.For == 0 || since(now, s.armed)+s.Clip <= s.For
}

// missing reports whether there have been no servos for a while, on a robot that is not to be driven any more: what the
// failsafes do about lost servos is done.
func (s *Script) missing(x *trace.Sample) bool {
	away := x.Conditions.Has(mode.LinkLost) && (x.Mode == mode.Disarmed || x.Mode == mode.Fault)
	if !s.Reopen || !away {
		s.goneAt = 0
		return false
	}
	if s.goneAt == 0 {
		s.goneAt = x.MonoNs
	}
	return since(x.MonoNs, s.goneAt) >= gonePatience
}

// Gone says that the script ended because the servos are gone.
func (s *Script) Gone() bool { return s.gone }

func since(now, then int64) time.Duration { return time.Duration(now - then) }

// Plays returns how many motions were begun.
func (s *Script) Plays() int { return s.played }

// Refusal is why a script that was to arm gave up, or nil.
func (s *Script) Refusal() error {
	if !s.gaveUp {
		return nil
	}
	if s.unfit.Joint != "" {
		return fmt.Errorf("not armed: %s; torque stayed off", s.unfit)
	}
	return fmt.Errorf("not armed: %s; asked for %v", s.failing, armPatience)
}
