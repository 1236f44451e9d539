//go:build !linux

package realtime

import (
	"runtime"
	"time"
)

// Enter locks the calling goroutine to its thread; nothing else is available on
// this system.
func Enter(int) (notes []string, leave func()) {
	runtime.LockOSThread()
	return []string{"no real-time scheduling on " + runtime.GOOS + ": for trying things out only"}, runtime.UnlockOSThread
}

// totalMemory is not known here.
func totalMemory() uint64 { return 0 }

// began is where NowNs counts from: differences of two time.Now are monotonic on every system.
var began = time.Now()

// NowNs reads a clock that nobody sets.
func NowNs() int64 { return int64(time.Since(began)) }

// SleepUntil blocks until NowNs reaches ns.
func SleepUntil(ns int64) { time.Sleep(time.Duration(ns - NowNs())) }
