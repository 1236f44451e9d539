package retarget

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
)

// TestOneFastMomentCostsOneMoment: what happens in one place must not slow down the rest.
func TestOneFastMomentCostsOneMoment(t *testing.T) {
	const fps = 50
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

func TestOpenedTakesOutSpikesOnly(t *testing.T) {
	x := []float64{1, 1, 3, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1}
	opened(x, 2)
	want := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1}
	for i := range x {
		if x[i] != want[i] {
			t.Fatalf("%v, want %v", x, want)
		}
	}
}

// drafted returns a retargeting after its first draft.
func drafted(r *Retargeter, m *human.Motion, tempo float64) *work {
	w := &work{r: r, o: Options{Tempo: tempo, Amplify: 1, FPS: r.desc.PolicyRateHz}, s: newSolver(r)}
	for k := 0; k <= int(m.Seconds()/tempo*w.o.FPS); k++ {
		w.base = append(w.base, math.Min(float64(k)/w.o.FPS*tempo, m.Seconds()))
	}
	w.whole()
	w.pf = read(observe(m, w.base, w.o.FPS, 1, false), w.o.FPS, 1).at(w.at, overlapFrames(w.o.FPS))
	w.layout()
	w.solveOnce()
	w.derive()
	return w
}

// TestTorquesAskForTheLeastTime: slowed down by what torqueRate says, the servos give enough; by less, not.
func TestTorquesAskForTheLeastTime(t *testing.T) {
	r := kata(t)
	w := drafted(r, motions(r)["squat"], 4)
	nv, found := r.kin.Tree.NV, 0
	vel, acc := make([]float64, nv), make([]float64, nv)
	share := func(at int, k float64) float64 {
		for i := range vel {
			vel[i], acc[i] = w.vel[at][i]/k, w.acc[at][i]/(k*k)
		}
		return r.check.TorqueShare(w.q[at], vel, acc, w.plan.contacts[at], r.isArm)
	}
	for at := 1; at+1 < len(w.q); at++ {
		k := w.torqueRate(at, 1)
		if share(at, 1) > torqueShare && share(at, 4) <= torqueShare {
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

// TestSlownessDoesNotChangeTheFootfalls: a touch too short to be a stance stays one, however slow the robot is.
func TestSlownessDoesNotChangeTheFootfalls(t *testing.T) {
	r := kata(t)
	m := motions(r)["march"]
	for t := range m.Frames {
		if t%22 < 2 { // touches of the floor
			m.Frames[t].Contacts = [4]float64{1, 1, 1, 1}
		}
	}
	w := drafted(r, m, 1)
	runs := func(pf *perform) (n [2]int) {
		for s := range n {
			for t := 1; t < len(pf.intents); t++ {
				if pf.intents[t].on[s] != pf.intents[t-1].on[s] {
					n[s]++
				}
			}
		}
		return n
	}
	slow := make([]float64, 0, 4*len(w.at))
	for u := 0.0; u < float64(len(w.base)-1); u += 0.23 {
		slow = append(slow, u)
	}
	done := read(observe(m, w.base, w.o.FPS, 1, false), w.o.FPS, 1)
	if a, b := runs(done.at(w.at, 0)), runs(done.at(slow, 0)); a != b || a[0] == 0 {
		t.Errorf("%v changes of contact, slowed down %v", a, b)
	}
	for k, in := range done.at(w.at, 0).intents { // at the person's own pace nothing changes
		if d := in.upper[0].Sub(done.intents[k].upper[0]).Norm(); d > 1e-9 || math.Abs(in.hip-done.intents[k].hip) > 1e-9 {
			t.Fatalf("frame %d differs from what was read", k)
		}
	}
}

// TestLeadsGrowOnlyWhileItHelps: a jolt that more time does not take away shall not make the clip longer.
func TestLeadsGrowOnlyWhileItHelps(t *testing.T) {
	grow := func(rate func(leadS float64) float64) float64 {
		w := &work{o: Options{FPS: 50}, leadS: [2]float64{leadS, leadS}}
		for round := 0; round < stretchRound; round++ {
			w.longer(0, []float64{0.5, rate(w.leadS[0]), rate(w.leadS[0])})
		}
		return w.leadS[0]
	}
	if s := grow(func(float64) float64 { return 2 }); s != leadS {
		t.Errorf("a jolt that stays makes the lead-in %.2f s long", s)
	}
	if s := grow(func(s float64) float64 { return 2.5 / s }); s < 1.6 {
		t.Errorf("a fast lead-in is left at %.2f s", s)
	}
}
