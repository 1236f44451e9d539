package loop

import (
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// takeMail is the strongest request since the last tick, from this process and from the
// desk. Where nobody is left to order anything the loop is to settle.
func (l *Loop) takeMail() mode.Request {
	program, waiting := l.desk.Take()
	program = max(program, mode.Request(l.request.Swap(uint32(mode.NoRequest))))
	if l.gateway.gone {
		program = max(program, mode.Disarm)
	}
	l.asked = trace.Asked{Link: waiting, Program: program}
	return shared.Strongest(program, waiting)
}

// told are the conditions that others have seen, and that they are seen no more: a loop
// without its gateway is to end.
func (l *Loop) told() mode.Conditions {
	c := mode.Conditions(l.external.Load()) | l.desk.Told()
	if l.cfg.Gateway != nil && l.gateway.lost(l.desk.Gateway()) {
		c.Set(mode.GatewayLost, true)
		l.stop.Store(true)
	}
	return c
}

// operated are the conditions of whoever operates a robot with torque: references that are
// followed, and a lease.
func (l *Loop) operated(now Instant) (c mode.Conditions) {
	if !l.machine.State.Energised() {
		return 0
	}
	if l.led != nil {
		c.Set(mode.ReferenceLost, l.led.Lost())
	}
	if end := l.desk.LeaseEnd(); end != 0 {
		c.Set(mode.LeaseLost, now.MonoNs >= end)
		c.Set(mode.LeaseExpired, float64(now.MonoNs-end) >= l.cfg.Thresholds.LeaseS*1e9)
	}
	return c
}

// heartbeat judges whether the gateway process is there, in ticks of this loop: a host
// that stands still as a whole lets no ticks pass, and accuses nobody.
type heartbeat struct {
	limit int64 // ticks
	last  uint64
	still int64 // ticks since it moved
	gone  bool  // for good: whoever comes back finds a loop that ends
}

// lost takes in the heartbeat of one tick.
func (h *heartbeat) lost(beat uint64) bool {
	if beat != h.last {
		h.last, h.still = beat, 0
	} else if h.still++; h.still >= h.limit {
		h.gone = true
	}
	return h.gone
}
