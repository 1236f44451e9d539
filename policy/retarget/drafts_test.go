package retarget

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/pace"
	"github.com/mitori-robotics/mitori/policy/retarget/wholebody"
)

// drafted returns a retargeting after its first draft.
func drafted(t testing.TB, r *Retargeter, m *human.Motion, tempo float64) *draft {
	t.Helper()
	o := Options{Tempo: tempo, Amplify: 1, FPS: r.robot.Desc.PolicyRateHz}
	d, err := r.once(seen(r, m, tempo), pace.Asked(len(o.moments(m))), o.FPS, wholebody.New(r.robot))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// seen returns what is read off a motion.
func seen(r *Retargeter, m *human.Motion, tempo float64) *observe.Performance {
	o := Options{Tempo: tempo, Amplify: 1, FPS: r.robot.Desc.PolicyRateHz}
	return observe.Read(m, o.moments(m), observe.Options{FPS: o.FPS, Soft: 1, Amplify: 1})
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
	runs := func(p *observe.Performance) (n [2]int) {
		for s := range n {
			for t := 1; t < len(p.Intents); t++ {
				if p.Intents[t].On[s] != p.Intents[t-1].On[s] {
					n[s]++
				}
			}
		}
		return n
	}
	read := seen(r, m, 1)
	asked := pace.Asked(len(read.Intents)).At
	var slow []float64
	for u := 0.0; u < float64(len(asked)-1); u += 0.23 {
		slow = append(slow, u)
	}
	if a, b := runs(read.At(asked, 0)), runs(read.At(slow, 0)); a != b || a[0] == 0 {
		t.Errorf("%v changes of contact, slowed down %v", a, b)
	}
	for k, in := range read.At(asked, 0).Intents { // at the person's own pace nothing changes
		if d := in.Upper[0].Sub(read.Intents[k].Upper[0]).Norm(); d > 1e-9 || math.Abs(in.Hip-read.Intents[k].Hip) > 1e-9 {
			t.Fatalf("frame %d differs from what was read", k)
		}
	}
}
