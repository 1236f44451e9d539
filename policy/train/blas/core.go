package blas

import "strings"

// flags are the instruction sets that decide between OpenBLAS's kernels.
type flags struct{ avx2, avx512 bool }

// betterCore gives the OPENBLAS_CORETYPE to ask for when the chosen kernels use less than the CPU has, or "".
func betterCore(chosen string, have flags) string {
	const (
		sse = iota
		avx2
		avx512
	)
	level := sse
	switch strings.ToUpper(chosen) {
	case "HASWELL", "ZEN", "EXCAVATOR":
		level = avx2
	case "SKYLAKEX", "COOPERLAKE", "SAPPHIRERAPIDS", "ZEN4", "ZEN5":
		level = avx512
	case "ARMV8", "CORTEXA53", "CORTEXA57", "CORTEXA72", "CORTEXA73", "CORTEXA76", "NEOVERSEN1", "NEOVERSEN2", "NEOVERSEV1":
		return ""
	}
	switch {
	case have.avx512 && level < avx512:
		return "SKYLAKEX"
	case have.avx2 && level < avx2:
		return "HASWELL"
	}
	return ""
}
