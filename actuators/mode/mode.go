// Package mode is the one authority over what the robot may do: the operating
// state, the failsafe table and the arming checks, as pure functions of
// (state, conditions, request, time).
//
// Vocabulary: a condition is something that is wrong now (package guard detects
// them); an action is the least severe answer to it; a request is what an
// operator asks; a check is a named reason not to arm. Severity rises by itself
// and never falls by itself: every way back needs an operator's request, and
// nothing arms on its own.
//
//	disarmed -> arming -> hold <-> active
//	              |         |        |
//	              +---------+--------+--> settle -> disarmed   (stop category 1)
//	              |         |        |
//	              +---------+--------+--> limp -> fault        (damped, then off)
//	              any state ------------> cut -> fault -> disarmed on reset
//
// What is not here: detecting conditions, moving anything, logging. All
// functions are pure, allocate nothing and are safe for concurrent use.
package mode

import "time"

// State is an operating state.
type State uint8

// The operating states, from no torque to latched fault.
const (
	Disarmed State = iota // torque off; the default
	Arming                // torque on at the measured pose, ramp to the start pose
	Hold                  // start pose held, or balance kept by the controller
	Active                // the controller plays
	Settle                // controlled stop: ramp to the settle pose, then torque off
	Limp                  // goals follow the measured pose: damped, not driven
	Cut                   // torque off is being sent to every servo
	Fault                 // torque off, latched until an operator resets
	stateCount
)

// String returns the state's name as written in logs and stats.
func (s State) String() string {
	names := [stateCount]string{"disarmed", "arming", "hold", "active", "settle", "limp", "cut", "fault"}
	if s >= stateCount {
		return "unknown"
	}
	return names[s]
}

// Energised reports whether servos may carry torque in this state.
func (s State) Energised() bool { return s >= Arming && s <= Limp }

// Request is what an operator asks for.
type Request uint8

// The requests, weakest first; a stronger one replaces a weaker pending one.
const (
	NoRequest  Request = iota
	Reset              // leave fault
	Arm                // leave disarmed, when every check passes
	Activate           // hand the robot to the controller
	HoldPose           // take it back when its motion has ended
	StopMotion         // take it back, and break the motion off
	Disarm             // settle, then torque off
	EStop              // torque off now; accepted in every state
	requestCount
)

// String returns the request's name as used on the command link.
func (r Request) String() string {
	names := [requestCount]string{"none", "reset", "arm", "activate", "hold", "stop", "disarm", "estop"}
	if r >= requestCount {
		return "unknown"
	}
	return names[r]
}

// Limits on how long a state may last. They end states whose work never
// finishes: a ramp against an obstacle, a servo that does not answer torque-off.
const (
	ArmingTimeout = 10 * time.Second
	SettleTimeout = 9 * time.Second
	LimpTime      = 1 * time.Second // long enough to sink, short enough not to heat
	CutTimeout    = 500 * time.Millisecond
)

// Input is everything the state machine sees in one tick.
type Input struct {
	Conditions Conditions
	Failing    Checks        // arming checks that fail now
	Request    Request       // at most one a tick
	InState    time.Duration // time since the present state was entered
	Done       bool          // the state's work is finished: ramp reached, clip played, seated
	TorqueOff  bool          // every servo is known to be without torque
	CanPlay    bool          // a controller is loaded
	Unfit      bool          // arming: servos do not take their settings, and torque was not asked for
}

// Decision is the state to be in and why. When Refused is set the request was
// not granted, and Why (with Failing for checks) says what stood in the way.
type Decision struct {
	State   State
	Why     Reason
	Refused bool
	Failing Checks
}

// Next returns the state that follows from s.
func Next(s State, in Input) Decision {
	if in.Request == EStop && s != Cut {
		return Decision{State: Cut, Why: Requested(EStop)}
	}
	if s.Energised() {
		if d, ok := failsafe(s, in); ok {
			d.Refused = overtaken(in.Request)
			return d
		}
	}
	if d, ok := finished(s, in); ok {
		d.Refused = overtaken(in.Request)
		return d
	}
	return requested(s, in)
}

// overtaken reports whether a request that came in the same tick as another
// change was refused by it. Stopping never is.
func overtaken(r Request) bool {
	return r != NoRequest && r != StopMotion && r != Disarm && r != EStop
}

// failsafe returns the more severe state that the conditions demand, if any. Who asks for
// less than holding gets that.
func failsafe(s State, in Input) (Decision, bool) {
	action, cause := Worst(in.Conditions)
	why := Caused(cause)
	switch {
	case action == ActCut:
		return Decision{State: Cut, Why: why}, true
	case action == ActLimp && s != Limp:
		return Decision{State: Limp, Why: why}, true
	case action == ActSettle && s < Settle:
		return Decision{State: Settle, Why: why}, true
	case action == ActHold && s == Active && in.Request != Disarm:
		return Decision{State: Hold, Why: why}, true
	}
	return Decision{}, false
}

// finished returns what follows when a state's work is done or took too long.
func finished(s State, in Input) (Decision, bool) {
	switch s {
	case Arming:
		if in.Done {
			return Decision{State: Hold, Why: Done}, true
		}
		if in.Unfit {
			return Decision{State: Disarmed, Why: ServosUnfit}, true
		}
		if in.InState >= ArmingTimeout {
			return Decision{State: Settle, Why: TookTooLong}, true
		}
	case Active:
		if in.Done {
			return Decision{State: Hold, Why: Done}, true
		}
	case Settle:
		if in.Done {
			return Decision{State: Disarmed, Why: Done}, true
		}
		if in.InState >= SettleTimeout {
			return Decision{State: Cut, Why: TookTooLong}, true
		}
	case Limp:
		if in.InState >= LimpTime {
			return Decision{State: Fault, Why: Done}, true
		}
	case Cut:
		if in.TorqueOff {
			return Decision{State: Fault, Why: Done}, true
		}
		if in.InState >= CutTimeout {
			return Decision{State: Fault, Why: TookTooLong}, true
		}
	}
	return Decision{}, false
}

// requested answers an operator's request, or stays.
func requested(s State, in Input) Decision {
	stay := Decision{State: s}
	refuse := func(why Reason) Decision { return Decision{State: s, Why: why, Refused: true} }
	switch in.Request {
	case Arm:
		switch {
		case s == Fault:
			return refuse(FaultLatched)
		case s != Disarmed:
			return refuse(AlreadyArmed)
		case in.Failing != 0:
			d := refuse(ChecksFail)
			d.Failing = in.Failing
			return d
		}
		return Decision{State: Arming, Why: Requested(Arm)}
	case Activate:
		switch action, cause := Worst(in.Conditions); {
		case !in.CanPlay:
			return refuse(NoController)
		case s != Hold:
			return refuse(NotHolding)
		case action >= ActHold:
			return refuse(Caused(cause))
		}
		return Decision{State: Active, Why: Requested(Activate)}
	case HoldPose:
		if s == Active {
			return Decision{State: Hold, Why: Requested(HoldPose)}
		}
		if s != Hold {
			return refuse(NotHolding)
		}
	case StopMotion:
		switch s {
		case Active:
			return Decision{State: Hold, Why: Requested(StopMotion)}
		case Hold, Settle: // a motion that is being finished there is broken off, too
		default:
			return refuse(NotHolding)
		}
	case Disarm:
		switch s {
		case Arming, Hold, Active:
			return Decision{State: Settle, Why: Requested(Disarm)}
		case Fault:
			stay.Why = FaultStays
		case Disarmed:
			stay.Why = NothingOn
		default:
			stay.Why = GoesOff
		}
	case Reset:
		switch {
		case s != Fault:
			return refuse(NotFaulted)
		case !in.TorqueOff:
			return refuse(TorqueUnknown)
		}
		if action, cause := Worst(in.Conditions); action >= ActLimp {
			return refuse(Caused(cause))
		}
		return Decision{State: Disarmed, Why: Requested(Reset)}
	}
	return stay
}
