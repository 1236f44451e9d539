//go:build openblas && cgo

package blas

/*
#cgo CFLAGS: -O3
#include "sgemm.h"
#include "loops.h"
*/
import "C"

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/cpu"
)

// CoreName names OpenBLAS's kernels in use, for doctor and summaries.
func CoreName() string { return C.GoString(C.mitori_corename()) }

// Version is OpenBLAS's own, as in "0.3.34".
func Version() string {
	for _, w := range strings.Fields(C.GoString(C.mitori_config())) {
		if w[0] >= '0' && w[0] <= '9' {
			return w
		}
	}
	return "unknown"
}

// Built says whether OpenBLAS is in this binary.
func Built() bool { return true }

// Advice is a sentence where the kernels in use are poorer than the processor, and "" otherwise. OpenBLAS chooses
// before main starts, by the processor or by OPENBLAS_CORETYPE, and that choice stands.
func Advice() string { return advice(CoreName(), os.Getenv(coreVariable), cpuFlags()) }

// OneThread keeps OpenBLAS to the calling thread, for callers that split the work themselves.
func OneThread() { C.mitori_threads(1) }

func cpuFlags() flags {
	x := cpu.X86
	return flags{avx2: x.HasAVX2 && x.HasFMA,
		avx512: x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512CD}
}

func gemm(ta, tb bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	rowsA, colsA, rowsB, colsB := m, k, k, n
	if ta {
		rowsA, colsA = k, m
	}
	if tb {
		rowsB, colsB = n, k
	}
	if m < 1 || n < 1 || k < 1 || lda < colsA || ldb < colsB || ldc < n ||
		len(a) < (rowsA-1)*lda+colsA || len(b) < (rowsB-1)*ldb+colsB || len(c) < (m-1)*ldc+n {
		panic("blas: a matrix is shorter than its sizes say")
	}
	flag := func(t bool) C.int {
		if t {
			return 1
		}
		return 0
	}
	C.mitori_sgemm(flag(ta), flag(tb), C.int(m), C.int(n), C.int(k), (*C.float)(&a[0]), C.int(lda),
		(*C.float)(&b[0]), C.int(ldb), C.float(flag(add)), (*C.float)(&c[0]), C.int(ldc))
	runtime.KeepAlive(a)
}

// TanhGrad: dz = dy (1 - y^2), and sum[c] += dz over the rows of cols numbers.
func TanhGrad(dz, dy, y, sum []float32, cols int) {
	if len(dz) == 0 {
		return
	}
	dy, y, sum = dy[:len(dz)], y[:len(dz)], sum[:cols]
	C.mitori_tanh_grad((*C.float)(&dz[0]), (*C.float)(&dy[0]), (*C.float)(&y[0]), (*C.float)(&sum[0]),
		C.int64_t(len(dz)/cols), C.int64_t(cols))
}

// ColSum: sum[c] += x over the rows of cols numbers.
func ColSum(x, sum []float32, cols int) {
	if len(x) == 0 {
		return
	}
	sum = sum[:cols]
	C.mitori_col_sum((*C.float)(&x[0]), (*C.float)(&sum[0]), C.int64_t(len(x)/cols), C.int64_t(cols))
}

// Adam is one step over flat slices; see adamGo for the arguments.
func Adam(w, g, m, v []float32, scale, rate, beta1, beta2, correct2, eps float32) {
	if len(w) == 0 {
		return
	}
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	C.mitori_adam((*C.float)(&w[0]), (*C.float)(&g[0]), (*C.float)(&m[0]), (*C.float)(&v[0]), C.int64_t(len(w)),
		C.float(scale), C.float(rate), C.float(beta1), C.float(beta2), C.float(correct2), C.float(eps))
}

// SumSquares is the sum of the squares of x.
func SumSquares(x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	return float64(C.mitori_sum_squares((*C.float)(&x[0]), C.int64_t(len(x))))
}

// Add: dst = a + b.
func Add(dst, a, b []float32) {
	if len(dst) == 0 {
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	C.mitori_add((*C.float)(&dst[0]), (*C.float)(&a[0]), (*C.float)(&b[0]), C.int64_t(len(dst)))
}
