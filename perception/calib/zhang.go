package calib

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/band"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Board is a checkerboard: inner corners, and the side of a square in metres.
type Board struct {
	Columns, Rows int
	SquareM       float64
}

// Check refuses boards that are none.
func (b Board) Check() error {
	if b.Columns < 3 || b.Rows < 3 || b.Columns > 50 || b.Rows > 50 {
		return fmt.Errorf("a board of %d x %d inner corners; legal: 3 to 50 each", b.Columns, b.Rows)
	}
	if !(b.SquareM >= 0.002 && b.SquareM <= 1) {
		return fmt.Errorf("squares of %g m; legal: 0.002 to 1 m", b.SquareM)
	}
	return nil
}

// at is corner i in the board's axes: x along a row, y from the last row to the first,
// z out of the printed side. A board that lies on the floor has z up.
func (b Board) at(i int) spatial.Vec3 {
	return spatial.Vec3{float64(i%b.Columns) * b.SquareM, -float64(i/b.Columns) * b.SquareM, 0}
}

// Turn says whether the order of the corners tells the board's two ends apart.
type Turn bool

// Whether it does.
const (
	TurnUnknown Turn = false
	TurnKnown   Turn = true
)

// Photo is where the corners of the board are seen, row by row, in pixels.
type Photo struct {
	Name              string
	WidthPx, HeightPx int
	Corners           [][2]float64
	Turned            Turn
}

// Fit is a lens and how well it is known.
type Fit struct {
	Lens    camera.Lens
	ErrorPx float64 // root mean square over all corners
	// FocalErrorPx is the standard deviation of the focal length, as far as the photos tell.
	FocalErrorPx float64
	// PhotoPx is the same error by photo.
	PhotoPx []float64
}

const (
	leastPhotos = 3
	// lensVars are fx fy cx cy k1 k2 p1 p2: with a third radial coefficient, few photos
	// bend the others.
	lensVars = 8
	poseVars = 6
	fitSteps = 60
	// usualFocal is the focal length, of the picture's longer side, from which the search
	// begins where all photos were taken straight from the front.
	usualFocal = 1.0
)

// pose is where the board is before the camera.
type pose struct {
	turn spatial.Quat // cameraFromBoard
	at   spatial.Vec3
}

// CalibrateLens finds a lens from photos of a board: Zhang's closed form without
// distortion, then least squares on all corners (Levenberg and Marquardt).
func CalibrateLens(b Board, photos []Photo) (Fit, error) {
	if err := b.Check(); err != nil {
		return Fit{}, err
	}
	if len(photos) < leastPhotos {
		return Fit{}, fmt.Errorf("%d photos show the board; at least %d are needed, better 10, from all sides "+
			"and in all corners of the picture", len(photos), leastPhotos)
	}
	f := fit{board: b, photos: photos, freeLens: true}
	f.lens.WidthPx, f.lens.HeightPx = photos[0].WidthPx, photos[0].HeightPx
	var plain []homography
	for _, p := range photos {
		if p.WidthPx != f.lens.WidthPx || p.HeightPx != f.lens.HeightPx {
			return Fit{}, fmt.Errorf("%s has %d x %d pixels, %s %d x %d; legal: photos of one size from one camera",
				photos[0].Name, f.lens.WidthPx, f.lens.HeightPx, p.Name, p.WidthPx, p.HeightPx)
		}
		h, err := mapping(b, p.Corners)
		if err != nil {
			return Fit{}, fmt.Errorf("%s: %w", p.Name, err)
		}
		plain = append(plain, h)
	}
	f.lens.CentrePx = [2]float64{float64(f.lens.WidthPx-1) / 2, float64(f.lens.HeightPx-1) / 2}
	focal := closedFocal(plain, f.lens.CentrePx, usualFocal*float64(max(f.lens.WidthPx, f.lens.HeightPx)))
	f.lens.FocalPx = [2]float64{focal, focal}
	for _, h := range plain {
		f.poses = append(f.poses, h.pose(&f.lens))
	}
	if err := f.run(); err != nil {
		return Fit{}, err
	}
	return f.result()
}

// Place finds where a camera of known lens stands in the world of a board.
func Place(l camera.Lens, b Board, p Photo) (c camera.Camera, errorPx float64, err error) {
	if err := b.Check(); err != nil {
		return c, 0, err
	}
	if p.Turned == TurnUnknown {
		return c, 0, fmt.Errorf("a board of %d x %d inner corners looks the same when it is turned by half a turn; "+
			"for places take one with an even and an odd number", b.Columns, b.Rows)
	}
	if c.Lens, err = l.ForPicture(p.WidthPx, p.HeightPx); err != nil {
		return c, 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	straight := make([][2]float64, len(p.Corners))
	for i, px := range p.Corners {
		straight[i] = c.Ray(px)
	}
	h, err := mapping(b, straight)
	if err != nil {
		return c, 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	straightLens := camera.Lens{FocalPx: [2]float64{1, 1}}
	f := fit{board: b, photos: []Photo{p}, lens: c.Lens, poses: []pose{h.pose(&straightLens)}}
	if err := f.run(); err != nil {
		return c, 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	c.Rotation, c.TranslationM = f.poses[0].turn, f.poses[0].at
	return c, f.errorPx(), nil
}

// closedFocal solves Zhang's two conditions a photo for one focal length, the optical
// centre being in the middle.
func closedFocal(all []homography, centre [2]float64, otherwise float64) float64 {
	num, den := 0.0, 0.0
	for _, h := range all {
		for c := range 3 { // the optical centre becomes the origin
			h[0][c] -= centre[0] * h[2][c]
			h[1][c] -= centre[1] * h[2][c]
		}
		scale := 0.0
		for c := range 2 {
			scale += h[0][c]*h[0][c] + h[1][c]*h[1][c]
		}
		for _, q := range [2][2]float64{
			{(h[0][0]*h[0][1] + h[1][0]*h[1][1]) / scale, h[2][0] * h[2][1] / scale},
			{(h[0][0]*h[0][0] + h[1][0]*h[1][0] - h[0][1]*h[0][1] - h[1][1]*h[1][1]) / scale,
				(h[2][0]*h[2][0] - h[2][1]*h[2][1]) / scale},
		} {
			num, den = num-q[0]*q[1], den+q[0]*q[0]
		}
	}
	// num/den is 1 / f^2.
	if f := math.Sqrt(den / num); f > 0.2*otherwise && f < 20*otherwise {
		return f
	}
	return otherwise
}

// homography maps the board's plane to the picture.
type homography [3][3]float64

// mapping fits one to the corners by linear least squares, in numbers near 1.
func mapping(b Board, px [][2]float64) (h homography, err error) {
	if len(px) != b.Columns*b.Rows {
		return h, fmt.Errorf("%d corners; legal: %d", len(px), b.Columns*b.Rows)
	}
	var mid, size [2]float64
	for _, q := range px {
		mid[0], mid[1] = mid[0]+q[0]/float64(len(px)), mid[1]+q[1]/float64(len(px))
	}
	for _, q := range px {
		size[0] += math.Hypot(q[0]-mid[0], q[1]-mid[1]) / float64(len(px))
	}
	boardMid := b.at(len(px) - 1).Scale(0.5)
	boardSize := boardMid.Norm()
	const n = 8
	m := band.New(n, n-1)
	rhs := make([]float64, n)
	add := func(row [n]float64, want float64) {
		for i := range n {
			rhs[i] += row[i] * want
			for j := range i + 1 {
				m.Add(i, j, row[i]*row[j])
			}
		}
	}
	for i, q := range px {
		p := b.at(i).Sub(boardMid).Scale(1 / boardSize)
		u, v := (q[0]-mid[0])/size[0], (q[1]-mid[1])/size[0]
		add([n]float64{p[0], p[1], 1, 0, 0, 0, -u * p[0], -u * p[1]}, u)
		add([n]float64{0, 0, 0, p[0], p[1], 1, -v * p[0], -v * p[1]}, v)
	}
	if err := m.FactorAbove(1e-12); err != nil {
		return h, errors.New("the corners lie on one line")
	}
	m.Solve(rhs)
	g := homography{{rhs[0], rhs[1], rhs[2]}, {rhs[3], rhs[4], rhs[5]}, {rhs[6], rhs[7], 1}}
	// Back to metres and pixels.
	for r := range 3 {
		a, c := g[r][0]/boardSize, g[r][1]/boardSize
		g[r] = [3]float64{a, c, g[r][2] - a*boardMid[0] - c*boardMid[1]}
	}
	for c := range 3 {
		h[0][c] = size[0]*g[0][c] + mid[0]*g[2][c]
		h[1][c] = size[0]*g[1][c] + mid[1]*g[2][c]
		h[2][c] = g[2][c]
	}
	return h, nil
}

// pose takes the board's place out of a homography.
func (h *homography) pose(l *camera.Lens) pose {
	var c [3]spatial.Vec3
	for k := range c {
		x, y := h[0][k]-l.CentrePx[0]*h[2][k], h[1][k]-l.CentrePx[1]*h[2][k]
		c[k] = spatial.Vec3{x / l.FocalPx[0], y / l.FocalPx[1], h[2][k]}
	}
	scale := 2 / (c[0].Norm() + c[1].Norm())
	if c[2][2] < 0 { // the board is in front of the camera
		scale = -scale
	}
	x := c[0].Scale(scale).Unit(spatial.Vec3{1, 0, 0})
	z := x.Cross(c[1].Scale(scale)).Unit(spatial.Vec3{0, 0, -1})
	return pose{spatial.FromAxes(x, z.Cross(x), z), c[2].Scale(scale)}
}
