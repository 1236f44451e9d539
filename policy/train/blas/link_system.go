//go:build openblas && cgo && systemblas

package blas

// The distribution's OpenBLAS (libopenblas-dev): for packagers, and for benchmarks that compare the two.

/*
#cgo CFLAGS: -DMITORI_SYSTEM_BLAS
#cgo LDFLAGS: -lopenblas -lm
*/
import "C"
