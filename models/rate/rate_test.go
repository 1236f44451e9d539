package rate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The examples of Newcombe, "Two-sided confidence intervals for the single
// proportion", Statistics in Medicine 17 (1998), table I, method 5.
func TestPublishedIntervals(t *testing.T) {
	for _, c := range []struct {
		hits, trials int
		lo, hi       float64
	}{
		{81, 263, 0.2527, 0.3676}, {15, 148, 0.0578, 0.1617}, {0, 20, 0, 0.1684}, {1, 29, 0.0009, 0.1776},
	} {
		lo, hi := ClopperPearson(c.hits, c.trials, 0.95)
		if math.Abs(lo-c.lo) > 5e-5 || math.Abs(hi-c.hi) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f; published %.4f to %.4f", c.hits, c.trials, lo, hi, c.lo, c.hi)
		}
	}
}

// Where nothing or everything was hit, the interval has a closed form.
func TestEndsHaveAClosedForm(t *testing.T) {
	for _, n := range []int{1, 4, 20, 40, 400, 100000} {
		want := math.Pow(0.025, 1/float64(n))
		lo, hi := ClopperPearson(n, n, 0.95)
		if hi != 1 || math.Abs(lo-want) > 1e-12 {
			t.Errorf("%d of %d: %.15g to %.15g; want %.15g to 1", n, n, lo, hi, want)
		}
		lo, hi = ClopperPearson(0, n, 0.95)
		if lo != 0 || math.Abs(hi-(1-want)) > 1e-12 {
			t.Errorf("0 of %d: %.15g to %.15g; want 0 to %.15g", n, lo, hi, 1-want)
		}
	}
	if lo, hi := ClopperPearson(0, 0, 0.95); lo != 0 || hi != 1 {
		t.Errorf("no trial: %g to %g; want 0 to 1", lo, hi)
	}
}

// An interval holds its share, mirrors with hits and misses exchanged, and its
// ends leave 2.5 % each, by plain summation of all terms.
func TestIntervalsLeaveTheirTails(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + rng.IntN(400)
		k := rng.IntN(n + 1)
		lo, hi := ClopperPearson(k, n, 0.95)
		if s := (Rate{k, n}).Share(); !(lo <= s && s <= hi && lo >= 0 && hi <= 1) {
			t.Fatalf("%d of %d: %g is not within %g to %g", k, n, s, lo, hi)
		}
		mlo, mhi := ClopperPearson(n-k, n, 0.95)
		if math.Abs(mlo-(1-hi)) > 1e-12 || math.Abs(mhi-(1-lo)) > 1e-12 {
			t.Fatalf("%d of %d: %g to %g; misses %g to %g", k, n, lo, hi, mlo, mhi)
		}
		if p := plain(k, n, n, lo); k > 0 && math.Abs(p-0.025) > 1e-9 {
			t.Fatalf("%d of %d: %d and more have %.6f at the low end", k, n, k, p)
		}
		if p := plain(0, k, n, hi); k < n && math.Abs(p-0.025) > 1e-9 {
			t.Fatalf("%d of %d: %d and fewer have %.6f at the high end", k, n, k, p)
		}
	}
}

// plain sums the probabilities of from..to hits.
func plain(from, to, n int, p float64) float64 {
	sum := 0.0
	for i := from; i <= to; i++ {
		sum += mass(i, n, p)
	}
	return sum
}

// The promise of an exact interval: whatever the true share, it is covered in at
// least 95 % of all outcomes.
func TestIntervalsCover(t *testing.T) {
	for _, n := range []int{1, 5, 20, 40} {
		ci := make([][2]float64, n+1)
		for k := range ci {
			ci[k] = Rate{k, n}.CI95()
		}
		for i := 1; i < 500; i++ {
			p, covered := float64(i)/500, 0.0
			for k := range ci {
				if ci[k][0] <= p && p <= ci[k][1] {
					covered += mass(k, n, p)
				}
			}
			if covered < 0.95-1e-12 {
				t.Fatalf("%d trials, share %.3f: covered in %.4f of the outcomes", n, p, covered)
			}
		}
	}
}

func TestSharesAreExactAtTheirEnds(t *testing.T) {
	for n := 1; n <= 2000; n++ {
		if s := (Rate{n, n}).Share(); s != 1 {
			t.Fatalf("%d of %d is %.17g", n, n, s)
		}
		if s := (Rate{0, n}).Share(); s != 0 {
			t.Fatalf("0 of %d is %.17g", n, s)
		}
	}
}

func TestWords(t *testing.T) {
	for r, want := range map[Rate]string{
		{37, 40}:   "37 of 40 (92.5 %, 95 % interval 79.6 to 98.4 %)",
		{40, 40}:   "40 of 40 (100 %, 95 % interval 91.2 to 100 %)",
		{0, 20}:    "0 of 20 (0 %, 95 % interval 0 to 16.8 %)",
		{399, 400}: "399 of 400 (99.8 %, 95 % interval 98.6 to 100 %)",
	} {
		if got := r.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
