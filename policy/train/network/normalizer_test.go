package network

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestNormalizerIsTheMomentsOfAllInputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 3*1000)
	for i := 0; i < len(x); i += 3 {
		x[i], x[i+1], x[i+2] = float32(5+2*rng.NormFloat64()), float32(rng.Float64()), 7
	}
	n := NewNormalizer(3)
	if e := n.Export(); e.InvStd[0] != 1 || e.Mean[0] != 0 {
		t.Errorf("before any input: %+v", e)
	}
	n.Add(x[:30])
	n.Add(x[30:1200])
	n.Add(x[1200:])
	for k := range 3 {
		col := make([]float64, 1000)
		for r := range col {
			col[r] = float64(x[3*r+k])
		}
		var mean, std float64
		for _, v := range col {
			mean += v / 1000
		}
		for _, v := range col {
			std += (v - mean) * (v - mean) / 1000
		}
		std = math.Sqrt(std)
		e := n.Export()
		if math.Abs(float64(e.Mean[k])-mean) > 1e-5 || math.Abs(float64(e.InvStd[k])*max(std, minStd)-1) > 1e-5 {
			t.Errorf("column %d: mean %g scale %g, want %g and 1/%g", k, e.Mean[k], e.InvStd[k], mean, max(std, minStd))
		}
	}
}

func TestStatesOfOtherNetworksAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := New([]int{3, 4, 2}, 1, rng)
	before := n.W[0]
	for name, s := range map[string]State{"another": New([]int{3, 5, 2}, 1, rng).State(), "none": {},
		"moments": {W: n.W, M: n.m[1:], V: n.v}} {
		if err := n.SetState(s); !errors.Is(err, ErrState) || n.W[0] != before {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := &n.W[0]
	other := New([]int{3, 4, 2}, 1, rng)
	other.steps, other.m[1] = 7, 5
	if err := n.SetState(other.State()); err != nil || n.steps != 7 || n.m[1] != 5 || n.W[0] != other.W[0] || w != &n.W[0] {
		t.Errorf("a state of this size: %v, or it is not copied in place", err)
	}
	if err := NewNormalizer(3).SetState(*NewNormalizer(4)); !errors.Is(err, ErrState) {
		t.Errorf("normaliser: %v", err)
	}
}
