package rollout_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// The views of all rows share out the packed array: each number belongs to exactly one of them.
func TestRowsShareOutTheArray(t *testing.T) {
	for _, l := range []rollout.Layout{{Worlds: 1, Joints: 1}, {Worlds: 3, Joints: 20}, {Worlds: 2, Joints: 0}} {
		rows := make([]float64, l.Worlds*l.RowLen())
		for w := range l.Worlds {
			row := reflect.ValueOf(l.Row(rows, w))
			for i := range row.NumField() {
				for k := range row.Field(i).Len() {
					at := row.Field(i).Index(k).Addr().Interface().(*float64)
					*at++
				}
				if s := row.Field(i); s.Cap() != s.Len() {
					t.Errorf("%+v: %s could grow into its neighbour", l, row.Type().Field(i).Name)
				}
			}
		}
		for i, v := range rows {
			if v != 1 {
				t.Fatalf("%+v: number %d of the array is in %g views", l, i, v)
			}
		}
	}
}

// ranges visits every number of a randomisation.
func ranges(r *rollout.Randomization, visit func(name string, v *float64)) {
	s := reflect.ValueOf(r).Elem()
	for i := range s.NumField() {
		name := s.Type().Field(i).Name
		switch p := s.Field(i).Addr().Interface().(type) {
		case *float64:
			visit(name, p)
		case *[2]float64:
			visit(name, &p[0])
			visit(name, &p[1])
		}
	}
}

// Lerp takes every number along, in proportion; a range that a later change adds and Lerp forgets fails here.
func TestLerpTakesEverythingAlong(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	stepwise := map[string]bool{"PushEveryS": true, "ServoSpeedRadPerS": true}
	numbers := func(r rollout.Randomization) (out []float64, names []string) {
		ranges(&r, func(n string, v *float64) { out, names = append(out, *v), append(names, n) })
		return out, names
	}
	for _, share := range []float64{-1, 0, 0.25, 0.5, 1, 2} {
		var a, b rollout.Randomization
		ranges(&a, func(_ string, v *float64) { *v = rng.NormFloat64() })
		ranges(&b, func(_ string, v *float64) { *v = rng.NormFloat64() })
		x, names := numbers(a)
		y, _ := numbers(b)
		got, _ := numbers(rollout.Lerp(a, b, share))
		s := min(max(share, 0), 1)
		for i, n := range names {
			want := x[i] + s*(y[i]-x[i])
			if stepwise[n] && s > 0 {
				want = y[i]
			}
			if math.Abs(got[i]-want) > 1e-12 {
				t.Errorf("%s at %g: %g, want %g (from %g to %g)", n, share, got[i], want, x[i], y[i])
			}
		}
	}
}

// Hard contains Nominal: whoever stands hard dynamics has seen the model as described.
func TestHardContainsNominal(t *testing.T) {
	n, h := reflect.ValueOf(rollout.Nominal()), reflect.ValueOf(rollout.Hard())
	for i := range n.NumField() {
		name := n.Type().Field(i).Name
		a, ok := n.Field(i).Interface().([2]float64)
		b, _ := h.Field(i).Interface().([2]float64)
		if ok && a != [2]float64{} && (a[0] < b[0] || a[1] > b[1]) {
			t.Errorf("%s: nominal %v is outside of hard %v", name, a, b)
		}
		if ok && b[0] > b[1] {
			t.Errorf("%s: hard %v is no range", name, b)
		}
		if x, one := n.Field(i).Interface().(float64); one && (x < 0 || x > h.Field(i).Float()) {
			t.Errorf("%s: nominal %g, hard %g", name, x, h.Field(i).Float())
		}
	}
}
