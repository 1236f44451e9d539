package curve

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMinJerkStartsAndEndsAtRest: first and second differences vanish at both ends, it only rises, it is its own mirror
// image.
func TestMinJerkStartsAndEndsAtRest(t *testing.T) {
	const h = 1e-4
	for _, end := range []float64{0, 1} {
		inside := end + h*(1-2*end)
		if v := (MinJerk(inside) - MinJerk(end)) / h; math.Abs(v) > 1e-6 {
			t.Errorf("at %g the speed is %g", end, v)
		}
		if a := (MinJerk(end+h) - 2*MinJerk(end) + MinJerk(end-h)) / (h * h); math.Abs(a) > 0.01 {
			t.Errorf("at %g the acceleration is %g", end, a)
		}
	}
	last := 0.0
	for x := -0.5; x < 1.5; x += 0.01 {
		v := MinJerk(x)
		if v < last || math.Abs(v+MinJerk(1-x)-1) > 1e-12 || x <= 0 && v != 0 || x >= 1 && v != 1 {
			t.Errorf("at %g it is %g after %g", x, v, last)
		}
		last = v
	}
}

// TestGaussKeepsLinesAndSmoothsNoise: a straight line stays one up to its ends, reversed input gives reversed output, a
// spike keeps its sum, and white noise loses what theory says: its variance falls to 1 / (2 sqrt(pi) width).
func TestGaussKeepsLinesAndSmoothsNoise(t *testing.T) {
	var g Gauss
	line := make([]float64, 50)
	for i := range line {
		line[i] = 3 - 0.7*float64(i)
	}
	g.Smooth(line, 4)
	for i, v := range line {
		if math.Abs(v-(3-0.7*float64(i))) > 1e-9 {
			t.Fatalf("line[%d] = %g", i, v)
		}
	}
	r := rand.New(rand.NewPCG(1, 0))
	x, back := make([]float64, 20000), make([]float64, 20000)
	for i := range x {
		x[i] = r.NormFloat64()
		back[len(back)-1-i] = x[i]
	}
	const width = 3.0
	g.Each(len(x), width, func(t int) *float64 { return &x[t] })
	g.Smooth(back, width)
	power := 0.0
	for i := range x {
		power += x[i] * x[i] / float64(len(x))
		if math.Abs(x[i]-back[len(back)-1-i]) > 1e-12 {
			t.Fatalf("sample %d depends on the direction of time", i)
		}
	}
	if want := 1 / (2 * math.Sqrt(math.Pi) * width); math.Abs(power/want-1) > 0.05 {
		t.Errorf("variance %g, want %g", power, want)
	}
	spike := make([]float64, 41)
	spike[20] = 1
	g.Smooth(spike, 2)
	sum := 0.0
	for _, v := range spike {
		sum += v
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("a spike of 1 sums to %g", sum)
	}
}

func TestOpenTakesOutSpikesOnly(t *testing.T) {
	x := []float64{1, 1, 3, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1}
	Open(x, 2)
	want := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1}
	for i := range x {
		if x[i] != want[i] {
			t.Fatalf("%v, want %v", x, want)
		}
	}
}

func TestSmallOnes(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"median of none", Median(nil), 0},
		{"median of three", Median([]float64{3, 1, 2}), 2},
		{"upper median of two", Median([]float64{5, 1}), 5},
		{"inside the dead zone", Deadzone(-0.1, 0.15), 0},
		{"outside", Deadzone(-0.25, 0.15), -0.1},
		{"angle across the cut", AngleDiff(3, -3), 6 - 2*math.Pi},
		{"clamped", Clamp(7, -1, 2), 2},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.what, c.got, c.want)
		}
	}
}
