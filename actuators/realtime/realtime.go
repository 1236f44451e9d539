// Package realtime prepares a thread and the process for a control loop: fixed
// scheduling priority, memory that stays in RAM, sleeping until an absolute
// instant, and a garbage collector that keeps out of the way.
//
// Each measure is tried; what the system does not permit is reported in words
// and the loop runs without it. Measured reasons for each are in
// docs/robotd.md. Deciding when to wake is package clock.
package realtime

import (
	"runtime"
	"runtime/debug"
)

// SpareThreads is how many Ps are kept beyond the cores: a thread that returns
// from a blocking system call needs a free P, and waits for one while the
// garbage collector holds them all.
const SpareThreads = 4

// The ceiling is a distant backstop, not an operating point: with the collector
// off, reaching it means something allocates that should not. It is a share of what
// the machine has, so that the collector works long before the system must end a
// process; robotd, whose end leaves servos with torque on, would be a large one.
const (
	ceilingShare = 8
	minCeiling   = 64 << 20
	maxCeiling   = 1 << 30
)

// ceiling is the limit for a machine with total bytes of memory, 0 for unknown.
func ceiling(total uint64) int64 {
	if total == 0 {
		return minCeiling
	}
	return int64(min(max(total/ceilingShare, minCeiling), maxCeiling))
}

// TuneMemory switches the garbage collector off below a ceiling and provides
// spare Ps. The returned function undoes both and collects once; call it after
// the robot is disarmed.
func TuneMemory() (restore func()) {
	procs := runtime.GOMAXPROCS(0)
	if want := runtime.NumCPU() + SpareThreads; procs < want {
		runtime.GOMAXPROCS(want)
	}
	percent := debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(ceiling(totalMemory()))
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
		runtime.GC()
	}
}
