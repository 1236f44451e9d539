package eval

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/rate"
)

// Shares are within 0 and 1 to the bit, and all of n is 1, whatever n is: 1/n
// added n times is not.
func TestRatesAreCounted(t *testing.T) {
	for n := 1; n <= 500; n++ {
		all, none := make([]Episode, n), make([]Episode, n)
		for i := range all {
			all[i] = Episode{Strict: true, ContactAgreement: 1, TorqueAtLimit: 1, OverSpeed: 1}
			none[i] = Episode{Fell: true, TimeS: 1}
		}
		m := summarise(all)
		for what, v := range map[string]float64{"survival": m.SurvivalRate, "strict": m.StrictRate, "contacts": m.ContactAgreement,
			"at limit": m.TorqueAtLimit, "over speed": m.OverSpeed, "interval": m.SurvivalCI95[1]} {
			if v != 1 {
				t.Fatalf("%d of %d: %s is %.17g; want 1", n, n, what, v)
			}
		}
		m = summarise(none)
		if m.SurvivalRate != 0 || m.StrictRate != 0 || m.SurvivalCI95[0] != 0 || *m.MeanTimeToFallS != 1 {
			t.Fatalf("0 of %d: %+v", n, m)
		}
	}
}

func TestRatesAreWithinTheirIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		eps := make([]Episode, 1+rng.IntN(100))
		survived, strict := 0, 0
		for i := range eps {
			eps[i].Fell = rng.IntN(3) == 0
			eps[i].Strict = !eps[i].Fell && rng.IntN(2) == 0
			eps[i].ContactAgreement = rng.Float64()
			if !eps[i].Fell {
				survived++
			}
			if eps[i].Strict {
				strict++
			}
		}
		m := summarise(eps)
		if m.Survived != survived || m.StrictlyTracked != strict || m.Episodes != len(eps) {
			t.Fatalf("%d, %d of %d; want %d, %d of %d", m.Survived, m.StrictlyTracked, m.Episodes, survived, strict, len(eps))
		}
		if want := (rate.Rate{Hits: survived, Trials: len(eps)}).CI95(); m.SurvivalCI95 != want {
			t.Fatalf("interval %v; want %v", m.SurvivalCI95, want)
		}
		within(t, m)
	}
}

// within checks every rate and share of a JSON object.
func within(t *testing.T, v any) {
	t.Helper()
	js, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m any
	if err := json.Unmarshal(js, &m); err != nil {
		t.Fatal(err)
	}
	var walk func(string, any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(k, e)
			}
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case float64:
			share := strings.HasSuffix(name, "_rate") || strings.HasSuffix(name, "_ci95") || name == "contact_agreement" ||
				name == "torque_at_limit" || name == "over_speed" || name == "fall_phase"
			if share && (math.IsNaN(v) || v < 0 || v > 1) {
				t.Errorf("%s is %.17g; want 0 to 1", name, v)
			}
		}
	}
	walk("", m)
}
