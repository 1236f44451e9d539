package retarget

import "math"

// How the pace of the motion may change.
const (
	paceS      = 0.12 // to either side of a moment that must be slower
	joltS      = 0.04 // before the motion: jolts here come from its beginning
	enough     = 1    // frames: what more time would be won by is left to the finished motion
	leadHelp   = 0.8  // what remains of an excess after more time, if the time helped
	slowestMax = 4    // by which torques may slow a moment down
	spikeS     = 0.03 // an overload that lasts no longer is not worth any time: the servo lags a little
)

// rates returns for every step between frames by how much it must be slowed down: the largest joint speed over its
// limit and, if torques count too, by how much until every servo gives what is needed, where slowness helps.
// In a draft, arms count by what they miss.
func (w *work) rates(torques, draft bool) []float64 {
	out := make([]float64, len(w.q)-1)
	for t := range out {
		if draft {
			out[t] = w.armNeed[t]
		}
		for _, i := range w.r.active[rootFree:] {
			if draft && w.r.isArm[i] {
				continue
			}
			p := w.r.dofQ[i]
			out[t] = math.Max(out[t], math.Abs(w.q[t+1][p]-w.q[t][p])*w.o.FPS/(w.r.speed[i]*speedGap))
		}
	}
	if !torques {
		return out
	}
	w.derive()
	need := make([]float64, len(w.q))
	for t := range need {
		need[t] = 1
		if t > 0 && t+1 < len(w.q) {
			need[t] = w.torqueRate(t, math.Max(1, math.Max(out[t-1], out[t])))
		}
	}
	opened(need, int(spikeS*w.o.FPS))
	for t := 1; t+1 < len(w.q); t++ {
		if k := need[t]; k > 1 {
			out[t-1], out[t] = math.Max(out[t-1], k), math.Max(out[t], k)
		}
	}
	return out
}

// torqueRate returns by how much frame t must be slowed down for its torques, if speeds slow it down by least anyway.
// Slowed down by k, speeds fall with k, so that servos give more, and the dynamic part of the torques falls with its
// square; what is needed in rest stays, and no pace helps against it. Arms are left out: a draft of theirs is rough, and
// they are light.
func (w *work) torqueRate(t int, least float64) float64 {
	nv := w.r.kin.Tree.NV
	vel, acc := make([]float64, nv), make([]float64, nv)
	share := func(k float64) float64 {
		for i := range vel {
			vel[i], acc[i] = w.vel[t][i]/k, w.acc[t][i]/(k*k)
		}
		return w.r.check.TorqueShare(w.q[t], vel, acc, w.plan.contacts[t], w.r.isArm)
	}
	if share(least) <= torqueShare {
		return 1
	}
	lo, hi := least, slowestMax*least
	if share(hi) > torqueShare {
		return 1
	}
	for round := 0; round < 8; round++ {
		if k := (lo + hi) / 2; share(k) > torqueShare {
			lo = k
		} else {
			hi = k
		}
	}
	return hi
}

// opened takes out of x what rises above its surroundings for no more than n samples in a row.
func opened(x []float64, n int) {
	if n < 1 {
		return
	}
	low := make([]float64, len(x))
	for t := range x { // the least of the n+1 samples from here
		low[t] = x[t]
		for k := t; k <= min(t+n, len(x)-1); k++ {
			low[t] = math.Min(low[t], x[k])
		}
	}
	for t := range x { // the most of the windows that hold this sample
		x[t] = low[t]
		for k := max(0, t-n); k <= t; k++ {
			x[t] = math.Max(x[t], low[k])
		}
	}
}

// stretch slows the moments down in which a joint is too fast, or overloaded if torques count, and reports whether there
// were any.
func (w *work) stretch(torques bool) bool {
	rate := w.rates(torques, true)
	from, to := w.plan.lead[0], len(w.q)-w.plan.lead[1]
	again := false
	for e, span := range [2][2]int{{0, from}, {to - 1, len(rate)}} {
		again = w.longer(e, rate[span[0]:span[1]]) || again
	}
	// The person may be in full motion where the clip begins or ends. That jolt does not go away with more time before
	// it; a slower beginning helps.
	for k := 1; k <= int(joltS*w.o.FPS); k++ {
		if t := from - k; t >= 0 {
			rate[from] = math.Max(rate[from], rate[t])
		}
		if t := to - 2 + k; t < len(rate) {
			rate[to-2] = math.Max(rate[to-2], rate[t])
		}
	}
	excess := 0.0
	for t := from; t < to-1; t++ {
		excess += math.Max(rate[t]-1, 0)
	}
	if excess < enough {
		return again
	}
	var at []float64
	for _, u := range slower(rate[from:to-1], w.o.FPS) {
		i := min(int(u), len(w.at)-2)
		at = append(at, w.at[i]+(w.at[i+1]-w.at[i])*(u-float64(i)))
	}
	w.at = at
	return true
}

// longer makes the lead-in (0) or lead-out (1) longer if its steps are too fast and reports whether it did. If the time
// before has not helped, that is taken back and it stays as it is.
func (w *work) longer(e int, rate []float64) bool {
	worst, excess := 0.0, 0.0
	for _, r := range rate {
		worst, excess = math.Max(worst, r), excess+math.Max(r-1, 0)
	}
	l := &w.leads[e]
	switch {
	case excess < enough || l.settled:
		return false
	case l.worst > 0 && worst-1 > leadHelp*(l.worst-1):
		w.leadS[e], l.settled = l.before, true
		return true
	case w.leadS[e] >= maxLeadS:
		return false
	}
	l.worst, l.before = worst, w.leadS[e]
	w.leadS[e] = math.Min(w.leadS[e]*math.Min(worst*1.03, 1.5), maxLeadS)
	return true
}

// slower returns where, in old frames, the frames of a slowed-down sequence lie, so that no step has a rate above 1.
// rate holds what each step between old frames has. The pace changes smoothly around such steps, and only there.
func slower(rate []float64, fps float64) []float64 {
	n := len(rate)
	reach := int(paceS*fps) + 1
	pace := make([]float64, n)
	for t := range pace {
		pace[t] = 1
		for k := max(0, t-reach); k <= min(n-1, t+reach); k++ {
			if rate[k] > 1 {
				near := smoothstep(1 - math.Abs(float64(t-k))/float64(reach+1))
				pace[t] = math.Max(pace[t], 1+(math.Min(rate[k]*1.03, maxStretch)-1)*near)
			}
		}
	}
	gauss(pace, float64(reach)/6, make([]float64, n))
	for t := range pace {
		pace[t] = math.Max(pace[t], rate[t])
	}
	out := []float64{0}
	for u := 0.0; ; {
		i := int(u)
		u += 1 / math.Max(1, math.Max(pace[i], pace[min(i+1, n-1)]))
		if u >= float64(n)-1e-6 {
			return append(out, float64(n))
		}
		out = append(out, u)
	}
}
