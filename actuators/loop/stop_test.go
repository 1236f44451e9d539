package loop

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// An operator's stop ends a motion within a second, hold lets it come to its end, and
// the samples say all the while whether the robot still plays.
func TestStopAndHold(t *testing.T) {
	for _, tt := range []struct {
		verb   mode.Request
		ends   time.Duration // at most so long after the request
		lasts  time.Duration // and at least so long
		before mode.Request  // asked for first
	}{
		{mode.StopMotion, time.Second, 0, mode.NoRequest},
		{mode.HoldPose, 2 * time.Second, 1200 * time.Millisecond, mode.NoRequest},
		{mode.StopMotion, time.Second, 0, mode.HoldPose}, // impatient
		{mode.StopMotion, time.Second, 0, mode.Disarm},
	} {
		r := newRig(t, true)
		r.until(mode.Disarmed, time.Second)
		for range 100 {
			r.step()
		}
		r.l.Request(mode.Arm)
		r.until(mode.Hold, 5*time.Second)
		r.l.Request(mode.Activate)
		r.until(mode.Active, time.Second)
		for range 50 {
			r.step()
		}
		if !r.last.Playing {
			t.Fatal("not playing")
		}
		if tt.before != mode.NoRequest {
			r.l.Request(tt.before)
			r.step()
		}
		r.l.Request(tt.verb)
		r.step()
		if r.last.Refused || r.last.Mode == mode.Active {
			t.Errorf("%v: in %v, refused %v (%v)", tt.verb, r.last.Mode, r.last.Refused, r.last.Why)
		}
		var took time.Duration
		for phase := r.last.Phase; r.last.Playing && took < 5*time.Second; took += 10 * time.Millisecond {
			if r.step(); r.last.Phase < phase {
				t.Fatalf("%v: the phase falls from %g to %g", tt.verb, phase, r.last.Phase)
			}
			phase = r.last.Phase
		}
		if took > tt.ends || took < tt.lasts {
			t.Errorf("%v after %v: over after %v, want %v to %v", tt.verb, tt.before, took, tt.lasts, tt.ends)
		}
		if still := r.last.Phase; tt.before != mode.Disarm {
			for range 100 {
				r.step()
			}
			if r.last.Mode != mode.Hold || r.last.Playing || r.last.Phase != still {
				t.Errorf("%v: a second later in %v, playing %v, phase %g after %g", tt.verb, r.last.Mode, r.last.Playing, r.last.Phase, still)
			}
		}
	}
}
