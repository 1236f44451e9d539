package flight

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// Watch is the one consumer of the loop's samples. Outside the loop's process
// it records them, follows the mission, keeps the latest state, and tells people.
// The exported fields are set before [Attend]; Latest may be called from any
// goroutine, the rest after Operate has returned.
type Watch struct {
	Ring    *trace.Ring
	Desk    *shared.Desk
	Mission Mission
	Explain *explain.Robot // words for joints, values and limits
	Rec     *logbook.Book  // nil: none
	Link    Link           // nil: none
	Meter   Meter          // nil: none
	Tell    Teller

	mu      sync.Mutex
	seen    *trace.Sample // the latest; nil before the first
	tally   tally
	lateP99 int64
	ahead   figures

	warned   [mode.MaxConditions]warning
	changes  []record.Transition
	firstNs  int64
	recErr   error
	cuts     uint32 // past the loop, told of
	vain     uint32
	dropped  uint64
	calm     int             // drains since the last hole in the log
	late     clock.Histogram // of the present second
	lastTell int64
	outlook  *outlook
}

// Changes are the changes of state so far.
func (w *Watch) Changes() []record.Transition { return w.changes }

// Energy is what the flight came to; nil where nothing is known.
func (w *Watch) Energy() *record.Energy {
	if w.outlook == nil {
		return nil
	}
	return w.outlook.record(&w.outlook.worst)
}

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
	w.tellCuts()
	d := w.Ring.Dropped()
	switch {
	case d != w.dropped: // the writer is behind by a whole ring: the log has a hole
		w.dropped, w.calm = d, 0
		w.Desk.Tell(mode.LogLost, true)
	case w.recErr == nil:
		if w.calm++; w.calm == calmDrains {
			w.Desk.Tell(mode.LogLost, false)
		}
	}
}

// tellCuts tells of torque that was switched off past the loop.
func (w *Watch) tellCuts() {
	cuts, vain := w.Desk.Cuts()
	switch {
	case cuts == w.cuts:
		return
	case vain != w.vain:
		w.Tell.Event("the loop stands still, and torque-off did not go out; switch the power off")
	default:
		w.Tell.Event("the loop stands still: torque-off was sent past it")
	}
	w.cuts, w.vain = cuts, vain
}

// take handles one sample.
func (w *Watch) take(s *trace.Sample) {
	if w.firstNs == 0 {
		w.firstNs, w.lastTell = s.MonoNs, s.MonoNs
		w.outlook = newOutlook(w.Explain)
	}
	w.outlook.take(s)
	detail := w.Explain.Why(s)
	w.record(s, detail)
	if w.Meter != nil {
		w.Meter.Take(s)
	}
	if s.From != s.Mode {
		w.changed(s, detail)
	}
	if s.Refused && s.Request != mode.Arm || s.Refused && s.Why != mode.ChecksFail {
		w.Tell.Event("%s refused: %s%s", s.Request, s.Why, inBrackets(detail))
	}
	w.warn(s)
	ask, stop := w.Mission.Step(s)
	switch {
	case stop:
		w.Desk.Stop()
	case ask != mode.NoRequest:
		w.Desk.Request(ask)
	}
	w.late.AddNs(s.LateNs)
	due := s.MonoNs-w.lastTell >= tellEvery
	if due {
		w.outlook.look(s)
	}
	w.note(s)
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

// warning is what was told of one condition that is answered by a warning only.
type warning struct {
	on   bool
	last int64 // when it was last seen, on the loop's clock
}

// calmNs is how long a warning must be gone to be told so: values swing around limits.
const calmNs = int64(time.Second)

// warn tells of each condition that leaves the robot standing once when it rises and once
// when it is over.
func (w *Watch) warn(s *trace.Sample) {
	for c := range mode.AllConditions() {
		if a := mode.Answer(c); a != mode.ActWarn && a != mode.ActHold {
			continue
		}
		told := &w.warned[c]
		switch has := s.Conditions.Has(c); {
		case has && !told.on:
			detail := w.Explain.Condition(c, s)
			w.Tell.Event("warning: %s%s", c, inBrackets(detail))
			w.event(s, c.String(), detail, "raised")
		case !has && told.on && s.MonoNs-told.last >= calmNs:
			told.on = false
			w.Tell.Event("over: %s", c)
			w.event(s, c.String(), "", "over")
			continue
		case !has:
			continue
		}
		told.on, told.last = true, s.MonoNs
	}
}

func (w *Watch) event(s *trace.Sample, why, detail, warning string) {
	if w.Link == nil {
		return
	}
	w.Link.Event(record.Event{
		At: time.Unix(0, s.WallNs).UTC(), From: s.From.String(), To: s.Mode.String(), Why: why, Detail: detail, Warning: warning,
	})
}

// inBrackets is what follows a statement that it explains.
func inBrackets(detail string) string {
	if detail == "" {
		return ""
	}
	return " (" + detail + ")"
}

// changed tells of a change of state.
func (w *Watch) changed(s *trace.Sample, detail string) {
	atS := float64(s.MonoNs-w.firstNs) / 1e9
	c := record.Transition{AtS: atS, From: s.From.String(), To: s.Mode.String(), Why: s.Why.String(), Detail: detail}
	w.changes = append(w.changes, c)
	w.Tell.Event("%s -> %s: %s%s", c.From, c.To, c.Why, inBrackets(detail))
	w.event(s, c.Why, detail, "")
}

func (w *Watch) record(s *trace.Sample, detail string) {
	if w.Rec == nil || w.recErr != nil {
		return
	}
	if err := w.Rec.Add(s, detail); err != nil {
		w.recErr = err
		w.Desk.Tell(mode.LogLost, true)
		w.Tell.Event("warning: %v; flying on without a recording, the next arming is refused", err)
	}
}

// note keeps the latest sample for readers on other goroutines.
func (w *Watch) note(s *trace.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = s.Clone()
	}
	s.CopyTo(w.seen)
	w.tally.take(s)
	w.lateP99 = w.late.QuantileUs(0.99)
	w.ahead = w.outlook.now
}

// Lost tells operators of a loop that is gone without a word of its own: the robot's last
// state ended in fault, because of why. It is called after [Attend].
func (w *Watch) Lost(why, detail string, torqueOff bool) {
	st := w.Latest()
	c := record.Transition{From: st.State, To: mode.Fault.String(), Why: why, Detail: detail}
	if w.seen != nil {
		c.AtS = float64(w.seen.MonoNs-w.firstNs) / 1e9
	}
	w.changes = append(w.changes, c)
	if w.Link == nil {
		return
	}
	w.Link.Event(record.Event{At: time.Now().UTC(), From: c.From, To: c.To, Why: why, Detail: detail})
	st.State, st.TorqueOff, st.Motion = c.To, torqueOff, ""
	w.Link.State(st)
}

// Taken is how many samples there were so far.
func (w *Watch) Taken() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tally.Ticks
}

// Counts is what the loop's samples came to so far: what the loop itself would count, but
// for ticks whose samples were dropped.
func (w *Watch) Counts() loop.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.tally.Stats
	s.Joints, s.RateHz = len(w.Explain.Joints), w.Explain.RateHz
	return s
}

// hottest is the highest of the temperatures that were read, 0 if none was.
func hottest(tempC []float64) float64 {
	highest := math.Inf(-1)
	for _, t := range tempC {
		if t > highest { // what was not read is not higher
			highest = t
		}
	}
	if math.IsInf(highest, -1) {
		return 0
	}
	return highest
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

// Latest is the latest state.
func (w *Watch) Latest() record.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.seen
	if s == nil {
		return record.Status{}
	}
	l := record.Status{
		Online: true, State: s.Mode.String(), Tick: s.Tick, Missed: w.tally.Missed, LateP99Us: w.lateP99,
		BusErrors: s.Robot.Failures, SupplyV: s.SupplyV, MaxTempC: hottest(s.Robot.TempC), TiltRad: s.TiltRad,
		Phase: s.Phase, Motion: motion(s), TorqueOff: s.TorqueOff, PosRad: slices.Clone(s.Robot.PosRad),
	}
	l.Energy, l.Derated = w.outlook.record(&w.ahead), derated(w.Explain, s)
	if s.Conditions != 0 {
		l.Conditions = s.Conditions.String()
	}
	if s.Failing != 0 {
		l.NotReady = w.Explain.Checks(s.Failing, s)
	}
	return l
}

// Checks says in words why the robot may not be armed, by the latest sample.
func (w *Watch) Checks(failing mode.Checks) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		return failing.String()
	}
	return w.Explain.Checks(failing, w.seen)
}

// Powered counts the servos that had torque when they were last asked.
func (w *Watch) Powered() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		return 0
	}
	for _, on := range w.seen.Robot.TorqueOn {
		if on {
			n++
		}
	}
	return n
}
