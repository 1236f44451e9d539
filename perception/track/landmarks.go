package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Constants of the landmark graph (tensors_to_pose_landmarks_and_segmentation.pbtxt).
const (
	minPresence      = 0.5
	refineWindow     = 3 // cells to each side
	refineConfidence = 0.5
)

// seen is the landmark network's view of one square.
type seen struct {
	presence float64
	marks    [landmark.Num]landmark.Point
	world    [landmark.Num]spatial.Vec3
	// centre and scale define the next square.
	centre, scale point
}

// look runs the landmark network on a square of the picture.
func look(net posenet.Network, cut *cropper, f *video.Frame, roi ROI) (seen, error) {
	spec := posenet.Full.Spec()
	cut.crop(net.Input(), f, roi, spec.SizePx, spec.Lo, spec.Hi, borderReplicate)
	if err := net.Run(); err != nil {
		return seen{}, err
	}
	return decodeLandmarks(net.Output(posenet.LandmarkPoints), net.Output(posenet.LandmarkPresence),
		net.Output(posenet.LandmarkHeatmap), net.Output(posenet.LandmarkWorld), roi, float64(spec.SizePx)), nil
}

// decodeLandmarks turns the network's outputs into picture coordinates.
func decodeLandmarks(points, presence, heatmap, world []float32, roi ROI, inputPx float64) seen {
	s := seen{presence: float64(presence[0])}
	const cells = posenet.HeatmapSide * posenet.HeatmapSide
	for i := range posenet.Points {
		v := points[5*i : 5*i+5]
		x, y := float64(v[0])/inputPx, float64(v[1])/inputPx
		x, y = refine(x, y, heatmap[i*cells:(i+1)*cells])
		p := roi.toPicture(x, y)
		switch {
		case i < landmark.Num:
			s.marks[i] = landmark.Point{
				XPx: p.x, YPx: p.y, ZPx: float64(v[2]) / inputPx * roi.SidePx,
				Visibility: sigmoid(float64(v[3])), Presence: sigmoid(float64(v[4])),
			}
		case i == landmark.Num:
			s.centre = p
		case i == landmark.Num+1:
			s.scale = p
		}
	}
	// World points are in the axes of the square: turn them back upright.
	sin, cos := math.Sincos(roi.RotationRad)
	for i := range s.world {
		x, y, z := float64(world[3*i]), float64(world[3*i+1]), float64(world[3*i+2])
		s.world[i] = spatial.Vec3{cos*x - sin*y, sin*x + cos*y, z}
	}
	return s
}

// refine moves a point (0..1) to the centre of mass of its heat map in a
// window around it, if the heat map is confident there.
func refine(x, y float64, heatmap []float32) (float64, float64) {
	const side = posenet.HeatmapSide
	col, row := int(math.Floor(x*side)), int(math.Floor(y*side))
	if col < 0 || row < 0 || col >= side || row >= side {
		return x, y
	}
	var sum, sumX, sumY, most float64
	for r := max(0, row-refineWindow); r < min(side, row+refineWindow+1); r++ {
		for c := max(0, col-refineWindow); c < min(side, col+refineWindow+1); c++ {
			p := sigmoid(float64(heatmap[r*side+c]))
			sum += p
			sumX += p * float64(c)
			sumY += p * float64(r)
			most = math.Max(most, p)
		}
	}
	if most < refineConfidence || sum <= 0 {
		return x, y
	}
	return sumX / side / sum, sumY / side / sum
}
