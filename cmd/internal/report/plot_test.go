package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Ticks are round numbers at even distances within the range, neither too few nor too many of them.
func TestTicks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		lo := (rng.Float64() - 0.5) * math.Pow(10, float64(rng.IntN(9)-3))
		hi := lo + math.Pow(10, 8*rng.Float64()-4)
		n := 3 + rng.IntN(6)
		at := ticks(lo, hi, n)
		if len(at) < 1 || len(at) > 2*n+1 {
			t.Fatalf("%d ticks from %g to %g, want about %d", len(at), lo, hi, n)
		}
		for i, v := range at {
			if slack := 1e-6 * (hi - lo); v < lo-slack || v > hi+slack {
				t.Fatalf("tick %g outside of %g to %g", v, lo, hi)
			}
			if i < 2 {
				continue
			}
			step := at[1] - at[0]
			if math.Abs(v-at[i-1]-step) > 1e-6*step {
				t.Fatalf("ticks %v from %g to %g are uneven", at, lo, hi)
			}
			digits := step / math.Pow(10, math.Floor(math.Log10(step)+1e-5)) // of a difference of larger numbers
			if min(math.Abs(digits-1), math.Abs(digits-2), math.Abs(digits-5)) > 1e-4 {
				t.Fatalf("steps of %g are not round", step)
			}
		}
	}
}

// A label says its number to four decimals, short.
func TestLabels(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1e-14: "0", 0.5: "0.5", -0.25: "-0.25", 3: "3", 9999: "9999", 10_000: "10k", -25_000: "-25k",
		1.5e6: "1.5M", 0.1 + 0.2: "0.3"} {
		if got := label(v); got != want {
			t.Errorf("%g: %q, want %q", v, got, want)
		}
	}
	for v, want := range map[int64]string{0: "0", 9999: "9999", 10_000: "10 k", 412_000: "412 k", 1_250_000: "1.25 M"} {
		if got := kilo(v); got != want {
			t.Errorf("%d: %q, want %q", v, got, want)
		}
	}
}

// numbers finds the coordinates of a path.
func numbers(t *testing.T, d string) (xs, ys []float64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`[ML](\S+) (-?[0-9.]+)`).FindAllStringSubmatch(d, -1) {
		x, e1 := strconv.ParseFloat(m[1], 64)
		y, e2 := strconv.ParseFloat(m[2], 64)
		if e1 != nil || e2 != nil {
			t.Fatalf("%q is no point", m[0])
		}
		xs, ys = append(xs, x), append(ys, y)
	}
	return xs, ys
}

// Every point of a plot lies inside its frame, larger values lie higher, later ones further to the right.
func TestPointsLieInTheFrame(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	line := regexp.MustCompile(`<path class="line s0" d="([^"]*)"`)
	for try := range 200 {
		n := 2 + rng.IntN(3000)
		s := Series{Name: "a", Class: "s0"}
		for i := range n {
			s.X = append(s.X, 3*float64(i))
			s.Y = append(s.Y, float64(i)*math.Pow(10, float64(try%7-3)))
		}
		p := Plot{Small: try%2 == 0, Series: []Series{s}}
		if try%3 == 0 {
			p.YMin, p.YMax = 0, 1
		}
		w, h := plotW, plotH
		if p.Small {
			w, h = smallW, smallH
		}
		m := line.FindStringSubmatch(string(p.SVG()))
		if m == nil {
			t.Fatal("no line")
		}
		xs, ys := numbers(t, m[1])
		if len(xs) < min(n, 320) || len(xs) > 1300 {
			t.Fatalf("%d points of %d are drawn", len(xs), n)
		}
		for i := range xs {
			if xs[i] < left-0.06 || xs[i] > w-right+0.06 || ys[i] < top-0.06 || ys[i] > h-foot+0.06 {
				t.Fatalf("point %d at %g, %g is outside of the frame", i, xs[i], ys[i])
			}
			if i > 0 && (xs[i] < xs[i-1] || ys[i] > ys[i-1]) {
				t.Fatalf("points %d and %d of a rising line: %g, %g and %g, %g", i-1, i, xs[i-1], ys[i-1], xs[i], ys[i])
			}
		}
	}
}

// A gap in the values is a gap in the line, and what is not drawn stretches nothing.
func TestGaps(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		y     []float64
		pens  int // how often the pen goes down
		drawn int
	}{
		{[]float64{1, 2, 3}, 1, 3},
		{[]float64{1, nan, 3}, 2, 2},
		{[]float64{nan, nan, 3}, 1, 1},
		{[]float64{1, nan, nan, 2, nan}, 2, 2},
		{[]float64{nan}, 0, 0},
	} {
		s := Series{Y: c.y}
		for i := range c.y {
			s.X = append(s.X, float64(i))
		}
		same := func(v float64) float64 { return v }
		d := path(s, same, same)
		if strings.Count(d, "M") != c.pens || strings.Count(d, "M")+strings.Count(d, "L") != c.drawn || strings.Contains(d, "NaN") {
			t.Errorf("%v: %q", c.y, d)
		}
	}
}

// What comes from files is text on the page, never markup.
func TestPlotEscapes(t *testing.T) {
	const evil = `"><script>x</script>`
	svg := string(Plot{Title: evil, XLabel: evil, YLabel: evil, Series: []Series{{Name: evil, X: []float64{0, 1}, Y: []float64{0, 1}}}}.SVG())
	if strings.Contains(svg, "<script") || strings.Count(svg, "&lt;script&gt;") != 4 {
		t.Error(svg)
	}
	if strings.Count(svg, "<") != strings.Count(svg, ">") {
		t.Error("unbalanced markup")
	}
}

// limits widen to hold all data, and are a range even where the data are none.
func TestLimits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		p := Plot{}
		if rng.IntN(2) == 0 {
			p.YMin, p.YMax = 0, 1
		}
		for range rng.IntN(3) {
			var s Series
			for i := range rng.IntN(5) {
				s.X, s.Y = append(s.X, float64(i)), append(s.Y, math.Round(4*rng.NormFloat64()))
			}
			p.Series = append(p.Series, s)
		}
		x0, x1, y0, y1 := p.limits()
		if !(x1 > x0) || !(y1 > y0) || math.IsInf(x1-x0+y1-y0, 0) {
			t.Fatalf("%+v: %g to %g, %g to %g", p, x0, x1, y0, y1)
		}
		if p.YMax > p.YMin && (y0 > p.YMin || y1 < p.YMax) {
			t.Fatalf("the asked range 0 to 1 became %g to %g", y0, y1)
		}
		for _, s := range p.Series {
			for i := range s.X {
				if s.X[i] < x0 || s.X[i] > x1 || s.Y[i] < y0 || s.Y[i] > y1 {
					t.Fatalf("%s outside of %g to %g, %g to %g", fmt.Sprint(s.X[i], s.Y[i]), x0, x1, y0, y1)
				}
			}
		}
	}
}
