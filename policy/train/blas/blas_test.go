package blas

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func TestGemmIsTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{5, 7, 3}, {64, 20, 33}, {1, 1, 1}, {130, 65, 70}} {
		m, n, k := s[0], s[1], s[2]
		lda, ldb, ldc := max(m, k)+2, max(n, k)+3, n+1
		a, b, c0 := random(rng, (max(m, k))*lda), random(rng, (max(n, k))*ldb), random(rng, m*ldc)
		for name, f := range map[string]struct {
			call   func(int, int, int, []float32, int, []float32, int, []float32, int, bool)
			ta, tb bool
		}{"NN": {GemmNN, false, false}, "TN": {GemmTN, true, false}, "NT": {GemmNT, false, true}} {
			for _, add := range []bool{false, true} {
				c := append([]float32(nil), c0...)
				f.call(m, n, k, a, lda, b, ldb, c, ldc, add)
				for i := range m {
					for j := range n {
						var want float64
						if add {
							want = float64(c0[i*ldc+j])
						}
						for l := range k {
							av, bv := a[i*lda+l], b[l*ldb+j]
							if f.ta {
								av = a[l*lda+i]
							}
							if f.tb {
								bv = b[j*ldb+l]
							}
							want += float64(av) * float64(bv)
						}
						// k products of size 1, each rounded once at 6e-8.
						if d := math.Abs(float64(c[i*ldc+j]) - want); d > 2e-5 {
							t.Fatalf("%s %v add=%v [%d,%d] = %g, want %g", name, s, add, i, j, c[i*ldc+j], want)
						}
					}
				}
				if c[n] != c0[n] {
					t.Errorf("%s wrote beside the matrix", name)
				}
			}
		}
	}
}

// near compares loops that may fuse products and sums.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); d > 1e-5*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, got[i], want[i])
		}
	}
}

func TestLoopsAgreeWithTheirTwins(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const rows, cols = 37, 19
	dy, y := random(rng, rows*cols), random(rng, rows*cols)
	z1, z2, s1, s2 := make([]float32, rows*cols), make([]float32, rows*cols), random(rng, cols), make([]float32, cols)
	copy(s2, s1)
	TanhGrad(z1, dy, y, s1, cols)
	tanhGradGo(z2, dy, y, s2, cols)
	near(t, "dz", z1, z2)
	near(t, "sum", s1, s2)
	ColSum(dy, s1, cols)
	colSumGo(dy, s2, cols)
	near(t, "colsum", s1, s2)
	if a, b := SumSquares(dy), sumSquaresGo(dy); math.Abs(a-b) > 1e-4*b {
		t.Errorf("SumSquares = %g, twin %g", a, b)
	}
	Add(z1, dy, y)
	addGo(z2, dy, y)
	near(t, "add", z1, z2)
	w1, m1, v1 := random(rng, 100), random(rng, 100), random(rng, 100)
	for i := range v1 {
		v1[i] *= v1[i]
	}
	w2, m2, v2 := append([]float32(nil), w1...), append([]float32(nil), m1...), append([]float32(nil), v1...)
	g := random(rng, 100)
	Adam(w1, g, m1, v1, 0.5, 1e-3, 0.9, 0.999, 1.2, 1e-8)
	adamGo(w2, g, m2, v2, 0.5, 1e-3, 0.9, 0.999, 1.2, 1e-8)
	near(t, "w", w1, w2)
	near(t, "m", m1, m2)
	near(t, "v", v1, v2)
}

func TestAdamMovesByTheRateAtFirst(t *testing.T) {
	// After one step from zero moments m/(1-b1) = g and v/(1-b2) = g^2, so each weight moves by the rate, by sign.
	w, g, m, v := []float32{1, 1}, []float32{0.3, -7}, make([]float32, 2), make([]float32, 2)
	Adam(w, g, m, v, 1, 0.01/(1-0.9), 0.9, 0.999, 1/(1-0.999), 1e-8)
	if math.Abs(float64(w[0])-0.99) > 1e-5 || math.Abs(float64(w[1])-1.01) > 1e-5 {
		t.Errorf("w = %v, want [0.99 1.01]", w)
	}
}

func TestBetterCore(t *testing.T) {
	all, old := flags{avx2: true, avx512: true}, flags{}
	for _, c := range []struct {
		chosen string
		have   flags
		want   string
	}{
		{"Prescott", all, "SKYLAKEX"}, {"Prescott", flags{avx2: true}, "HASWELL"}, {"Prescott", old, ""},
		{"Haswell", all, "SKYLAKEX"}, {"Haswell", flags{avx2: true}, ""}, {"Zen", flags{avx2: true}, ""},
		{"SkylakeX", all, ""}, {"Cooperlake", all, ""}, {"neoversen1", old, ""},
	} {
		if got := betterCore(c.chosen, c.have); got != c.want {
			t.Errorf("betterCore(%s, %+v) = %q, want %q", c.chosen, c.have, got, c.want)
		}
	}
	if CoreName() == "" || Version() == "" {
		t.Errorf("core %q, version %q", CoreName(), Version())
	}
}

func TestAdviceNamesTheCause(t *testing.T) {
	have := flags{avx2: true, avx512: true}
	if got := advice("SkylakeX", "", have); got != "" {
		t.Errorf("advice on the best kernels: %q", got)
	}
	if got := advice("Haswell", "HASWELL", have); !strings.Contains(got, "OPENBLAS_CORETYPE=HASWELL") {
		t.Errorf("a choice in the environment is not named: %q", got)
	}
	if got := advice("Prescott", "", have); !strings.Contains(got, "does not know the processor") {
		t.Errorf("an unknown processor is not named: %q", got)
	}
}

// TestKernelsFitTheProcessor: the pinned library picks kernels for every processor that CI meets, by itself.
func TestKernelsFitTheProcessor(t *testing.T) {
	if os.Getenv(coreVariable) != "" {
		t.Skipf("%s is set; the choice is the environment's", coreVariable)
	}
	if s := Advice(); s != "" {
		t.Errorf("%s (kernels %s, OpenBLAS %s)", s, CoreName(), Version())
	}
}

func BenchmarkGemm1024x256x256(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, w, y := random(rng, 1024*256), random(rng, 256*256), random(rng, 1024*256)
	for b.Loop() {
		GemmNN(1024, 256, 256, x, 256, w, 256, y, 256, false)
	}
	b.ReportMetric(float64(b.N)*2*1024*256*256/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
