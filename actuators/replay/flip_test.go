package replay_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// eventful is a flight in which much is decided: a stall that the servos' watchdogs notice,
// a motion, a refusal, heat, a controlled stop; then a stop button.
func eventful(t testing.TB) (b *bench, ticks []*recorder.Tick, name string) {
	t.Helper()
	b = newBench(t, true, 0, nil)
	name, end := b.record(t)
	ask := func(r mode.Request) func(*bench) { return func(b *bench) { _, _ = b.loop.Ask(r) } }
	b.fly([]happens{
		{0, ask(mode.Arm)}, {time.Second, ask(mode.Arm)}, {1500 * time.Millisecond, ask(mode.Reset)},
		{3500 * time.Millisecond, ask(mode.Activate)},
		{4 * time.Second, func(b *bench) { b.wire.PassUntil(b.wire.Now().Add(300 * time.Millisecond)) }},
		{4100 * time.Millisecond, func(b *bench) { b.loop.External(mode.LogLost, true) }},
		{5 * time.Second, func(b *bench) { b.ctl.nan = true }}, {5020 * time.Millisecond,
			func(b *bench) { b.ctl.nan = false }},
		{6 * time.Second, ask(mode.Disarm)}, {10 * time.Second, func(b *bench) { b.loop.Request(mode.EStop) }},
	}, 11*time.Second)
	end()
	f, err := recorder.Open(name)
	must(t, err)
	return b, f.Ticks, name
}

func player(t testing.TB, b *bench) *replay.Player {
	t.Helper()
	p, err := replay.New(b.cfg, b.desc.JointNames(), b.ctl != nil, nil)
	must(t, err)
	return p
}

// leaf is one value of a tick.
type leaf struct {
	field string // Go names
	v     reflect.Value
}

// leaves lists the values of a tick that pick chooses by the name of their field.
func leaves(t *recorder.Tick, pick func(field string) bool) (all []leaf) {
	var walk func(field string, v reflect.Value)
	walk = func(field string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(field+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(field, v.Index(i))
			}
		default:
			if pick(field) {
				all = append(all, leaf{field, v})
			}
		}
	}
	v := reflect.ValueOf(t).Elem()
	for i := range v.NumField() {
		walk(v.Type().Field(i).Name, v.Field(i))
	}
	return all
}

// clone copies a tick and its lists.
func clone(t *recorder.Tick) *recorder.Tick {
	c := *t
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() > 0 {
			s := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
			reflect.Copy(s, f)
			f.Set(s)
		}
	}
	return &c
}

// flip changes one bit; an empty text gets a letter.
func flip(rng *rand.Rand, v reflect.Value) {
	switch {
	case v.CanFloat():
		v.SetFloat(math.Float64frombits(math.Float64bits(v.Float()) ^ 1<<rng.IntN(64)))
	case v.CanInt():
		v.SetInt(v.Int() ^ 1<<rng.IntN(v.Type().Bits()-1))
	case v.CanUint():
		v.SetUint(v.Uint() ^ 1<<rng.IntN(v.Type().Bits()))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.String() == "":
		v.SetString("x")
	default:
		s := []byte(v.String())
		s[rng.IntN(len(s))] ^= 1 << rng.IntN(7)
		v.SetString(string(s))
	}
}

// decided reports whether a field of t was decided in it, and nothing of it taken in.
func decided(t *recorder.Tick, field string) bool {
	switch field {
	case "Mode", "Why", "Conditions", "From", "Refused", "Failing", "SentRad", "TakeUpRad", "TiltRad", "SupplyV",
		"WindingC", "TorqueShare", "SpeedShare",
		"TorqueOff", "Clamped", "Playing", "CatchUp":
		return true
	case "WantRad": // else it is the controller's
		return !t.Act.Usable
	case "GoalRad": // else it is the servos'
		return t.Calls.Write == trace.NotAsked && t.Calls.TakeUp == trace.NotAsked
	}
	return len(field) > 6 && field[:6] == "Clamp." || len(field) > 8 && field[:8] == "Machine." && field != "Machine.State"
}

// One bit of one decision is changed in every tick; each is found, there and in that field.
func TestAChangedDecisionIsFoundInItsTick(t *testing.T) {
	b, ticks, _ := eventful(t)
	p := player(t, b)
	rng := rand.New(rand.NewPCG(5, 1))
	tried := map[string]int{}
	for _, tick := range ticks {
		changed := clone(tick)
		kinds := map[string][]leaf{}
		for _, l := range leaves(changed, func(field string) bool { return decided(tick, field) }) {
			kinds[l.field] = append(kinds[l.field], l)
		}
		names := make([]string, 0, len(kinds))
		for n := range kinds {
			names = append(names, n)
		}
		slices.Sort(names)
		field := names[rng.IntN(len(names))]
		if kinds["TakeUpRad"] != nil {
			field = "TakeUpRad" // there are few
		}
		which := rng.IntN(len(kinds[field]))
		flip(rng, kinds[field][which].v)
		tried[field]++
		d, ok := errors.AsType[*replay.DifferenceError](p.Step(changed))
		if !ok || d.Tick != tick.Index || d.Others != 0 {
			t.Fatalf("tick %d: %s, value %d, was changed; found %v", tick.Index, field, which, d)
		}
		if len(kinds[field]) == 20 && d.Joint != b.desc.Joints[which].Name {
			t.Fatalf("tick %d: %s of joint %d was changed; found %v", tick.Index, field, which, d)
		}
	}
	for _, f := range []string{"TakeUpRad", "GoalRad", "WantRad", "SentRad", "Machine.Ticks", "Clamp.LargestRad", "Failing", "CatchUp"} {
		if tried[f] == 0 {
			t.Errorf("%s was never changed: %v", f, tried)
		}
	}
}

// first returns the first difference of a flight whose tick k is changed.
func first(t testing.TB, b *bench, ticks []*recorder.Tick, k int, change func(*recorder.Tick)) *replay.DifferenceError {
	t.Helper()
	p := player(t, b)
	for i, tick := range ticks {
		if i == k {
			tick = clone(tick)
			change(tick)
		}
		if err := p.Step(tick); err != nil {
			d, ok := errors.AsType[*replay.DifferenceError](err)
			if !ok {
				t.Fatalf("tick %d: %v", k, err)
			}
			return d
		}
	}
	return nil
}

// A flipped input gives the decisions that follow from it: where they differ that is found, at
// the earliest in its tick; else there is no difference to be found.
func TestAFlippedInputIsFoundOrMakesNoDifference(t *testing.T) {
	b, ticks, _ := eventful(t)
	rng := rand.New(rand.NewPCG(6, 1))
	inputs := func(field string) bool {
		return !slices.Contains([]string{"Index", "Skipped", "TimeNs", "Detail", "AskedLink", "AskedProgram",
			"Outside", "Machine.State"}, field)
	}
	found, none := map[string]int{}, map[string]int{}
	for range 60 {
		k := rng.IntN(len(ticks))
		pick := func(f string) bool { return inputs(f) && !decided(ticks[k], f) }
		all := leaves(clone(ticks[k]), pick)
		which := rng.IntN(len(all))
		seed := rng.Uint64()
		d := first(t, b, ticks, k, func(c *recorder.Tick) {
			flip(rand.New(rand.NewPCG(seed, 1)), leaves(c, pick)[which].v)
		})
		switch {
		case d == nil:
			none[all[which].field]++
		case d.Tick < ticks[k].Index:
			t.Errorf("input of tick %d was changed, and found in tick %d", ticks[k].Index, d.Tick)
		default:
			found[all[which].field]++
		}
	}
	t.Logf("found %v, no difference %v", found, none)
}

// What matters of what was read, asked and answered is found in its tick.
func TestInputsThatMatter(t *testing.T) {
	b, ticks, _ := eventful(t)
	at := func(mode string, when func(*recorder.Tick) bool) int {
		return slices.IndexFunc(ticks, func(t *recorder.Tick) bool { return t.Mode == mode && t.From == "" && when(t) })
	}
	always := func(*recorder.Tick) bool { return true }
	for _, tt := range []struct {
		name   string
		k      int
		change func(*recorder.Tick)
		field  string // "": no difference
	}{
		{"a button", at("active", always), func(t *recorder.Tick) { t.Buttons |= 2 }, "mode"},
		{"an alert", at("hold", always), func(t *recorder.Tick) { t.Alert[3] |= 4 }, "mode"},
		{"the link", at("hold", always), func(t *recorder.Tick) { t.Calls.Read = trace.Lost }, "mode"},
		{"a temperature", at("active", always), func(t *recorder.Tick) { t.TempC[0] = 90 }, "mode"},
		{"a degree", at("hold", always), func(t *recorder.Tick) { t.TempC[0]++ }, "winding_c"},
		{"an age", at("hold", always), func(t *recorder.Tick) { t.SlowAgeS[2] = 100 }, "mode"},
		{"an order", at("hold", always), func(t *recorder.Tick) { t.AskedProgram = "disarm" }, "mode"},
		{"an order that was not", at("settle", always) - 1, func(t *recorder.Tick) { t.AskedLink = "estop" }, "mode"},
		{"a broker", at("disarmed", always),
			func(t *recorder.Tick) { t.Outside = mode.Of(mode.LinkToBroker).String() }, "conditions"},
		{"torque that is not confirmed", at("arming",
			func(t *recorder.Tick) bool { return t.Calls.TorqueOn == trace.Confirmed }),
			func(t *recorder.Tick) { t.Calls.TorqueOn = trace.Failed }, "machine.torque"},
		{"a goal that is not sent", at("active", always), func(t *recorder.Tick) { t.Calls.Write = trace.NotAsked },
			"calls.write"},
		{"a controller that is not asked", at("active", func(t *recorder.Tick) bool { return t.Act.Asked }),
			func(t *recorder.Tick) { t.Act = trace.Act{} }, "want_rad"},
		{"time on the bus", at("active", always), func(t *recorder.Tick) { t.BusUs++ }, ""},
		{"a late controller", at("active", func(t *recorder.Tick) bool { return t.Act.Usable }),
			func(t *recorder.Tick) { t.ActUs = 10_001 }, "want_rad"},
	} {
		if tt.k < 0 {
			t.Errorf("%s: there is no such tick", tt.name)
			continue
		}
		d := first(t, b, ticks, tt.k, tt.change)
		switch {
		case d == nil && tt.field == "":
		case d == nil || d.Field != tt.field || d.Tick != ticks[tt.k].Index:
			t.Errorf("%s in tick %d: found %v, want %q", tt.name, ticks[tt.k].Index, d, tt.field)
		}
	}
}

// The same flight with a wall clock that somebody sets forth and back is the same but for its
// labels.
func TestNothingIsDecidedByTheWallClock(t *testing.T) {
	flown := func(steps bool) (ticks []*recorder.Tick) {
		rng := rand.New(rand.NewPCG(8, 1))
		b := newBench(t, true, 0, nil)
		b.seen = func(s *trace.Sample) { ticks = append(ticks, clone(recorder.TickOf(s))) }
		events := mishaps(t, rng, b, 0, flight)
		for i := range 20 {
			step := []time.Duration{time.Hour, -time.Hour, -30 * 365 * 24 * time.Hour, 40 * time.Millisecond}[i%4]
			events = append(events, happens{flight * time.Duration(i) / 20, func(b *bench) {
				if steps {
					b.wall = step
				}
			}})
		}
		b.fly(events, flight)
		return ticks
	}
	steady, stepped := flown(false), flown(true)
	if len(steady) != len(stepped) {
		t.Fatalf("%d ticks, and %d", len(steady), len(stepped))
	}
	labels := 0
	for i, s := range steady {
		if s.TimeNs != stepped[i].TimeNs {
			labels++
		}
		stepped[i].TimeNs = s.TimeNs
		if !sameBits(s, stepped[i]) {
			t.Fatalf("tick %d:\n%+v\n%+v", i, s, stepped[i])
		}
	}
	if labels == 0 {
		t.Error("the wall clock was not set")
	}
}

// sameBits compares two ticks.
func sameBits(a, b *recorder.Tick) bool {
	all := func(string) bool { return true }
	x, y := leaves(a, all), leaves(b, all)
	return slices.EqualFunc(x, y, func(a, b leaf) bool {
		if a.v.CanFloat() {
			return a.field == b.field && math.Float64bits(a.v.Float()) == math.Float64bits(b.v.Float())
		}
		return a.field == b.field && a.v.Equal(b.v)
	})
}
