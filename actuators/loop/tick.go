package loop

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// Time of a tick, as far as the loop needs it.
type Instant struct {
	Tick    int64
	LateNs  int64
	Skipped int64 // ticks skipped just before this one
	WallNs  int64 // Unix time
}

// Tick runs one cycle.
func (l *Loop) Tick(now Instant) {
	l.modeTicks += now.Skipped // time limits are limits on time, not on work
	started := monotonic()
	err := l.drv.Read(l.state)
	busNs := monotonic() - started

	conditions := l.mon.Observe(guard.Observation{
		State: l.state, ReadErr: err, GoalRad: l.applied, Energised: l.mode.Energised() && l.torqueOn,
		Skipped: now.Skipped, PolicyBad: l.ctlBad, Clamp: l.clamp,
	}) | mode.Conditions(l.external.Load())
	if l.torqueTry > torqueTries {
		conditions.Set(mode.TorqueLost, true)
	}
	var failing mode.Checks
	if l.mode == mode.Disarmed {
		failing = l.mon.Checks(l.state, conditions, l.cfg.Limits)
		failing.Set(mode.CheckTorqueOff, !l.torqueOff || failing.Has(mode.CheckTorqueOff))
	}
	l.takeUp()
	in := mode.Input{
		Conditions: conditions, Failing: failing,
		Request: l.takeMail(),
		InState: time.Duration(l.modeTicks) * l.period, Done: l.done(),
		TorqueOff: l.torqueOff, CanPlay: l.ctl != nil,
	}
	d := mode.Next(l.mode, in)
	from := l.mode
	if d.State != l.mode {
		l.enter(d)
	}
	actNs := l.drive()
	l.count(now, conditions, err, from, d)
	l.record(now, in, d, from, failing, conditions, busNs, actNs)
	l.answerMail(in.Request, d)
	l.modeTicks++
}

// takeUp goes on after the servos stopped by their own watchdog, because this
// host had been silent: from the measured pose at rest, as after arming, for they
// stand there now and no goal since then reached them.
func (l *Loop) takeUp() {
	if !l.torqueOn || l.mode < mode.Arming || l.mode > mode.Settle || !slices.Contains(l.state.Stopped, true) {
		return
	}
	if slices.Contains(l.state.Fresh, false) || !l.guard.Seed(l.state.PosRad) {
		return // the next tick knows more, or the failsafe table does
	}
	copy(l.applied, l.state.PosRad)
	_ = l.drv.Torque(true) // a failure shows in the next Read
	l.stats.TakenUp++
}

// torqueTries is how many ticks in a row servos may fail to confirm torque-on.
const torqueTries = 20

// done reports whether the present state's work is finished.
func (l *Loop) done() bool {
	switch l.mode {
	case mode.Arming:
		return l.torqueOn && l.ramp.at == l.ramp.total && l.ramp.total > 0
	case mode.Active:
		return l.standing && l.modeTicks > int64(l.cfg.ControlEvery)
	case mode.Settle:
		return l.settled == seated
	}
	return false
}

// enter prepares the new state.
func (l *Loop) enter(d mode.Decision) {
	l.mode, l.modeTicks, l.lastWhy = d.State, 0, d.Why
	switch d.State {
	case mode.Arming:
		l.mon.Rearm()
		l.torqueOn, l.torqueOff, l.torqueTry = false, false, 0
		l.inControl, l.ctlBad, l.standing = false, false, true
		l.clamp = guard.Report{}
		copy(l.applied, l.state.PosRad)
		if l.guard.Seed(l.state.PosRad) {
			l.ramp.start(l.state.PosRad, l.cfg.StandRad, l.cfg.Limits, l.cfg.MinRamp)
		}
	case mode.Hold:
		if l.ctl == nil {
			l.ramp.start(l.guard.Last(), l.cfg.StandRad, l.cfg.Limits, l.cfg.MinRamp)
		}
	case mode.Active:
		l.standing, l.sinceCtl = false, 0
	case mode.Settle:
		l.settled = toSettlePose
		if _, byCondition := d.Why.Condition(); !byCondition && l.inControl && !l.standing && l.cfg.PlayOut > 0 {
			l.settled = playOut
		}
		l.ramp.start(l.guard.Last(), l.cfg.SettleRad, l.cfg.Limits, l.cfg.MinRamp)
	case mode.Cut, mode.Fault, mode.Disarmed:
		l.guard.Close()
		l.torqueOff, l.torqueOn = false, false
		l.inControl, l.ctlBad = false, false
	}
}

// drive obtains goals for the present state and sends them; it returns the time
// spent in the controller.
func (l *Loop) drive() (actNs int64) {
	envelope := guard.Gentle
	switch l.mode {
	case mode.Arming:
		if !l.torqueOn {
			l.torqueUp()
			return 0
		}
		l.ramp.step(l.want, l.period)
	case mode.Hold:
		if l.ctl == nil {
			l.ramp.step(l.want, l.period)
		} else {
			actNs, envelope = l.control(Balance), guard.Full
		}
	case mode.Active:
		actNs, envelope = l.control(Play), guard.Full
	case mode.Settle:
		actNs, envelope = l.settle()
	case mode.Limp:
		// Goals that follow the measured pose leave only the motors' damping.
		copy(l.want, l.state.PosRad)
		envelope = guard.Full
	default:
		l.torqueDown()
		return 0
	}
	report, open := l.guard.Apply(l.goal, l.want, envelope)
	l.clamp = report
	if open {
		_ = l.drv.Write(l.applied, l.goal) // a failure shows in the next Read
	}
	return actNs
}

// torqueUp makes the measured pose the goal, then switches torque on, so that
// nothing moves. The ramp starts only when every servo has confirmed.
func (l *Loop) torqueUp() {
	copy(l.want, l.guard.Last())
	if _, open := l.guard.Apply(l.goal, l.want, guard.Gentle); !open {
		l.torqueTry = torqueTries + 1
		return
	}
	if l.drv.Write(l.applied, l.goal) == nil && l.drv.Torque(true) == nil {
		l.torqueOn, l.torqueTry = true, 0
		return
	}
	l.torqueTry++
}

// torqueDown repeats torque-off until every servo has confirmed: in every tick
// for some seconds, then once a second, since a silent servo costs a timeout.
func (l *Loop) torqueDown() {
	if l.torqueOff {
		return
	}
	if l.modeTicks < confirmSeconds*int64(l.cfg.RateHz) || l.modeTicks%int64(l.cfg.RateHz) == 0 {
		l.torqueOff = l.drv.Torque(false) == nil
	}
}

// control lets the controller act once a control period. What is not usable
// leaves the previous goals in force and is counted; the failsafe table does
// the rest.
func (l *Loop) control(want Intent) (ns int64) {
	if !l.inControl {
		copy(l.want, l.guard.Last())
		l.ctl.Enter(l.state, l.want)
		l.inControl, l.sinceCtl = true, 0
	}
	due := l.sinceCtl == 0
	l.sinceCtl = (l.sinceCtl + 1) % l.cfg.ControlEvery
	if !due {
		return 0
	}
	started := monotonic()
	standing, err := l.ctl.Act(l.goal, l.state, want) // l.goal is scratch until Apply
	ns = monotonic() - started
	l.ctlBad = err != nil || ns > int64(l.period)
	for _, q := range l.goal {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			l.ctlBad = true
		}
	}
	if err == nil {
		l.standing = standing
	}
	if l.ctlBad {
		l.stats.PolicyFaults++
		return ns
	}
	copy(l.want, l.goal)
	return ns
}

// settle is a controlled stop: finish the motion if an operator asked and it is
// short, go to the settle pose, rest there a moment.
func (l *Loop) settle() (actNs int64, e guard.Envelope) {
	inState := time.Duration(l.modeTicks) * l.period
	if l.settled == playOut {
		if !l.standing && !l.ctlBad && inState < l.cfg.PlayOut {
			return l.control(Balance), guard.Full
		}
		l.settled = toSettlePose
		l.ramp.start(l.guard.Last(), l.cfg.SettleRad, l.cfg.Limits, l.cfg.MinRamp)
	}
	ended := l.ramp.step(l.want, l.period)
	switch {
	case l.settled == toSettlePose && ended:
		l.settled = restInPose
		l.ramp.total, l.ramp.at = restTime, 0
		copy(l.ramp.from, l.ramp.to)
	case l.settled == restInPose && ended:
		l.settled = seated
	}
	return 0, guard.Gentle
}

const restTime = 300 * time.Millisecond

// lost reports whether err means that no command arrives either.
func lost(err error) bool { return errors.Is(err, driver.ErrLinkLost) }
