// Package camera is a camera as calibrations describe it: a pinhole with the lens
// distortion of Brown and Conrady, and where it stands.
//
// Camera axes are x right, y down, z away; pixels count from the middle of the top
// left one, x right, y down. What is not here: files and photos of boards (package
// perception/calib), and pictures themselves.
//
// Everything is plain data without state; functions are safe for concurrent use.
package camera

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Distortion holds the coefficients of Brown and Conrady in the order of OpenCV: k1 k2
// (radial), p1 p2 (tangential), k3 (radial). Zero is a lens without distortion.
type Distortion [5]float64

// Lens maps rays in camera axes to pixels.
type Lens struct {
	WidthPx, HeightPx int // of the picture it was calibrated for
	FocalPx           [2]float64
	CentrePx          [2]float64
	Distortion        Distortion
}

// Camera is a lens with a place: camera = Rotation . world + TranslationM.
type Camera struct {
	Name string
	Lens
	Rotation     spatial.Quat // cameraFromWorld
	TranslationM spatial.Vec3
}

// Set is what one calibration says: cameras in one world.
type Set struct {
	Cameras []Camera
	// Up is the direction against gravity in the world; zero where it is not known.
	Up spatial.Vec3
	// ErrorPx is the root mean square reprojection error of the calibration, 0 unknown.
	ErrorPx float64
}

// distort bends the ray (x, y, 1) and returns the derivatives d(u, v)/d(x, y).
func (d *Distortion) distort(x, y float64) (u, v float64, j [2][2]float64) {
	k1, k2, p1, p2, k3 := d[0], d[1], d[2], d[3], d[4]
	r := x*x + y*y
	radial := 1 + r*(k1+r*(k2+r*k3))
	slope := 2 * (k1 + r*(2*k2+3*r*k3)) // d radial / d x = slope * x
	u = x*radial + 2*p1*x*y + p2*(r+2*x*x)
	v = y*radial + p1*(r+2*y*y) + 2*p2*x*y
	j[0][0] = radial + slope*x*x + 2*p1*y + 6*p2*x
	j[0][1] = slope*x*y + 2*p1*x + 2*p2*y
	j[1][0] = slope*x*y + 2*p1*x + 2*p2*y
	j[1][1] = radial + slope*y*y + 6*p1*y + 2*p2*x
	return u, v, j
}

// nearestM is how near to the lens a point may be and still be seen, metres.
const nearestM = 1e-3

// Pixel is where a point in camera axes (m) appears; false where it lies behind the
// lens. Points may be outside of the picture.
func (l *Lens) Pixel(p spatial.Vec3) ([2]float64, bool) {
	px, _, ok := l.PixelSlopes(p)
	return px, ok
}

// PixelSlopes is Pixel with the derivatives of both pixels by the point, pixels a metre.
func (l *Lens) PixelSlopes(p spatial.Vec3) (px [2]float64, slopes [2]spatial.Vec3, ok bool) {
	if p[2] < nearestM {
		return px, slopes, false
	}
	x, y := p[0]/p[2], p[1]/p[2]
	u, v, j := l.Distortion.distort(x, y)
	px = [2]float64{l.FocalPx[0]*u + l.CentrePx[0], l.FocalPx[1]*v + l.CentrePx[1]}
	for k := range 2 {
		f := l.FocalPx[k] / p[2]
		slopes[k] = spatial.Vec3{f * j[k][0], f * j[k][1], -f * (j[k][0]*x + j[k][1]*y)}
	}
	return px, slopes, true
}

// straightSteps bounds the Newton steps of Ray, straightEnough ends them (of the ray).
const (
	straightSteps  = 20
	straightEnough = 1e-12
)

// Ray is the direction (x, y, 1) in camera axes that a pixel looks along, without
// distortion. Beyond where the lens model folds over it returns the best it finds.
func (l *Lens) Ray(px [2]float64) [2]float64 {
	want := [2]float64{(px[0] - l.CentrePx[0]) / l.FocalPx[0], (px[1] - l.CentrePx[1]) / l.FocalPx[1]}
	x, y := want[0], want[1]
	for range straightSteps {
		u, v, j := l.Distortion.distort(x, y)
		du, dv := want[0]-u, want[1]-v
		det := j[0][0]*j[1][1] - j[0][1]*j[1][0]
		if math.Abs(det) < 1e-6 || math.Hypot(du, dv) < straightEnough {
			break
		}
		x += (j[1][1]*du - j[0][1]*dv) / det
		y += (j[0][0]*dv - j[1][0]*du) / det
	}
	return [2]float64{x, y}
}

// InCamera gives a point of the world in the camera's axes, metres.
func (c *Camera) InCamera(world spatial.Vec3) spatial.Vec3 {
	return c.Rotation.Rotate(world).Add(c.TranslationM)
}

// InWorld is the inverse of InCamera.
func (c *Camera) InWorld(p spatial.Vec3) spatial.Vec3 {
	return c.Rotation.Inv().Rotate(p.Sub(c.TranslationM))
}

// Place is where the lens is in the world, metres.
func (c *Camera) Place() spatial.Vec3 { return c.InWorld(spatial.Vec3{}) }

// Project is where a point of the world appears in the picture; false behind the lens.
func (c *Camera) Project(world spatial.Vec3) ([2]float64, bool) { return c.Pixel(c.InCamera(world)) }

// LookingAt stands a camera at a place and points it at another (m, world, z up), with
// its picture upright.
func LookingAt(name string, l Lens, place, at spatial.Vec3) Camera {
	away := at.Sub(place).Unit(spatial.Vec3{1, 0, 0})
	right := away.Cross(spatial.Vec3{0, 0, 1}).Unit(spatial.Vec3{0, 1, 0})
	turn := spatial.FromAxes(right, away.Cross(right), away).Inv()
	return Camera{name, l, turn, turn.Rotate(place).Scale(-1)}
}

// Limits of Check and ForPicture.
const (
	maxFocalShare = 100.0 // of the picture's longer side
	minFocalShare = 0.1
	// sizeSlack: sizes that differ by less are the same but for a trimmed border, whose
	// side nobody knows.
	sizeSlack = 0.02
)

// Check refuses lenses and places that are none.
func (c *Camera) Check() error {
	longer := float64(max(c.WidthPx, c.HeightPx))
	if c.WidthPx < 16 || c.HeightPx < 16 || longer > 65536 {
		return fmt.Errorf("camera %q: pictures of %d x %d pixels; legal: 16 to 65536", c.Name, c.WidthPx, c.HeightPx)
	}
	for k, f := range c.FocalPx {
		if !(f >= minFocalShare*longer && f <= maxFocalShare*longer) {
			return fmt.Errorf("camera %q: focal length %g px for pictures of %d x %d; legal: %g to %g",
				c.Name, f, c.WidthPx, c.HeightPx, minFocalShare*longer, maxFocalShare*longer)
		}
		if p := c.CentrePx[k]; !(math.Abs(p) <= 4*longer) {
			return fmt.Errorf("camera %q: optical centre %v px is not near the picture", c.Name, c.CentrePx)
		}
	}
	for _, d := range c.Distortion {
		if !(math.Abs(d) < 100) {
			return fmt.Errorf("camera %q: distortion %v; legal: finite and below 100", c.Name, c.Distortion)
		}
	}
	if n := c.Rotation.Dot(c.Rotation); !(math.Abs(n-1) < 1e-6) {
		return fmt.Errorf("camera %q: its rotation is none", c.Name)
	}
	if n := c.TranslationM.Norm(); !(n < 1e3) {
		return fmt.Errorf("camera %q: it stands %g m from the origin; legal: below 1000 m (are its numbers millimetres?)",
			c.Name, n)
	}
	return nil
}

// ForPicture is the lens for pictures of another size that show the same: scaled alike
// in both directions. Sizes within 2 % are taken as they are. Anything else (cut out,
// turned) is an error, since the calibration does not say where the picture lies.
func (l Lens) ForPicture(widthPx, heightPx int) (Lens, error) {
	sx, sy := float64(widthPx)/float64(l.WidthPx), float64(heightPx)/float64(l.HeightPx)
	switch {
	case math.Abs(sx-1) <= sizeSlack && math.Abs(sy-1) <= sizeSlack:
		return l, nil
	case !(math.Abs(sx/sy-1) <= sizeSlack):
		hint := ""
		if (widthPx > heightPx) != (l.WidthPx > l.HeightPx) {
			hint = "; one is upright and the other is not"
		}
		return l, fmt.Errorf("calibrated for pictures of %d x %d pixels, the video has %d x %d%s",
			l.WidthPx, l.HeightPx, widthPx, heightPx, hint)
	}
	for k, s := range [2]float64{sx, sy} {
		l.FocalPx[k] *= s
		l.CentrePx[k] = (l.CentrePx[k]+0.5)*s - 0.5
	}
	l.WidthPx, l.HeightPx = widthPx, heightPx
	return l, nil
}
