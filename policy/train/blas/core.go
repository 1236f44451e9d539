package blas

import (
	"fmt"
	"strings"
)

// coreVariable makes OpenBLAS take the named kernels.
const coreVariable = "OPENBLAS_CORETYPE"

// flags are the instruction sets that decide between OpenBLAS's kernels.
type flags struct{ avx2, avx512 bool }

// advice is a sentence where the chosen kernels use less than the processor has, or "". forced is what the environment
// asked for.
func advice(chosen, forced string, have flags) string {
	better := betterCore(chosen, have)
	switch {
	case better == "":
		return ""
	case forced != "":
		return fmt.Sprintf("%s=%s chooses slower kernels than this processor could run (%s); unset it to train faster",
			coreVariable, forced, better)
	}
	return fmt.Sprintf("this OpenBLAS does not know the processor and runs slower kernels than it could; try %s=%s",
		coreVariable, better)
}

// betterCore names kernels that use more of the processor than the chosen ones, or "".
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
