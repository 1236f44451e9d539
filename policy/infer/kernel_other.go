//go:build !amd64

package infer

func haveVector() bool { return false }

func gemvPanel(_ bool, dst, bias, x, w []float32, width int) { gemvScalar(dst, bias, x, w, width) }

func tanhBlocks(bool, []float32) int { return 0 }
