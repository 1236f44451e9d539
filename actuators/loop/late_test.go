package loop_test

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// Answers that an adapter holds back for longer than they are waited for are no
// answers: the loop may not go on with what servos said a tick ago.
func TestAnswersATickLateEndInACut(t *testing.T) {
	for _, tt := range []struct {
		delay string
		end   mode.State
		why   mode.Reason
	}{
		{"delay:ms=1,at=4s", mode.Hold, mode.NoReason}, // within what is waited for
		{"delay:ms=12,at=4s", mode.Fault, mode.Caused(mode.LinkLost)},
		{"delay:ms=16,at=4s", mode.Fault, mode.Caused(mode.LinkLost)},
		{"delay:ms=43,at=4s", mode.Fault, mode.Caused(mode.LinkLost)},
		{"delay:ms=900,at=4s", mode.Fault, mode.Caused(mode.LinkLost)},
	} {
		b := newTimedBus(t, func(w *busemu.TimedWire) dxl.Port { return w }, tt.delay)
		b.fly(10 * time.Second)
		if s := b.l.Result(); s.Armed != 1 || b.l.Mode() != tt.end || s.FirstCause != tt.why {
			t.Errorf("%s: armed %d times, %v because of %q; want %v, %q", tt.delay, s.Armed, b.l.Mode(), s.FirstCause, tt.end, tt.why)
		}
		if on := b.line.TorqueOn(); tt.end == mode.Fault && on != 0 {
			t.Errorf("%s: %d servos have torque", tt.delay, on)
		}
	}
}

// noSlow is a line on which reads of slow registers get no answer from a time on.
type noSlow struct {
	*busemu.TimedWire
	dec  *dxl.Decoder
	from time.Time
	lost func(id dxl.ID, last int) bool
}

func (n *noSlow) Write(b []byte) (int, error) {
	n.dec.Feed(b)
	var p dxl.Packet
	for n.dec.Next(&p) == dxl.Got {
		if p.Instruction != dxl.InstSyncRead || !n.Now().After(n.from) {
			continue
		}
		if last := int(p.Params[0]) + int(p.Params[2]) - 1; n.lost(dxl.ID(p.Params[4]), last) {
			return len(b), nil
		}
	}
	return n.TimedWire.Write(b)
}

// Slow registers that are not heard of any more end the flight: a servo may be hot.
func TestSlowRegistersLost(t *testing.T) {
	health := func(_ dxl.ID, last int) bool { return last >= dxl.HealthAddr && last < dxl.HealthAddr+8 }
	for _, tt := range []struct {
		name string
		lost func(id dxl.ID, last int) bool
		why  mode.Condition
	}{
		{"all", func(id dxl.ID, last int) bool { return health(id, last) || last < 110 && last >= 64 }, mode.BusNoisy},
		{"temperature and supply alone", health, mode.BusNoisy},
		{"of one servo", func(id dxl.ID, last int) bool { return id == 3 && health(id, last) }, mode.MonitoringStale},
	} {
		b := newTimedBus(t, func(w *busemu.TimedWire) dxl.Port {
			return &noSlow{w, dxl.NewDecoder(4096), time.Unix(4, 0), tt.lost}
		}, "heat:id=3,v=79,at=4s")
		b.fly(6 * time.Second)
		if s := b.l.Result(); s.Armed != 1 || s.FirstCause != mode.Caused(tt.why) {
			t.Errorf("%s: armed %d times, %v because of %q; want %q", tt.name, s.Armed, b.l.Mode(), s.FirstCause, tt.why)
		}
	}
}
