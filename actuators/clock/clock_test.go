package clock

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestWake(t *testing.T) {
	const ms = int64(1_000_000)
	type wake struct{ now, cycle, late, skipped int64 }
	tests := []struct {
		name  string
		rate  int
		wakes []wake
	}{
		{"on time", 100, []wake{{0, 0, 0, 0}, {10 * ms, 1, 0, 0}, {20 * ms, 2, 0, 0}}},
		{"a little late does not shift the next", 100, []wake{{3 * ms, 0, 3 * ms, 0}, {10 * ms, 1, 0, 0}}},
		{"just below a period late: run late, skip none", 100, []wake{{0, 0, 0, 0}, {20*ms - 1, 1, 10*ms - 1, 0}, {20 * ms, 2, 0, 0}}},
		{"one period late skips one", 100, []wake{{0, 0, 0, 0}, {20 * ms, 2, 0, 1}, {30 * ms, 3, 0, 0}}},
		{"a long stall never bursts", 100, []wake{{0, 0, 0, 0}, {1_234 * ms, 123, 4 * ms, 122}, {1_240 * ms, 124, 0, 0}}},
		{"early is negative", 100, []wake{{0, 0, 0, 0}, {9 * ms, 1, -ms, 0}}},
		{"a rate that does not divide a second", 3, []wake{{0, 0, 0, 0}, {333_333_333, 1, 0, 0}, {666_666_666, 2, 0, 0}, {1_000_000_000, 3, 0, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New(tt.rate, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range tt.wakes {
				cycle, late, skipped := s.Wake(w.now)
				if cycle != w.cycle || late != w.late || skipped != w.skipped {
					t.Fatalf("wake %d at %d: cycle %d late %d skipped %d, want %d %d %d",
						i, w.now, cycle, late, skipped, w.cycle, w.late, w.skipped)
				}
			}
		})
	}
}

// Whatever the wake-ups, cycles rise strictly, cycles run plus cycles skipped
// equal cycles elapsed, and the next deadline is always in the future: no burst.
func TestWakeProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate := 1 + rng.IntN(MaxRateHz)
		start := rng.Int64N(1 << 60)
		s, _ := New(rate, start)
		now, ran, missed, last := start, int64(0), int64(0), int64(-1)
		for range 200 {
			d := s.DeadlineNs()
			now = max(now, d)
			if rng.IntN(4) == 0 {
				now += rng.Int64N(5 * second / int64(rate))
			}
			cycle, late, skipped := s.Wake(now)
			if cycle <= last {
				t.Fatalf("cycle %d after %d", cycle, last)
			}
			if late < 0 || late > second/int64(rate)+1 {
				t.Fatalf("late %d ns at %d Hz", late, rate)
			}
			if s.DeadlineNs() <= now {
				t.Fatalf("next deadline %d is not after now %d", s.DeadlineNs(), now)
			}
			last, ran, missed = cycle, ran+1, missed+skipped
		}
		if ran+missed != last+1 {
			t.Fatalf("ran %d + missed %d != elapsed %d", ran, missed, last+1)
		}
	}
}

func TestNewRefusesBadRates(t *testing.T) {
	for _, rate := range []int{0, -1, MaxRateHz + 1} {
		if _, err := New(rate, 0); err == nil || !strings.Contains(err.Error(), "legal: 1..2000 Hz") {
			t.Errorf("rate %d: error %v", rate, err)
		}
	}
}

func TestHistogramAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var h Histogram
	var all []int64
	for range 20000 {
		us := int64(rng.ExpFloat64() * 200)
		if rng.IntN(1000) == 0 {
			us *= 500
		}
		h.AddNs(us * 1000)
		all = append(all, us)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[max(int(q*float64(len(all)))-1, 0)]
		got := h.QuantileUs(q)
		if got < exact || float64(got) > float64(exact)*(1+1.0/16)+1 {
			t.Errorf("quantile %g = %d us, exactly %d us", q, got, exact)
		}
	}
	if h.MaxUs() != all[len(all)-1] || h.total != uint64(len(all)) {
		t.Errorf("max %d count %d", h.MaxUs(), h.total)
	}
}

func TestHistogramBucketsCoverAllDurations(t *testing.T) {
	last := -1
	for us := int64(0); us < 1<<22; us += 1 + us/97 {
		b := bucketOf(us)
		if b < last || upperUs(b) < us || (b > 0 && upperUs(b-1) >= us) {
			t.Fatalf("%d us in bucket %d (upper %d), after %d", us, b, upperUs(b), last)
		}
		last = b
	}
	var h Histogram
	h.AddNs(1 << 62)
	h.AddNs(-5)
	if h.QuantileUs(0.5) != 0 || h.MaxUs() != (1<<62)/1000 {
		t.Errorf("extremes: p50 %d max %d", h.QuantileUs(0.5), h.MaxUs())
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	s, _ := New(100, 0)
	var h Histogram
	if n := testing.AllocsPerRun(1000, func() { _, late, _ := s.Wake(s.DeadlineNs() + 5000); h.AddNs(late) }); n != 0 {
		t.Errorf("%g allocations per tick", n)
	}
}

// A histogram arrives in another process as it was, and nothing else passes for one.
func TestHistogramSurvives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		var h, got Histogram
		for range rng.IntN(500) {
			h.AddNs(rng.Int64N(1 << uint(1+rng.IntN(50))))
		}
		b, err := h.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := got.UnmarshalBinary(b); err != nil || got != h {
			t.Fatalf("%v: arrived with maximum %d, left with %d", err, got.maxUs, h.maxUs)
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(slices.Clone(b), 0)} {
			if got.UnmarshalBinary(bad) == nil || got != h {
				t.Fatalf("%d of %d bytes pass", len(bad), len(b))
			}
		}
	}
}
