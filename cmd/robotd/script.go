package main

import (
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// script is the operator that the command line describes: arm, hold, play, hold
// and again, until the time is over. It is a pure function of the samples it
// sees, so it is tested without a robot. Whoever else has a say (the command
// link) talks to the same loop.
type script struct {
	arm     bool
	play    bool
	forTime time.Duration // 0: no end
	hold    time.Duration // between arming and playing
	again   time.Duration // between plays
	clip    time.Duration
	daemon  bool // stay after a fault or a disarm, for an operator to go on

	start    int64 // first sample, ns
	armed    int64 // torque switched on
	held     int64 // hold entered
	askedArm int64
	played   int
	over     bool
	failing  mode.Checks
	gaveUp   bool
}

const (
	settleBeforeArm = time.Second      // one round of slow registers and a second of lateness
	armRetry        = time.Second / 2  //
	armPatience     = 10 * time.Second // before the script gives up
)

// step takes in a sample and returns what to ask of the loop, and whether the
// script is over and the loop is to stop.
func (s *script) step(x *trace.Sample) (ask mode.Request, stop bool) {
	now := x.WallNs
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
	if x.Refused && x.Request == mode.Arm {
		s.failing = x.Failing
	}
	if s.over {
		return mode.NoRequest, true
	}
	switch x.Mode {
	case mode.Disarmed, mode.Fault:
		if s.armed != 0 { // it was armed and is no more
			s.over = !s.daemon
			return mode.NoRequest, s.over
		}
		if s.arm && x.Mode == mode.Disarmed {
			return s.tryArm(now)
		}
	case mode.Hold, mode.Active, mode.Arming:
		if s.forTime > 0 && since(now, s.armed) >= s.forTime {
			s.over = true
			return mode.Disarm, true
		}
		if x.Mode == mode.Hold && s.play && s.due(now) {
			return mode.Activate, false
		}
	}
	return mode.NoRequest, false
}

func (s *script) tryArm(now int64) (mode.Request, bool) {
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
func (s *script) due(now int64) bool {
	rest := s.hold
	if s.played > 0 {
		rest = s.again
	}
	if since(now, s.held) < rest {
		return false
	}
	return s.forTime == 0 || since(now, s.armed)+s.clip <= s.forTime
}

func since(now, then int64) time.Duration { return time.Duration(now - then) }

// refusal is the error of a script that could not arm.
func (s *script) refusal() error {
	return refused("not armed: %s; %s", s.failing, fmt.Sprintf("asked for %v", armPatience))
}
