package flight

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// notebook keeps what people near and far are told.
type notebook struct {
	lines  []string
	events []record.Event
	states []record.Status
}

func (n *notebook) Event(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}
func (n *notebook) Status(record.Status) {}

type farBook struct{ *notebook }

func (f farBook) State(s record.Status) { f.states = append(f.states, s) }
func (f farBook) Event(e record.Event)  { f.events = append(f.events, e) }

// watching is a watcher of a robot with two joints, which arms nothing.
func watching() (*Watch, *notebook, func() *trace.Sample) {
	n := &notebook{}
	w := &Watch{Desk: &shared.Desk{}, Tell: n, Link: farBook{n}, Mission: &mission.Script{}, Explain: &explain.Robot{
		Joints: []robot.Joint{{Name: "hip", ID: 3}, {Name: "knee", ID: 4}},
		Limits: []guard.Joint{{MinRad: -1, MaxRad: 1}, {MinRad: -1, MaxRad: 1}},
		Health: []guard.Health{{TempWarnC: 60, TempStopC: 70}, {TempWarnC: 60, TempStopC: 70}}, Thresholds: guard.DefaultThresholds(10.5, 9.9),
	}}
	tick := int64(0)
	return w, n, func() *trace.Sample {
		tick++
		s := &trace.Sample{Tick: tick, MonoNs: tick * 1e7, WallNs: 1_800_000_000e9 + tick*1e7, Mode: mode.Hold, From: mode.Hold,
			Robot: *driver.NewState(2), WantRad: make([]float64, 2), GoalRad: make([]float64, 2), WindingC: make([]float64, 2)}
		return s
	}
}

func count(lines []string, word string) (n int) {
	for _, l := range lines {
		if strings.Contains(l, word) {
			n++
		}
	}
	return n
}

// Every condition that only warns is told once when it rises and once when it is over,
// however long it lasts and however it swings; other conditions are told as changes.
func TestWarningsAreToldOnceEach(t *testing.T) {
	for c := range mode.AllConditions() {
		w, n, next := watching()
		play := func(ticks int, set func(i int) bool) {
			for i := range ticks {
				s := next()
				s.Conditions.Set(c, set(i))
				s.Robot.TempC[1] = 65
				w.take(s)
			}
		}
		play(100, func(int) bool { return false })
		play(300, func(i int) bool { return i%3 != 1 }) // around its limit
		play(300, func(int) bool { return false })
		raised, over := "warning: "+c.String(), "over: "+c.String()
		want := 0
		if a := mode.Answer(c); a == mode.ActWarn || a == mode.ActHold {
			want = 1
		}
		if a, b := count(n.lines, raised), count(n.lines, over); a != want || b != want || len(n.events) != 2*want {
			t.Errorf("%v: raised %d times, over %d times, %d events; want %d of each", c, a, b, len(n.events), want)
		}
		if want == 1 && (n.events[0].Why != c.String() || n.events[0].Warning != "raised" || n.events[1].Warning != "over") {
			t.Errorf("%v: events %+v", c, n.events)
		}
		if c == mode.Warm && count(n.lines, "servo 4 (knee) is at 65 C") != 1 {
			t.Errorf("warm, and nobody says which servo: %q", n.lines)
		}
	}
}

// A change by a failsafe names the servo near, far and in the statistics.
func TestFailsafeNamesTheServo(t *testing.T) {
	w, n, next := watching()
	w.take(next())
	s := next()
	s.Mode, s.Why, s.Robot.Alert[0] = mode.Settle, mode.Caused(mode.ServoAlert), 0x20
	s.Conditions.Set(mode.ServoAlert, true)
	w.take(s)
	want := "servo 3 (hip) reports overload (0x20)"
	if count(n.lines, "hold -> settle: servo-alert ("+want+")") != 1 || len(n.events) != 1 || n.events[0].Detail != want || w.Changes()[0].Detail != want {
		t.Errorf("told %q, events %+v, changes %+v", n.lines, n.events, w.Changes())
	}
}

// Somebody sets the clock by an hour: the seconds of the statistics and the pace of the
// state go on as if nothing had happened, and events carry the new time.
func TestTheWatcherIgnoresTheWallClock(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		w, n, next := watching()
		for i := range 500 {
			s := next()
			if i >= 250 {
				s.WallNs += int64(jump)
			}
			if i == 420 {
				s.From, s.Why = mode.Arming, mode.Done
			}
			w.take(s)
		}
		if c := w.Changes(); len(c) != 1 || c[0].AtS != 4.2 {
			t.Errorf("clock %v: changes %+v", jump, c)
		}
		if len(n.states) != 5 { // once a second, and at the change
			t.Errorf("clock %v: %d states", jump, len(n.states))
		}
		if at := n.events[0].At; at.UnixNano() != 1_800_000_000e9+421*1e7+int64(jump) {
			t.Errorf("clock %v: the event is of %v", jump, at)
		}
	}
}

// Taking in samples when nothing happens leaves nothing for the collector, which is off
// while the robot is driven.
func TestWatchingAllocatesNothing(t *testing.T) {
	w, _, next := watching()
	s := next()
	s.Conditions.Set(mode.Warm, true)
	w.take(s)
	if n := testing.AllocsPerRun(100, func() { w.take(s) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// A loop that is gone leaves a fault: for the statistics, and for operators far away.
func TestALostLoopIsTold(t *testing.T) {
	w, n, next := watching()
	for range 300 {
		w.take(next())
	}
	w.Lost("loop-lost", "it was killed", true)
	c, e, s := w.Changes(), n.events, n.states
	if len(c) != 1 || c[0].From != "hold" || c[0].To != "fault" || c[0].Why != "loop-lost" || c[0].AtS != 2.99 || w.Taken() != 300 {
		t.Errorf("changes %+v of %d samples", c, w.Taken())
	}
	if len(e) != 1 || e[0].To != "fault" || e[0].Detail != "it was killed" || s[len(s)-1].State != "fault" || !s[len(s)-1].TorqueOff {
		t.Errorf("events %+v, last state %+v", e, s[len(s)-1])
	}
}
