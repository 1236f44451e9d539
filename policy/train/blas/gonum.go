//go:build !(openblas && cgo)

package blas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// CoreName names the kernels in use, for doctor and summaries.
func CoreName() string { return "gonum (pure Go)" }

// Built says whether OpenBLAS is in this binary.
func Built() bool { return false }

// Version is that of the Go module, which go.mod pins.
func Version() string { return "as in go.mod" }

// Advice has nothing to say without OpenBLAS.
func Advice() string { return "" }

func gemm(ta, tb bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	flag := func(t bool) blas.Transpose {
		if t {
			return blas.Trans
		}
		return blas.NoTrans
	}
	var beta float32
	if add {
		beta = 1
	}
	// Calls below gonum's own threshold run on this goroutine; above it gonum uses more, with a fixed partition.
	gonum.Implementation{}.Sgemm(flag(ta), flag(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
}

// TanhGrad: dz = dy (1 - y^2), and sum[c] += dz over the rows of cols numbers.
func TanhGrad(dz, dy, y, sum []float32, cols int) { tanhGradGo(dz, dy, y, sum, cols) }

// ColSum: sum[c] += x over the rows of cols numbers.
func ColSum(x, sum []float32, cols int) { colSumGo(x, sum, cols) }

// Adam is one step over flat slices; see adamGo for the arguments.
func Adam(w, g, m, v []float32, scale, rate, beta1, beta2, correct2, eps float32) {
	adamGo(w, g, m, v, scale, rate, beta1, beta2, correct2, eps)
}

// SumSquares is the sum of the squares of x.
func SumSquares(x []float32) float64 { return sumSquaresGo(x) }

// OneThread has nothing to do without OpenBLAS.
func OneThread() {}

// Add: dst = a + b.
func Add(dst, a, b []float32) { addGo(dst, a, b) }
