package main

import (
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// watch is the one consumer of the loop's samples. Outside the real-time thread
// it records them, follows the script, keeps the latest state for the command
// link, and tells people.
type watch struct {
	ring   *trace.Ring
	loop   *loop.Loop
	script *script
	rec    *recorder.Recorder // nil: none
	link   *commandLink       // nil: none
	tell   *teller

	mu     sync.Mutex
	latest status

	changes  []record.Transition
	firstNs  int64
	recErr   error
	dropped  uint64
	calm     int             // drains since the last hole in the log
	late     clock.Histogram // of the present second
	lastTell int64
}

// status is the robot's state, and what the link's commands are judged by.
type status struct {
	record.Status

	mode       mode.State
	conditions mode.Conditions
	failing    mode.Checks
}

const (
	drainEvery = 10 * time.Millisecond
	calmDrains = 100 // a second
	tellEvery  = int64(time.Second)
)

// run drains the ring until done is closed and the ring is empty.
func (w *watch) run(done <-chan struct{}) {
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

func (w *watch) drain() {
	for s := w.ring.Next(); s != nil; s = w.ring.Next() {
		w.take(s)
		w.ring.Release()
	}
	d := w.ring.Dropped()
	switch {
	case d != w.dropped: // the writer is behind by a whole ring: the log has a hole
		w.dropped, w.calm = d, 0
		w.loop.External(mode.LogLost, true)
	case w.recErr == nil:
		if w.calm++; w.calm == calmDrains {
			w.loop.External(mode.LogLost, false)
		}
	}
}

// take handles one sample.
func (w *watch) take(s *trace.Sample) {
	if w.firstNs == 0 {
		w.firstNs, w.lastTell = s.WallNs, s.WallNs
	}
	w.record(s)
	if s.From != s.Mode {
		c := record.Transition{AtS: float64(s.WallNs-w.firstNs) / 1e9, From: s.From.String(), To: s.Mode.String(), Why: s.Why.String()}
		w.changes = append(w.changes, c)
		w.tell.event("%s -> %s: %s", c.From, c.To, c.Why)
		w.link.event(record.Event{At: time.Unix(0, s.WallNs).UTC(), From: c.From, To: c.To, Why: c.Why})
	}
	if s.Refused && s.Request != mode.Arm || s.Refused && s.Why != mode.ChecksFail {
		w.tell.event("%s refused: %s", s.Request, s.Why)
	}
	ask, stop := w.script.step(s)
	switch {
	case stop:
		w.loop.Stop()
	case ask != mode.NoRequest:
		w.loop.Request(ask)
	}
	w.late.AddNs(s.LateNs)
	w.note(s)
	if s.WallNs-w.lastTell >= tellEvery || s.From != s.Mode {
		st := w.snapshot()
		w.link.state(st)
		if s.WallNs-w.lastTell >= tellEvery {
			w.tell.status(st.Status)
			w.lastTell, w.late = s.WallNs, clock.Histogram{}
		}
	}
}

func (w *watch) record(s *trace.Sample) {
	if w.rec == nil || w.recErr != nil {
		return
	}
	if err := w.rec.Add(s); err != nil {
		w.recErr = err
		w.loop.External(mode.LogLost, true)
		w.tell.event("warning: %v; flying on without a recording, the next arming is refused", err)
	}
}

// note keeps the latest state for readers on other goroutines.
func (w *watch) note(s *trace.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	l.Online, l.State, l.Tick, l.SupplyV, l.TiltRad, l.Phase, l.TorqueOff = true, s.Mode.String(), s.Tick, s.SupplyV, s.TiltRad, s.Phase, s.TorqueOff
	l.Missed += s.Skipped
	l.LateP99Us = w.late.QuantileUs(0.99)
	l.BusErrors = s.Robot.Failures
	l.MaxTempC = 0
	for _, t := range s.Robot.TempC {
		l.MaxTempC = max(l.MaxTempC, t)
	}
	l.Conditions, l.NotReady = "", ""
	if s.Conditions != 0 {
		l.Conditions = s.Conditions.String()
	}
	if s.Failing != 0 {
		l.NotReady = s.Failing.String()
	}
	l.PosRad = append(l.PosRad[:0], s.Robot.PosRad...)
	l.mode, l.conditions, l.failing = s.Mode, s.Conditions, s.Failing
}

// snapshot is a copy of the latest state.
func (w *watch) snapshot() status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.latest
	s.PosRad = append([]float64(nil), s.PosRad...)
	return s
}
