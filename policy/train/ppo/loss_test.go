package ppo

import (
	"math"
	"testing"
)

func TestAFlatClippedSampleHasNoGradient(t *testing.T) {
	std := 0.2
	f := policyLoss(1, 1, 0.2, &std)
	for _, c := range []struct {
		mean, act, old, adv float32
		flat                bool
	}{
		{mean: 0.2, act: 0.3, old: 0, adv: 1, flat: true},   // already much likelier: no more reward for it
		{mean: 0.2, act: 0.3, old: 0, adv: -1, flat: false}, // likelier and bad: push back
		{mean: -0.2, act: 0.3, old: 0, adv: -1, flat: true},
		{mean: -0.2, act: 0.3, old: 0, adv: 1, flat: false},
		{mean: 0, act: 0.3, old: 0, adv: 1, flat: false},
	} {
		grad := make([]float32, 1)
		s := f(grad, []float32{c.mean}, []float32{c.act, c.old, c.adv})
		if (grad[0] == 0) != c.flat {
			t.Errorf("%+v: gradient %g", c, grad[0])
		}
		if want := float64(c.mean) * float64(c.mean) / 2 / 0.04; math.Abs(s.Own[ownKL]-want) > 1e-6 {
			t.Errorf("%+v: KL %g, want %g", c, s.Own[ownKL], want)
		}
	}
}

// The gradient with respect to the outputs; what lies before them is network's.
func TestPolicyGradientAgainstFiniteDifferences(t *testing.T) {
	const rows, acts = 6, 3
	std := 0.3
	f := policyLoss(rows, acts, 0.2, &std)
	out, grad, data := make([]float32, rows*acts), make([]float32, rows*acts), make([]float32, rows*dataCols(acts))
	for i := range out {
		out[i] = float32(0.2 * math.Sin(float64(3*i)))
	}
	for i := range data {
		data[i] = float32(0.4 * math.Cos(float64(5*i)))
	}
	loss := func() float64 { return f(make([]float32, rows*acts), out, data).Loss }
	f(grad, out, data)
	nonzero := 0
	for i := range out {
		const h = 1e-3 // rounding 1e-7/h
		x := out[i]
		out[i] = x + h
		up := loss()
		out[i] = x - h
		down := loss()
		out[i] = x
		if want := (up - down) / (2 * h); math.Abs(float64(grad[i])-want) > 1e-3*(1+math.Abs(want)) {
			t.Errorf("output %d: gradient %g, differences give %g", i, grad[i], want)
		}
		if grad[i] != 0 {
			nonzero++
		}
	}
	if nonzero < rows {
		t.Errorf("only %d of %d gradients are not zero: the test says little", nonzero, rows*acts)
	}
}
