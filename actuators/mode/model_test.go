package mode

import (
	"math/rand/v2"
	"testing"
)

// The model check: every machine that can be reached, with every set of conditions that
// makes a difference. What a set of conditions is to the machine is its worst action and
// who demands it; that this is all is proved first.

// oracle is Worst by another route: by severity, from the most severe down.
func oracle(s Conditions) (Action, Condition) {
	for a := ActCut; a > ActNone; a-- {
		for c := range conditionCount {
			if s.Has(c) && Answer(c) == a {
				return a, c
			}
		}
	}
	return ActNone, 0
}

// conditionSets are the empty set, all single conditions, all pairs, everything at once,
// and random sets.
func conditionSets(random int) []Conditions {
	sets := []Conditions{0, 1<<conditionCount - 1}
	for a := range conditionCount {
		for b := a; b < conditionCount; b++ {
			sets = append(sets, Of(a, b))
		}
	}
	rng := rand.New(rand.NewPCG(9, 4))
	for range random {
		sets = append(sets, Conditions(rng.Uint32())&(1<<conditionCount-1)&Conditions(rng.Uint32()))
	}
	return sets
}

// A set of conditions has exactly one action, that of its most severe member, and no
// condition makes it less.
func TestEverySetHasOneAction(t *testing.T) {
	for _, s := range conditionSets(300_000) {
		a, c := Worst(s)
		if wantA, wantC := oracle(s); a != wantA || c != wantC {
			t.Fatalf("%v: %v by %v, want %v by %v", s, a, c, wantA, wantC)
		}
	}
	for _, s := range conditionSets(3000) {
		a, _ := Worst(s)
		for c := range conditionCount {
			if more, _ := Worst(s | Of(c)); more < a || more != max(a, Answer(c)) {
				t.Fatalf("%v: %v, with %v %v", s, a, c, more)
			}
		}
	}
}

// small is a machine without its clocks' values beyond what any rule asks for: two
// machines that agree in it have the same future.
func small(m Machine, r Rules) Machine {
	switch d := r.span(m.Ticks); {
	case m.State == Arming && d >= ArmingTimeout, m.State == Settle && d >= SettleTimeout,
		m.State == Limp && d >= LimpTime, m.State == Cut && d >= CutTimeout:
		m.Ticks = 10_000
	case m.State == Settle && d >= r.PlayOut:
		m.Ticks = 800
	case m.State == Active && m.Ticks > int64(r.ControlEvery):
		m.Ticks = int64(r.ControlEvery) + 1
	case m.State == Active:
	default:
		m.Ticks = 0
	}
	m.Tries = min(m.Tries, TorqueTries+1)
	if m.Tries > 0 && m.Tries <= TorqueTries {
		m.Tries = 1
	}
	return m
}

// ages are the times a machine may have been in its state: one of each kind.
func ages(m Machine) []Machine {
	out := []Machine{m}
	limits := [stateCount][]int64{Arming: {1050}, Active: {3}, Settle: {450, 950}, Limp: {110}, Cut: {60}}
	for _, ticks := range limits[m.State] {
		o := m
		o.Ticks = max(o.Ticks, ticks)
		out = append(out, o)
	}
	if m.Tries == 1 { // the next failure may be the last
		o := m
		o.Tries = TorqueTries
		out = append(out, o)
	}
	return out
}

// edge is a way from one state to another.
type edge struct{ from, to State }

// From the zero machine, everything that can be reached, with every request, every kind of
// answer of the world, and for conditions one set of each action: severity never falls
// without a request, and torque goes on in one transition only, by one task.
func TestEveryReachableMachine(t *testing.T) {
	for _, canPlay := range []bool{false, true} {
		r := rules(canPlay)
		sets := []Conditions{0}
		for a := ActWarn; a <= ActCut; a++ {
			for c := range conditionCount {
				if Answer(c) == a {
					sets = append(sets, Of(c))
					break
				}
			}
		}
		seen := map[Machine]bool{{}: true}
		todo := []Machine{{}}
		rises, ons, turns := map[edge]int{}, map[State]int{}, 0
		for len(todo) > 0 {
			m := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, before := range ages(m) {
				everyFact(before.State, sets, func(f Facts, o outcome) {
					turns++
					after := before
					_, did := turn(&after, r, f, o)
					if why := judge(before, after, f, o, did, canPlay); why != "" {
						t.Fatalf("%s: %+v, %+v, %+v -> %+v", why, before, f, o, after)
					}
					fell := severity(after.State) < severity(before.State) && before.State.Energised()
					if f.Request == NoRequest && fell {
						t.Fatalf("severity fell by itself: %+v, %+v, %+v -> %+v", before, f, o, after)
					}
					if after.Torque == TorqueRising && before.Torque != TorqueRising {
						rises[edge{before.State, after.State}]++
					}
					if did.on {
						ons[after.State]++
					}
					if next := small(after, r); !seen[next] {
						seen[next] = true
						todo = append(todo, next)
					}
				})
			}
		}
		if len(rises) != 1 || rises[edge{Disarmed, Arming}] == 0 || len(ons) != 1 || ons[Arming] == 0 {
			t.Errorf("torque rises in %v and is switched on in %v; want one transition, disarmed to arming", rises, ons)
		}
		states := map[State]bool{}
		for m := range seen {
			states[m.State] = true
		}
		if want := int(stateCount); len(states) != want && (canPlay || len(states) != want-1) {
			t.Errorf("only %v reached", states)
		}
		t.Logf("policy %v: %d machines, %d ticks", canPlay, len(seen), turns)
	}
}

// asked are the bits of everyFact that matter to a tick which starts in a state.
func asked(s State) int {
	const rampDone, failing, confirmed, open, control, rampEnds, fit = 1, 2, 4, 8, 0x70, 0x80, 0x100
	switch s {
	case Disarmed:
		return failing | confirmed | open | fit
	case Arming:
		return rampDone | confirmed | open | control | rampEnds | fit
	case Hold, Active, Settle:
		return confirmed | control | rampEnds
	}
	return confirmed
}

// everyFact calls f with every request, set of conditions, and answer of the world.
func everyFact(s State, sets []Conditions, f func(Facts, outcome)) {
	for request := range requestCount {
		for _, c := range sets {
			for bits := range 1 << 9 {
				if bits&^asked(s) != 0 {
					continue
				}
				bit := func(n int) bool { return bits>>n&1 == 1 }
				f(Facts{Conditions: c, Request: request, RampDone: bit(0), Failing: Checks(bits >> 1 & 1)},
					outcome{bit(8), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7)})
			}
		}
	}
}

// Each state with every set of conditions: one decision, the same again, that of the worst
// condition alone, and never less than a smaller set demands.
func TestEveryStateAndSetHasOneDecision(t *testing.T) {
	sets := conditionSets(2000)
	for s := range stateCount {
		for request := range requestCount {
			for bits := range 8 {
				in := Input{Request: request, Done: bits&1 != 0, TorqueOff: bits&2 != 0, CanPlay: bits&4 != 0}
				for _, c := range sets {
					in.Conditions = c
					d := Next(s, in)
					action, cause := Worst(c)
					in.Conditions = 0
					if action > ActNone {
						in.Conditions = Of(cause)
					}
					if alone := Next(s, in); d != alone || d != Next(s, in) {
						t.Fatalf("%v %+v: %+v with %v, %+v with the worst of them alone", s, in, d, c, alone)
					}
					in.Conditions = 0
					if calm := Next(s, in); s.Energised() && severity(d.State) < severity(calm.State) && calm.State.Energised() {
						t.Fatalf("%v %+v: %v with %v, %v without", s, in, d.State, c, calm.State)
					}
				}
			}
		}
	}
}
