package energy

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The judges of this file are other models than those that are judged: a winding in a case
// in a room, each with constants of its own, and a battery that recovers slowly, has
// another curve, another capacity, another resistance. Meters are coarse and wrong.

// truth is a motor of two masses: winding and case.
type truth struct {
	windK, windTau float64
	caseK, caseTau float64
	room           float64
	wind, house    float64 // C
}

func (m *truth) step(a, dt float64) {
	m.wind += (m.house + m.windK*a*a - m.wind) * dt / m.windTau
	m.house += (m.room + m.caseK*a*a - m.house) * dt / m.caseTau
}

// sensor is what the servo tells of its case: whole degrees.
func (m *truth) sensor() float64 { return math.Round(m.house) }

// motors are what a model with 20 K/A^2 and 90 s is tried on.
func motors(rng *rand.Rand) truth {
	m := truth{windK: 12 + 7*rng.Float64(), windTau: 60 + 60*rng.Float64(), caseK: 4 + 6*rng.Float64(),
		caseTau: 240 + 300*rng.Float64(), room: 15 + 20*rng.Float64()}
	m.wind, m.house = m.room, m.room
	return m
}

func model() Winding { return Winding{KPerA2: 20, TauS: 90} }

// load is a motion: a swinging current with the given square mean, in A.
func load(t, rms float64) float64 { return rms * math.Sqrt2 * math.Sin(2*math.Pi*t/1.7) }

// The model is never far below what a gentler true winding is at, so that limits on it
// protect; how far above is told.
func TestWindingModelIsOnTheSafeSide(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	under, over := 0.0, 0.0
	const dt = 0.01
	for range 40 {
		m, rms := motors(rng), 0.5+1.5*rng.Float64()
		h := NewHeat(1, model(), dt)
		for k := range 60_000 { // ten minutes
			a := load(float64(k)*dt, rms)
			m.step(a, dt)
			est := h.Step(0, m.sensor(), a)
			under, over = max(under, m.wind-est), max(over, est-m.wind)
		}
	}
	t.Logf("the model is up to %.1f K too low and %.1f K too high", under, over)
	if under > 6 {
		t.Errorf("%.1f K too low", under)
	}
}

// reach plays a motion until the limit by the model, and by the true winding; told has what
// the forecast said every ten seconds.
func reach(m truth, rms, caseC, windingC float64) (at, truly float64, told []float64) {
	const dt = 0.02
	h, f := NewHeat(1, model(), dt), NewForecast(model(), []Limits{{caseC, windingC}}, Pack{}, 0)
	at, truly = math.Inf(1), math.Inf(1)
	for k := 0; k < 180_000 && (math.IsInf(at, 1) || math.IsInf(truly, 1)); k++ {
		now := float64(k) * dt
		a := load(now, rms)
		m.step(a, dt)
		h.Step(0, m.sensor(), a)
		f.Joints(dt, []float64{a}, []float64{m.sensor()}, h.TempC())
		if k%500 == 0 {
			s, _ := f.HeatS()
			told = append(told, s)
		}
		if h.TempC()[0] >= windingC || m.sensor() >= caseC {
			at = min(at, now)
		}
		if m.wind >= windingC || m.house >= caseC {
			truly = min(truly, now)
		}
	}
	return at, truly, told
}

// What the forecast says while so much time is left until the robot settles for heat; and
// that it does so before the true motor is at its limit.
func TestHeatForecast(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	errs := map[float64][]float64{60: {}, 120: {}, 300: {}} // of the time left; above 0: too hopeful
	for range 120 {
		at, truly, told := reach(motors(rng), 1.6+0.9*rng.Float64(), 70, 110)
		if at > truly+10 { // a winding that is quicker than the model, by a few kelvin
			t.Errorf("the limit is seen %.0f s too late", at-truly)
		}
		for left := range errs {
			k := int((at - left) / 10)
			if math.IsInf(at, 1) || k < 6 {
				continue // never, or less than a minute of the motion was seen
			}
			really := at - 10*float64(k)
			errs[left] = append(errs[left], (min(told[k], farS)-really)/really)
		}
	}
	for _, left := range []float64{60, 120, 300} {
		e := errs[left]
		slices.Sort(e)
		n := len(e)
		if n < 15 {
			t.Fatalf("%d motions", n)
		}
		q := func(share float64) float64 { return 100 * e[int(share*float64(n-1))] }
		t.Logf("%3.0f s before the limit: off by %+.0f %% in the median, %+.0f to %+.0f %% in nine of ten (%d motions)", left, q(0.5), q(0.05), q(0.95), n)
		if math.Abs(q(0.5)) > 30 || q(0.95) > 100 {
			t.Error("that is no forecast")
		}
	}
}

// pack is a battery with a slow part, in its own numbers.
type pack struct {
	soc, ah, ohm    float64
	slowOhm, slowS  float64
	slowV           float64
	bend, gain, off float64 // V a cell off the curve, of the current meter
	p               Pack
}

func (b *pack) step(a, dt float64) {
	b.soc = max(0, b.soc-a*dt/3600/b.ah)
	b.slowV += (a*b.slowOhm - b.slowV) * dt / b.slowS
}

// volt is what the servos' meters say of it under a load: tenths.
func (b *pack) volt(a float64) float64 {
	rest := b.p.RestV(b.soc) + b.bend*math.Sin(7*b.soc)
	return math.Round(10*(float64(b.p.Cells)*rest-a*b.ohm-b.slowV)) / 10
}

func packs(rng *rand.Rand, chemistry string) (pack, Pack) {
	p := Pack{Cells: 2 + rng.IntN(3), CapacityAh: 1 + 2*rng.Float64(), ResistanceOhm: 0.03 + 0.1*rng.Float64(), IdleA: 0.5, Chemistry: chemistry}
	spread := func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
	b := pack{soc: spread(0.3, 1), ah: p.CapacityAh * spread(0.87, 1.04), ohm: p.ResistanceOhm * spread(0.6, 1.3),
		slowS: spread(20, 60), bend: spread(-0.02, 0.02), gain: spread(0.82, 1.18), p: p}
	b.slowOhm = 0.15 * b.ohm
	return b, p
}

// The true charge lies within the bounds, through whole discharges; how wide they are is told.
func TestChargeLiesWithinItsBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const dt = 0.05
	var width float64
	steps, outside := 0, 0
	for i := range 30 {
		b, p := packs(rng, Chemistries()[i%2])
		g := NewGauge(p)
		rms := 1 + 3*rng.Float64()
		for k := 0; b.soc > 0.03 && k < 100_000; k++ {
			a := rms*(1+0.8*math.Sin(float64(k)*dt/0.7)) + p.IdleA
			if k/4000%2 == 1 {
				a = p.IdleA // pauses
			}
			b.step(a, dt)
			g.Step(b.volt(a), max(0, (a-p.IdleA)*b.gain), dt)
			if k < 400 {
				continue
			}
			low, high := g.Bounds()
			width += high - low
			steps++
			if b.soc < low-1e-9 || b.soc > high+1e-9 {
				outside++
			}
		}
	}
	t.Logf("%d steps, outside in %d; the bounds are %.2f apart on average", steps, outside, width/float64(steps))
	if outside > 0 || width/float64(steps) > 0.45 {
		t.Error("the bounds do not hold, or say nothing")
	}
}

// The robot is told to sit down while there is charge left, and not while there is plenty.
func TestLowChargeComesInTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	least, most := 1.0, 0.0
	for i := range 30 {
		b, p := packs(rng, Chemistries()[i%2])
		b.soc = 0.95
		g := NewGauge(p)
		rms := 1 + 3*rng.Float64()
		for k := 0; ; k++ {
			a := rms*(1+0.8*math.Sin(float64(k)*0.05/0.7)) + p.IdleA
			b.step(a, 0.05)
			g.Step(b.volt(a), max(0, (a-p.IdleA)*b.gain), 0.05)
			if low, _ := g.Bounds(); low <= 0.05 {
				least, most = min(least, b.soc), max(most, b.soc)
				break
			}
			if b.soc <= 0 {
				t.Fatal("empty without a word")
			}
		}
	}
	t.Logf("5 %% at worst is told at %.0f to %.0f %%", 100*least, 100*most)
	if least < 0.05 || most > 0.45 {
		t.Error("too late or too early")
	}
}

// The forecast of the battery holds between its worst and its best.
func TestChargeForecast(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	sum, n := 0.0, 0
	for i := range 30 {
		b, p := packs(rng, Chemistries()[i%2])
		b.soc = 0.9
		g, f := NewGauge(p), NewForecast(model(), nil, p, 0.05)
		rms := 1 + 3*rng.Float64()
		var worst, best, told float64
		for k := 0; told == 0; k++ {
			now := float64(k) * 0.05
			a := rms*(1+0.8*math.Sin(now/0.7)) + p.IdleA
			b.step(a, 0.05)
			g.Step(b.volt(a), max(0, (a-p.IdleA)*b.gain), 0.05)
			low, high := g.Bounds()
			f.Battery(low, high, g.SupplyA(), 0.05)
			if told == 0 && now >= 120 {
				worst, best = f.ChargeS()
				told = now
			}
		}
		left := (0.9-0.05)*b.ah*3600/(rms+p.IdleA) - told // at the mean current
		if left < worst || left > best {
			t.Errorf("pack %d: %.0f s left, told %.0f to %.0f s", i, left, worst, best)
		}
		sum += math.Abs((worst+best)/2-left) / left
		n++
	}
	t.Logf("the middle is off by %.0f %% of the time left on average", 100*sum/float64(n))
}

// What cannot be read changes nothing, and a pack that nobody described is not judged.
func TestNothingIsClaimedOfNothing(t *testing.T) {
	g := NewGauge(Pack{})
	g.Step(7, 3, 1000)
	if low, high := g.Bounds(); low != 0 || high != 1 {
		t.Errorf("%g to %g", low, high)
	}
	g = NewGauge(Pack{Cells: 3, CapacityAh: 2})
	for _, bad := range [][2]float64{{math.NaN(), 1}, {12, math.NaN()}, {0, 1}, {math.Inf(1), 1}, {12, math.Inf(1)}, {12, -1}} {
		g.Step(bad[0], bad[1], 1)
	}
	if low, high := g.Bounds(); low != 0 || high != 1 || g.SupplyA() != 0 {
		t.Errorf("%g to %g", low, high)
	}
	if w, b := NewForecast(model(), nil, Pack{}, 0).ChargeS(); !math.IsInf(w, 1) || !math.IsInf(b, 1) {
		t.Errorf("an unknown battery lasts %g to %g s", w, b)
	}
	if a := (Motor{ResistanceOhm: 5, VPerRadPerS: 2}).SupplyA(1, -5, 12); a != 0 {
		t.Errorf("a motor that brakes takes %g A", a)
	}
}

func TestDerate(t *testing.T) {
	for _, tt := range [][2]float64{{20, 1}, {80, 1}, {95, 0.75}, {110, 0.5}, {200, 0.5}, {math.NaN(), 1}} {
		if got := Derate(tt[0], 80, 110, 0.5); got != tt[1] {
			t.Errorf("%g C: %g, want %g", tt[0], got, tt[1])
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	h, g := NewHeat(1, model(), 0.01), NewGauge(Pack{Cells: 3, CapacityAh: 2, ResistanceOhm: 0.1})
	f := NewForecast(model(), []Limits{{70, 110}}, Pack{Cells: 3, CapacityAh: 2}, 0.05)
	cur := []float64{1}
	n := testing.AllocsPerRun(100, func() {
		h.Step(0, 30, 1)
		g.Step(11, 2, 0.01)
		f.Joints(0.01, cur, cur, h.TempC())
		f.HeatS()
	})
	if n != 0 {
		t.Errorf("%g allocations", n)
	}
}
