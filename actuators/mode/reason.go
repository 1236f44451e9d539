package mode

import "strings"

// Reason says why a state was entered or a request refused. It is a number, so
// that the loop can carry it without allocating; String names it.
type Reason uint16

const (
	requestBase   Reason = 0x100 // + Request
	conditionBase Reason = 0x200 // + Condition
)

// The reasons that are neither a request nor a condition.
const (
	NoReason      Reason = iota
	Done                 // the state's work is finished
	TookTooLong          // the state's time limit passed
	AlreadyArmed         // arm: torque is on already
	ChecksFail           // arm: see the failing checks
	FaultLatched         // arm: a fault is latched, reset first
	NoController         // activate: no policy is loaded
	NotHolding           // activate or hold: only from hold or active
	NotFaulted           // reset: there is no fault
	TorqueUnknown        // reset: some servo has not confirmed torque off
	plainReasons
)

// Requested is the reason "an operator asked for r".
func Requested(r Request) Reason { return requestBase + Reason(r) }

// Caused is the reason "condition c demanded it".
func Caused(c Condition) Reason { return conditionBase + Reason(c) }

// Condition returns the condition behind the reason, if it is one.
func (r Reason) Condition() (Condition, bool) {
	if r < conditionBase {
		return 0, false
	}
	return Condition(r - conditionBase), true
}

// String names the reason in words an operator can act on.
func (r Reason) String() string {
	switch {
	case r >= conditionBase:
		return Condition(r - conditionBase).String()
	case r >= requestBase:
		return "request " + Request(r-requestBase).String()
	case r >= plainReasons:
		return "unknown"
	}
	return [plainReasons]string{
		"", "done", "took too long", "already armed", "arming checks fail", "a fault is latched: reset first",
		"no policy is loaded", "not holding a pose", "there is no fault to reset", "torque-off is not confirmed",
	}[r]
}

// Check is one named arming check.
type Check uint8

// The arming checks.
const (
	CheckConnected   Check = iota // every servo answers with the expected id and model
	CheckFresh                    // every joint position was read in this tick
	CheckEncoder                  // every position lies inside its joint's limits, with slack
	CheckUpright                  // the trunk is upright
	CheckIMU                      // orientation is alive
	CheckTemperature              // no servo is warm
	CheckVoltage                  // supply inside the servo's range
	CheckServoError               // no servo holds a hardware error
	CheckEStop                    // stop button released
	CheckRecorder                 // the flight recorder writes
	CheckRealtime                 // the loop met its deadlines during the self-test
	CheckLease                    // the operator's lease is held, where one is required
	CheckTorqueOff                // no servo carries torque before arming
	checkCount
)

// String names the check as an operator reads it.
func (c Check) String() string {
	names := [checkCount]string{
		"servos connected", "joint positions fresh", "encoders inside limits", "trunk upright", "IMU alive",
		"temperatures", "supply voltage", "servo errors", "stop button", "flight recorder", "real-time self-test",
		"operator lease", "torque off before arming",
	}
	if c >= checkCount {
		return "unknown"
	}
	return names[c]
}

// Checks is a set of arming checks.
type Checks uint32

// Set adds c when on is true and removes it otherwise.
func (s *Checks) Set(c Check, on bool) {
	if on {
		*s |= 1 << c
	} else {
		*s &^= 1 << c
	}
}

// Has reports whether c is in the set.
func (s Checks) Has(c Check) bool { return s>>c&1 == 1 }

// String lists the names, comma separated; "none" for the empty set.
func (s Checks) String() string {
	var names []string
	for c := range checkCount {
		if s.Has(c) {
			names = append(names, c.String())
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
