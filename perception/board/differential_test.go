//go:build opencv && cgo

package board

import (
	"math"
	"testing"

	"gocv.io/x/gocv"

	"github.com/mitori-robotics/mitori/models/camera"
)

// Rays without distortion are those of OpenCV.
func TestRaysAsOpenCV(t *testing.T) {
	l := camera.Lens{WidthPx: 1088, HeightPx: 1920, FocalPx: [2]float64{1681, 1683}, CentrePx: [2]float64{533, 948},
		Distortion: camera.Distortion{-0.046, 0.139, 0.0006, 0.0007, -0.01}}
	matrix, bend := gocv.NewMatWithSize(3, 3, gocv.MatTypeCV64F), gocv.NewMatWithSize(1, 5, gocv.MatTypeCV64F)
	defer matrix.Close()
	defer bend.Close()
	for i, v := range []float64{l.FocalPx[0], 0, l.CentrePx[0], 0, l.FocalPx[1], l.CentrePx[1], 0, 0, 1} {
		matrix.SetDoubleAt(i/3, i%3, v)
	}
	for i, v := range l.Distortion {
		bend.SetDoubleAt(0, i, v)
	}
	var pixels [][2]float64
	for x := 0.0; x < 1088; x += 121 {
		for y := 0.0; y < 1920; y += 137 {
			pixels = append(pixels, [2]float64{x, y})
		}
	}
	src, dst, none := gocv.NewMatWithSize(len(pixels), 2, gocv.MatTypeCV64F), gocv.NewMat(), gocv.NewMat()
	defer src.Close()
	defer dst.Close()
	defer none.Close()
	for i, px := range pixels {
		src.SetDoubleAt(i, 0, px[0])
		src.SetDoubleAt(i, 1, px[1])
	}
	two := src.Reshape(2, len(pixels))
	defer two.Close()
	gocv.UndistortPoints(two, &dst, matrix, bend, none, none)
	for i, px := range pixels {
		got, want := l.Ray(px), dst.GetVecdAt(i, 0)
		// OpenCV ends after five rounds of a slower iteration.
		if math.Hypot(got[0]-want[0], got[1]-want[1]) > 2e-5 {
			t.Errorf("pixel %v: %v, OpenCV %v", px, got, want)
		}
	}
}
