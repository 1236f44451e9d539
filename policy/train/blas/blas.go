// Package blas is the trainer's arithmetic: single-precision matrix products and the few element-wise loops that a
// training step spends its time in.
//
// Built with the tag openblas (and cgo) it calls OpenBLAS and C loops that gcc vectorises for several instruction
// sets; otherwise it is gonum and plain Go. Both give the same results up to rounding, and each gives the same bits
// for the same arguments on the same machine. Calls run on the calling goroutine alone; callers split the work.
package blas

import "math"

// GemmNN: C (m x n) = A (m x k) B (k x n), plus C itself if add. All row-major with the given row lengths.
func GemmNN(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	gemm(false, false, m, n, k, a, lda, b, ldb, c, ldc, add)
}

// GemmTN: C (m x n) = A' B with A (k x m) and B (k x n).
func GemmTN(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	gemm(true, false, m, n, k, a, lda, b, ldb, c, ldc, add)
}

// GemmNT: C (m x n) = A B' with A (m x k) and B (n x k).
func GemmNT(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	gemm(false, true, m, n, k, a, lda, b, ldb, c, ldc, add)
}

// The Go twins of the C loops; tests compare the two.

// tanhGradGo: dz = dy (1 - y^2) for rows x cols, and sum[c] += dz over the rows.
func tanhGradGo(dz, dy, y, sum []float32, cols int) {
	for r := 0; r+cols <= len(dz); r += cols {
		z, d, v := dz[r:r+cols], dy[r:r+cols], y[r:r+cols]
		for c := range z {
			g := d[c] * (1 - v[c]*v[c])
			z[c] = g
			sum[c] += g
		}
	}
}

// colSumGo: sum[c] += x over the rows.
func colSumGo(x, sum []float32, cols int) {
	for r := 0; r+cols <= len(x); r += cols {
		v := x[r : r+cols]
		for c := range v {
			sum[c] += v[c]
		}
	}
}

// adamGo is one step of Adam (Kingma and Ba 2015) over flat slices; scale multiplies the gradient first, rate is
// the step size with bias correction, eps is added to the square root.
func adamGo(w, g, m, v []float32, scale, rate, beta1, beta2, correct2, eps float32) {
	for i, x := range g {
		x *= scale
		mi := beta1*m[i] + (1-beta1)*x
		vi := beta2*v[i] + (1-beta2)*x*x
		m[i], v[i] = mi, vi
		w[i] -= rate * mi / (float32(math.Sqrt(float64(vi*correct2))) + eps)
	}
}

// sumSquaresGo adds in 16 lanes, as the C loop does, then the lanes in order.
func sumSquaresGo(x []float32) float64 {
	var lane [16]float32
	i := 0
	for ; i+16 <= len(x); i += 16 {
		for k := range lane {
			lane[k] += x[i+k] * x[i+k]
		}
	}
	var s float64
	for _, v := range lane {
		s += float64(v)
	}
	for ; i < len(x); i++ {
		s += float64(x[i]) * float64(x[i])
	}
	return s
}

func addGo(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}
