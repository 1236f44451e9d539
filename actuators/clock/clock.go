// Package clock decides when a periodic loop wakes and which cycle it is in.
//
// It is a pure function of time: callers pass nanoseconds of a monotonic clock
// in, so every rule is tested by table without sleeping. Deadlines are absolute
// (epoch + k periods) and therefore never drift. A loop that is a period or more
// late skips whole cycles, counts them and never replays a burst: a servo bus
// that gets two commands at once moves twice as far.
//
// What is not here: sleeping itself (package realtime). A Schedule belongs to
// one goroutine.
package clock

import "fmt"

// MaxRateHz bounds the rate of a servo loop; above it one bus cannot follow.
const MaxRateHz = 2000

const second = int64(1_000_000_000)

// Schedule holds the epoch and the index of the next cycle.
type Schedule struct {
	epochNs int64
	rateHz  int64
	next    int64
}

// New returns the schedule whose cycle 0 is due at startNs. The rate must lie
// in 1..MaxRateHz.
func New(rateHz int, startNs int64) (Schedule, error) {
	if rateHz < 1 || rateHz > MaxRateHz {
		return Schedule{}, fmt.Errorf("clock: rate %d Hz; legal: 1..%d Hz", rateHz, MaxRateHz)
	}
	return Schedule{epochNs: startNs, rateHz: int64(rateHz)}, nil
}

// DeadlineNs returns when the next cycle is due. It multiplies before it
// divides, so a rate that does not divide a second evenly still never drifts.
func (s *Schedule) DeadlineNs() int64 { return s.at(s.next) }

func (s *Schedule) at(k int64) int64 {
	return s.epochNs + (k/s.rateHz)*second + (k%s.rateHz)*second/s.rateHz
}

// Wake tells the schedule that the loop woke at nowNs. It returns the cycle to
// run, how late the wake-up is against that cycle's deadline (negative when
// early), and how many cycles were skipped just before it. The following cycle
// becomes due.
func (s *Schedule) Wake(nowNs int64) (cycle, lateNs, skipped int64) {
	for s.at(s.next+1) <= nowNs { // at least one whole period late
		behind := (nowNs - s.at(s.next)) * s.rateHz / second
		behind = max(behind, 1)
		s.next += behind
		skipped += behind
	}
	cycle = s.next
	lateNs = nowNs - s.at(cycle)
	s.next++
	return cycle, lateNs, skipped
}
