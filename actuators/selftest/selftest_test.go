package selftest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/selftest"
)

// A healthy robot is healthy joint by joint, in whatever pose it hangs and with whatever
// weight of its own limbs.
func TestHealthyRobotIsAllOK(t *testing.T) {
	for what, change := range map[string]func(r *rig){
		"as it hangs":    nil,
		"without weight": func(r *rig) { clear(r.plant.LoadNm) },
		"heavy limbs": func(r *rig) {
			for j := range r.plant.LoadNm {
				r.plant.LoadNm[j] = 0.7 * float64(1-2*(j%2))
			}
		},
		"at the ends": func(r *rig) { r.plant.Set(3, -0.05); r.plant.Set(15, 0.05) },
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, change)
			all := r.run(nil)
			if !selftest.Passed(all) || len(all) != 20 {
				for _, v := range all {
					t.Log(v.String())
				}
				t.Errorf("%d verdicts; stopped: %q; states %v", len(all), r.session.Stopped(), r.states)
			}
		})
	}
}

// Whatever the range and the place in it: a move is slow, stays within the range (or goes
// straight into it), moves nothing else and ends where it began.
func TestMovesAreSlowAndSmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 2000 {
		l := guard.Joint{MinRad: -3 * rng.Float64()}
		l.MaxRad = l.MinRad + 0.05 + 3*rng.Float64()
		at := l.MinRad + rng.Float64()*(l.MaxRad-l.MinRad)
		m, err := selftest.NewMover([]guard.Joint{{MinRad: -1, MaxRad: 1}, l}, tick)
		if err != nil {
			t.Fatal(err)
		}
		m.Select(1)
		m.Enter([]float64{0.3, at})
		last, q := at, make([]float64, 2)
		standing, n := false, 0
		for ; !standing; n++ {
			if standing, err = m.Act(q, nil, true); err != nil || n > 10_000 {
				t.Fatalf("%v after %d periods", err, n)
			}
			if d := math.Abs(q[1] - last); d > 0.3*tick.Seconds()+1e-9 || q[0] != 0.3 || q[1] < l.MinRad || q[1] > l.MaxRad || math.Abs(q[1]-at) > 0.1+1e-9 {
				t.Fatalf("from %.4f in %.3f..%.3f: at %v after %.4f, a step of %.5f", at, l.MinRad, l.MaxRad, q, last, d)
			}
			last = q[1]
		}
		if last != at {
			t.Fatalf("ends at %g, began at %g", last, at)
		}
	}
}

// Each fault is named, at its joint, and at no other.
func TestEachFaultIsNamedRight(t *testing.T) {
	for what, c := range map[string]struct {
		fault  string
		change func(r *rig)
		joints []int
		want   selftest.Finding
		words  string
		ends   bool // the test cannot go on
	}{
		"dead":                    {fault: "dead:id=4", change: unloaded(3), joints: []int{3}, want: selftest.Dead, words: "replace the servo"},
		"dead under load":         {fault: "dead:id=4", joints: []int{3}, want: selftest.Dead, words: "replace the servo"},
		"weak":                    {fault: "weak:id=9,v=12", joints: []int{8}, want: selftest.Weak, words: "at only"},
		"weak without load":       {fault: "weak:id=9,v=8", change: unloaded(8), joints: []int{8}, want: selftest.Weak, words: "Check its supply"},
		"loose":                   {fault: "loose:id=16,v=4", joints: []int{15}, want: selftest.Loose, words: "degrees of play"},
		"loose without load":      {fault: "loose:id=16,v=4", change: unloaded(15), joints: []int{15}, want: selftest.Loose, words: "Tighten"},
		"reversed":                {fault: "reversed:id=13", joints: []int{12}, want: selftest.Reversed, words: "against its command", ends: true},
		"crossed":                 {fault: "crossed:id=13,v=17", joints: []int{12, 16}, want: selftest.Crossed, words: "Exchange the cables", ends: true},
		"crossed, at rest":        {fault: "crossed:id=13,v=17", change: func(r *rig) { clear(r.plant.LoadNm) }, joints: []int{12, 16}, want: selftest.Crossed, words: "shoulder_pitch", ends: true},
		"blocked":                 {change: func(r *rig) { r.plant.Stops[5] = [2]float64{-0.004, 0.004} }, joints: []int{5}, want: selftest.Blocked, words: "Look what holds it"},
		"end too early":           {change: func(r *rig) { r.plant.Stops[5] = [2]float64{-0.5, 0.03} }, joints: []int{5}, want: selftest.Slipped, words: "0.03 rad on its way to 0.10"},
		"end too early below":     {change: func(r *rig) { r.plant.Stops[5] = [2]float64{-0.02, 0.5} }, joints: []int{5}, want: selftest.Slipped, words: "on its way to -0.10"},
		"bad cable":               {fault: "silence:id=20,p=0.08", joints: []int{19}, want: selftest.BadCable, words: "answers were missing"},
		"bad cable in the middle": {fault: "silence:id=5,p=0.08", joints: []int{4}, want: selftest.BadCable, words: "the cable before it"},
	} {
		t.Run(what, func(t *testing.T) {
			var faults []string
			if c.fault != "" {
				faults = append(faults, c.fault)
			}
			r := newRig(t, c.change, faults...)
			r.session.Only = append([]int{0, 18}, c.joints...)
			all := r.run(nil)
			concerned := map[string]bool{}
			for _, j := range c.joints {
				concerned[r.session.Names[j]] = true
			}
			named := 0
			for _, v := range all {
				switch {
				case concerned[v.Joint]:
					named++
					if v.Finding != c.want || !strings.Contains(v.String(), c.words) {
						t.Errorf("%s, want %s and %q", v.String(), c.want, c.words)
					}
				case v.Finding != selftest.Healthy && !(c.ends && v.Finding == selftest.Untested):
					t.Errorf("another joint: %s", v.String())
				}
			}
			if named != len(c.joints) || len(all) != len(r.session.Only) || (r.session.Stopped() != "") != c.ends {
				t.Errorf("%d named, %d verdicts, stopped: %q; states %v", named, len(all), r.session.Stopped(), r.states)
			}
		})
	}
}

func unloaded(j int) func(r *rig) { return func(r *rig) { r.plant.LoadNm[j] = 0 } }

// A bus that loses answers of all servos is told as such, and no single plug is blamed.
func TestNoisyBus(t *testing.T) {
	r := newRig(t, nil, "drop:p=0.06")
	r.session.Only = []int{0, 12}
	for _, v := range r.run(nil) {
		if v.Finding == selftest.BadCable {
			t.Errorf("%s", v.String())
		}
	}
	if !strings.Contains(r.session.Noise(), "latency timer") {
		t.Errorf("%q; states %v, stopped %q", r.session.Noise(), r.states, r.session.Stopped())
	}
}

// A move of which too little was seen is not judged.
func TestAMoveThatWasNotSeen(t *testing.T) {
	var faults []string
	for at := 1000; at < 12_000; at += 100 { // never as long as the servo counts as lost
		faults = append(faults, fmt.Sprintf("silence:id=15,at=%dms,for=30ms", at))
	}
	r := newRig(t, nil, faults...)
	r.session.Only = []int{0, 14}
	all := r.run(nil)
	if len(all) != 2 || all[0].Finding != selftest.Healthy || all[1].Finding != selftest.Untested || !strings.Contains(all[1].What, "not seen") {
		t.Errorf("%+v, stopped %q", all, r.session.Stopped())
	}
}

// What no encoder tells, somebody who looks on does.
func TestWhoLooksOnIsAsked(t *testing.T) {
	answers := map[int]selftest.Answer{2: selftest.Opposite, 3: selftest.OtherPart, 4: selftest.Nothing, 5: selftest.FarOff}
	want := map[int]selftest.Finding{2: selftest.Reversed, 3: selftest.Crossed, 4: selftest.Loose, 5: selftest.Ratio}
	r := newRig(t, nil)
	r.session.Only = []int{0, 1, 2, 3, 4, 5}
	asked := 0
	r.session.Watch = func(j int) <-chan selftest.Answer {
		asked++
		c := make(chan selftest.Answer, 1)
		c <- answers[j]
		return c
	}
	all := r.run(nil)
	for j, v := range all {
		if f := want[j]; f == "" && v.Finding != selftest.Healthy || f != "" && v.Finding != f {
			t.Errorf("%s, want %s", v.String(), f)
		}
	}
	if asked != 6 || len(all) != 6 {
		t.Errorf("asked %d times, %d verdicts", asked, len(all))
	}
}

// A test that is stopped says which joints it has not tested; the robot settles.
func TestStopped(t *testing.T) {
	for what, c := range map[string]struct {
		fault string
		stop  time.Duration
		want  string
	}{
		"by a person":   {stop: 15 * time.Second, want: "disarm"},
		"by a failsafe": {fault: "heat:id=3,v=75,at=15s", want: "overheated"},
		"by the button": {fault: "brownout:v=9.7,at=12s", want: "voltage-low"},
	} {
		t.Run(what, func(t *testing.T) {
			var faults []string
			if c.fault != "" {
				faults = append(faults, c.fault)
			}
			r := newRig(t, nil, faults...)
			all := r.run(func(at time.Duration) bool { return c.stop > 0 && at == c.stop })
			counts := map[selftest.Finding]int{}
			for _, v := range all {
				counts[v.Finding]++
			}
			if len(all) != 20 || counts[selftest.Untested] < 5 || counts[selftest.Healthy] < 1 || !strings.Contains(r.session.Stopped(), c.want) {
				t.Errorf("%v, stopped %q, states %v", counts, r.session.Stopped(), r.states)
			}
		})
	}
}

// A robot that may not be armed is not moved, and it is said why.
func TestNotArmed(t *testing.T) {
	r := newRig(t, nil, "heat:id=3,v=65")
	all := r.run(nil)
	if !strings.Contains(r.session.Stopped(), "temperatures") || len(all) != 20 || all[0].Finding != selftest.Untested || all[0].Do != "" || len(r.states) != 1 || r.states[0] != mode.Disarmed {
		t.Errorf("stopped %q, states %v, first %+v", r.session.Stopped(), r.states, all[0])
	}
}

// Only the joints that are asked for move.
func TestOnly(t *testing.T) {
	r := newRig(t, nil)
	r.session.Only = []int{7, 3}
	all := r.run(nil)
	if len(all) != 2 || all[0].Joint != "r_hip_roll" || all[1].Joint != "l_knee" || !selftest.Passed(all) {
		t.Errorf("%+v", all)
	}
}
