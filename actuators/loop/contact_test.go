package loop_test

import (
	"errors"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/estop"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// A stop contact beside the bus: nobody arms while it is open or cannot be read, one open
// reading in flight leaves a fault without torque, and letting go of it arms nothing.
func TestStopContact(t *testing.T) {
	b := newOnBus(t, 0)
	var c estop.Contact
	fly := func(d time.Duration, closed bool, err error) {
		for range int(d / tick) {
			pressed := true
			for range int(tick / estop.Every) {
				pressed = c.Step(closed, err, estop.Every)
			}
			b.l.External(mode.EStopOpen, pressed)
			b.fly(tick)
		}
	}
	fly(1500*time.Millisecond, true, errors.New("no such device")) // asked to arm after a second
	if s := b.l.Result(); s.Armed != 0 || b.l.Mode() != mode.Disarmed {
		t.Fatalf("armed with a contact that cannot be read: %v", b.l.Mode())
	}
	fly(time.Second, true, nil)
	b.l.Request(mode.Arm)
	if fly(3*time.Second, true, nil); b.l.Mode() != mode.Hold || b.line.TorqueOn() != 20 {
		t.Fatalf("in %v with the contact closed", b.l.Mode())
	}
	fly(tick, false, nil)
	if fly(time.Second, true, nil); b.l.Mode() != mode.Fault || b.line.TorqueOn() != 0 {
		t.Errorf("in %v after one open reading, %d servos with torque", b.l.Mode(), b.line.TorqueOn())
	}
	if s := b.l.Result(); s.FirstCause != mode.Caused(mode.EStopOpen) || s.Armed != 1 {
		t.Errorf("because of %v, armed %d times", s.FirstCause, s.Armed)
	}
}
