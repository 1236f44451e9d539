package trace

import (
	"sync"
	"testing"
)

func TestFullRingDropsAndCounts(t *testing.T) {
	r := NewRing(2, 1)
	for i := range 5 {
		if s := r.Reserve(); s != nil {
			s.Tick = int64(i)
			r.Publish()
		}
	}
	if r.Dropped() != 3 {
		t.Errorf("dropped %d, want 3", r.Dropped())
	}
	for want := int64(0); want < 2; want++ {
		s := r.Next()
		if s == nil || s.Tick != want {
			t.Fatalf("sample %v, want tick %d", s, want)
		}
		r.Release()
	}
	if r.Next() != nil {
		t.Error("an empty ring gave a sample")
	}
}

// Every published sample arrives once, in order and whole, while the producer
// runs as fast as it can (run with -race).
func TestProducerAndConsumer(t *testing.T) {
	const n = 20000
	r := NewRing(64, 3)
	var wg sync.WaitGroup
	wg.Add(1)
	published := int64(0)
	go func() {
		defer wg.Done()
		for i := range int64(n) {
			s := r.Reserve()
			if s == nil {
				continue
			}
			s.Tick = i
			for j := range s.GoalRad {
				s.GoalRad[j] = float64(i)
			}
			r.Publish()
			published++
		}
	}()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	last, got := int64(-1), int64(0)
	for {
		s := r.Next()
		if s == nil {
			select {
			case <-done:
				if r.Next() == nil {
					if got != published || got+int64(r.Dropped()) != n {
						t.Fatalf("got %d, published %d, dropped %d of %d", got, published, r.Dropped(), n)
					}
					return
				}
			default:
			}
			continue
		}
		if s.Tick <= last {
			t.Fatalf("tick %d after %d", s.Tick, last)
		}
		for _, v := range s.GoalRad {
			if v != float64(s.Tick) {
				t.Fatalf("torn sample: %v in tick %d", s.GoalRad, s.Tick)
			}
		}
		last = s.Tick
		got++
		r.Release()
	}
}
