package soak

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/rate"
)

// The variables that say how much is flown, and which flight alone.
const (
	flightsVariable = "MITORI_SOAK_FLIGHTS"
	seedVariable    = "MITORI_SOAK_SEED"
	firstVariable   = "MITORI_SOAK_FIRST" // of the seeds; default 1
	kindsVariable   = "MITORI_SOAK_KINDS" // beginnings of names of faults, comma separated; default all
)

// number reads a variable of the environment.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q; legal: a whole number, 0 or more", name, text)
	}
	return n
}

// verdict is what came of one flight.
type verdict struct {
	seed   uint64
	faults string
	wrong  []string
	flown  time.Duration
	struck bool
	end    string
}

func kata20(t testing.TB) *body.Body {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flySeed flies one seed and judges it; then are shown the flight.
func flySeed(b *body.Body, seed uint64, log func(string, ...any), then ...func(f *flight)) (v verdict, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x736f616b))
	p := plan{length: time.Duration(3000+rng.IntN(1500)) * time.Millisecond, hold: 300 * time.Millisecond, stay: rng.IntN(4) == 0}
	chosen := draw(rng, b)
	return flyFaults(b, seed, rng, p, chosen, log, then...)
}

// flyFaults flies with given faults.
func flyFaults(b *body.Body, seed uint64, rng *rand.Rand, p plan, chosen []fault, log func(string, ...any),
	then ...func(f *flight)) (v verdict, err error) {
	v.seed = seed
	var names []string
	for _, c := range chosen {
		names = append(names, c.String())
	}
	v.faults = strings.Join(names, " and ")
	log("%s; length %v, stay %v", v.faults, p.length, p.stay)
	f, err := newFlight(b, rng, p, func(f *flight) error {
		for _, c := range chosen {
			if c.before != nil {
				if err := c.before(f); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return v, fmt.Errorf("seed %d: %w", seed, err)
	}
	f.log = log
	rows := begin(f, chosen)
	f.fly()
	s := rows()
	v.wrong = judge(&s, &f.claim, f.see, p.length)
	v.flown, v.struck, v.end = f.now(), s.met(f.see), f.claim.end
	if f.claim.refused {
		v.end = "refused"
	}
	for _, show := range then {
		show(f)
	}
	log("ends %s because of %q, over at %v, onset %v", v.end, f.claim.cause, f.claim.over, s.onset)
	return v, nil
}

// Every flight ends in the tabled state, whatever goes wrong, whenever.
func TestSoak(t *testing.T) {
	b := kata20(t)
	if text := os.Getenv(seedVariable); text != "" {
		v, err := flySeed(b, uint64(number(t, seedVariable, 0)), t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range v.wrong {
			t.Error(w)
		}
		return
	}
	flights := 500
	if testing.Short() {
		flights = 100
	}
	flights = number(t, flightsVariable, flights)
	all := flyAll(t, b, uint64(number(t, firstVariable, 1)), flights)
	bad := 0
	for _, v := range all {
		if len(v.wrong) == 0 {
			continue
		}
		if bad++; bad <= 20 {
			t.Errorf("seed %d: %s:\n\t%s\n\tfly it again: %s=%d go test -v -run TestSoak ./sim/soak", v.seed, v.faults, strings.Join(v.wrong, "\n\t"), seedVariable, v.seed)
		}
	}
	t.Log(summary(all, bad))
}

// flyAll flies so many seeds from first on, on all cores.
func flyAll(t *testing.T, b *body.Body, first uint64, flights int) []verdict {
	all := make([]verdict, flights)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= flights {
					return
				}
				v, err := flySeed(b, first+uint64(i), func(string, ...any) {})
				if err != nil {
					t.Error(err)
				}
				all[i] = v
			}
		})
	}
	wg.Wait()
	return all
}

// summary counts by kind of fault.
func summary(all []verdict, bad int) string {
	type count struct{ n, struck, bad int }
	kinds := map[string]*count{}
	flown, ends := time.Duration(0), map[string]int{}
	for _, v := range all {
		for _, part := range strings.Split(v.faults, " and ") {
			kind, _, _ := strings.Cut(part, " ")
			if kinds[kind] == nil {
				kinds[kind] = &count{}
			}
			c := kinds[kind]
			c.n++
			if v.struck {
				c.struck++
			}
			if len(v.wrong) > 0 {
				c.bad++
			}
		}
		flown += v.flown
		ends[v.end]++
	}
	names := make([]string, 0, len(kinds))
	for k := range kinds {
		names = append(names, k)
	}
	sort.Strings(names)
	var text strings.Builder
	fmt.Fprintf(&text, "%d flights, %.1f h of virtual time; ends: %v\n", len(all), flown.Hours(), ends)
	for _, k := range names {
		fmt.Fprintf(&text, "  %-16s %5d flights, %5d under torque, %d wrong\n", k, kinds[k].n, kinds[k].struck, kinds[k].bad)
	}
	good := len(all) - bad
	lo, hi := rate.ClopperPearson(good, len(all), 0.95)
	fmt.Fprintf(&text, "in the tabled state, without a step, in time: %d of %d (95 %% interval of Clopper and Pearson: %.3f to %.3f %%)",
		good, len(all), 100*lo, 100*hi)
	return text.String()
}
