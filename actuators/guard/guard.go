// Package guard is the one choke point between whoever wants a motion and the
// servos: every command of every state passes [Guard.Apply], and there is no
// setting that turns it off.
//
// It promises, for any input whatever (NaN and infinities included):
//   - the first command after [Guard.Seed] is at most one step of acceleration
//     (AccelRadPerS2 * period^2) from the measured pose; who asks for a measured pose
//     within the range gets exactly that one;
//   - a command never leaves the joint's range once inside it, and only moves
//     inward while outside;
//   - over any Burst ticks a command makes no more way, to and fro added up, than the
//     joint's full speed allows in that time, so its mean speed never exceeds that; and
//     its speed never changes faster than the acceleration limit, braking before the end
//     of the range included; under [Gentle] what is faster than the gentle speed
//     only brakes.
//
// [Monitor] (same package) watches the measured side: tilt, heat, voltage,
// stall, silence, lateness; it turns them into mode conditions.
//
// What is not here: deciding what to do about a condition (package mode), and
// planning smooth motion (the loop's ramps). A Guard belongs to one goroutine;
// Apply allocates nothing.
package guard

import (
	"fmt"
	"math"
)

// Envelope selects how fast commands may move.
type Envelope uint8

// Gentle is for ramps and poses, Full for a controller that was verified in
// simulation.
const (
	Gentle Envelope = iota
	Full
)

// Joint holds one joint's limits on commands.
type Joint struct {
	MinRad, MaxRad float64
	GentleRadPerS  float64 // speed limit of ramps and poses
	FullRadPerS    float64 // speed limit under a controller, on the mean over Burst ticks
	// Burst is how many ticks' way a command may make in one, if it rests in the others: a
	// controller that decides every so many ticks moves in steps. 0 is 1.
	Burst         int
	AccelRadPerS2 float64
}

// MaxBurst is the longest Burst.
const MaxBurst = 32

// Counts says how often commands had to be changed, in joint-ticks.
type Counts struct {
	NotFinite uint64 `json:"not_finite"`
	Range     uint64 `json:"range"`
	Speed     uint64 `json:"speed"`
	Accel     uint64 `json:"accel"`
}

// Report says what Apply changed in one tick: the zero value is nothing.
type Report struct {
	NotFinite, Range, Speed, Accel int
	LargestRad                     float64 // largest change of a finite command
}

// Changed reports whether any joint's command was changed.
func (r Report) Changed() bool { return r.NotFinite+r.Range+r.Speed+r.Accel > 0 }

// Guard limits commands. Make one with [New].
type Guard struct {
	joints []Joint
	dt     float64
	last   []float64
	step   []float64   // last - the one before
	pace   []float64   // share of its full speed that each joint may go
	past   [][]float64 // of each joint: the way of its latest Burst-1 ticks, newest first
	seeded bool
	counts Counts
}

// New returns a guard for ticks of periodS seconds. Limits that would let
// through anything at all are refused, all faults at once.
func New(joints []Joint, periodS float64) (*Guard, error) {
	var faults []error
	bad := func(j int, what string, v float64, legal string) {
		faults = append(faults, fmt.Errorf("guard: joint %d: %s %g; legal: %s", j, what, v, legal))
	}
	if !(periodS > 0 && periodS <= 0.1) {
		faults = append(faults, fmt.Errorf("guard: period %g s; legal: 0..0.1 s", periodS))
	}
	if len(joints) == 0 {
		faults = append(faults, fmt.Errorf("guard: no joints"))
	}
	for j, l := range joints {
		if !(l.MinRad < l.MaxRad) || math.IsInf(l.MinRad, 0) || math.IsInf(l.MaxRad, 0) {
			bad(j, "lower limit", l.MinRad, fmt.Sprintf("finite and below the upper limit %g rad", l.MaxRad))
		}
		if !(l.GentleRadPerS > 0 && l.GentleRadPerS <= l.FullRadPerS) {
			bad(j, "gentle speed", l.GentleRadPerS, fmt.Sprintf("above 0 and at most the full speed %g rad/s", l.FullRadPerS))
		}
		if !(l.FullRadPerS > 0 && l.FullRadPerS <= 60) {
			bad(j, "full speed", l.FullRadPerS, "above 0 and at most 60 rad/s")
		}
		if l.Burst < 0 || l.Burst > MaxBurst {
			bad(j, "burst", float64(l.Burst), fmt.Sprintf("0 to %d ticks", MaxBurst))
		}
		if !(l.AccelRadPerS2 > 0) || math.IsInf(l.AccelRadPerS2, 0) {
			bad(j, "acceleration", l.AccelRadPerS2, "finite and above 0 rad/s^2")
		}
	}
	if faults != nil {
		return nil, join(faults)
	}
	g := &Guard{
		joints: append([]Joint(nil), joints...), dt: periodS,
		last: make([]float64, len(joints)), step: make([]float64, len(joints)), pace: make([]float64, len(joints)),
	}
	for j := range g.pace {
		g.pace[j] = 1
	}
	for _, l := range joints {
		g.past = append(g.past, make([]float64, max(l.Burst, 1)-1))
	}
	return g, nil
}

// Seed makes the next command start from the measured pose at rest. It is
// called whenever torque is switched on, and returns false, leaving the guard
// closed, when the pose is not finite or beyond what any joint can read.
func (g *Guard) Seed(measuredRad []float64) bool {
	if len(measuredRad) != len(g.last) {
		panic("guard: wrong number of joints")
	}
	g.seeded = true
	for j, q := range measuredRad {
		if !(math.Abs(q) <= seedLimitRad) {
			g.seeded = false
			return false
		}
		g.last[j], g.step[j] = q, 0
		clear(g.past[j])
	}
	return true
}

// seedLimitRad is many turns; a measured pose beyond it is a decoding fault.
const seedLimitRad = 100

// Slow lets each joint go at that share of its full speed at most, from now on; a share is
// kept within 0.1 and 1. A joint that is faster brakes. Gentle speeds stay: a robot that
// is to sit down does so in time.
func (g *Guard) Slow(pace []float64) {
	for j := range g.pace {
		if s := pace[j]; s == s {
			g.pace[j] = min(max(s, slowest), 1)
		}
	}
}

// slowest is the least share of its full speed that a joint keeps, whoever asks for less.
const slowest = 0.1

// Close makes Apply refuse until the next Seed; called when torque goes off.
func (g *Guard) Close() { g.seeded = false }

// Last returns the latest command; the caller must not change it.
func (g *Guard) Last() []float64 { return g.last }

// Counts returns the changes so far.
func (g *Guard) Counts() Counts { return g.counts }

// Apply stores in dst the command nearest to wantRad that keeps every promise.
// It returns false, and dst is not to be sent, while the guard is closed.
func (g *Guard) Apply(dst, wantRad []float64, e Envelope) (Report, bool) {
	if len(dst) != len(g.last) || len(wantRad) != len(g.last) {
		panic("guard: wrong number of joints")
	}
	var r Report
	if !g.seeded {
		return r, false
	}
	for j := range g.joints {
		dst[j] = g.one(j, wantRad[j], e, &r)
	}
	g.counts.NotFinite += uint64(r.NotFinite)
	g.counts.Range += uint64(r.Range)
	g.counts.Speed += uint64(r.Speed)
	g.counts.Accel += uint64(r.Accel)
	return r, true
}

// one limits the command of joint j. It works on steps (rad per tick): s is the
// wanted step, and [lo, hi] the interval that the limits leave open. That
// interval is never empty: braking at the acceleration limit is always inside
// it, because every step was chosen so that braking was still possible.
func (g *Guard) one(j int, want float64, e Envelope, r *Report) float64 {
	l, at, was := &g.joints[j], g.last[j], g.step[j]
	if math.IsNaN(want) || math.IsInf(want, 0) {
		r.NotFinite++
		want = at
	}
	target := min(max(want, l.MinRad), l.MaxRad)
	if target != want {
		r.Range++
	}
	da := l.AccelRadPerS2 * g.dt * g.dt // largest change of the step
	ds := g.longest(j, da)              // largest step
	if e == Gentle {
		ds = min(ds, l.GentleRadPerS*g.dt)
	}
	s := target - at
	if s > ds || s < -ds {
		r.Speed++
		s = min(max(s, -ds), ds)
	}
	// Never come so fast that the end of the range cannot be met at rest. A
	// joint outside its range may only move inward (or brake).
	s = min(s, brakingStep(max(l.MaxRad-at, 0), da))
	s = max(s, -brakingStep(max(at-l.MinRad, 0), da))
	if s > was+da || s < was-da {
		r.Accel++
		s = min(max(s, was-da), was+da)
	}
	next := at + s
	if s == target-at {
		next = target // a legal command passes bit for bit
	}
	if at >= l.MinRad && at <= l.MaxRad { // rounding of at+s only
		next = min(max(next, l.MinRad), l.MaxRad)
	}
	r.LargestRad = max(r.LargestRad, math.Abs(want-next))
	g.last[j], g.step[j] = next, next-at
	if past := g.past[j]; len(past) > 0 {
		copy(past[1:], past)
		past[0] = math.Abs(next - at)
	}
	return next
}

// longest returns the longest step of joint j from which it can brake by da per tick
// without making more way in any Burst ticks than its full speed allows: those that end
// with this tick, and those that end in the next ones.
func (g *Guard) longest(j int, da float64) float64 {
	past := g.past[j]
	burst := len(past) + 1
	l := &g.joints[j]
	full := max(l.FullRadPerS*g.pace[j], l.GentleRadPerS)
	left := full * float64(burst) * g.dt // for the past and m ticks from now on
	s := coastingStep(left, da, burst)
	for k, way := range past { // m shrinks from burst-1 to 1
		left -= way
		s = min(s, coastingStep(max(left, 0), da, burst-1-k))
	}
	return s
}

// coastingStep is brakingStep where the way of the first m ticks alone counts.
func coastingStep(way, da float64, m int) float64 {
	n := float64(m)
	if all := da * n * (n - 1) / 2; way >= all { // still moving after m ticks
		return (way + all) / n
	}
	return brakingStep(way, da)
}

// brakingStep returns the largest step (rad per tick) from which a command can
// come to rest within distance, when the step may shrink by da per tick: the
// largest s with s + (s-da) + (s-2da) + ... <= distance. With m whole
// reductions the sum is (m+1)(s - m da/2), which is linear in s between the
// triangular numbers, so the inverse is exact.
func brakingStep(distance, da float64) float64 {
	d := distance / da
	m := math.Floor((math.Sqrt(1+8*d) - 1) / 2)
	return da * (m/2 + d/(m+1))
}

func join(faults []error) error {
	if len(faults) == 1 {
		return faults[0]
	}
	return fmt.Errorf("%w\n%w", faults[0], join(faults[1:]))
}
