//go:build mujoco && cgo

package eval

import (
	"context"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// probe stands, moves an arm from period probeAt on, and keeps what it was told
// and what is true.
type probe struct {
	p    *player
	step int
	rows [][]rollout.Row // world, step
}

const (
	probeAt    = 10
	probeJoint = 12
	calmAt     = 60 // period in which a robot that is not pushed stands still
)

func (c *probe) Forward(dst, _ []float32, count int) {
	clear(dst)
	for w := range count {
		if c.step >= probeAt {
			dst[w*len(standRad)+probeJoint] = 1.2 // 0.3 rad
		}
		c.rows[w] = append(c.rows[w], clone(c.p.runner.Row(w), c.p.layout))
	}
	c.step++
}

func clone(r rollout.Row, l rollout.Layout) rollout.Row {
	c := l.Row(make([]float64, l.RowLen()), 0)
	for _, part := range [][2][]float64{
		{c.JointPosRad, r.JointPosRad}, {c.JointVelRadPerS, r.JointVelRadPerS}, {c.GyroRadPerS, r.GyroRadPerS}, {c.Gravity, r.Gravity},
		{c.RootLinVelMPerS, r.RootLinVelMPerS}, {c.RootAngVelRadPerS, r.RootAngVelRadPerS},
		{c.TrueJointPosRad, r.TrueJointPosRad}, {c.TrueJointVelRadPerS, r.TrueJointVelRadPerS}, {c.Params, r.Params},
	} {
		copy(part[0], part[1])
	}
	return c
}

// effects are what an episode's condition did, as measured.
type effects struct {
	startRad                             float64 // standard deviation of the joints' error at the start
	pushMPerS                            float64 // change of the root's horizontal speed in the period of the push
	lateS                                float64 // from the arm's command to its motion, in whole periods
	delayS                               float64 // as reported
	jointRad, jointRadPerS, gyro, tilted float64 // standard deviation of the sensors' noise
	friction, mass, gain, torque         float64
}

// measured plays n episodes and returns the effects of each; standard deviations
// are over all of them.
func measured(t *testing.T, c Condition, n int) []effects {
	t.Helper()
	ts := test(t, 1.5, nil)
	ts.Episodes, ts.CardEpisodes, ts.Seed = n, n, DefaultSeed
	p, err := newPlayer(t.Context(), &ts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var seen [][]rollout.Row
	episodes, err := p.play(c, n, func(count int) Actor {
		seen = make([][]rollout.Row, count)
		return &probe{p: p, rows: seen}
	})
	if err != nil {
		t.Fatal(err)
	}
	var start, joint, speed, gyro, gravity spread
	out := make([]effects, n)
	for i, rows := range seen {
		e := &out[i]
		e.lateS, e.delayS = math.NaN(), episodes[i].Dynamics.DelayS
		pushAt := calmAt
		if first := episodes[i].Dynamics.FirstPushS; first > 0 {
			pushAt = int(math.Ceil(first/p.layout.PeriodS - 1e-9))
		}
		for k := range rows {
			row := rows[k]
			for j, q := range row.TrueJointPosRad {
				joint.add(row.JointPosRad[j] - q)
				speed.add(row.JointVelRadPerS[j] - row.TrueJointVelRadPerS[j])
				if k == 0 {
					start.add(q - standRad[j])
				}
			}
			for x := range 3 {
				gyro.add(row.GyroRadPerS[x] - row.RootAngVelRadPerS[x])
			}
			if k == 0 { // the root is upright
				gravity.add(row.Gravity[0])
				gravity.add(row.Gravity[1])
			}
			if math.IsNaN(e.lateS) && k > probeAt && math.Abs(row.TrueJointVelRadPerS[probeJoint]) > 0.15 {
				e.lateS = float64(k-probeAt-1) * p.layout.PeriodS
			}
			if k == pushAt+1 {
				before := rows[k-1]
				e.pushMPerS = math.Hypot(row.RootLinVelMPerS[0]-before.RootLinVelMPerS[0], row.RootLinVelMPerS[1]-before.RootLinVelMPerS[1])
			}
			e.friction, e.mass, e.gain, e.torque = row.Params[0], row.Params[1], row.Params[2], row.Params[3]
		}
	}
	for i := range out {
		out[i].startRad, out[i].jointRad, out[i].jointRadPerS = start.deviation(), joint.deviation(), speed.deviation()
		out[i].gyro, out[i].tilted = gyro.deviation(), gravity.deviation()
	}
	return out
}

// spread sums up numbers around 0.
type spread struct{ sum, n float64 }

func (s *spread) add(v float64)      { s.sum, s.n = s.sum+v*v, s.n+1 }
func (s *spread) deviation() float64 { return math.Sqrt(s.sum / s.n) }

// Every condition of the card does what its text says, in the size it says, and
// nothing else; the hard set does all of what it says.
func TestConditionsDoWhatTheySay(t *testing.T) {
	const n = 8
	clean := effects{startRad: 0.02, friction: rollout.Nominal().Friction[0], mass: 1, gain: 1, torque: 1}
	want := map[string]func(e *effects){
		"clean":         func(*effects) {},
		"pushes":        func(e *effects) { e.pushMPerS = 0.3 },
		"elliptic cone": func(e *effects) { e.pushMPerS = 0.3 },
		"delay":         func(e *effects) { e.lateS, e.delayS = 0.02, 0.025 }, // seen once a period
		"weak motors":   func(e *effects) { e.gain, e.torque = 0.8, 0.8 },
		"slippery":      func(e *effects) { e.friction = 0.4 },
		"noise":         func(e *effects) { e.jointRad, e.jointRadPerS, e.gyro, e.tilted = 0.01, 0.3, 0.1, 0.02 },
	}
	check := func(name string, i int, got, want effects) {
		t.Helper()
		for _, c := range []struct {
			what              string
			got, want, within float64
		}{
			// 160 draws, cut off at the joints' limits; 16 of gravity.
			{"error at the start", got.startRad, want.startRad, 0.25 * want.startRad},
			// The floor takes up to half of a push within the period.
			{"push", got.pushMPerS, 0.75 * want.pushMPerS, max(0.03, 0.4*want.pushMPerS)},
			{"delay", got.lateS, want.lateS, 1e-9},
			{"reported delay", got.delayS, want.delayS, 1e-15},
			{"joint noise", got.jointRad, want.jointRad, 0.1*want.jointRad + 1e-9},
			{"joint speed noise", got.jointRadPerS, want.jointRadPerS, 0.1*want.jointRadPerS + 1e-9},
			{"gyro noise", got.gyro, want.gyro, 0.1*want.gyro + 1e-9},
			{"gravity noise", got.tilted, want.tilted, 0.5*want.tilted + 1e-9},
			{"friction", got.friction, want.friction, 1e-9},
			{"mass", got.mass, want.mass, 1e-9},
			{"gain", got.gain, want.gain, 1e-9},
			{"torque", got.torque, want.torque, 1e-9},
		} {
			if !(math.Abs(c.got-c.want) <= c.within) {
				t.Errorf("%s, episode %d: %s %.4g, want %.4g +- %.2g", name, i, c.what, c.got, c.want, c.within)
			}
		}
	}
	for _, c := range Card() {
		edit, ok := want[c.Name]
		if !ok {
			t.Errorf("condition %q is not tested", c.Name)
			continue
		}
		e := clean
		edit(&e)
		for i, got := range measured(t, c, n) {
			check(c.Name, i, got, e)
		}
	}
	drawn := map[effects]bool{}
	for i, got := range measured(t, Hard(), n) {
		drawn[effects{friction: got.friction, mass: got.mass, gain: got.gain}] = true
		e := clean
		want["noise"](&e)
		e.pushMPerS = 0.2
		e.lateS = 0.02 * float64(i%2)
		e.delayS = e.lateS
		for what, r := range map[string][3]float64{"friction": {got.friction, 0.5, 1.2}, "mass": {got.mass, 0.9, 1.1}, "gain": {got.gain, 0.9, 1.1}} {
			if r[0] < r[1] || r[0] > r[2] {
				t.Errorf("hard, episode %d: %s %g, want %g to %g", i, what, r[0], r[1], r[2])
			}
		}
		e.friction, e.mass, e.gain = got.friction, got.mass, got.gain
		check("hard", i, got, e)
	}
	if len(drawn) != n {
		t.Errorf("hard: %d different worlds in %d episodes", len(drawn), n)
	}
}

// Pushes come at every moment of a motion: the first of an episode anywhere in
// the first span between two, as often in each quarter of it, and by its seed alone.
func TestFirstPushesAreSpread(t *testing.T) {
	r := Hard().Dynamics
	const n = 400
	var quarters [4]int
	seen := map[float64]bool{}
	for i := range n {
		at := firstPush(DefaultSeed+uint64(i), &r)
		if !(at > 0 && at <= r.PushEveryS[1]) {
			t.Fatalf("seed %d: first push after %g s; want within %g s", DefaultSeed+i, at, r.PushEveryS[1])
		}
		if at != firstPush(DefaultSeed+uint64(i), &r) {
			t.Fatal("the same seed pushes at another time")
		}
		quarters[min(3, int(4*at/r.PushEveryS[1]))]++
		seen[at] = true
	}
	for q, k := range quarters {
		if k < n/4-45 || k > n/4+45 { // five standard deviations
			t.Errorf("%d of %d first pushes fall into quarter %d; want %d", k, n, q+1, n/4)
		}
	}
	if len(seen) != n {
		t.Errorf("%d different times in %d episodes", len(seen), n)
	}
	calm := Card()[0].Dynamics
	if at := firstPush(1, &calm); at != 0 {
		t.Errorf("without pushes the first comes after %g s; want 0, none", at)
	}
}

// The line of elliptic cones has the worlds and pushes of the line of pushes, and
// another floor.
func TestConesAreComparedLikeForLike(t *testing.T) {
	ts := test(t, 2, nil)
	ts.Episodes, ts.CardEpisodes, ts.Seed = 4, 4, DefaultSeed
	p, err := newPlayer(context.Background(), &ts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	played := map[string][]Episode{}
	for _, c := range Card() {
		if played[c.Name], err = p.play(c, 4, Playback); err != nil {
			t.Fatal(err)
		}
	}
	for i, a := range played["pushes"] {
		b := played["elliptic cone"][i]
		if a.Dynamics != b.Dynamics || a.Seed != b.Seed {
			t.Errorf("episode %d: %+v and %+v; want the same worlds", i, a.Dynamics, b.Dynamics)
		}
		if a.RootErrorCm == b.RootErrorCm && a.FootSlipMPerS == b.FootSlipMPerS {
			t.Errorf("episode %d is the same on both floors", i)
		}
	}
}
