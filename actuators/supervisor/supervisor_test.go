package supervisor

import (
	"math/rand/v2"
	"testing"
	"time"
)

const limit = 100 * time.Millisecond

// looks plays looks at a loop, one a period, and returns when the first verdict fell.
func looks(j *judge, n int, see func(k int) (Pulse, time.Duration, bool)) (v verdict, at time.Duration) {
	for k := range n {
		p, since, insisted := see(k)
		at += since
		if v = j.look(p, since, insisted); v != well {
			return v, at
		}
	}
	return well, at
}

func TestStandingStillIsCutInTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		stops := rng.IntN(50)
		j := judge{limit: limit}
		v, at := looks(&j, 200, func(k int) (Pulse, time.Duration, bool) {
			return Pulse{Ticks: uint64(1 + min(k, stops)), Torque: true}, period, false
		})
		still := at - time.Duration(stops+1)*period
		if v != cutStuck || still < limit || still > limit+period {
			t.Fatalf("the loop stopped after %d looks: verdict %d after %v of standing still", stops, v, still)
		}
	}
}

func TestAHealthyLoopIsLeftAlone(t *testing.T) {
	for name, see := range map[string]func(k int) (Pulse, time.Duration, bool){
		"ticks":                   func(k int) (Pulse, time.Duration, bool) { return Pulse{uint64(k), true}, period, false },
		"slow ticks":              func(k int) (Pulse, time.Duration, bool) { return Pulse{uint64(k / 9), true}, period, false },
		"no torque":               func(int) (Pulse, time.Duration, bool) { return Pulse{7, false}, period, false },
		"no torque, and a wish":   func(int) (Pulse, time.Duration, bool) { return Pulse{7, false}, period, true },
		"torque for a short time": func(k int) (Pulse, time.Duration, bool) { return Pulse{7, k%9 != 0}, period, false },
		// The process was stopped for an hour, and the supervisor is the first to wake.
		"held up as a whole": func(k int) (Pulse, time.Duration, bool) { return Pulse{uint64(k / 4), true}, time.Hour, false },
	} {
		j := judge{limit: limit}
		if v, at := looks(&j, 1000, see); v != well {
			t.Errorf("%s: verdict %d after %v", name, v, at)
		}
	}
}

// Who insists does not depend on the loop: neither on one that stands still nor on one
// that runs and does nothing about it. The cut is one; it would disturb the confirming.
func TestInsistence(t *testing.T) {
	for _, runs := range []bool{true, false} {
		j := judge{limit: time.Hour}
		see := func(k int) (Pulse, time.Duration, bool) {
			p := Pulse{Torque: true}
			if runs {
				p.Ticks = uint64(k)
			}
			return p, period, k >= 20
		}
		if v, at := looks(&j, 100, see); v != cutInsisted || at > 21*period+insistence {
			t.Errorf("loop runs %v: verdict %d after %v", runs, v, at)
		}
		if v, _ := looks(&j, 100, see); v != well {
			t.Errorf("loop runs %v: verdict %d after the cut", runs, v)
		}
	}
}

func TestALoopThatDoesNotComeBackIsGivenUp(t *testing.T) {
	j := judge{limit: limit}
	cuts := 0
	for at := time.Duration(0); ; at += period {
		switch j.look(Pulse{3, true}, period, false) {
		case cutStuck:
			cuts++
		case giveUp:
			if cuts < 10 || at < patience || at > patience+limit+2*period {
				t.Errorf("given up after %v and %d cuts", at, cuts)
			}
			return
		}
		if at > time.Minute {
			t.Fatal("never given up")
		}
	}
}
