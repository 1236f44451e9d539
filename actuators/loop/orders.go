package loop

import "github.com/mitori-robotics/mitori/actuators/mode"

// asked is the strongest request since the last tick, from this process and from the
// desk.
func (l *Loop) asked() mode.Request {
	return max(mode.Request(l.request.Swap(uint32(mode.NoRequest))), l.desk.Take())
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
