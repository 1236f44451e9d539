//go:build mujoco && cgo

package worlds

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// What a Start says of the first push holds, and the pushes after it keep their
// distance.
func TestFirstPushIsWhenTheStartSays(t *testing.T) {
	e := open(t, 1, 1)
	rows := rowsOf(e)
	r := rollout.Nominal()
	r.PushSpeedMPerS, r.PushEveryS = [2]float64{0.2, 0.2}, [2]float64{0.6, 0.6}
	for _, c := range []struct {
		firstS float64
		want   []int
	}{{0, []int{30, 60, 90}}, {0.25, []int{13, 43, 73}}, {0.6, []int{30, 60, 90}}} {
		s := standing(e, 4, 0)
		s[0].FirstPushS = c.firstS
		must(t, e.Reset(s, r, rows))
		var at []int
		for k := range 100 {
			due := e.worlds[0].NextPushS
			must(t, e.Step(e.scene.StandRad, rows))
			if e.worlds[0].NextPushS != due {
				at = append(at, k)
			}
		}
		if !slices.Equal(at, c.want) {
			t.Errorf("first push after %g s: pushes in periods %v; want %v", c.firstS, at, c.want)
		}
	}
	s := standing(e, 4, 0)
	s[0].FirstPushS = math.NaN()
	if err := e.Reset(s, r, rows); err == nil || !strings.Contains(err.Error(), "first push") {
		t.Errorf("a first push at no time: %v", err)
	}
}

// A delay that the steps cannot make is refused, not rounded in silence.
func TestFixedDelaysAreExactOrRefused(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		subSteps int
		delayS   float64
		ok       bool
	}{{5, 0.025, false}, {4, 0.025, true}, {8, 0.025, true}, {5, 0.02, true}, {8, 0.0225, true}, {8, 0.023, false}} {
		e, err := New(b, Config{Worlds: 1, Threads: 1, SubSteps: c.subSteps})
		if err != nil {
			t.Fatal(err)
		}
		r, rows := rollout.Nominal(), rowsOf(e)
		r.DelayS = [2]float64{c.delayS, c.delayS}
		err = e.Reset(standing(e, 1, 0), r, rows)
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "multiple") {
			t.Errorf("%g ms in steps of %g ms: %v", 1e3*c.delayS, 20/float64(c.subSteps), err)
		}
		if got := e.layout.Row(rows, 0).Params[4]; err == nil && math.Abs(got-c.delayS) > 1e-12 {
			t.Errorf("%g ms is %g ms", 1e3*c.delayS, 1e3*got)
		}
		e.Close()
	}
}

// The cone changes the motion, and a state under one is no state under the other.
func TestConeIsPartOfTheWorld(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	var ends [2][]float64
	var saved [2]bytes.Buffer
	var envs [2]*Env
	for i := range ends {
		e, err := New(b, Config{Worlds: 1, Threads: 1, EllipticCone: i == 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		rows, r := rowsOf(e), rollout.Nominal()
		r.Friction = [2]float64{0.2, 0.2}
		s := standing(e, 3, 0)
		s[0].RootLinVelMPerS = [3]float64{0.3, 0.3, 0}
		must(t, e.Reset(s, r, rows))
		for range 25 {
			must(t, e.Step(e.scene.StandRad, rows))
		}
		ends[i] = append([]float64(nil), e.layout.Row(rows, 0).RootPosM...)
		must(t, e.SaveState(&saved[i]))
		envs[i] = e
	}
	if d := math.Hypot(ends[0][0]-ends[1][0], ends[0][1]-ends[1][1]); d < 1e-3 {
		t.Errorf("the root ends %.2g m apart under the two cones", d)
	}
	if err := envs[0].LoadState(&saved[1]); err == nil {
		t.Error("a state of elliptic cones was loaded into pyramids")
	}
}
