package track

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

// noise makes a picture of random pixels.
func noise(r *rand.Rand, w, h int) *video.Frame {
	pix := make([]byte, 3*w*h)
	for i := range pix {
		pix[i] = byte(r.IntN(256))
	}
	return video.NewFrame(0, w, h, pix)
}

// exactCrop is the definition of crop in floating point.
func exactCrop(dst []float64, f *video.Frame, roi ROI, n int, lo, hi float64, edge border) {
	pixel := func(x, y, c int) float64 {
		if x < 0 || y < 0 || x >= f.WidthPx || y >= f.HeightPx {
			if edge == borderBlack {
				return 0
			}
			x, y = min(max(x, 0), f.WidthPx-1), min(max(y, 0), f.HeightPx-1)
		}
		return float64(f.Pix[3*(y*f.WidthPx+x)+2-c]) // stored blue first
	}
	for v := range n {
		for u := range n {
			p := roi.toPicture((float64(u)+0.5)/float64(n), (float64(v)+0.5)/float64(n))
			x, y := p.x-0.5, p.y-0.5
			x0, y0 := math.Floor(x), math.Floor(y)
			fx, fy := x-x0, y-y0
			for c := range 3 {
				a := (1-fx)*pixel(int(x0), int(y0), c) + fx*pixel(int(x0)+1, int(y0), c)
				b := (1-fx)*pixel(int(x0), int(y0)+1, c) + fx*pixel(int(x0)+1, int(y0)+1, c)
				dst[(c*n+v)*n+u] = lo + (hi-lo)/255*((1-fy)*a+fy*b)
			}
		}
	}
}

// TestCropAgainstDefinition: squares inside, across the edges and far outside
// the picture, at every angle. The weights have 8 bits and positions 16, so the
// worst error on random pixels is 2 x 255/256 grey levels plus the drift of the
// position, n x 2^-17 pixels x 255.
func TestCropAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := noise(r, 97, 61)
	const n = 32
	got, want := make([]float32, 3*n*n), make([]float64, 3*n*n)
	for i := range 200 {
		roi := ROI{CentreXPx: r.Float64()*160 - 30, CentreYPx: r.Float64()*120 - 30, SidePx: 2 + 90*r.Float64(), RotationRad: wrap(7 * r.Float64())}
		if i == 0 {
			roi = ROI{CentreXPx: 48.5, CentreYPx: 30.5, SidePx: 32}
		}
		for _, edge := range [...]border{borderReplicate, borderBlack} {
			interpolate(got, f, roi, n, -1, 1, edge)
			exactCrop(want, f, roi, n, -1, 1, edge)
			for k := range got {
				if d := math.Abs(float64(got[k]) - want[k]); d > 2.1*2/255 {
					t.Fatalf("square %+v, border %d: value %d is %v, want %v", roi, edge, k, got[k], want[k])
				}
			}
		}
	}
}

// TestCropCopies: an upright square of the same size on whole pixels is a copy
// with red and blue exchanged.
func TestCropCopies(t *testing.T) {
	f := noise(rand.New(rand.NewPCG(3, 4)), 20, 20)
	const n = 8
	got := make([]float32, 3*n*n)
	interpolate(got, f, ROI{CentreXPx: 9, CentreYPx: 10, SidePx: n}, n, 0, 255, borderReplicate)
	for y := range n {
		for x := range n {
			for c := range 3 {
				if want := float32(f.Pix[3*((y+6)*20+x+5)+2-c]); math.Abs(float64(got[(c*n+y)*n+x]-want)) > 1e-3 {
					t.Fatalf("pixel %d,%d colour %d is %v, want %v", x, y, c, got[(c*n+y)*n+x], want)
				}
			}
		}
	}
}

// TestCropAverages: where the square is shrunk, a result pixel is the mean of
// the picture under it. On a slope of one grey level a pixel that mean is known
// to the rounding of each halving.
func TestCropAverages(t *testing.T) {
	const w, h, n = 241, 221, 16
	pix := make([]byte, 3*w*h)
	for y := range h {
		for x := range w {
			pix[3*(y*w+x)], pix[3*(y*w+x)+1], pix[3*(y*w+x)+2] = byte(x), byte(y), 100
		}
	}
	f := video.NewFrame(0, w, h, pix)
	r := rand.New(rand.NewPCG(7, 8))
	got := make([]float32, 3*n*n)
	var c cropper
	for range 300 {
		roi := ROI{CentreXPx: 500*r.Float64() - 120, CentreYPx: 500*r.Float64() - 120, SidePx: (1 + 12*r.Float64()) * n, RotationRad: wrap(7 * r.Float64())}
		for _, edge := range [...]border{borderReplicate, borderBlack} {
			c.crop(got, f, roi, n, 0, 255, edge)
			for i := range n * n {
				p := roi.toPicture((float64(i%n)+0.5)/n, (float64(i/n)+0.5)/n)
				reach := 2 * roi.SidePx / n // of pixels that the edge may touch
				if p.x > reach && p.y > reach && p.x < w-reach && p.y < h-reach {
					if math.Abs(float64(got[i])-100) > 0.1 || math.Abs(float64(got[n*n+i])-(p.y-0.5)) > 1.6 || math.Abs(float64(got[2*n*n+i])-(p.x-0.5)) > 1.6 {
						t.Fatalf("square %+v: at %.2f,%.2f: %v %v %v", roi, p.x, p.y, got[i], got[n*n+i], got[2*n*n+i])
					}
				}
				if p.x < -reach || p.y < -reach || p.x > w+reach || p.y > h+reach {
					want := 100.0
					if edge == borderBlack {
						want = 0
					}
					if math.Abs(float64(got[i])-want) > 0.1 {
						t.Fatalf("square %+v, beyond the edge: %v, want %v", roi, got[i], want)
					}
				}
			}
		}
	}
	// White noise, spread 73.6, loses it by the square root of what is averaged.
	c.crop(got, noise(r, w, h), ROI{CentreXPx: 120, CentreYPx: 110, SidePx: 8 * n, RotationRad: 0.3}, n, 0, 255, borderReplicate)
	var sum, square float64
	for _, v := range got {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	mean := sum / float64(len(got))
	if s := math.Sqrt(square/float64(len(got)) - mean*mean); s > 73.6/6 {
		t.Errorf("noise keeps a spread of %.1f", s)
	}
}

func BenchmarkCrop(b *testing.B) {
	f := noise(rand.New(rand.NewPCG(1, 2)), 1088, 1920)
	dst := make([]float32, 3*256*256)
	var cut cropper
	for _, c := range []struct {
		name string
		roi  ROI
	}{
		{"inside", ROI{CentreXPx: 544, CentreYPx: 960, SidePx: 800, RotationRad: 0.2}},
		{"acrossEdge", ROI{CentreXPx: 300, CentreYPx: 960, SidePx: 1100, RotationRad: 0.2}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				cut.crop(dst, f, c.roi, 256, 0, 1, borderReplicate)
			}
		})
	}
}
