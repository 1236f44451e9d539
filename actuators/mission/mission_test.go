package mission

import (
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// robotModel answers requests as the loop does, in ideal time.
type robotModel struct {
	state    mode.State
	inState  time.Duration
	clip     time.Duration
	refuse   bool
	switches []string
	wall     func(t time.Duration) time.Duration // what somebody did to the wall clock; nil: nothing
	operator func(t time.Duration) mode.Request  // somebody else who asks; nil: nobody
}

const scriptTick = 10 * time.Millisecond

// fly runs a script against the model and returns when each state was entered.
func (r *robotModel) fly(s *Script, limit time.Duration, disturb func(t time.Duration) mode.State) (end time.Duration) {
	ask := mode.NoRequest
	for t := time.Duration(0); t < limit; t += scriptTick {
		from, refused := r.state, false
		if r.operator != nil && r.operator(t) != mode.NoRequest {
			ask = r.operator(t)
		}
		next := r.state
		switch {
		case disturb != nil && disturb(t) != 255:
			next = disturb(t)
		case ask == mode.Arm && r.refuse:
			refused = true
		case ask == mode.Arm:
			next = mode.Arming
		case ask == mode.Activate:
			next = mode.Active
		case ask == mode.HoldPose, ask == mode.StopMotion:
			next = mode.Hold
		case ask == mode.Disarm:
			next = mode.Settle
		case r.state == mode.Arming && r.inState >= 1500*time.Millisecond:
			next = mode.Hold
		case r.state == mode.Active && r.inState >= r.clip:
			next = mode.Hold
		case r.state == mode.Settle && r.inState >= 2*time.Second:
			next = mode.Disarmed
		}
		if next != r.state {
			r.state, r.inState = next, 0
			r.switches = append(r.switches, next.String())
		} else {
			r.inState += scriptTick
		}
		wall := t
		if r.wall != nil {
			wall = r.wall(t)
		}
		x := &trace.Sample{MonoNs: 1 + int64(t), WallNs: 1 + int64(wall), Mode: r.state, From: from, Request: ask, Refused: refused}
		if refused {
			x.Why, x.Failing = mode.ChecksFail, 1<<mode.CheckUpright
		}
		var stop bool
		if ask, stop = s.Step(x); stop && r.state != mode.Settle && ask != mode.Disarm {
			return t
		}
	}
	return limit
}

func undisturbed(time.Duration) mode.State { return 255 }

func TestScriptPlaysAgainUntilTheTimeIsOver(t *testing.T) {
	r := &robotModel{clip: 5 * time.Second}
	s := &Script{Arm: true, Play: true, For: 20 * time.Second, Hold: 3 * time.Second, Again: time.Second, Clip: 5 * time.Second}
	end := r.fly(s, time.Minute, undisturbed)
	want := "arming hold active hold active hold settle disarmed"
	if got := strings.Join(r.switches, " "); got != want {
		t.Errorf("states %q, want %q", got, want)
	}
	// 1 s before arming, 20 s armed, 2 s to settle.
	if end < 22900*time.Millisecond || end > 23200*time.Millisecond {
		t.Errorf("ended after %v", end)
	}
}

// Somebody sets the clock, by an hour either way: the flight is what it was.
func TestTheWallClockDecidesNothing(t *testing.T) {
	fly := func(wall func(time.Duration) time.Duration) (string, time.Duration) {
		r := &robotModel{clip: 5 * time.Second, wall: wall}
		s := &Script{Arm: true, Play: true, For: 20 * time.Second, Hold: 3 * time.Second, Again: time.Second, Clip: 5 * time.Second}
		end := r.fly(s, time.Minute, undisturbed)
		return strings.Join(r.switches, " "), end
	}
	states, end := fly(nil)
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		for at := time.Duration(0); at < 24*time.Second; at += 500 * time.Millisecond {
			gotStates, gotEnd := fly(func(now time.Duration) time.Duration {
				if now >= at {
					return now + jump
				}
				return now
			})
			if gotStates != states || gotEnd != end {
				t.Errorf("clock %v at %v: %s, ended after %v; want %s after %v", jump, at, gotStates, gotEnd, states, end)
			}
		}
	}
}

// Who stops a motion, or lets it end, is not overruled a second later.
func TestScriptYieldsToAnOperator(t *testing.T) {
	for _, verb := range []mode.Request{mode.StopMotion, mode.HoldPose} {
		r := &robotModel{clip: 5 * time.Second, operator: func(at time.Duration) mode.Request {
			if at == 8*time.Second {
				return verb
			}
			return mode.NoRequest
		}}
		s := &Script{Arm: true, Play: true, For: 40 * time.Second, Hold: 3 * time.Second, Again: time.Second, Clip: 5 * time.Second}
		r.fly(s, time.Minute, undisturbed)
		if got := strings.Join(r.switches, " "); got != "arming hold active hold settle disarmed" {
			t.Errorf("%v: states %q", verb, got)
		}
	}
}

func TestScriptWithoutPolicyHolds(t *testing.T) {
	r := &robotModel{}
	s := &Script{Arm: true, For: 5 * time.Second}
	r.fly(s, time.Minute, undisturbed)
	if got := strings.Join(r.switches, " "); got != "arming hold settle disarmed" {
		t.Errorf("states %q", got)
	}
}

func TestScriptDoesNotArmByItself(t *testing.T) {
	r := &robotModel{}
	s := &Script{Play: true, Hold: time.Second, Daemon: true}
	if end := r.fly(s, time.Minute, undisturbed); len(r.switches) != 0 || end != time.Minute {
		t.Errorf("states %v, ended after %v", r.switches, end)
	}
}

func TestScriptGivesUpOnARefusal(t *testing.T) {
	r := &robotModel{refuse: true}
	s := &Script{Arm: true, For: time.Minute}
	end := r.fly(s, time.Minute, undisturbed)
	if s.Refusal() == nil || end > 11*time.Second || !strings.Contains(s.Refusal().Error(), "trunk upright") {
		t.Errorf("gave up after %v: %v", end, s.Refusal())
	}
}

// A fault is final: no second arming, whatever time is left.
func TestScriptNeverRearms(t *testing.T) {
	for _, daemon := range []bool{false, true} {
		r := &robotModel{clip: time.Second}
		s := &Script{Arm: true, Play: true, For: 30 * time.Second, Hold: time.Second, Daemon: daemon}
		end := r.fly(s, time.Minute, func(at time.Duration) mode.State {
			if at == 8*time.Second {
				return mode.Fault
			}
			return 255
		})
		if r.state != mode.Fault || r.switches[len(r.switches)-1] != "fault" {
			t.Errorf("daemon %v: states %v", daemon, r.switches)
		}
		if stays := end == time.Minute; stays != daemon {
			t.Errorf("daemon %v: ended after %v", daemon, end)
		}
	}
}

// Servos that do not take their settings end the script with the servo's name, at once.
func TestScriptTellsWhichServoIsUnfit(t *testing.T) {
	s := &Script{Arm: true, For: time.Minute}
	x := &trace.Sample{MonoNs: 1, Mode: mode.Arming, From: mode.Disarmed}
	if _, stop := s.Step(x); stop {
		t.Fatal("over while arming")
	}
	x = &trace.Sample{MonoNs: 2, Mode: mode.Disarmed, From: mode.Arming, Why: mode.ServosUnfit}
	x.Robot.Unfit = driver.Unfit{Joint: "r_hip_pitch", ID: 9, Setting: "position P gain", Got: 300, Want: 800}
	_, stop := s.Step(x)
	want := "not armed: servo 9 (r_hip_pitch): position P gain is 300; legal: 800; torque stayed off"
	if err := s.Refusal(); !stop || err == nil || err.Error() != want {
		t.Errorf("stop %v, %v; want %q", stop, err, want)
	}
}

// While a condition lets no motion be, none is asked for; afterwards they go on.
func TestNothingIsBegunThatWouldBeBrokenOff(t *testing.T) {
	s := &Script{Play: true, Hold: time.Second, Again: time.Second}
	asked := func(c mode.Conditions, from, ticks int64) (n int) {
		for k := range ticks {
			x := &trace.Sample{MonoNs: (from + k + 1) * 1e7, Mode: mode.Hold, From: mode.Hold, Conditions: c}
			if from+k == 0 {
				x.From = mode.Arming
			}
			if ask, _ := s.Step(x); ask == mode.Activate {
				n++
			}
		}
		return n
	}
	if n := asked(mode.Of(mode.ReferenceLost, mode.Warm), 0, 500); n != 0 {
		t.Errorf("asked %d times without references", n)
	}
	if n := asked(mode.Of(mode.Warm), 500, 1); n != 1 {
		t.Errorf("asked %d times once they came", n)
	}
}

// Servos that are gone for a second end a script that is to have them opened again, whether the robot was disarmed or is
// in a fault by now; a robot that is still to be stopped, or servos that are back before, do not.
func TestServosThatAreGone(t *testing.T) {
	for _, c := range []struct {
		name   string
		reopen bool
		state  mode.State
		away   func(t time.Duration) bool
		end    time.Duration // 0: it does not
	}{
		{"disarmed", true, mode.Disarmed, func(t time.Duration) bool { return t >= 3*time.Second }, 4 * time.Second},
		{"in a fault", true, mode.Fault, func(t time.Duration) bool { return t >= 3*time.Second }, 4 * time.Second},
		{"while torque is cut", true, mode.Cut, func(time.Duration) bool { return true }, 0},
		{"while it settles", true, mode.Settle, func(time.Duration) bool { return true }, 0},
		{"for a moment, again and again", true, mode.Disarmed, func(t time.Duration) bool { return t%time.Second < 900*time.Millisecond }, 0},
		{"and nobody opens them again", false, mode.Fault, func(time.Duration) bool { return true }, 0},
	} {
		s := &Script{Daemon: true, Reopen: c.reopen}
		var end time.Duration
		for at := time.Duration(0); at < 10*time.Second && end == 0; at += scriptTick {
			x := &trace.Sample{MonoNs: 1 + int64(at), Mode: c.state, From: c.state}
			x.Conditions.Set(mode.LinkLost, c.away(at))
			if ask, stop := s.Step(x); stop {
				end = at
			} else if ask != mode.NoRequest {
				t.Errorf("%s: asks for %v", c.name, ask)
			}
		}
		if end != c.end || s.Gone() != (c.end != 0) {
			t.Errorf("%s: ended after %v, gone %v; want %v", c.name, end, s.Gone(), c.end)
		}
	}
}
