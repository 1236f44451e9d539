package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The network sees a cut-out, not the picture: its depth is along the ray to the
// middle of the hips, as if a camera looked there. And it hardly sees from how high
// up it looks: whatever the camera does, it reports a body as seen by one that looks
// down by about seenPitch, as people are mostly filmed. Where gravity is known, that
// is a rotation of the whole body, the same for every bone.
//
// Fitted on rendered clips of five motions and cameras 0.4 to 0.95 m high (pitch
// along the ray -8 to 2 degrees; spread 2 degrees); four calibrated views of a man,
// two of them from behind, pitch 12 to 21, differ from it by 2.4, 6.0, -6.0 and -2.9
// degrees, by 0.1 on the mean.
const (
	seenPitch      = 12.0 * math.Pi / 180
	seenPitchShare = 0.31 // of the true pitch that the network does see
)

// turnUpright turns what the network says of every frame into the axes of the camera,
// taking its habit out. It changes the stream.
func (s *stream) turnUpright(cam lens, up spatial.Vec3) {
	right, _ := horizontal(up)
	for t := range s.n {
		at := s.jointPx(t, human.Pelvis)
		ray := cam.ray(at).Unit(spatial.Vec3{0, 0, 1})
		pitch := -math.Asin(math.Max(-1, math.Min(1, up.Dot(ray))))
		turn := spatial.FromAxisAngle(right, (1-seenPitchShare)*pitch-seenPitch).
			Mul(spatial.Between(spatial.Vec3{0, 0, 1}, ray))
		for j := range s.world {
			v := turn.Rotate(s.worldAt(t, j))
			for k := range v {
				s.world[j][k][t] = v[k]
			}
		}
	}
}

// ray is the direction, one metre deep, in which pixel px is seen.
func (l *lens) ray(px [2]float64) spatial.Vec3 {
	return spatial.Vec3{(px[0] - l.centrePx[0]) / l.focalPx, (px[1] - l.centrePx[1]) / l.focalPx, 1}
}
