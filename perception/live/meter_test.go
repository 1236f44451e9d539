package live

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Quantiles are those of the sorted latencies, to the resolution.
func TestMeter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var m Meter
	var ms []float64
	for range 999 {
		v := 100 * rng.ExpFloat64()
		ms = append(ms, v)
		m.Add(Network, time.Duration(v*float64(time.Millisecond)))
	}
	slices.Sort(ms)
	for _, p := range []float64{0.01, 0.5, 0.95, 1} {
		want := ms[int(math.Ceil(p*float64(len(ms))))-1]
		if got := m.Quantile(Network, p); math.Abs(got-math.Min(want, ticks*tickMs)) > tickMs {
			t.Errorf("quantile %g: %g ms, want %g", p, got, want)
		}
	}
	if m.Quantile(Solver, 0.5) != 0 || m.Count(Network) != 999 {
		t.Errorf("another stage: %g, %d", m.Quantile(Solver, 0.5), m.Count(Network))
	}
}
