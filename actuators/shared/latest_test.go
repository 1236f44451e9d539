package shared

import (
	"math"
	"sync"
	"testing"
)

// Writer and loop at once: what the loop takes is whole, and never older than before.
func TestTheLatestIsNeverTorn(t *testing.T) {
	l := NewLatest(8)
	var wg sync.WaitGroup
	const last = 20_000
	wg.Go(func() {
		pos := make([]float64, 8)
		for k := uint64(1); k <= last; k++ {
			for j := range pos {
				pos[j] = float64(k)
			}
			l.Put(k, int64(k)*3, pos)
		}
	})
	pos, seen := make([]float64, 8), uint64(0)
	for seen < last && !t.Failed() {
		seq, timeNs, isNew := l.Take(pos)
		if !isNew {
			continue
		}
		if seq <= seen || timeNs != int64(seq)*3 {
			t.Fatalf("reference %d after %d, time %d", seq, seen, timeNs)
		}
		for _, q := range pos {
			if q != float64(seq) {
				t.Fatalf("reference %d is torn: %v", seq, pos)
			}
		}
		seen = seq
	}
	wg.Wait()
	if _, _, isNew := l.Take(pos); isNew {
		t.Error("the same is news twice")
	}
}

// On the memory of a region each side has its own; whatever stands there, both go on.
func TestTheLatestOnForeignMemory(t *testing.T) {
	gateway, err := Create(3, 2)
	if err != nil {
		t.Skip(err)
	}
	defer gateway.Close()
	loop, err := Attach(gateway.File(), 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	pos := make([]float64, 3)
	gateway.Latest.Put(7, 9, []float64{1, 2, 3})
	if seq, at, isNew := loop.Latest.Take(pos); !isNew || seq != 7 || at != 9 || pos[2] != 3 {
		t.Errorf("%d, %d, %v, %v", seq, at, isNew, pos)
	}
	for _, junk := range []uint64{4, 5, 7, 1 << 40, math.MaxUint64} {
		for range 5 {
			loop.Latest.words[0].Store(junk)
			loop.Latest.Take(pos)
			gateway.Latest.Put(1, 1, pos)
		}
	}
	gateway.Ring.Reserve()
	if !gatewayUntouched(gateway) {
		t.Error("junk in the references reached the desk")
	}
}

func gatewayUntouched(r *Region) bool {
	return r.Desk.Told() == 0 && !r.Desk.Stopped() && r.Desk.LeaseEnd() == 0
}
