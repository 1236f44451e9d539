package soak

import (
	"reflect"
	"runtime/debug"
	"testing"
	"time"
)

// A judge of orphaned robots sees goals that change without anybody.
func TestTheJudgeSeesAnOrphanThatMoves(t *testing.T) {
	s, c := sentence{may: holds}, claim{orphaned: true, over: time.Second}
	for moved, want := range map[time.Duration]int{1100 * time.Millisecond: 0, 1400 * time.Millisecond: 1} {
		if wrong := judge(&s, &c, &witness{moved: moved}, time.Second); len(wrong) != want {
			t.Errorf("goals change until %v: %v", moved, wrong)
		}
	}
}

// A collector that runs all the time, in a heap that is always full, changes no bit of a
// flight: nothing in the runtime depends on what it finds in a pool or when it is finalised.
func TestAFullHeapChangesNoFlight(t *testing.T) {
	if testing.Short() {
		t.Skip("the collector takes its time")
	}
	b := kata20(t)
	fly := func(seed uint64) (verdict, []moment) {
		var seen []moment
		v, err := flySeed(b, seed, func(string, ...any) {}, func(f *flight) { seen = f.see.seen })
		if err != nil {
			t.Fatal(err)
		}
		return v, seen
	}
	for seed := uint64(1); seed <= 4; seed++ {
		v, seen := fly(seed)
		percent, limit := debug.SetGCPercent(1), debug.SetMemoryLimit(16<<20)
		w, again := fly(seed)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
		if !reflect.DeepEqual(v, w) || !reflect.DeepEqual(seen, again) {
			t.Errorf("seed %d: %+v, with a full heap %+v", seed, v, w)
		}
	}
}
