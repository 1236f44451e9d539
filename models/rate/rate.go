// Package rate says how sure a share is: how often something happened in how
// many trials, with the exact 95 % interval of Clopper and Pearson (Biometrika
// 26, 1934). 20 of 20 is not "100 %" but "83.2 to 100 %".
//
// The interval is that of independent trials under the same conditions; it never
// covers the truth less often than it promises. All functions are pure.
package rate

import (
	"fmt"
	"math"
)

// Rate is Hits out of Trials; 0 <= Hits <= Trials.
type Rate struct{ Hits, Trials int }

// Share is between 0 and 1, both exact; 0 where there was no trial.
func (r Rate) Share() float64 {
	if r.Trials == 0 {
		return 0
	}
	return float64(r.Hits) / float64(r.Trials)
}

// CI95 is the exact 95 % interval of the share, low and high.
func (r Rate) CI95() [2]float64 {
	lo, hi := ClopperPearson(r.Hits, r.Trials, 0.95)
	return [2]float64{lo, hi}
}

// String is the rate as people read it: "37 of 40 (92.5 %, 95 % interval 79.6 to 98.4 %)".
func (r Rate) String() string { return fmt.Sprintf("%d of %d (%s)", r.Hits, r.Trials, r.Percent()) }

// Percent is the share and its interval: "92.5 %, 95 % interval 79.6 to 98.4 %".
func (r Rate) Percent() string {
	ci := r.CI95()
	return fmt.Sprintf("%.4g %%, 95 %% interval %.3g to %.3g %%", tenths(r.Share()), tenths(ci[0]), tenths(ci[1]))
}

// tenths is a share in percent to one place, which is the most that a count of
// some tens or hundreds says.
func tenths(share float64) float64 { return math.Round(1000*share) / 10 }

// ClopperPearson gives the exact two-sided interval of a binomial share at a
// confidence above 0 and below 1: each end is the share at which an outcome as
// extreme as hits of trials has half of what is missing to 1. Without trials it
// is 0 to 1. It panics where hits is not within 0..trials.
func ClopperPearson(hits, trials int, confidence float64) (lo, hi float64) {
	if hits < 0 || hits > trials || !(confidence > 0 && confidence < 1) {
		panic("rate: ClopperPearson: hits must be within 0 and trials, confidence between 0 and 1")
	}
	tail := (1 - confidence) / 2
	hi = 1
	if hits > 0 {
		lo = solve(func(p float64) bool { return atLeast(hits, trials, p) < tail })
	}
	if hits < trials {
		// As many misses or fewer at the share of misses.
		hi = 1 - solve(func(q float64) bool { return atLeast(trials-hits, trials, q) < tail })
	}
	return lo, hi
}

// solve returns the number in 0..1 below which low holds and above which it does not.
func solve(low func(float64) bool) float64 {
	a, b := 0.0, 1.0
	for range 100 { // halves until the two are neighbours
		m := a + (b-a)/2
		if m <= a || m >= b {
			break
		}
		if low(m) {
			a = m
		} else {
			b = m
		}
	}
	return b
}

// atLeast is the probability of k and more hits in n trials of share p. Terms
// are summed away from the peak, where they shrink, so that none is lost to
// rounding.
func atLeast(k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	odds := p / (1 - p)
	if float64(k) > float64(n)*p {
		sum, term := 0.0, mass(k, n, p)
		for i := k; i <= n && term > sum*1e-18; i++ {
			sum += term
			term *= float64(n-i) / float64(i+1) * odds
		}
		return sum
	}
	sum, term := 0.0, mass(k-1, n, p)
	for i := k - 1; i >= 0 && term > sum*1e-18; i-- {
		sum += term
		term *= float64(i) / float64(n-i+1) / odds
	}
	return 1 - sum
}

// mass is the probability of exactly k hits.
func mass(k, n int, p float64) float64 {
	choose := lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1)
	return math.Exp(choose + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}
