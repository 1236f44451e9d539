package lease

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a desk whose clock the test moves.
func at(rule Rule, now *int64) *Desk { return &Desk{Rule: rule, Now: func() int64 { return *now }} }

func TestRulings(t *testing.T) {
	const s = int64(time.Second)
	for _, tt := range []struct {
		name string
		rule Rule
		o    []Order // a second apart
		want string  // of the last: part of the refusal; "": taken
		till int64   // what the loop is told, ns; -1: nothing
	}{
		{"nobody needs one", Optional, []Order{{"ann", "arm", 0}}, "", -1},
		{"with one", Optional, []Order{{"ann", "arm", 2 * time.Second}}, "", 2 * s},
		{"any command renews it", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"ann", "hold", 0}}, "", 3 * s},
		{"a heartbeat renews it", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"ann", "lease", 0}}, "", 3 * s},
		{"and may change it", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"ann", "lease", 5 * time.Second}}, "", 6 * s},
		{"others wait", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"bob", "start", 0}}, "ann holds the lease for another 1.0 s", -1},
		{"and do not disarm", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"bob", "disarm", 0}}, "only stop and estop", -1},
		{"but stop", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"bob", "stop", 0}}, "", -1},
		{"always", Required, []Order{{"ann", "arm", 2 * time.Second}, {"bob", "estop", 0}}, "", -1},
		{"lost", Optional, []Order{{"ann", "arm", time.Second / 2}, {"bob", "disarm", 0}}, "", -1},
		{"lost, and taken", Optional, []Order{{"ann", "arm", time.Second / 2}, {"bob", "lease", 2 * time.Second}}, "", 3 * s},
		{"lost, and taken back", Optional, []Order{{"ann", "arm", time.Second / 2}, {"ann", "lease", 0}}, "", s + s/2},
		{"lost, and no command brings it back", Optional, []Order{{"ann", "arm", time.Second / 2}, {"ann", "start", 0}}, "", -1},
		{"lost, and armed without one", Optional, []Order{{"ann", "arm", time.Second / 2}, {"bob", "arm", 0}}, "", 0},
		{"given back", Optional, []Order{{"ann", "arm", 2 * time.Second}, {"ann", "release", 0}}, "", 0},
		{"not yours", Optional, []Order{{"bob", "release", 0}}, "not yours", -1},
		{"for how long", Optional, []Order{{"bob", "lease", 0}}, "lease_s is missing", -1},
		{"too short", Optional, []Order{{"ann", "arm", time.Millisecond}}, "legal: 0.3 to 30", -1},
		{"too long", Optional, []Order{{"ann", "arm", time.Hour}}, "legal: 0.3 to 30", -1},
		{"not with hold", Optional, []Order{{"ann", "hold", time.Second}}, "hold takes no lease_s", -1},
		{"required", Required, []Order{{"ann", "arm", 0}}, "give lease_s", -1},
		{"required of a start, too", Required, []Order{{"ann", "start", 0}}, "give lease_s", -1},
		{"required, lost", Required, []Order{{"ann", "arm", time.Second / 2}, {"ann", "start", 0}}, "give lease_s", -1},
		{"required, there", Required, []Order{{"ann", "arm", 2 * time.Second}, {"ann", "start", 0}}, "", 3 * s},
		{"required of nobody who disarms", Required, []Order{{"ann", "disarm", 0}}, "", -1},
		{"off", Off, []Order{{"ann", "arm", 2 * time.Second}}, "switched off", -1},
		{"off, heartbeat", Off, []Order{{"ann", "lease", 0}}, "switched off", -1},
		{"off, arm", Off, []Order{{"ann", "arm", 0}}, "", -1},
	} {
		now := int64(0)
		d := at(tt.rule, &now)
		var r Ruling
		var err error
		for i, o := range tt.o {
			now = int64(i) * s
			if r, err = d.Admit(o); err != nil && i < len(tt.o)-1 {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if r.Tell != (tt.till >= 0) || r.Tell && r.UntilNs != tt.till {
			t.Errorf("%s: the loop is told %v, %d; want %d", tt.name, r.Tell, r.UntilNs, tt.till)
		}
	}
}

// Whatever anybody sends in whatever order: while somebody holds the lease nobody else is
// obeyed but to stop, who stops is always obeyed, and what the loop was told last is the
// end of the present holder's lease, or of the last one's.
func TestOneAtATime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"ann", "bob", "eve"}
	verbs := append([]string{"arm", "start", "hold", "stop", "disarm", "settle", "reset", "estop"}, Verbs()...)
	taken, refused := 0, 0
	for range 200 {
		now, told := int64(0), int64(0)
		d := at(Rule(rng.IntN(3)), &now)
		for range 300 {
			now += int64(rng.IntN(700)) * int64(time.Millisecond)
			o := Order{Issuer: names[rng.IntN(len(names))], Verb: verbs[rng.IntN(len(verbs))]}
			if rng.IntN(3) == 0 {
				o.Ask = time.Duration(rng.IntN(3000)) * time.Millisecond
			}
			holder := d.Holder()
			r, err := d.Admit(o)
			if r.Tell {
				told = r.UntilNs
			}
			stops := o.Verb == "stop" || o.Verb == "estop"
			switch {
			case err != nil && (stops || r != Ruling{}):
				t.Fatalf("%+v: %+v, %v", o, r, err)
			case err == nil && holder != "" && holder != o.Issuer && !stops:
				t.Fatalf("%+v is taken while %s holds the lease", o, holder)
			case d.Holder() != "" && (d.Holder() != o.Issuer && d.Holder() != holder || told <= now):
				t.Fatalf("%+v: %s holds the lease after %q, the loop knows %d, now %d", o, d.Holder(), holder, told, now)
			case d.Holder() == "" && told > now:
				t.Fatalf("%+v: nobody holds the lease, the loop knows %d, now %d", o, told, now)
			case err == nil && r.Only != slices.Contains(Verbs(), o.Verb):
				t.Fatalf("%+v: %+v", o, r)
			}
			if err == nil {
				taken++
			} else {
				refused++
			}
		}
	}
	if taken < 1000 || refused < 1000 {
		t.Errorf("%d taken, %d refused: too little was tried", taken, refused)
	}
}

func TestRulesHaveNames(t *testing.T) {
	seen := map[Rule]bool{}
	for _, n := range Rules() {
		r, ok := ParseRule(n)
		if !ok || seen[r] {
			t.Errorf("%q is %v, %v", n, r, ok)
		}
		seen[r] = true
	}
	if _, ok := ParseRule("maybe"); ok || len(seen) != 3 {
		t.Error("an unknown rule is taken, or one has no name")
	}
}
