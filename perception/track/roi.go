package track

import "math"

// point is a position in the picture, pixels.
type point struct{ x, y float64 }

func (a point) distance(b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// roiMargin widens the circle through the scale point to the square that the
// landmark network was trained on (pose_detection_to_roi.pbtxt).
const roiMargin = 1.25

// roiFrom places the square: centre is the middle of the hips, scale a point on
// the circle around the whole body, in the direction of the head.
func roiFrom(centre, scale point) ROI {
	return ROI{
		CentreXPx: centre.x, CentreYPx: centre.y,
		SidePx:      2 * centre.distance(scale) * roiMargin,
		RotationRad: wrap(math.Pi/2 - math.Atan2(-(scale.y-centre.y), scale.x-centre.x)),
	}
}

// wrap brings an angle to [-pi, pi).
func wrap(a float64) float64 {
	return a - 2*math.Pi*math.Floor((a+math.Pi)/(2*math.Pi))
}

// toPicture maps a position in the square (0..1 on both axes) to the picture.
func (r ROI) toPicture(u, v float64) point {
	sin, cos := math.Sincos(r.RotationRad)
	x, y := (u-0.5)*r.SidePx, (v-0.5)*r.SidePx
	return point{r.CentreXPx + cos*x - sin*y, r.CentreYPx + sin*x + cos*y}
}
