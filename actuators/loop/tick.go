package loop

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// Time of a tick, as far as the loop needs it.
type Instant struct {
	Tick    int64
	LateNs  int64
	Skipped int64 // ticks skipped just before this one
	MonoNs  int64 // on a clock that nobody sets: what decides how long things last
	WallNs  int64 // Unix time, a label
}

// Tick runs one cycle.
func (l *Loop) Tick(now Instant) {
	m := &l.machine
	m.Skip(l.rules, now.Skipped)
	started := l.cfg.NowNs()
	err := l.drv.Read(l.state)
	busNs := l.cfg.NowNs() - started
	l.calls, l.act = trace.Calls{Read: trace.AnswerOf(err)}, trace.Act{}

	facts := l.judge(now, err)
	facts.Request = l.takeMail()
	from := m.State
	d := m.Step(l.rules, facts)
	if d.State != from {
		l.enter(d.State)
	}
	l.guard.Slow(l.mon.Pace())
	l.beat(0)  // before torque can rise
	l.takeUp() // after the decision: a robot that is let go stays so
	if m.BreaksOff(facts, d) {
		l.ctl.Stop()
	}
	actNs := l.drive(facts.Conditions)
	l.count(now, facts.Conditions, err, from, d)
	l.record(now, facts, d, from, busNs, actNs)
	l.desk.Answer(facts.Request, d)
	m.Pass(1)
	l.beat(1)
}

// judge turns what was read into facts.
func (l *Loop) judge(now Instant, readErr error) mode.Facts {
	m := &l.machine
	f := mode.Facts{RampDone: l.ramp.done()}
	l.outside = l.told() | l.operated(now)
	f.Conditions = l.mon.Observe(guard.Observation{
		State: l.state, ReadErr: readErr, GoalRad: l.applied, Energised: m.Powered(),
		Torque: l.torque, Skipped: now.Skipped, PolicyBad: m.Bad, Clamp: l.clamp,
	}) | l.outside
	if m.TorqueFailed() {
		f.Conditions.Set(mode.TorqueLost, true)
	}
	if m.State == mode.Disarmed {
		f.Failing = l.mon.Checks(l.state, f.Conditions, l.cfg.Limits)
		if m.Torque != mode.TorqueOff {
			f.Failing.Set(mode.CheckTorqueOff, true)
		}
	}
	return f
}

// takeUp goes on after servos were stopped by their own watchdog, because this host had
// been silent: each of them at rest where it stands, for no goal since then reached it;
// the others with their goals. From there it is gentle until it has caught up.
func (l *Loop) takeUp() {
	if !l.machine.TakesUp() || !slices.Contains(l.state.Stopped, true) || slices.Contains(l.state.Fresh, false) {
		return // what is not fresh the next tick knows, or the failsafe table does
	}
	for j, stopped := range l.state.Stopped {
		if l.goal[j] = l.guard.Last()[j]; stopped {
			l.goal[j] = l.state.PosRad[j]
		}
	}
	if !l.guard.Seed(l.goal) {
		return
	}
	l.catchUp = true
	copy(l.takenUp, l.goal)
	if answered(&l.calls.TakeUp, l.drv.TakeUp(l.applied, l.goal)) { // else they are still reported as stopped
		l.stats.TakenUp++
	}
}

// enter readies guard and ramp for a state that was just entered.
func (l *Loop) enter(s mode.State) {
	switch s {
	case mode.Arming:
		l.mon.Rearm()
		l.allTorque()
		l.clamp, l.catchUp = guard.Report{}, false
		copy(l.applied, l.state.PosRad)
		copy(l.heard, l.applied)
	case mode.Hold:
		if l.ctl == nil {
			l.ramp.start(l.guard.Last(), l.cfg.StandRad, l.cfg.Limits, l.cfg.MinRamp)
		}
	case mode.Settle:
		l.rampToSettle()
	case mode.Cut, mode.Fault, mode.Disarmed:
		l.guard.Close()
		l.allTorque() // who takes the torque off gives it back whole
	}
}

func (l *Loop) rampToSettle() {
	l.ramp.start(l.guard.Last(), l.cfg.SettleRad, l.cfg.Limits, l.cfg.MinRamp)
}

// drive does what the machine asks for in this tick, under conditions c; it returns the
// time spent in the controller.
func (l *Loop) drive(c mode.Conditions) (actNs int64) {
	l.clamp = guard.Report{}
	if l.machine.PlayedOut(l.rules, c) {
		l.rampToSettle()
	}
	envelope := guard.Full
	switch l.machine.Task(l.rules) {
	case mode.TaskTorqueOff:
		l.machine.TorqueAnswered(answered(&l.calls.TorqueOff, l.drv.Torque(false)))
		return 0
	case mode.TaskPrepare:
		l.makeReady()
		return 0
	case mode.TaskTorqueOn:
		l.torqueUp()
		return 0
	case mode.TaskRamp:
		envelope = guard.Gentle
		l.goAlong()
	case mode.TaskBalance:
		actNs = l.control(false)
	case mode.TaskPlay:
		actNs = l.control(true)
	case mode.TaskFollow:
		l.follow()
	default:
		return 0
	}
	if l.catchUp {
		envelope = guard.Gentle
	}
	report, open := l.guard.Apply(l.goal, l.want, envelope)
	l.clamp, l.catchUp = report, l.catchUp && report.Changed()
	if open {
		answered(&l.calls.Write, l.drv.Write(l.applied, l.goal)) // a failure shows in the next Read
		for j, fresh := range l.state.Fresh {
			if fresh {
				l.heard[j] = l.applied[j]
			}
		}
		l.limitTorque()
	}
	return actNs
}

// follow makes the measured pose the goal, which leaves only the motors' damping. A pose
// that is not fresh is one from the past: such a servo keeps its goal.
func (l *Loop) follow() {
	for j, q := range l.state.PosRad {
		if l.want[j] = q; !l.state.Fresh[j] {
			l.want[j] = l.guard.Last()[j]
		}
	}
}

// makeReady makes the measured pose the goal of every servo without torque, so that
// nothing moves when torque goes on, and has the servos confirm that goal and their
// settings. Those that took torque in an earlier try keep their goals.
func (l *Loop) makeReady() {
	s := l.state
	for j, on := range s.TorqueOn {
		if l.want[j] = s.PosRad[j]; on {
			l.want[j] = l.applied[j]
		}
	}
	if slices.Contains(s.Fresh, false) {
		l.machine.Prepared(false)
		return
	}
	if !l.guard.Seed(l.want) {
		l.machine.TorqueRefused()
		return
	}
	l.clamp, _ = l.guard.Apply(l.goal, l.want, guard.Gentle)
	l.machine.Prepared(answered(&l.calls.Write, l.drv.Write(l.applied, l.goal)) &&
		answered(&l.calls.Prepare, l.drv.Prepare()))
}

// torqueUp switches torque on. The ramp starts only when every servo has confirmed.
func (l *Loop) torqueUp() {
	l.machine.TorqueAnswered(answered(&l.calls.TorqueOn, l.drv.Torque(true)))
	if l.machine.Torque == mode.TorqueOn {
		copy(l.heard, l.applied)
		l.ramp.start(l.guard.Last(), l.cfg.StandRad, l.cfg.Limits, l.cfg.MinRamp)
	}
}

// goAlong takes the ramp's next step. In a controlled stop its end is followed by a
// moment of rest, and that by the end.
func (l *Loop) goAlong() {
	ended := l.ramp.step(l.want, l.period)
	for j, fresh := range l.state.Fresh {
		if !fresh { // it may not hear either: when it does again, nothing may have gone on without it
			l.want[j] = l.heard[j]
		}
	}
	if !ended || l.machine.State != mode.Settle {
		return
	}
	l.machine.RampEnded()
	if l.machine.Stop == mode.StopRests {
		l.ramp.rest(restTime)
	}
}

const restTime = 300 * time.Millisecond

// control lets the controller act once a control period. What is not usable
// leaves the previous goals in force and is counted; the failsafe table does
// the rest.
func (l *Loop) control(play bool) (ns int64) {
	if l.machine.Enters(l.rules) {
		copy(l.want, l.guard.Last())
		l.ctl.Enter(l.want)
		l.machine.Entered()
	}
	if !l.machine.Decides(l.rules) {
		return 0
	}
	s := l.state
	l.sensed = sensed.Robot{PosRad: s.PosRad, VelRadPerS: s.VelRadPerS, GyroRadPerS: s.GyroRadPerS, GravityDir: s.GravityDir}
	if l.paced != nil {
		l.paced.Pace(slices.Min(l.mon.Pace()))
	}
	started := l.cfg.NowNs()
	standing, err := l.ctl.Act(l.goal, &l.sensed, play) // l.goal is scratch until Apply
	ns = l.cfg.NowNs() - started
	usable := err == nil && ns <= int64(l.period)
	for _, q := range l.goal {
		usable = usable && !math.IsNaN(q) && !math.IsInf(q, 0)
	}
	l.act = trace.Act{Asked: true, Failed: err != nil, Usable: usable, Standing: standing}
	l.machine.Decided(usable, err == nil, standing)
	if !usable {
		l.stats.PolicyFaults++
		return ns
	}
	copy(l.want, l.goal)
	return ns
}

// answered notes what came of a call of the driver, and reports whether all servos confirmed.
func answered(note *trace.Answer, err error) bool {
	*note = trace.AnswerOf(err)
	return err == nil
}

// lost reports whether err means that no command arrives either.
func lost(err error) bool { return errors.Is(err, driver.ErrLinkLost) }
