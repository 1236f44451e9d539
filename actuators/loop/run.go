package loop

import (
	"context"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/realtime"
)

// Stats is what the loop counted. It is valid after Run has returned.
type Stats struct {
	Joints       int
	RateHz       int
	Ticks        int64
	Missed       int64
	Lateness     clock.Histogram
	BusTime      clock.Histogram
	ActTime      clock.Histogram
	PartialReads int64 // ticks in which some servo did not answer
	LostReads    int64 // ticks in which the link was gone
	BusFailures  uint64
	PolicyFaults int64
	TakenUp      int64 // times that servos were taken up after their own watchdog had stopped them
	Fell         bool
	Armed        int64 // times
	End          mode.State
	FirstCause   mode.Reason // first condition that took the robot out of normal operation
	TorqueOff    bool        // confirmed by every servo
	Guard        guard.Counts
	MaxTempC     float64
	MaxWindingC  float64
	MinSupplyV   float64
	MaxTiltRad   float64
	Notes        []string // what the system did not permit
}

// count updates the statistics of one tick.
func (l *Loop) count(now Instant, c mode.Conditions, readErr error, from mode.State, d mode.Decision) {
	s := &l.stats
	s.Ticks++
	s.Missed += now.Skipped
	s.Lateness.AddNs(now.LateNs)
	l.linkGone = readErr != nil && lost(readErr)
	if readErr != nil {
		if lost(readErr) {
			s.LostReads++
		} else {
			s.PartialReads++
		}
	}
	if from.Energised() && from != mode.Limp {
		s.MaxTiltRad = max(s.MaxTiltRad, l.mon.TiltRad())
		if c.Has(mode.Falling) {
			s.Fell = true
		}
	}
	if d.State != from {
		if d.State == mode.Arming {
			s.Armed++
		}
		if s.FirstCause == mode.NoReason && Takes(d.Why, d.State) {
			s.FirstCause = d.Why
		}
	}
	s.BusFailures = l.state.Failures
}

// Takes says that a change to that state for that reason takes the robot out of normal
// operation.
func Takes(why mode.Reason, to mode.State) bool {
	_, byCondition := why.Condition()
	return byCondition && to != mode.Hold || why == mode.Requested(mode.EStop)
}

// record fills the tick's sample.
func (l *Loop) record(now Instant, f mode.Facts, d mode.Decision, from mode.State, busNs, actNs int64) {
	l.stats.BusTime.AddNs(busNs)
	if actNs > 0 {
		l.stats.ActTime.AddNs(actNs)
	}
	if l.ring == nil {
		return
	}
	s := l.ring.Reserve()
	if s == nil {
		return
	}
	s.MonoNs, s.WallNs, s.Tick = now.MonoNs, now.WallNs, now.Tick
	s.LateNs, s.Skipped, s.BusNs, s.ActNs = now.LateNs, now.Skipped, busNs, actNs
	s.Mode, s.From, s.Why, s.Request, s.Refused = d.State, from, d.Why, f.Request, d.Refused
	s.Failing, s.Conditions = f.Failing, f.Conditions
	copy(s.WantRad, l.want)
	copy(s.GoalRad, l.applied)
	copy(s.WindingC, l.mon.WindingC())
	copy(s.Torque, l.torque)
	copy(s.Pace, l.mon.Pace())
	s.ChargeLow, s.ChargeHigh, s.SupplyA = l.mon.Charge()
	s.Guard = l.clamp
	l.state.CopyTo(&s.Robot)
	s.TiltRad, s.SupplyV, s.TorqueOff = l.mon.TiltRad(), l.mon.SupplyV(), l.machine.Torque == mode.TorqueOff
	s.Phase, s.Playing = 0, l.machine.Control == mode.ControlPlays
	if l.ctl != nil {
		s.Phase = l.ctl.Phase()
	}
	s.Asked, s.Outside, s.Calls, s.Act = l.asked, l.outside, l.calls, l.act
	s.Machine, s.CatchUp = l.machine, l.catchUp
	copy(s.SentRad, l.goal)
	copy(s.TakeUpRad, l.takenUp)
	l.ring.Publish()
}

// Mode is the present operating state; for the loop's own goroutine.
func (l *Loop) Mode() mode.State { return l.machine.State }

// Finished reports whether a stopped loop has nothing left to do.
func (l *Loop) Finished() bool {
	return (l.stop.Load() || l.desk.Stopped()) && l.machine.Ended(l.rules, l.linkGone)
}

// Result closes the statistics.
func (l *Loop) Result() Stats {
	s := l.stats
	s.End, s.TorqueOff, s.Guard = l.machine.State, l.machine.Torque == mode.TorqueOff, l.guard.Counts()
	s.MaxTempC, s.MaxWindingC, s.MinSupplyV = l.mon.MaxTempC(), l.mon.MaxWindingC(), l.mon.MinSupplyV()
	return s
}

// Run ticks on absolute deadlines with real-time priority until Stop is called
// (or ctx ends, which is the same) and the robot carries no torque. It does not
// return while servos may be driven.
func (l *Loop) Run(ctx context.Context, priority int) (Stats, error) {
	cancel := context.AfterFunc(ctx, l.Stop)
	defer cancel()
	notes, leave := realtime.Enter(priority)
	defer leave()
	l.stats.Notes = notes
	if l.cfg.Began != nil {
		l.cfg.Began(notes)
	}
	schedule, err := clock.New(l.cfg.RateHz, realtime.NowNs()+int64(l.period))
	if err != nil {
		return Stats{}, err
	}
	for !l.Finished() {
		realtime.SleepUntil(schedule.DeadlineNs())
		now := realtime.NowNs()
		tick, late, skipped := schedule.Wake(now)
		l.Tick(Instant{Tick: tick, LateNs: late, Skipped: skipped, MonoNs: now, WallNs: time.Now().UnixNano()})
	}
	return l.Result(), nil
}
