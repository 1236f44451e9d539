package mode

import "strings"

// Condition is one thing that can be wrong while the robot carries torque.
type Condition uint8

// The conditions, in the order of the failsafe table.
const (
	EStopOpen       Condition = iota // the hardware stop button is pressed
	LoopStuck                        // the loop stood still, and torque was switched off past it
	LinkLost                         // no servo answered for several cycles, or the port is gone
	TorqueLost                       // a servo reports torque off although it should be on
	Falling                          // tilted or turning beyond what can be caught
	IMULost                          // orientation missing or frozen
	LegServoLost                     // a leg servo stopped answering
	VoltageCut                       // battery so low that servos may reset
	ArmServoLost                     // another servo stopped answering
	BusNoisy                         // too many failed transactions in the last half second
	LoopOverrun                      // the loop was more than a period late three times in a second, or once for long
	GatewayLost                      // the process that gives orders, records and tells has died or stands still
	MonitoringStale                  // temperature, supply, alerts or torque of a servo have not been heard of for long
	ServosStopped                    // the servos' own watchdog stopped them twice in ten seconds
	PolicyFault                      // the controller gave no usable command three times in a row
	ServoAlert                       // a servo raised its own hardware error
	Overheated                       // a sensor or the winding model is above its limit
	Stalled                          // high current without motion
	ClampedLong                      // the guard had to change most commands for a second
	VoltageLow                       // battery low under load
	ChargeLow                        // at worst so little charge is left as sitting down needs
	LeaseExpired                     // the operator's lease was lost, and nobody took one for long
	ReferenceLost                    // the references that are being followed do not come any more
	LeaseLost                        // whoever holds the operator's lease has not renewed it in time
	Warm                             // temperature above the warning level
	VoltageWarn                      // battery below the warning level
	ChargeWarn                       // at worst little charge is left
	LogLost                          // the flight recorder cannot keep up or cannot write
	LinkToBroker                     // the command link is down
	NameTaken                        // another robot answers to this robot's name on the command link
	conditionCount
)

// String returns the condition's name as written in logs and stats.
func (c Condition) String() string {
	names := [conditionCount]string{
		"estop-open", "loop-stuck", "link-lost", "torque-lost", "falling", "imu-lost", "leg-servo-lost", "voltage-cut",
		"arm-servo-lost", "bus-noisy", "loop-overrun", "gateway-lost", "monitoring-stale", "servos-stopped", "policy-fault",
		"servo-alert", "overheated", "stalled", "clamped-long", "voltage-low", "charge-low", "lease-expired",
		"reference-lost", "lease-lost", "warm", "voltage-warn", "charge-warn", "log-lost",
		"broker-lost", "name-taken",
	}
	if c >= conditionCount {
		return "unknown"
	}
	return names[c]
}

// Action is the answer to a condition, least severe first.
type Action uint8

// The actions. Hold, settle, limp and cut lead to the states of those names; hold breaks
// off a motion, and lets none begin.
const (
	ActNone Action = iota
	ActWarn
	ActHold
	ActSettle
	ActLimp
	ActCut
)

// String returns the action's name.
func (a Action) String() string {
	return [...]string{"none", "warn", "hold", "settle", "limp", "cut"}[a]
}

// Answer is the failsafe table: the least severe action for a condition.
//
// Falling does not cut at once: a damped fall is gentler than a dead one. A
// lost link cuts, because no other command would arrive either; the servos' own
// bus watchdog is what then stops them.
func Answer(c Condition) Action {
	switch c {
	case EStopOpen, LinkLost, VoltageCut, LoopStuck:
		return ActCut
	case Falling, IMULost, LegServoLost, TorqueLost:
		return ActLimp
	case ArmServoLost, BusNoisy, LoopOverrun, GatewayLost, MonitoringStale, ServosStopped, PolicyFault, ServoAlert, Overheated,
		Stalled, ClampedLong, VoltageLow, ChargeLow, LeaseExpired:
		return ActSettle
	case LeaseLost, ReferenceLost:
		return ActHold
	case Warm, VoltageWarn, ChargeWarn, LogLost, LinkToBroker, NameTaken:
		return ActWarn
	}
	return ActCut // a condition without a row is a programming error: stop
}

// Conditions is a set of conditions.
type Conditions uint32

// Of returns the set of the given conditions.
func Of(list ...Condition) (s Conditions) {
	for _, c := range list {
		s |= 1 << c
	}
	return s
}

// Set adds c when on is true and removes it otherwise.
func (s *Conditions) Set(c Condition, on bool) {
	if on {
		*s |= 1 << c
	} else {
		*s &^= 1 << c
	}
}

// Has reports whether c is in the set.
func (s Conditions) Has(c Condition) bool { return s>>c&1 == 1 }

// String lists the names, comma separated; "none" for the empty set.
func (s Conditions) String() string {
	var names []string
	for c := range conditionCount {
		if s.Has(c) {
			names = append(names, c.String())
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Worst returns the most severe action that the set demands and the condition
// that demands it (the first of the table among equals).
func Worst(s Conditions) (Action, Condition) {
	worst, cause := ActNone, Condition(0)
	for c := range conditionCount {
		if s.Has(c) {
			if a := Answer(c); a > worst {
				worst, cause = a, c
			}
		}
	}
	return worst, cause
}

// MaxConditions is how many conditions a set can hold, for arrays.
const MaxConditions = 32

// AllConditions returns how many conditions there are, for iteration.
func AllConditions() Condition { return conditionCount }
