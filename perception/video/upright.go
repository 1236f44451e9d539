package video

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ErrNoProbe says that the program ffprobe is not on this machine.
var ErrNoProbe = errors.New("video: ffprobe is not installed: run make deps, or apt-get install ffmpeg")

// upright says how a stored picture becomes the one that a player shows: first
// its pixels are made square, then it is turned or mirrored.
type upright struct {
	// pixelAspect is the width of a stored pixel over its height.
	pixelAspect float64
	// transpose exchanges rows and columns (before the mirrors).
	transpose bool
	// mirrorX and mirrorY then mirror left-right and top-bottom.
	mirrorX, mirrorY bool
}

// pixelAspect reads "16:11"; what is missing or unknown ("0:1") is square.
func pixelAspect(ratio string) float64 {
	a, b, _ := strings.Cut(ratio, ":")
	w, errW := strconv.ParseFloat(a, 64)
	h, errH := strconv.ParseFloat(b, 64)
	if errW != nil || errH != nil || !(w > 0) || !(h > 0) {
		return 1
	}
	return w / h
}

// displayMatrix reads ffprobe's print of a display matrix: lines of an offset
// and three numbers. Fewer than nine numbers give zeros, which turn nothing.
func displayMatrix(text string) (m [9]float64) {
	k := 0
	for line := range strings.SplitSeq(text, "\n") {
		_, numbers, _ := strings.Cut(line, ":")
		for _, word := range strings.Fields(numbers) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil || k == len(m) {
				return [9]float64{}
			}
			m[k] = v
			k++
		}
	}
	return m
}

// turn sets the turn and mirrors from a display matrix of the QuickTime file
// format: x' = m0 x + m3 y, y' = m1 x + m4 y. Turns that are no quarter turns
// are rounded to the nearest one, as players do.
func (u *upright) turn(m [9]float64) {
	along, across := math.Abs(m[0])+math.Abs(m[4]), math.Abs(m[1])+math.Abs(m[3])
	u.transpose = across > along
	if u.transpose {
		u.mirrorX, u.mirrorY = m[3] < 0, m[1] < 0
	} else {
		u.mirrorX, u.mirrorY = m[0] < 0, m[4] < 0
	}
}

// square is the size of a stored picture once its pixels are square. The longer
// side of a pixel is kept, so that nothing that was filmed is lost.
func (u upright) square(widthPx, heightPx int) (int, int) {
	if u.pixelAspect > 1 {
		return int(math.Round(float64(widthPx) * u.pixelAspect)), heightPx
	}
	return widthPx, int(math.Round(float64(heightPx) / u.pixelAspect))
}
