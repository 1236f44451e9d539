package realtime

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestSleepUntilNeverWakesEarly(t *testing.T) {
	for range 20 {
		want := NowNs() + 300_000
		SleepUntil(want)
		if now := NowNs(); now < want {
			t.Fatalf("woke %d ns early", want-now)
		}
	}
	SleepUntil(NowNs() - 1_000_000_000) // the past returns at once
}

func TestTuneMemoryIsUndone(t *testing.T) {
	procs, percent := runtime.GOMAXPROCS(0), debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	restore := TuneMemory()
	if runtime.GOMAXPROCS(0) < runtime.NumCPU()+SpareThreads {
		t.Errorf("GOMAXPROCS %d", runtime.GOMAXPROCS(0))
	}
	restore()
	if got := debug.SetGCPercent(percent); got != percent || runtime.GOMAXPROCS(0) != procs {
		t.Errorf("after restore: GC %d%%, GOMAXPROCS %d; want %d%%, %d", got, runtime.GOMAXPROCS(0), percent, procs)
	}
}

func TestSleepAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(50, func() { SleepUntil(NowNs() + 10_000) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
