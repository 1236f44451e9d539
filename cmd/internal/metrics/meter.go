// Package metrics shows how a robot is to Prometheus and whatever else reads its text format (version 0.0.4), on a Unix
// socket or on loopback: nobody but this machine can ask.
//
// A [Meter] takes in the samples that the control loop leaves, on the goroutine that watches them, and keeps counts and
// the latest values; it never meets the loop, and a reader never meets it for longer than one copy takes. A [Server]
// answers readers.
//
// What is not here: what the numbers mean for the robot (guard, mode), and history: that is the reader's. Take belongs
// to one goroutine and allocates nothing; all else may be called from any.
package metrics

import (
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Meter keeps what is shown.
type Meter struct {
	robot, version string
	joints         []robot.Joint
	lost           func() uint64 // samples that never came here or into a recording

	mu sync.Mutex // of
	readings
}

// readings are the latest sample, and what was counted.
type readings struct {
	latest    *trace.Sample // nil: none yet
	at        time.Time     // when it came
	ticks     uint64
	missed    uint64
	late, bus histogram
	guard     [4]uint64 // not finite, range, speed, acceleration
	failsafes [mode.MaxConditions]uint64
	armed     uint64
}

// New returns a meter of a robot with those joints. Lost tells how many samples were dropped before they came here.
func New(name, version string, joints []robot.Joint, lost func() uint64) *Meter {
	return &Meter{robot: name, version: version, joints: joints, lost: lost}
}

// Take takes in one sample, in their order.
func (m *Meter) Take(s *trace.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.latest == nil {
		m.latest = s.Clone()
	}
	s.CopyTo(m.latest)
	m.at = time.Now()
	m.ticks++
	m.missed += uint64(s.Skipped)
	m.late.add(s.LateNs)
	m.bus.add(s.BusNs)
	for i, n := range [...]int{s.Guard.NotFinite, s.Guard.Range, s.Guard.Speed, s.Guard.Accel} {
		m.guard[i] += uint64(n)
	}
	if s.From == s.Mode {
		return
	}
	if c, ok := s.Why.Condition(); ok {
		m.failsafes[c]++
	}
	if s.Mode == mode.Arming {
		m.armed++
	}
}

// now is a copy of what is known. The sample in it is a clone where there is one.
func (m *Meter) now() readings {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.readings
	if r.latest != nil {
		r.latest = r.latest.Clone()
	}
	return r
}

// boundsNs are the upper bounds of histograms, in ns.
var boundsNs = [...]int64{20e3, 50e3, 100e3, 200e3, 500e3, 1e6, 2e6, 5e6, 10e6, 20e6, 50e6, 100e6, 1e9}

// histogram counts durations.
type histogram struct {
	counts [len(boundsNs) + 1]uint64
	sumNs  int64
}

func (h *histogram) add(ns int64) {
	i := 0
	for i < len(boundsNs) && ns > boundsNs[i] {
		i++
	}
	h.counts[i]++
	h.sumNs += ns
}
