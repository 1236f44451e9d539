package mode

import "time"

// Torque is what is asked of the servos' torque and what they have confirmed.
type Torque uint8

// The torque states. Every servo must confirm for off and on.
const (
	TorqueOff     Torque = iota // confirmed
	TorqueRising                // on is asked for
	TorqueOn                    // confirmed
	TorqueFalling               // off is sent until it is confirmed
	torqueCount
)

// Control is who makes the goals.
type Control uint8

// The control states.
const (
	ControlNone   Control = iota // the loop's own ramps
	ControlStands                // the controller has the robot, and plays nothing
	ControlPlays                 // it plays a motion
	controlCount
)

// Stop is how far a controlled stop is.
type Stop uint8

// The parts of a controlled stop, in their order.
const (
	StopPlaysOut Stop = iota // a motion comes to its end first
	StopRamps                // to the settle pose
	StopRests                // in it, for a moment
	StopSeated
	stopCount
)

// TorqueTries is how many ticks in a row servos may fail to confirm what they are asked
// for on the way to torque: their settings, or torque-on.
const TorqueTries = 20

// ConfirmTime is how long torque-off is sent in every tick; then once a second, since
// a silent servo costs a timeout.
const ConfirmTime = 3 * time.Second

// Rules are what a machine needs to know about its robot; they do not change.
type Rules struct {
	RateHz       int           // ticks per second
	ControlEvery int           // ticks per decision of the controller
	PlayOut      time.Duration // how long a motion may go on after a request to disarm
	CanPlay      bool          // a controller is loaded
}

func (r Rules) span(ticks int64) time.Duration {
	return time.Duration(ticks) * (time.Second / time.Duration(r.RateHz))
}

// Machine is all that decides what a tick does: the operating state, and below it
// torque, control and the parts of a controlled stop. [Next] is its transition
// function for the state; entry its table for the rest; what a tick is to do is
// [Machine.Task]. The loop asks, does, and reports what came of it.
//
// The zero value is disarmed, without torque. A Machine belongs to one goroutine;
// nothing in it allocates.
type Machine struct {
	State   State
	Torque  Torque
	Control Control
	Stop    Stop  // in Settle
	Ticks   int64 // since the state was entered, skipped ones included
	Tries   int   // ticks in which settings or torque-on were not confirmed
	Fit     bool  // while torque rises: settings and goals are confirmed, torque may be asked for
	Asked   bool  // while torque rises: it was asked for
	Wait    int   // ticks until the controller decides again
	Bad     bool  // the controller's latest decision was not usable
}

// The rows of entry that leave things as they are.
const (
	keepTorque  = torqueCount
	keepControl = controlCount
)

// entry is the table of what entering a state does to torque and control.
func entry(s State) (Torque, Control) {
	row := [stateCount]struct {
		torque  Torque
		control Control
	}{
		Disarmed: {TorqueFalling, ControlNone},
		Arming:   {TorqueRising, ControlNone},
		Hold:     {keepTorque, keepControl},
		Active:   {keepTorque, ControlPlays},
		Settle:   {keepTorque, keepControl},
		Limp:     {keepTorque, keepControl},
		Cut:      {TorqueFalling, ControlNone},
		Fault:    {TorqueFalling, ControlNone},
	}[s]
	return row.torque, row.control
}

// Facts are what a tick saw.
type Facts struct {
	Conditions Conditions
	Failing    Checks  // arming checks that fail now
	Request    Request // at most one a tick
	RampDone   bool    // the loop's ramp has come to its end
}

// Step decides the state of this tick.
func (m *Machine) Step(r Rules, f Facts) Decision {
	d := Next(m.State, Input{
		Conditions: f.Conditions, Failing: f.Failing, Request: f.Request,
		InState: r.span(m.Ticks), Done: m.done(r, f), TorqueOff: m.Torque == TorqueOff, CanPlay: r.CanPlay,
		Unfit: m.unfit(),
	})
	if d.State != m.State {
		m.enter(r, d)
	}
	return d
}

// done reports whether the present state's work is finished.
func (m *Machine) done(r Rules, f Facts) bool {
	switch m.State {
	case Arming:
		return m.Torque == TorqueOn && f.RampDone
	case Active:
		return m.Control == ControlStands && m.Ticks > int64(r.ControlEvery)
	case Settle:
		return m.Stop == StopSeated
	}
	return false
}

// enter is a change of state.
func (m *Machine) enter(r Rules, d Decision) {
	m.State, m.Ticks = d.State, 0
	torque, control := entry(d.State)
	if d.State == Settle {
		m.Stop = StopRamps
		if _, byCondition := d.Why.Condition(); !byCondition && m.Control == ControlPlays && r.PlayOut > 0 {
			m.Stop = StopPlaysOut
		}
	}
	if torque != keepTorque {
		m.Torque, m.Tries, m.Fit, m.Asked = torque, 0, false, false
	}
	switch control {
	case ControlNone:
		m.Control, m.Bad = control, false
	case ControlPlays:
		m.Control, m.Wait = control, 0
	}
}

// Task is what a tick does.
type Task uint8

// The tasks.
const (
	TaskNone      Task = iota // read only
	TaskTorqueOff             // send torque-off to every servo
	TaskPrepare               // make the measured pose the goal, and the servos ready for torque
	TaskTorqueOn              // torque on
	TaskRamp                  // go on with the loop's ramp
	TaskBalance               // the controller keeps balance, and finishes what it plays
	TaskPlay                  // the controller plays
	TaskFollow                // goals follow the measured pose
	taskCount
)

// Task says what this tick does, after Step.
func (m *Machine) Task(r Rules) Task {
	switch m.State {
	case Arming:
		switch {
		case m.Torque == TorqueOn:
			return TaskRamp
		case m.Fit:
			return TaskTorqueOn
		}
		return TaskPrepare
	case Hold:
		if r.CanPlay {
			return TaskBalance
		}
		return TaskRamp
	case Active:
		return TaskPlay
	case Settle:
		if m.Stop == StopPlaysOut {
			return TaskBalance
		}
		return TaskRamp
	case Limp:
		return TaskFollow
	}
	second := int64(r.RateHz)
	if m.Torque == TorqueFalling && (r.span(m.Ticks) < ConfirmTime || m.Ticks%second == 0) {
		return TaskTorqueOff
	}
	return TaskNone
}

// PlayedOut ends the first part of a controlled stop when the motion has come to its
// end, is not usable, or took too long, and where one of the conditions of this tick asks
// for a controlled stop itself: no motion goes on then. True: the ramp to the settle pose
// begins now.
func (m *Machine) PlayedOut(r Rules, c Conditions) bool {
	if m.State != Settle || m.Stop != StopPlaysOut {
		return false
	}
	action, _ := Worst(c)
	if action < ActSettle && m.Control == ControlPlays && !m.Bad && r.span(m.Ticks) < r.PlayOut {
		return false
	}
	m.Stop = StopRamps
	return true
}

// RampEnded reports the end of the loop's ramp, or of the rest after it.
func (m *Machine) RampEnded() {
	if m.State == Settle && (m.Stop == StopRamps || m.Stop == StopRests) {
		m.Stop++
	}
}

// Prepared reports what came of a TaskPrepare.
func (m *Machine) Prepared(confirmed bool) {
	if m.Torque != TorqueRising {
		return
	}
	if m.Fit = confirmed; !confirmed {
		m.Tries++
	}
}

// TorqueAnswered reports what came of a TaskTorqueOn or a TaskTorqueOff. Servos that did
// not confirm torque-on are prepared anew, for they may have sunk meanwhile.
func (m *Machine) TorqueAnswered(confirmed bool) {
	switch {
	case m.Torque == TorqueRising && confirmed:
		m.Torque, m.Tries, m.Fit, m.Asked = TorqueOn, 0, false, false
	case m.Torque == TorqueRising:
		m.Tries++
		m.Fit, m.Asked = false, true
	case m.Torque == TorqueFalling && confirmed:
		m.Torque = TorqueOff
	}
}

// TorqueRefused reports that torque may not go on at all from the measured pose.
func (m *Machine) TorqueRefused() {
	if m.Torque == TorqueRising {
		m.Tries = TorqueTries + 1
	}
}

// TorqueFailed says that servos did not take torque for too long: some may carry it.
func (m *Machine) TorqueFailed() bool { return m.Tries > TorqueTries && m.Asked }

// unfit says that servos did not take their settings for too long: none carries torque.
func (m *Machine) unfit() bool { return m.Tries > TorqueTries && !m.Asked }

// Powered says that every servo should carry torque.
func (m *Machine) Powered() bool { return m.State.Energised() && m.Torque == TorqueOn }

// TakesUp says, after Step, that servos which stopped by themselves are to go on: while
// the robot is driven, not while it is falling or let go.
func (m *Machine) TakesUp() bool {
	return m.Torque == TorqueOn && m.State >= Arming && m.State <= Settle
}

// Enters says that the controller is to take the robot over in this tick, which is
// then reported by Entered.
func (m *Machine) Enters(r Rules) bool {
	return m.Control == ControlNone && m.State == Hold && m.Torque == TorqueOn && r.CanPlay
}

// Entered reports that the controller has taken over.
func (m *Machine) Entered() { m.Control, m.Wait = ControlStands, 0 }

// Decides says that the controller decides in this tick, and counts the tick.
func (m *Machine) Decides(r Rules) bool {
	due := m.Wait == 0
	m.Wait = (m.Wait + 1) % r.ControlEvery
	return due
}

// Decided reports a decision: whether it could be used, whether there was one at all,
// and then whether the controller stands.
func (m *Machine) Decided(usable, answered, standing bool) {
	m.Bad = !usable
	switch {
	case !answered:
	case standing:
		m.Control = ControlStands
	default:
		m.Control = ControlPlays
	}
}

// BreaksOff says, after Step, that the controller is to break off its motion in this tick,
// in which d was decided: because somebody asks for it, or because a condition lets none be.
func (m *Machine) BreaksOff(f Facts, d Decision) bool {
	if m.Control != ControlPlays || !m.State.Energised() {
		return false
	}
	action, _ := Worst(f.Conditions)
	return f.Request == StopMotion && !d.Refused || action == ActHold && (m.State == Hold || m.State == Settle)
}

// Ended says that nothing is left to do for a loop that is to stop: no torque, and
// that confirmed, or no link to confirm it, or not confirmed for too long.
func (m *Machine) Ended(r Rules, linkGone bool) bool {
	if m.State.Energised() || m.State == Cut {
		return false
	}
	return m.Torque == TorqueOff || linkGone || r.span(m.Ticks) > ConfirmTime
}

// Pass counts n ticks.
func (m *Machine) Pass(n int64) { m.Ticks += n }

// away is how long a loop may be away before a robot stands still under its servos' own
// watchdogs.
const away = 500 * time.Millisecond

// Skip counts n ticks in which the loop was away. A robot that stood still meanwhile got
// nowhere in its controlled stop, whose time limit is for one that gets nowhere while it is
// driven: nobody is dropped half seated because a host was away.
func (m *Machine) Skip(r Rules, n int64) {
	if m.State != Settle || r.span(n) <= away {
		m.Ticks += n
	}
}
