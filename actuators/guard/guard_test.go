package guard

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

const period = 0.01

func joint() Joint {
	return Joint{MinRad: -1, MaxRad: 1.5, GentleRadPerS: 1.5, FullRadPerS: 12, AccelRadPerS2: 600}
}

func newGuard(t testing.TB, joints ...Joint) *Guard {
	t.Helper()
	g, err := New(joints, period)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// wild returns the kind of numbers a broken controller produces.
func wild(rng *rand.Rand) float64 {
	switch rng.IntN(12) {
	case 0:
		return math.NaN()
	case 1:
		return math.Inf(1)
	case 2:
		return math.Inf(-1)
	case 3:
		return math.MaxFloat64 * (rng.Float64() - 0.5)
	case 4:
		return 0
	default:
		return rng.NormFloat64() * math.Pow(10, rng.Float64()*4-2)
	}
}

// Whatever comes in: finite, in range once in range, no more way in any burst of ticks
// than the speed limit allows, speed never changing faster than the acceleration limit.
func TestPromisesHoldForAnyInput(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 7))
	for trial := range 400 {
		l := Joint{MinRad: -3 * rng.Float64(), GentleRadPerS: 0.2 + 2*rng.Float64(), AccelRadPerS2: math.Pow(10, 0.5+3*rng.Float64())}
		l.MaxRad = l.MinRad + 0.05 + 3*rng.Float64()
		l.FullRadPerS = l.GentleRadPerS + 15*rng.Float64()
		l.Burst = rng.IntN(6)
		g := newGuard(t, l)
		start := l.MinRad - 0.5 + rng.Float64()*(l.MaxRad-l.MinRad+1) // sometimes outside
		if !g.Seed([]float64{start}) {
			t.Fatal("seed refused")
		}
		const eps = 1e-9
		at, step, inside := start, 0.0, false
		ways, burst := make([]float64, MaxBurst), max(l.Burst, 1)
		out, want := make([]float64, 1), make([]float64, 1)
		for tick := range 400 {
			if tick%7 == 0 || rng.IntN(3) == 0 {
				want[0] = wild(rng)
			}
			env := Envelope(rng.IntN(2))
			if trial%2 == 0 {
				env = Full
			}
			if _, ok := g.Apply(out, want, env); !ok {
				t.Fatal("closed")
			}
			s := out[0] - at
			ways = append(ways, math.Abs(s))
			way := 0.0
			for _, w := range ways[len(ways)-burst:] {
				way += w
			}
			top := l.FullRadPerS * float64(burst)
			if env == Gentle { // coming from Full, it first has to brake
				top = max(l.GentleRadPerS, math.Abs(step)/period-l.AccelRadPerS2*period)
			}
			switch {
			case math.IsNaN(out[0]) || math.IsInf(out[0], 0):
				t.Fatalf("command %g", out[0])
			case math.Abs(s) > top*period+eps:
				t.Fatalf("step %g above the speed limit %g", s, top*period)
			case way > l.FullRadPerS*float64(burst)*period+eps:
				t.Fatalf("%g rad in %d ticks, mean speed above the limit %g rad/s", way, burst, l.FullRadPerS)
			case math.Abs(s-step) > l.AccelRadPerS2*period*period+eps:
				t.Fatalf("step changed by %g, limit %g", s-step, l.AccelRadPerS2*period*period)
			case inside && (out[0] < l.MinRad || out[0] > l.MaxRad): // to the bit
				t.Fatalf("left the range [%g, %g]: %g", l.MinRad, l.MaxRad, out[0])
			case !inside && (at < l.MinRad && s < -eps || at > l.MaxRad && s > eps):
				t.Fatalf("moved outward from %g by %g", at, s)
			}
			at, step = out[0], s
			inside = inside || at >= l.MinRad && at <= l.MaxRad
		}
	}
}

// From rest at the measured pose the first command is one step of acceleration away at
// most, whatever is wanted, and exactly that pose if it is wanted: what torque-on is
// given.
func TestFirstCommandStartsFromTheMeasuredPose(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	l := joint()
	g := newGuard(t, l)
	out := make([]float64, 1)
	for range 10000 {
		start := l.MinRad + rng.Float64()*(l.MaxRad-l.MinRad)
		g.Seed([]float64{start})
		g.Apply(out, []float64{wild(rng)}, Full)
		if d := math.Abs(out[0] - start); d > l.AccelRadPerS2*period*period+1e-12 {
			t.Fatalf("first command %g rad from the measured pose", d)
		}
		g.Seed([]float64{start})
		if r, _ := g.Apply(out, []float64{start}, Gentle); out[0] != start || r != (Report{}) {
			t.Fatalf("the measured pose %g was wanted and became %g, %+v", start, out[0], r)
		}
	}
}

// A command that is no number means "stay": it brakes, and goes nowhere.
func TestNoNumberMeansStay(t *testing.T) {
	for _, none := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		g := newGuard(t, joint())
		g.Seed([]float64{0.7})
		out := make([]float64, 1)
		for range 100 {
			if r, _ := g.Apply(out, []float64{none}, Full); out[0] != 0.7 || r != (Report{NotFinite: 1}) {
				t.Fatalf("%g moved a resting joint from 0.7 to %g, %+v", none, out[0], r)
			}
		}
		for range 5 {
			g.Apply(out, []float64{-1}, Full)
		}
		moving, speed := out[0], 5*joint().AccelRadPerS2*period // 5 ticks of acceleration at most
		for range 100 {
			g.Apply(out, []float64{none}, Full)
		}
		if d := math.Abs(out[0] - moving); d > speed*speed/(2*joint().AccelRadPerS2)+speed*period {
			t.Errorf("%g carried a moving joint on by %g rad", none, d)
		}
	}
}

// An encoder cannot read many turns: such a pose is a decoding fault.
func TestAbsurdPoseDoesNotOpen(t *testing.T) {
	for _, q := range []float64{101, -1e6, math.Inf(1), math.NaN()} {
		g := newGuard(t, joint(), joint())
		if g.Seed([]float64{0, q}) {
			t.Errorf("seeded at %g rad", q)
		}
		if _, ok := g.Apply(make([]float64, 2), make([]float64, 2), Full); ok {
			t.Errorf("open after a pose of %g rad", q)
		}
	}
}

func TestReachesALegalTargetAndStaysThere(t *testing.T) {
	for _, target := range []float64{1.5, -1, 0.3} {
		g := newGuard(t, joint())
		g.Seed([]float64{0})
		out := make([]float64, 1)
		var r Report
		for range 300 {
			r, _ = g.Apply(out, []float64{target}, Gentle)
		}
		if math.Abs(out[0]-target) > 1e-6 || r != (Report{}) && math.Abs(target) != 1 && target != 1.5 {
			t.Errorf("target %g: at %g, last report %+v", target, out[0], r)
		}
	}
}

func TestLegalCommandsPassUnchanged(t *testing.T) {
	g := newGuard(t, joint())
	g.Seed([]float64{0})
	out := make([]float64, 1)
	for i := range 500 {
		want := 0.4 * (1 - math.Cos(2*math.Pi*float64(i)*period)) // 1 Hz, 16 rad/s^2
		r, _ := g.Apply(out, []float64{want}, Full)
		if r != (Report{}) || out[0] != want {
			t.Fatalf("tick %d: want %g, got %g, %+v", i, want, out[0], r)
		}
	}
	if g.Counts() != (Counts{}) {
		t.Errorf("counts %+v", g.Counts())
	}
}

func TestClosedUntilSeeded(t *testing.T) {
	g := newGuard(t, joint())
	out := make([]float64, 1)
	if _, ok := g.Apply(out, []float64{0}, Full); ok {
		t.Error("an unseeded guard let a command through")
	}
	if g.Seed([]float64{math.NaN()}) {
		t.Error("seeded with NaN")
	}
	if _, ok := g.Apply(out, []float64{0}, Full); ok {
		t.Error("a guard seeded with NaN let a command through")
	}
	g.Seed([]float64{0})
	g.Close()
	if _, ok := g.Apply(out, []float64{0}, Full); ok {
		t.Error("a closed guard let a command through")
	}
}

func TestReasonsAreCounted(t *testing.T) {
	g := newGuard(t, joint(), joint(), joint(), joint())
	g.Seed([]float64{0, 0, 1.5, 0})
	out := make([]float64, 4)
	r, _ := g.Apply(out, []float64{math.NaN(), 0.5, 2, 0.08}, Full)
	want := Report{NotFinite: 1, Range: 1, Speed: 1, Accel: 2, LargestRad: 0.5}
	r.LargestRad = math.Round(r.LargestRad*1e9) / 1e9
	if r.LargestRad < 0.43 {
		t.Errorf("largest change %g", r.LargestRad)
	}
	r.LargestRad = want.LargestRad
	if r != want {
		t.Errorf("report %+v, want %+v", r, want)
	}
}

func TestBrakingStepAgainstSummation(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 2000 {
		da, d := 0.001+rng.Float64(), rng.Float64()*20
		s, sum := brakingStep(d, da), 0.0
		for v := s; v > 0; v -= da {
			sum += v
		}
		if math.Abs(sum-d) > 1e-9*(1+d) {
			t.Fatalf("distance %g, da %g: a step of %g needs %g", d, da, s, sum)
		}
	}
	if brakingStep(0, 1) != 0 {
		t.Error("a step is allowed at the end of the range")
	}
}

// The longest step of a burst is really the longest: braking from it makes just the way
// that is left, and a little more would make too much.
func TestCoastingStepAgainstSummation(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		da, d, m := 0.001+rng.Float64(), rng.Float64()*20, 1+rng.IntN(8)
		s, sum := coastingStep(d, da, m), 0.0
		for k := range m {
			sum += max(s-float64(k)*da, 0)
		}
		if math.Abs(sum-d) > 1e-9*(1+d) {
			t.Fatalf("%g rad in %d ticks, da %g: a step of %g makes %g", d, m, da, s, sum)
		}
	}
}

func TestNewRefusesOpenLimits(t *testing.T) {
	bad := joint()
	bad.MinRad, bad.AccelRadPerS2 = math.NaN(), math.Inf(1)
	bad2 := joint()
	bad2.FullRadPerS, bad2.GentleRadPerS, bad2.Burst = 1000, 0, MaxBurst+1
	_, err := New([]Joint{bad, bad2}, 0)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, word := range []string{"period 0", "joint 0: lower limit NaN", "joint 0: acceleration +Inf", "joint 1: full speed 1000", "joint 1: gentle speed 0", "joint 1: burst 33"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error does not say %q:\n%v", word, err)
		}
	}
	if _, err := New(nil, period); err == nil {
		t.Error("no joints accepted")
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	g := newGuard(t, joint(), joint())
	g.Seed([]float64{0, 0})
	out, want := make([]float64, 2), []float64{0.3, math.NaN()}
	if n := testing.AllocsPerRun(1000, func() { g.Apply(out, want, Full) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// FuzzApply holds every promise of the package comment against any commands, with the envelope changing on the way.
func FuzzApply(f *testing.F) {
	f.Add(0.0, 1.0, -1.0, 0.5, uint16(0))
	f.Add(2.0, math.NaN(), math.Inf(1), -3.0, uint16(0xaaaa))
	f.Add(1.49, 1.5, -1.0, 1.5, uint16(0x0ff0))
	f.Fuzz(func(t *testing.T, start, a, b, c float64, gentle uint16) {
		l := joint()
		g := newGuard(t, l)
		if !g.Seed([]float64{start}) {
			return
		}
		h := hold{t: t, l: l, at: start}
		out := make([]float64, 1)
		for i, want := range []float64{a, b, c, a, a, a, b, b, b, b, b, c, c, c, c, a} {
			e := Full
			if gentle>>i&1 == 1 {
				e = Gentle
			}
			g.Apply(out, []float64{want}, e)
			h.promises(out[0], e)
		}
	})
}

// hold follows one joint's commands and fails where one breaks a promise.
type hold struct {
	t        *testing.T
	l        Joint
	at, step float64 // the command before, and how it came there
}

func (h *hold) promises(q float64, e Envelope) {
	h.t.Helper()
	// Commands are sums: a few units in the last place of the largest of them are rounding.
	eps := 8 * (math.Nextafter(max(math.Abs(h.at), 1), math.Inf(1)) - max(math.Abs(h.at), 1))
	l, step, da := h.l, q-h.at, h.l.AccelRadPerS2*period*period
	fast := l.FullRadPerS * period
	if e == Gentle {
		fast = max(l.GentleRadPerS*period, math.Abs(h.step)-da)
	}
	outside := max(q-l.MaxRad, l.MinRad-q)
	switch before := max(h.at-l.MaxRad, l.MinRad-h.at); {
	case !(math.Abs(step) <= fast+eps):
		h.t.Fatalf("speed: from %v to %v in a tick, at most %v", h.at, q, fast)
	case !(math.Abs(step-h.step) <= da+eps):
		h.t.Fatalf("acceleration: a step of %v after one of %v, at most %v more or less", step, h.step, da)
	case before <= 0 && outside > 0:
		h.t.Fatalf("range: from %v out to %v", h.at, q)
	case before > 0 && outside > before+eps:
		h.t.Fatalf("range: from %v outside further out to %v", h.at, q)
	}
	h.at, h.step = q, step
}

// A joint that is slowed brakes to its share of the full speed within the acceleration that
// is allowed, keeps it, and is let go again; gentle motions are as before.
func TestSlowedJoints(t *testing.T) {
	joint := Joint{MinRad: -50, MaxRad: 50, GentleRadPerS: 1.5, FullRadPerS: 8, Burst: 2, AccelRadPerS2: 400}
	g, err := New([]Joint{joint, joint}, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	g.Seed([]float64{0, 0})
	dst, was := make([]float64, 2), []float64{0, 0}
	run := func(ticks int, e Envelope) (speed [2]float64) {
		for k := range ticks {
			if k == ticks-10 { // the mean over whole bursts
				copy(was, dst)
			}
			g.Apply(dst, []float64{40, -40}, e)
		}
		for j := range speed {
			speed[j] = math.Abs(dst[j]-was[j]) / 0.1
		}
		return speed
	}
	if s := run(20, Full); math.Abs(s[0]-8) > 0.01 || math.Abs(s[1]-8) > 0.01 {
		t.Fatalf("full speed is %g", s)
	}
	g.Slow([]float64{0.5, math.NaN()})
	if s := run(20, Full); math.Abs(s[0]-4) > 0.01 || math.Abs(s[1]-8) > 0.01 {
		t.Errorf("slowed to a half: %g rad/s", s)
	}
	g.Slow([]float64{-3, 7})
	if s := run(20, Full); math.Abs(s[0]-1.5) > 0.01 || math.Abs(s[1]-8) > 0.01 {
		t.Errorf("slowed by nonsense: %g rad/s", s)
	}
	g.Slow([]float64{1, 1})
	if s := run(20, Full); math.Abs(s[0]-8) > 0.01 {
		t.Errorf("let go: %g rad/s", s)
	}
	g.Slow([]float64{0.1, 0.1})
	if s := run(40, Gentle); math.Abs(s[0]-1.5) > 0.01 {
		t.Errorf("gentle: %g rad/s", s)
	}
}
