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

// A small board keeps most of its memory, a large one has no more than it needs; what
// is in force while the loop runs is this machine's.
func TestCeilingIsAShareOfTheMemory(t *testing.T) {
	for total, want := range map[uint64]int64{0: 64 << 20, 256 << 20: 64 << 20, 1 << 30: 128 << 20, 4 << 30: 512 << 20, 64 << 30: 1 << 30} {
		if got := ceiling(total); got != want {
			t.Errorf("of %d MB: %d MB, want %d", total>>20, got>>20, want>>20)
		}
	}
	if runtime.GOOS == "linux" && totalMemory() < 64<<20 {
		t.Errorf("this machine has %d bytes", totalMemory())
	}
	defer TuneMemory()()
	if got := debug.SetMemoryLimit(-1); got != ceiling(totalMemory()) {
		t.Errorf("in force %d, want %d", got, ceiling(totalMemory()))
	}
}

func TestSleepAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(50, func() { SleepUntil(NowNs() + 10_000) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
