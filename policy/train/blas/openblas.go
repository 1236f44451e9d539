//go:build openblas && cgo

package blas

/*
#cgo CFLAGS: -O3 -I/usr/include/x86_64-linux-gnu/openblas-pthread -I/usr/include/aarch64-linux-gnu/openblas-pthread
#cgo LDFLAGS: -lopenblas -lm
#include <cblas.h>
#include "loops.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/cpu"
)

// CoreName names OpenBLAS's kernels in use, for doctor and summaries.
func CoreName() string { return C.GoString(C.openblas_get_corename()) }

// Built says whether OpenBLAS is in this binary.
func Built() bool { return true }

const (
	coreVariable    = "OPENBLAS_CORETYPE"
	threadsVariable = "OPENBLAS_NUM_THREADS"
)

// EnsureCoreType makes OpenBLAS use kernels that fit this CPU. OpenBLAS before 0.3.25 falls back to its oldest SSE3
// kernels on CPUs it does not know (its issue 4267), and chooses before main starts; so when the choice is poorer than
// the CPU, this process replaces itself once with OPENBLAS_CORETYPE set. Call it first in main. A choice made by the
// user through that variable stands. It also keeps OpenBLAS to one thread a call: callers split the work themselves.
func EnsureCoreType() error {
	OneThread()
	if os.Getenv(coreVariable) != "" {
		return nil
	}
	want := betterCore(CoreName(), cpuFlags())
	if want == "" {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("blas: cannot restart with %s=%s: %w", coreVariable, want, err)
	}
	env := append(os.Environ(), coreVariable+"="+want, threadsVariable+"=1")
	return fmt.Errorf("blas: restart with %s=%s: %w", coreVariable, want, syscall.Exec(exe, os.Args, env))
}

// OneThread keeps OpenBLAS to the calling thread, for callers that split the work themselves.
func OneThread() { C.openblas_set_num_threads(1) }

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
	fa, fb, beta := C.enum_CBLAS_TRANSPOSE(C.CblasNoTrans), C.enum_CBLAS_TRANSPOSE(C.CblasNoTrans), C.float(0)
	if ta {
		fa = C.CblasTrans
	}
	if tb {
		fb = C.CblasTrans
	}
	if add {
		beta = 1
	}
	C.cblas_sgemm(C.CblasRowMajor, fa, fb, C.blasint(m), C.blasint(n), C.blasint(k), 1,
		(*C.float)(&a[0]), C.blasint(lda), (*C.float)(&b[0]), C.blasint(ldb), beta, (*C.float)(&c[0]), C.blasint(ldc))
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
