package infer

import "math"

// Tanh replaces every element of x by its hyperbolic tangent, with an absolute error below 3e-7. Training uses this
// same function, so a trained network and its exported form agree.
//
// With e = exp(2x), tanh x = 1 - 2/(e+1); 2^f on [-1/2, 1/2] is the polynomial of degree 6 through its values at the
// Chebyshev nodes (relative error 2.5e-9), and the integer part goes into the exponent field.
func Tanh(x []float32) {
	done := tanhBlocks(haveVector(), x)
	if tail := x[done:]; len(tail) > 0 {
		// Through a block of the same kernel, so that an element's value does not depend on its place.
		var block [8]float32
		for len(tail) > 0 {
			n := copy(block[:], tail)
			if tanhBlocks(haveVector(), block[:]) == 0 {
				for i := range block {
					block[i] = tanhScalar(block[i])
				}
			}
			copy(tail[:n], block[:n])
			tail = tail[n:]
		}
	}
}

func tanhScalar(x float32) float32 {
	if x != x {
		return x
	}
	t := min(max(x, -9), 9) * 2.885390043258667
	n := float32(math.RoundToEven(float64(t)))
	f := t - n
	p := float32(0.00015461444854736328)
	p = p*f + 0.0013400427997112274
	p = p*f + 0.009618056938052177
	p = p*f + 0.05550327152013779
	p = p*f + 0.24022650718688965
	p = p*f + 0.6931471824645996
	p = p*f + 1
	e := math.Float32frombits(math.Float32bits(p) + uint32(int32(n))<<23)
	return 1 - 2/(e+1)
}

// gemvScalar: dst[0:width] = bias + sum_i x[i] w[width i : width (i+1)], eight outputs at a time in registers.
func gemvScalar(dst, bias, x, w []float32, width int) {
	for o := 0; o < width; o += 8 {
		b := bias[o : o+8 : o+8]
		a0, a1, a2, a3, a4, a5, a6, a7 := b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
		at := o
		for _, v := range x {
			c := w[at : at+8 : at+8]
			a0 += v * c[0]
			a1 += v * c[1]
			a2 += v * c[2]
			a3 += v * c[3]
			a4 += v * c[4]
			a5 += v * c[5]
			a6 += v * c[6]
			a7 += v * c[7]
			at += width
		}
		d := dst[o : o+8 : o+8]
		d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7] = a0, a1, a2, a3, a4, a5, a6, a7
	}
}
