// Package board finds a checkerboard on photos, to a fraction of a pixel. What is done
// with the corners is the business of package perception/calib.
//
// Finding needs OpenCV (build tag opencv, cgo); without it Find returns ErrNotBuilt. No
// photo is kept. Safe for concurrent use.
package board

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/calib"
)

// ErrNotBuilt says that this build cannot look at photos.
var ErrNotBuilt = errors.New("board: not in this build: rebuild with -tags opencv and cgo enabled (make build does)")

// ErrNone says that a photo does not show the board, or not all of it.
var ErrNone = errors.New("the board is not seen as a whole")

// maxPhotoBytes bounds a photo's file.
const maxPhotoBytes = 64 << 20

// Find looks for the board on a photo (JPEG or PNG).
func Find(photo string, b calib.Board) (calib.Photo, error) {
	p := calib.Photo{Name: filepath.Base(photo)}
	if err := b.Check(); err != nil {
		return p, err
	}
	bytes, err := infile.Read(photo, maxPhotoBytes)
	if err != nil {
		return p, err
	}
	// OpenCV ends the process on some pictures that are none.
	if len(bytes) < 4 || string(bytes[:3]) != "\xff\xd8\xff" && string(bytes[:4]) != "\x89PNG" {
		return p, infile.Refuse(photo, errors.New("it is no photo; legal: JPEG, PNG"))
	}
	grey, err := decode(bytes)
	if err != nil {
		return p, fmt.Errorf("%s: %w", photo, err)
	}
	defer grey.close()
	p.WidthPx, p.HeightPx = grey.size()
	corners, ok := grey.corners(b.Columns, b.Rows)
	if !ok {
		return p, fmt.Errorf("%s: %w (%d x %d inner corners)", photo, ErrNone, b.Columns, b.Rows)
	}
	p.Corners, p.Turned = canonical(corners, b, grey.bright)
	return p, nil
}

// canonical brings corners into the one order in which the board is seen from its
// printed side and the square between its first four corners is dark. known is false for
// boards that look the same when turned by half a turn.
func canonical(corners [][2]float64, b calib.Board, bright func(x, y float64) float64) (out [][2]float64, turned calib.Turn) {
	at := func(c, r int) [2]float64 { return corners[r*b.Columns+c] }
	first, across, down := at(0, 0), at(b.Columns-1, 0), at(0, b.Rows-1)
	ax, ay, dx, dy := across[0]-first[0], across[1]-first[1], down[0]-first[0], down[1]-first[1]
	out = make([][2]float64, 0, len(corners))
	for r := range b.Rows {
		for c := range b.Columns {
			if ax*dy-ay*dx < 0 { // seen as in a mirror: counted the wrong way
				out = append(out, at(b.Columns-1-c, r))
			} else {
				out = append(out, at(c, r))
			}
		}
	}
	if (b.Columns+b.Rows)%2 == 0 {
		return out, calib.TurnUnknown
	}
	square := func(c, r int) float64 {
		var x, y float64
		for _, k := range [4]int{r*b.Columns + c, r*b.Columns + c + 1, (r+1)*b.Columns + c, (r+1)*b.Columns + c + 1} {
			x, y = x+out[k][0]/4, y+out[k][1]/4
		}
		return bright(x, y)
	}
	// Squares of one colour are compared with their neighbours, all over the board.
	sum := 0.0
	for r := range b.Rows - 1 {
		for c := range b.Columns - 1 {
			sign := 1.0
			if (r+c)%2 == 1 {
				sign = -1
			}
			sum += sign * square(c, r)
		}
	}
	if sum > 0 {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out, calib.TurnKnown
}
