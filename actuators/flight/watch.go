package flight

import (
	"slices"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// Watch is the one consumer of the loop's samples. Outside the real-time thread
// it records them, follows the mission, keeps the latest state, and tells people.
// The exported fields are set before [Operate]; Latest may be called from any
// goroutine, the rest after Operate has returned.
type Watch struct {
	Ring    *trace.Ring
	Loop    *loop.Loop
	Mission *mission.Script
	Rec     *recorder.Recorder // nil: none
	Link    Link               // nil: none
	Tell    Teller

	mu     sync.Mutex
	latest record.Status

	changes  []record.Transition
	firstNs  int64
	recErr   error
	dropped  uint64
	calm     int             // drains since the last hole in the log
	late     clock.Histogram // of the present second
	lastTell int64
}

// Changes are the changes of state so far.
func (w *Watch) Changes() []record.Transition { return w.changes }

// RecordErr is why the recording is not whole, or nil.
func (w *Watch) RecordErr() error { return w.recErr }

const (
	drainEvery = 10 * time.Millisecond
	calmDrains = 100 // a second
	tellEvery  = int64(time.Second)
)

// run drains the ring until done is closed and the ring is empty.
func (w *Watch) run(done <-chan struct{}) {
	t := time.NewTicker(drainEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			w.drain()
			return
		case <-t.C:
			w.drain()
		}
	}
}

func (w *Watch) drain() {
	for s := w.Ring.Next(); s != nil; s = w.Ring.Next() {
		w.take(s)
		w.Ring.Release()
	}
	d := w.Ring.Dropped()
	switch {
	case d != w.dropped: // the writer is behind by a whole ring: the log has a hole
		w.dropped, w.calm = d, 0
		w.Loop.External(mode.LogLost, true)
	case w.recErr == nil:
		if w.calm++; w.calm == calmDrains {
			w.Loop.External(mode.LogLost, false)
		}
	}
}

// take handles one sample.
func (w *Watch) take(s *trace.Sample) {
	if w.firstNs == 0 {
		w.firstNs, w.lastTell = s.MonoNs, s.MonoNs
	}
	w.record(s)
	if s.From != s.Mode {
		w.changed(s)
	}
	if s.Refused && s.Request != mode.Arm || s.Refused && s.Why != mode.ChecksFail {
		w.Tell.Event("%s refused: %s", s.Request, s.Why)
	}
	ask, stop := w.Mission.Step(s)
	switch {
	case stop:
		w.Loop.Stop()
	case ask != mode.NoRequest:
		w.Loop.Request(ask)
	}
	w.late.AddNs(s.LateNs)
	w.note(s)
	due := s.MonoNs-w.lastTell >= tellEvery
	if !due && s.From == s.Mode {
		return
	}
	st := w.Latest()
	if w.Link != nil {
		w.Link.State(st)
	}
	if due {
		w.Tell.Status(st)
		w.lastTell, w.late = s.MonoNs, clock.Histogram{}
	}
}

// changed tells of a change of state.
func (w *Watch) changed(s *trace.Sample) {
	atS := float64(s.MonoNs-w.firstNs) / 1e9
	c := record.Transition{AtS: atS, From: s.From.String(), To: s.Mode.String(), Why: s.Why.String()}
	w.changes = append(w.changes, c)
	w.Tell.Event("%s -> %s: %s", c.From, c.To, c.Why)
	if w.Link != nil {
		w.Link.Event(record.Event{At: time.Unix(0, s.WallNs).UTC(), From: c.From, To: c.To, Why: c.Why})
	}
}

func (w *Watch) record(s *trace.Sample) {
	if w.Rec == nil || w.recErr != nil {
		return
	}
	if err := w.Rec.Add(s); err != nil {
		w.recErr = err
		w.Loop.External(mode.LogLost, true)
		w.Tell.Event("warning: %v; flying on without a recording, the next arming is refused", err)
	}
}

// note keeps the latest state for readers on other goroutines.
func (w *Watch) note(s *trace.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	l.Online, l.State, l.Tick, l.TorqueOff = true, s.Mode.String(), s.Tick, s.TorqueOff
	l.SupplyV, l.TiltRad, l.Phase, l.Motion = s.SupplyV, s.TiltRad, s.Phase, motion(s)
	l.Missed += s.Skipped
	l.LateP99Us = w.late.QuantileUs(0.99)
	l.BusErrors = s.Robot.Failures
	l.MaxTempC = max(0, slices.Max(s.Robot.TempC))
	l.Conditions, l.NotReady = "", ""
	if s.Conditions != 0 {
		l.Conditions = s.Conditions.String()
	}
	if s.Failing != 0 {
		l.NotReady = s.Failing.String()
	}
	l.PosRad = append(l.PosRad[:0], s.Robot.PosRad...)
}

// motion says what the controller does with a motion.
func motion(s *trace.Sample) string {
	switch {
	case !s.Playing:
		return ""
	case s.Mode == mode.Active:
		return "playing"
	}
	return "finishing"
}

// Latest is a copy of the latest state.
func (w *Watch) Latest() record.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.latest
	s.PosRad = slices.Clone(s.PosRad)
	return s
}
