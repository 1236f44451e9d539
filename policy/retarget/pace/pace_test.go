package pace

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

const fps = 50

func kata(t testing.TB) (*body.Body, *physique.Robot) {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := physique.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

// squats returns a motion up and down, rising as fast as it sinks, with a bend of the knees (rad) and a period (s).
func squats(r *physique.Robot, bend, periodS float64) [][]float64 {
	var q [][]float64
	l := r.An.Legs[0]
	for k := 0; k <= int(2*periodS*fps); k++ {
		knee := 0.7 + bend*(0.5-0.5*math.Cos(2*math.Pi*float64(k)/fps/periodS))
		row := append([]float64(nil), r.An.Ref...)
		for name, v := range map[string]float64{"hip_pitch": -knee / 2, "knee": knee, "ankle_pitch": -knee / 2} {
			for _, side := range []string{"l_", "r_"} {
				row[r.DofQ[r.Joints[r.Desc.JointIndex(side+name)]]] = v
			}
		}
		row[2] -= (l.ThighM + l.ShankM) * (math.Cos(0.35) - math.Cos(knee/2))
		q = append(q, row)
	}
	return q
}

// both is standing on both feet.
func both(n int) [][2]bool {
	out := make([][2]bool, n)
	for t := range out {
		out[t] = [2]bool{true, true}
	}
	return out
}

// TestOneFastMomentCostsOneMoment: what happens in one place must not slow down the rest.
func TestOneFastMomentCostsOneMoment(t *testing.T) {
	rate := make([]float64, 200)
	rate[100] = 2
	at := slower(rate, fps)
	if extra := float64(len(at)-1-len(rate)) / fps; extra > 0.2 || extra < 0.5/fps {
		t.Errorf("one step that must take twice as long costs %.2f s", extra)
	}
	for k := 1; k < len(at); k++ {
		step := at[k] - at[k-1]
		far := math.Abs(at[k]-100.5) > paceS*fps+8
		if far && k < len(at)-1 && step < 0.999 {
			t.Fatalf("far away, at %.1f, a step is %.3f frames", at[k], step)
		}
		if at[k-1] >= 100 && at[k-1] < 101 && step > 0.5+1e-9 {
			t.Fatalf("in the fast step a step is %.3f frames", step)
		}
	}
}

// TestPaceNeverSpeedsUp: whatever the rates, no step is longer than a frame nor than its rates allow, moments only
// rise, and the way from the first to the last frame is gone whole.
func TestPaceNeverSpeedsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	for try := range 50 {
		rate := make([]float64, 20+rng.IntN(200))
		for k := range rate {
			rate[k] = math.Exp(rng.NormFloat64())
			if try == 0 {
				rate[k] = 0.5 // nothing is too fast
			}
		}
		at := slower(rate, fps)
		if at[0] != 0 || at[len(at)-1] != float64(len(rate)) {
			t.Fatalf("from %g to %g of %d", at[0], at[len(at)-1], len(rate))
		}
		if try == 0 && len(at) != len(rate)+1 {
			t.Errorf("%d frames for %d steps that are slow enough", len(at), len(rate))
		}
		for k := 1; k < len(at); k++ {
			step := at[k] - at[k-1]
			if step <= 0 || step > 1+1e-5 {
				t.Fatalf("try %d, frame %d: a step of %g", try, k, step)
			}
			// The last step is whatever is left; the others obey the rate of the old step they begin in.
			if limit := 1 / math.Max(1, rate[int(at[k-1])]); k < len(at)-1 && step > limit+1e-9 {
				t.Fatalf("try %d, frame %d: a step of %g in a step that allows %g", try, k, step, limit)
			}
		}
	}
}

// TestLeadsGrowOnlyWhileItHelps: a jolt that more time does not take away shall not make the clip longer.
func TestLeadsGrowOnlyWhileItHelps(t *testing.T) {
	for _, c := range []struct {
		what     string
		rate     func(leadS float64) float64
		low, top float64
	}{
		{"a jolt that stays", func(float64) float64 { return 2 }, plan.LeadS, plan.LeadS},
		{"a fast lead-in", func(s float64) float64 { return 2.5 / s }, 1.6, maxLeadS},
		{"a slow lead-in", func(float64) float64 { return 0.9 }, plan.LeadS, plan.LeadS},
		{"one that never ends", func(s float64) float64 { return 60 / (s * s * s) }, 2, maxLeadS},
	} {
		x := Asked(10)
		for range 6 {
			x.longer(0, []float64{0.5, c.rate(x.LeadS[0]), c.rate(x.LeadS[0])})
		}
		if x.LeadS[0] < c.low || x.LeadS[0] > c.top {
			t.Errorf("%s: %.2f s; want %.2f to %.2f", c.what, x.LeadS[0], c.low, c.top)
		}
		if x.LeadS[1] != plan.LeadS {
			t.Errorf("%s: the lead-out became %.2f s", c.what, x.LeadS[1])
		}
	}
}

// TestSlowerIsAValue: neither the timing nor the rates that were given change, and only the motion proper is retimed.
func TestSlowerIsAValue(t *testing.T) {
	const n = 100
	p := &plan.Plan{FPS: fps, Lead: [2]int{20, 30}}
	rates := make([]float64, p.Lead[0]+n+p.Lead[1]-1)
	for k := range rates {
		rates[k] = 0.5
	}
	x := Asked(n)
	if next, again := x.Slower(rates, p); again || len(next.At) != n {
		t.Errorf("slow enough: %v, %d frames", again, len(next.At))
	}
	for k := 60; k < 65; k++ {
		rates[k] = 1.8
	}
	rates[19] = 1.5 // a jolt just before the motion slows down its beginning
	given := append([]float64(nil), rates...)
	next, again := x.Slower(rates, p)
	if !again || len(next.At) <= n || len(x.At) != n || !slices.Equal(rates, given) {
		t.Errorf("%v, %d frames; the input has %d, rates at the beginning %g", again, len(next.At), len(x.At), rates[20])
	}
	if next.At[0] != 0 || next.At[len(next.At)-1] != n-1 {
		t.Errorf("from %g to %g", next.At[0], next.At[len(next.At)-1])
	}
	// Twice slowed down is where the moments of the first slowing are asked again.
	for k := 1; k < len(next.At); k++ {
		if d := next.At[k] - next.At[k-1]; d <= 0 || d > 1+1e-9 {
			t.Fatalf("frame %d: %g", k, d)
		}
	}
}

// TestSpeedsScaleWithTheRate: half as fast is half the rate, and the joint at its limit has the rate 1.
func TestSpeedsScaleWithTheRate(t *testing.T) {
	_, r := kata(t)
	for _, i := range r.Hinges() {
		q := [][]float64{append([]float64(nil), r.An.Ref...), append([]float64(nil), r.An.Ref...)}
		q[1][r.DofQ[i]] += r.SpeedRadPerS[i] * speedGap / fps
		if v := Speeds(r, q, fps)[0]; math.Abs(v-1) > 1e-9 {
			t.Errorf("joint %d at its limit: rate %g", i, v)
		}
		if v := Speeds(r, q, fps/2)[0]; math.Abs(v-0.5) > 1e-9 {
			t.Errorf("joint %d at half of it: rate %g", i, v)
		}
	}
}

// TestTorquesAskForTheLeastTime: slowed down by what torqueRate says, the servos give enough; by less, not.
func TestTorquesAskForTheLeastTime(t *testing.T) {
	b, r := kata(t)
	check, err := feasible.New(b)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Derive(squats(r, 1, 0.42), fps)
	p := &plan.Plan{Robot: r, FPS: fps, Contacts: both(len(m.Q))}
	share := func(at int, k float64) float64 {
		vel, acc := make([]float64, len(m.Vel[at])), make([]float64, len(m.Vel[at]))
		for i := range vel {
			vel[i], acc[i] = m.Vel[at][i]/k, m.Acc[at][i]/(k*k)
		}
		return check.TorqueShare(m.Q[at], vel, acc, p.Contacts[at], r.IsArm)
	}
	found := 0
	for at := 1; at+1 < len(m.Q); at++ {
		k := torqueRate(m, p, check, at, 1)
		if share(at, 1) > torqueShare && share(at, slowestMax) <= torqueShare {
			found++
			if share(at, k) > torqueShare+1e-9 || share(at, 0.96*k) <= torqueShare {
				t.Errorf("frame %d: slowed down by %.2f its servos need %.2f, by 4 %% less %.2f", at, k, share(at, k), share(at, 0.96*k))
			}
		} else if k != 1 {
			t.Errorf("frame %d: slowed down by %.2f for nothing", at, k)
		}
	}
	if found == 0 {
		t.Error("no servo was overloaded: the test tests nothing")
	}
}

// TestDraftLeavesArmsToTheArms: what arms need is taken from needs, not from their speeds; and a need is never lowered.
func TestDraftLeavesArmsToTheArms(t *testing.T) {
	_, r := kata(t)
	q := squats(r, 0.5, 2)
	for i, arm := range r.IsArm {
		if arm {
			q[50][r.DofQ[i]] += 1 // a wild arm
		}
	}
	p := &plan.Plan{Robot: r, FPS: fps, Contacts: both(len(q))}
	needs := make([]float64, len(q)-1)
	needs[10] = 1.7
	rates := Draft(physique.Motion{Q: q, FPS: fps}, p, needs, nil)
	if rates[10] != 1.7 || rates[49] > 1 || rates[50] > 1 || needs[49] != 0 {
		t.Errorf("need %g, at the wild arm %g and %g; the needs given became %g", rates[10], rates[49], rates[50], needs[49])
	}
	if v := Speeds(r, q, fps); v[49] < 1 {
		t.Errorf("the finished motion's rate there is %g", v[49])
	}
}

// TestEnforceKeepsTheLimits: after it no joint is faster than its limit, none is outside its range, both ends are where
// they were, the feet that stood both before and after an instant stand in it; and what is slow enough is left alone.
func TestEnforceKeepsTheLimits(t *testing.T) {
	_, r := kata(t)
	for _, periodS := range []float64{4, 0.8, 0.3} {
		q := squats(r, 1.2, periodS)
		stands := both(len(q))
		stands[len(q)/2] = [2]bool{true, false}
		was := Speeds(r, q, fps)
		f := Enforce(r, q, stands, fps)
		worst := 0.0
		for _, v := range was {
			worst = math.Max(worst, v)
		}
		if f.Retimed != (worst > 1) || worst <= 1 && len(f.Q) != len(q) || worst > 1 && len(f.Q) <= len(q) {
			t.Errorf("period %g, rate %.2f: retimed %v, %d frames from %d", periodS, worst, f.Retimed, len(f.Q), len(q))
		}
		for k, v := range Speeds(r, f.Q, fps) {
			if v > 1 {
				t.Fatalf("period %g, step %d: rate %g", periodS, k, v)
			}
		}
		for k := range f.Q {
			if k > 0 && f.Frame[k] < f.Frame[k-1] || !f.Stands[k][0] {
				t.Fatalf("period %g, frame %d: from %d after %d, stands %v", periodS, k, f.Frame[k], f.Frame[max(k-1, 0)], f.Stands[k])
			}
			for _, i := range r.Hinges() {
				if v := f.Q[k][r.DofQ[i]]; v < r.LoRad[i] || v > r.HiRad[i] {
					t.Fatalf("period %g, frame %d: joint %d at %g", periodS, k, i, v)
				}
			}
		}
		for i := range q[0] {
			if a, b := f.Q[0][i]-q[0][i], f.Q[len(f.Q)-1][i]-q[len(q)-1][i]; math.Abs(a) > 1e-12 || math.Abs(b) > 1e-12 {
				t.Errorf("period %g: the ends moved by %g and %g", periodS, a, b)
			}
		}
	}
}

// TestBetweenGoesThroughTheFrames: at f = 0 and 1 it is at the frames, and reversed in time it is the same curve.
func TestBetweenGoesThroughTheFrames(t *testing.T) {
	_, r := kata(t)
	q := squats(r, 0.9, 1)
	back := make([][]float64, len(q))
	for k := range q {
		back[k] = q[len(q)-1-k]
	}
	a, b := make([]float64, len(q[0])), make([]float64, len(q[0]))
	for k := 3; k < 20; k++ {
		for _, f := range []float64{0, 0.25, 0.5, 1} {
			between(r, a, q, k, f)
			between(r, b, back, len(q)-2-k, 1-f)
			for i := range a {
				if math.Abs(a[i]-b[i]) > 1e-12 {
					t.Fatalf("frame %d + %g: %g forwards, %g backwards", k, f, a[i], b[i])
				}
				if f == 0 && math.Abs(a[i]-q[k][i]) > 1e-12 || f == 1 && math.Abs(a[i]-q[k+1][i]) > 1e-12 {
					t.Fatalf("frame %d + %g: %g", k, f, a[i])
				}
			}
		}
	}
}
