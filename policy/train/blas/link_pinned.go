//go:build openblas && cgo && !systemblas

package blas

// The pinned OpenBLAS of "make deps". It knows current processors, where Debian 12's 0.3.21 falls back to its oldest
// kernels on those that came after it (OpenBLAS issue 4267).

/*
#cgo LDFLAGS: -L${SRCDIR}/../../../.deps/openblas/lib -lscipy_openblas -Wl,-rpath,${SRCDIR}/../../../.deps/openblas/lib -Wl,-rpath,$ORIGIN/../.deps/openblas/lib -lm
*/
import "C"
