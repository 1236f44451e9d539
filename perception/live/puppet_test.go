package live_test

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// puppet stands in for the tracker and its networks: whatever the picture, it sees
// a person who stands 3.5 m before the camera and raises both arms sideways and
// back, once every four seconds.
type puppet struct {
	goneFromS, goneToS float64 // when nobody is to be seen
	disownAtS          float64 // when it takes back the four pictures before
	looks              int
}

const widthPx, heightPx, focalPx = 540, 720, 648

// stands lists one side of a standing adult: y to the left, z up from the hips.
var stands = map[landmark.Index][3]float64{
	landmark.LEyeInner: {0.08, 0.02, 0.72}, landmark.LEye: {0.08, 0.03, 0.72}, landmark.LEyeOuter: {0.08, 0.04, 0.72},
	landmark.LEar: {0, 0.07, 0.70}, landmark.LMouth: {0.08, 0.03, 0.64},
	landmark.LShoulder: {0, 0.18, 0.51}, landmark.LHip: {0, 0.09, 0}, landmark.LKnee: {0.01, 0.10, -0.40},
	landmark.LAnkle: {0, 0.10, -0.78}, landmark.LHeel: {-0.06, 0.10, -0.83}, landmark.LToe: {0.16, 0.11, -0.86},
}

// Step sees the puppet as it is at the picture's time.
func (p *puppet) Step(f *video.Frame) (track.Frame, error) {
	p.looks++
	out := track.Frame{Frame: landmark.Frame{TimeS: f.TimeS}}
	if f.TimeS >= p.goneFromS && f.TimeS < p.goneToS {
		return out, nil
	}
	if p.disownAtS > 0 && f.TimeS >= p.disownAtS {
		out.Disowned, p.disownAtS = 4, 0
	}
	out.Found = true
	put := func(i landmark.Index, v [3]float64) {
		// Camera axes: the puppet looks into the camera, its left is our right.
		out.WorldM[i] = spatial.Vec3{v[1], -v[2], -v[0]}
		z := 3.5 - v[0]
		out.Landmarks[i] = landmark.Point{XPx: widthPx/2 + focalPx*v[1]/z, YPx: heightPx/2 - focalPx*v[2]/z, Visibility: 0.95}
	}
	put(landmark.Nose, [3]float64{0.11, 0, 0.68})
	raise := 0.1 + 1.2*(1-math.Cos(math.Pi*f.TimeS/2))
	for i, v := range stands {
		put(i, v)
		put(landmark.Mirror(i), [3]float64{v[0], -v[1], v[2]})
	}
	for k, reach := range []float64{0.28, 0.54, 0.62, 0.62, 0.62} {
		i := landmark.LElbow + 2*k
		v := [3]float64{0.03 * float64(k%2), 0.18 + reach*math.Sin(raise), 0.51 - reach*math.Cos(raise)}
		put(i, v)
		put(landmark.Mirror(i), [3]float64{v[0], -v[1], v[2]})
	}
	return out, nil
}

// picture is what a camera would give, blank: the puppet does not look.
func picture(timeS float64) *video.Frame {
	return video.NewFrame(timeS, widthPx, heightPx, blank[:])
}

var blank [3 * widthPx * heightPx]byte
