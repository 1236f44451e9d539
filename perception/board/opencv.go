//go:build opencv && cgo

package board

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"
)

// picture is a grey photo.
type picture struct{ mat gocv.Mat }

// maxPixels bounds a photo in memory (the largest phones make 200 million).
const maxPixels = 1 << 28

func decode(bytes []byte) (*picture, error) {
	m, err := gocv.IMDecode(bytes, gocv.IMReadGrayScale)
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	if m.Empty() || m.Cols() > maxPixels/max(1, m.Rows()) {
		return nil, errors.Join(errors.New("board: the photo cannot be read"), m.Close())
	}
	return &picture{m}, nil
}

func (p *picture) close() { p.mat.Close() }

func (p *picture) size() (widthPx, heightPx int) { return p.mat.Cols(), p.mat.Rows() }

// bright is the grey value at a place, 0 to 255.
func (p *picture) bright(x, y float64) float64 {
	c, r := int(math.Round(x)), int(math.Round(y))
	c, r = max(0, min(p.mat.Cols()-1, c)), max(0, min(p.mat.Rows()-1, r))
	return float64(p.mat.GetUCharAt(r, c))
}

// How corners are made exact (OpenCV's cornerSubPix): the window's half side as a share of
// a square, its bounds in pixels, and when to end.
const (
	windowShare          = 0.3
	leastHalf, mostHalf  = 3, 15
	subPixSteps, subPixE = 60, 1e-3
)

// corners finds the inner corners, row by row.
func (p *picture) corners(columns, rows int) ([][2]float64, bool) {
	found := gocv.NewMat()
	defer found.Close()
	flags := gocv.CalibCBAdaptiveThresh + gocv.CalibCBNormalizeImage
	if !gocv.FindChessboardCorners(p.mat, image.Pt(columns, rows), &found, flags) || found.Rows()*found.Cols() != columns*rows {
		return nil, false
	}
	half := max(leastHalf, min(mostHalf, int(windowShare*shortest(points(found, columns*rows), columns))))
	gocv.CornerSubPix(p.mat, &found, image.Pt(half, half), image.Pt(-1, -1),
		gocv.NewTermCriteria(gocv.Count+gocv.EPS, subPixSteps, subPixE))
	return points(found, columns*rows), true
}

func points(m gocv.Mat, n int) [][2]float64 {
	out := make([][2]float64, n)
	for i := range out {
		v := m.GetVecfAt(i, 0)
		out[i] = [2]float64{float64(v[0]), float64(v[1])}
	}
	return out
}

// shortest is the least distance of neighbours in a row, pixels.
func shortest(c [][2]float64, columns int) float64 {
	least := math.Inf(1)
	for i := 1; i < len(c); i++ {
		if i%columns != 0 {
			least = math.Min(least, math.Hypot(c[i][0]-c[i-1][0], c[i][1]-c[i-1][1]))
		}
	}
	return least
}
