package posenet

import (
	"math"
	"testing"
)

// A mirrored picture gives the mirror image of what the picture gives, whatever the
// network is like; the picture itself stays as it was.
func TestMirroredNetworksAreSymmetric(t *testing.T) {
	for _, r := range runtimes(t) {
		testSymmetry(t, r, true)
		testSymmetry(t, r, false)
	}
}

// testSymmetry holds a picture against its mirror image: seen both ways, or the one as it
// is and the other one turned.
func testSymmetry(t *testing.T, r Runtime, both bool) {
	t.Helper()
	spec := Lite.Spec()
	a, b := newMirrored(open(t, r, Lite), spec, both), newMirrored(open(t, r, Lite), spec, both)
	pattern(a.Input(), spec)
	copy(b.Input(), a.Input())
	flipRows(b.Input(), spec.SizePx)
	before := append([]float32(nil), a.Input()...)
	b.Turn(true)
	if err := a.Run(); err != nil {
		t.Fatal(err)
	}
	if err := b.Run(); err != nil {
		t.Fatal(err)
	}
	for i, v := range before {
		if a.Input()[i] != v {
			t.Fatal("the picture was changed")
		}
	}
	near := func(what string, i int, x, y, scale float32) {
		if d := math.Abs(float64(x - y)); !(d <= 1e-4*float64(scale)) {
			t.Errorf("%v: %s of point %d: %g and %g", r, what, i, x, y)
		}
	}
	p, q := a.Output(LandmarkPoints), b.Output(LandmarkPoints)
	w, v := a.Output(LandmarkWorld), b.Output(LandmarkWorld)
	for i := range Points {
		j := otherSide(i)
		near("x", i, p[5*i], float32(spec.SizePx)-q[5*j], 256)
		near("y", i, p[5*i+1], q[5*j+1], 256)
		near("visibility", i, p[5*i+3], q[5*j+3], 30)
		near("world x", i, w[3*i], -v[3*j], 1)
		near("world z", i, w[3*i+2], v[3*j+2], 1)
		// Cells stand for their left edges.
		h, g := a.Output(LandmarkHeatmap)[i*64*64:], b.Output(LandmarkHeatmap)[j*64*64:]
		for at := 1; at < 64; at++ {
			near("heat", i, h[30*64+at], g[30*64+64-at], 30)
		}
		if otherSide(j) != i {
			t.Errorf("the other side of %d is %d, and of that %d", i, j, otherSide(j))
		}
	}
}
