package lines

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// How edges are judged.
const (
	// doubtRad and doubtPx are the standard deviation of an edge's direction: what a
	// lens bends, and what its ends are worth.
	doubtRad = 0.3 * math.Pi / 180
	doubtPx  = 0.7
	// uprightPart and levelPart are the shares of edges, by length, that are expected to
	// be upright and to be level along each of two directions at right angles.
	uprightPart = 0.25
	levelPart   = 0.2
	yawTries    = 60
)

// edge is a segment as it is judged.
type edge struct {
	at, along [2]float64 // its middle, from the middle of the picture, and its direction
	sigma     float64    // rad
	weight    float64
}

// View is the edges that one camera sees.
type View struct{ edges []edge }

// NewView takes the edges of a picture of w x h pixels.
func NewView(segments []Segment, w, h int) *View {
	v := &View{}
	long := float64(max(w, h))
	for _, s := range segments {
		l := s.Length()
		v.edges = append(v.edges, edge{
			at:     [2]float64{(s.A[0]+s.B[0])/2 - float64(w)/2, (s.A[1]+s.B[1])/2 - float64(h)/2},
			along:  [2]float64{(s.B[0] - s.A[0]) / l, (s.B[1] - s.A[1]) / l},
			sigma:  math.Hypot(doubtRad, doubtPx*long/workPx/l*math.Sqrt(12)/2),
			weight: math.Min(1, l/(0.15*long)),
		})
	}
	return v
}

// off is the angle between an edge and the picture of a direction in space there.
func (e *edge) off(focalPx float64, d spatial.Vec3) float64 {
	x, y := focalPx*d[0]-e.at[0]*d[2], focalPx*d[1]-e.at[1]*d[2]
	n := math.Hypot(x, y)
	if n < 1e-9*focalPx {
		return math.Pi / 2
	}
	return math.Asin(math.Min(1, math.Abs(x*e.along[1]-y*e.along[0])/n))
}

// density is that of being off by so much against that of an edge of any direction.
func (e *edge) density(off float64) float64 {
	z := off / e.sigma
	k := 1 + z*z
	return 2 / (e.sigma * k * k)
}

// Upright is the logarithm of how much better the edges are explained by some being upright
// than by none.
func (v *View) Upright(focalPx float64, up spatial.Vec3) float64 {
	sum := 0.0
	for i := range v.edges {
		e := &v.edges[i]
		sum += e.weight * math.Log(1-uprightPart+uprightPart*e.density(e.off(focalPx, up)))
	}
	return sum
}

// Level is how much better they are explained by some being level, too, along two
// directions at right angles: yawRad from the camera's right, and from its view.
func (v *View) Level(focalPx float64, up spatial.Vec3, yawRad float64) float64 {
	right, away := axes(up)
	s, c := math.Sincos(yawRad)
	along, across := right.Scale(c).Add(away.Scale(s)), away.Scale(c).Sub(right.Scale(s))
	sum := 0.0
	for i := range v.edges {
		e := &v.edges[i]
		u := 1 - uprightPart + uprightPart*e.density(e.off(focalPx, up))
		h := levelPart * (e.density(e.off(focalPx, along)) + e.density(e.off(focalPx, across)))
		sum += e.weight * math.Log((u-2*levelPart+h)/u)
	}
	return sum
}

// Yaw is the yaw for which Level is greatest, from -45 to 45 degrees.
func (v *View) Yaw(focalPx float64, up spatial.Vec3) (yawRad float64) {
	best := math.Inf(-1)
	for k := range yawTries {
		yaw := (float64(k)/yawTries - 0.5) * math.Pi / 2
		if l := v.Level(focalPx, up, yaw); l > best {
			best, yawRad = l, yaw
		}
	}
	return yawRad
}

// axes are the level directions to the right of the picture and away from the camera.
func axes(up spatial.Vec3) (right, away spatial.Vec3) {
	z := spatial.Vec3{0, 0, 1}
	away = z.Sub(up.Scale(z.Dot(up))).Unit(z)
	return away.Cross(up), away
}
