package infer

import (
	"math"
	"math/rand/v2"
	"testing"
)

func randomNet(t testing.TB, seed uint64, sizes ...int) *Net {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	norm := Normalizer{Clip: 10, Mean: make([]float32, sizes[0]), InvStd: make([]float32, sizes[0])}
	for i := range norm.Mean {
		norm.Mean[i], norm.InvStd[i] = float32(rng.NormFloat64()), float32(0.5+rng.Float64())
	}
	var layers []Layer
	for k := 0; k+1 < len(sizes); k++ {
		l := Layer{In: sizes[k], Out: sizes[k+1], Tanh: k+2 < len(sizes),
			W: make([]float32, sizes[k]*sizes[k+1]), B: make([]float32, sizes[k+1])}
		for i := range l.W {
			l.W[i] = float32(rng.NormFloat64() / math.Sqrt(float64(l.In)))
		}
		for i := range l.B {
			l.B[i] = float32(0.1 * rng.NormFloat64())
		}
		layers = append(layers, l)
	}
	n, err := New(norm, layers)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reference is the definition in float64.
func reference(n *Net, x []float32) []float64 {
	norm := n.Normalizer()
	a := make([]float64, len(x))
	for i := range a {
		a[i] = math.Min(math.Max((float64(x[i])-float64(norm.Mean[i]))*float64(norm.InvStd[i]), -float64(norm.Clip)), float64(norm.Clip))
	}
	for _, l := range n.Layers() {
		y := make([]float64, l.Out)
		for o := range y {
			y[o] = float64(l.B[o])
			for i := range a {
				y[o] += a[i] * float64(l.W[i*l.Out+o])
			}
			if l.Tanh {
				y[o] = math.Tanh(y[o])
			}
		}
		a = y
	}
	return a
}

func TestForwardIsTheDefinition(t *testing.T) {
	for _, sizes := range [][]int{{206, 256, 256, 20}, {7, 33, 5}, {1, 1}, {64, 96, 31, 32}} {
		n := randomNet(t, uint64(len(sizes)), sizes...)
		scalar := *n
		scalar.vector = false
		rng := rand.New(rand.NewPCG(3, 4))
		const count = 5
		x := make([]float32, count*n.In())
		for i := range x {
			x[i] = float32(3 * rng.NormFloat64())
		}
		x[0] = 1e6 // must be clipped
		dst, one, plain := make([]float32, count*n.Out()), make([]float32, n.Out()), make([]float32, count*n.Out())
		n.NewRunner(count).Forward(dst, x, count)
		scalar.NewRunner(count).Forward(plain, x, count)
		r := n.NewRunner(1)
		for s := range count {
			want := reference(n, x[s*n.In():(s+1)*n.In()])
			r.Forward(one, x[s*n.In():(s+1)*n.In()], 1)
			for o := range want {
				got := dst[s*n.Out()+o]
				// 512 rounded products of size about 0.1, and tanh within 3e-7, pass through two layers.
				if d := math.Abs(float64(got) - want[o]); d > 5e-6 {
					t.Errorf("%v sample %d output %d: %g, want %g", sizes, s, o, got, want[o])
				}
				if d := math.Abs(float64(plain[s*n.Out()+o]) - want[o]); d > 5e-6 {
					t.Errorf("%v sample %d output %d, scalar kernels: %g, want %g", sizes, s, o, plain[s*n.Out()+o], want[o])
				}
				if one[o] != got {
					t.Errorf("%v sample %d output %d: %g alone, %g in a batch", sizes, s, o, one[o], got)
				}
			}
		}
	}
}

func TestTanhIsAccurateAndIndependentOfPlace(t *testing.T) {
	x := make([]float32, 0, 1<<16)
	for v := -12.0; v <= 12; v += 0.0007 {
		x = append(x, float32(v))
	}
	x = append(x, 0, 1e-30, -1e-30, 100, -100, float32(math.Inf(1)), float32(math.Inf(-1)))
	y := append([]float32(nil), x...)
	Tanh(y)
	for i, v := range x {
		want := math.Tanh(float64(v))
		if d := math.Abs(float64(y[i]) - want); d > 3e-7 {
			t.Fatalf("tanh(%g) = %g, want %g", v, y[i], want)
		}
		if d := math.Abs(float64(tanhScalar(v)) - want); d > 3e-7 {
			t.Fatalf("scalar tanh(%g) = %g, want %g", v, tanhScalar(v), want)
		}
	}
	for _, i := range []int{0, 1, 6, 7, 8, 1001} {
		alone := []float32{x[i]}
		Tanh(alone)
		if alone[0] != y[i] {
			t.Errorf("tanh(%g) is %g alone and %g in a row", x[i], alone[0], y[i])
		}
	}
}

func TestForwardDoesNotAllocate(t *testing.T) {
	n := randomNet(t, 1, 206, 256, 256, 20)
	r := n.NewRunner(1)
	x, y := make([]float32, n.In()), make([]float32, n.Out())
	if a := testing.AllocsPerRun(100, func() { r.Forward(y, x, 1) }); a != 0 {
		t.Errorf("Forward allocates %g times", a)
	}
}

func TestNewRefusesWhatDoesNotFit(t *testing.T) {
	good := func() (Normalizer, []Layer) {
		return Normalizer{Mean: []float32{0}, InvStd: []float32{1}, Clip: 5},
			[]Layer{{In: 1, Out: 2, W: []float32{1, 2}, B: []float32{0, 0}}}
	}
	norm, layers := good()
	if _, err := New(norm, layers); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Normalizer, []Layer){
		"mean":   func(n *Normalizer, _ []Layer) { n.Mean = nil },
		"clip":   func(n *Normalizer, _ []Layer) { n.Clip = 0 },
		"nan":    func(n *Normalizer, _ []Layer) { n.InvStd[0] = float32(math.NaN()) },
		"weight": func(_ *Normalizer, l []Layer) { l[0].W[1] = float32(math.Inf(1)) },
		"bias":   func(_ *Normalizer, l []Layer) { l[0].B = l[0].B[:1] },
		"in":     func(_ *Normalizer, l []Layer) { l[0].In = 2 },
	} {
		norm, layers := good()
		spoil(&norm, layers)
		if _, err := New(norm, layers); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(norm, nil); err == nil {
		t.Error("no layers: accepted")
	}
}

func BenchmarkOneSample(b *testing.B) {
	n := randomNet(b, 1, 206, 256, 256, 20)
	r := n.NewRunner(1)
	x, y := make([]float32, n.In()), make([]float32, n.Out())
	for i := range x {
		x[i] = float32(i%7) * 0.1
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Forward(y, x, 1)
	}
}

func BenchmarkBatch128(b *testing.B) {
	n := randomNet(b, 1, 206, 256, 256, 20)
	r := n.NewRunner(128)
	x, y := make([]float32, 128*n.In()), make([]float32, 128*n.Out())
	b.ReportAllocs()
	for b.Loop() {
		r.Forward(y, x, 128)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/128, "us/sample")
}
