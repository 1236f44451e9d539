package infer

import "golang.org/x/sys/cpu"

//go:noescape
func tanhAVX2(x *float32, blocks int)

//go:noescape
func gemv64AVX2(dst, bias, x, w *float32, in int)

//go:noescape
func gemv32AVX2(dst, bias, x, w *float32, in int)

// haveVector says whether the AVX2 kernels may run; it is decided by the CPU alone, so one machine always computes
// the same bits.
func haveVector() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

func gemvPanel(vector bool, dst, bias, x, w []float32, width int) {
	if !vector {
		gemvScalar(dst, bias, x, w, width)
		return
	}
	if width == 64 {
		gemv64AVX2(&dst[0], &bias[0], &x[0], &w[0], len(x))
	} else {
		gemv32AVX2(&dst[0], &bias[0], &x[0], &w[0], len(x))
	}
}

func tanhBlocks(vector bool, x []float32) int {
	n := len(x) / 8
	if !vector || n == 0 {
		return 0
	}
	tanhAVX2(&x[0], n)
	return n * 8
}
