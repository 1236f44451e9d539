package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// levelUp is the direction against gravity in the axes of a level camera.
var levelUp = spatial.Vec3{0, -1, 0}

// The network sees an upright body lean: a little forwards, a little towards the
// camera. Slopes measured on four calibrated views (two from the front, two from
// behind) and on rendered people with known poses.
const (
	leanForward  = 0.04
	leanToCamera = 0.08
)

// facing is the level-ish direction in which the trunk faces.
func facing(w *[landmark.Num]spatial.Vec3) spatial.Vec3 {
	across := w[landmark.LHip].Sub(w[landmark.RHip]).Add(w[landmark.LShoulder].Sub(w[landmark.RShoulder]))
	spine := w[landmark.LShoulder].Add(w[landmark.RShoulder]).Sub(w[landmark.LHip]).Sub(w[landmark.RHip])
	return across.Cross(spine).Unit(spatial.Vec3{0, 0, -1})
}

// estimateUp finds the direction against gravity in camera axes from the
// person: on average over a clip the centre of mass lies above the feet that
// carry it, and the network does see a body lean in the picture's axes when
// the camera is tilted. Frames in which the body is stretched count most, since
// the network sees bent legs too straight. Frames that lean more than 50 degrees
// say nothing; if few are left, the camera is taken as level. Left and right
// may be swapped.
func estimateUp(frames []landmark.Frame) spatial.Vec3 {
	up := levelUp
	axes := make([]spatial.Vec3, 0, len(frames))
	stretch := make([]float64, len(frames))
	for i := range frames {
		stretch[i] = stretchPx(&frames[i])
	}
	torsoPx, torsoM := torsoSize(frames)
	enough := 0.95 * quantile(append([]float64(nil), stretch...), 0.9)
	speeds := footSpeeds(frames, torsoM/torsoPx)
	for range 4 {
		axes = axes[:0]
		for i := range frames {
			f := &frames[i]
			if stretch[i] < enough {
				continue
			}
			w := hybrid(f, torsoM/torsoPx)
			a := massCentre(&w).Sub(support(&w, up, speeds[i]))
			a[2] += a.Norm() * (leanToCamera - leanForward*facing(&w)[2])
			a = a.Unit(levelUp)
			if a.Dot(levelUp) > math.Cos(50*math.Pi/180) {
				axes = append(axes, a)
			}
		}
		if len(axes) < max(minFoundFrames/2, len(frames)/20) {
			return levelUp
		}
		up = robustDirection(axes)
	}
	return up
}

// stretchPx is the length in the picture from the shoulders to the farther foot.
func stretchPx(f *landmark.Frame) float64 {
	far := 0.0
	for side := range 2 {
		d := [2]float64{}
		for k := range 2 {
			at := func(j landmark.Index) float64 { return f.Landmarks[j].Px()[k] }
			d[k] = (at(landmark.LShoulder)+at(landmark.RShoulder))/2 - at(landmark.LAnkle+side)
		}
		far = math.Max(far, math.Hypot(d[0], d[1]))
	}
	return far
}

// robustDirection returns the direction with the smallest sum of angles to the
// given ones (geometric median by iteratively reweighted means).
func robustDirection(dirs []spatial.Vec3) spatial.Vec3 {
	var m spatial.Vec3
	for _, d := range dirs {
		m = m.Add(d)
	}
	m = m.Unit(levelUp)
	for range 20 {
		var s spatial.Vec3
		for _, d := range dirs {
			s = s.Add(d.Scale(1 / (d.Sub(m).Norm() + 0.02)))
		}
		m = s.Unit(levelUp)
	}
	return m
}

// massCentre approximates the body's centre of mass from trunk, head, thighs,
// shanks and arms with segment masses after Winter (Biomechanics, table 4.1).
func massCentre(w *[landmark.Num]spatial.Vec3) spatial.Vec3 {
	mid := func(a, b int, s float64) spatial.Vec3 { return w[a].Lerp(w[b], s) }
	hips, shoulders := mid(landmark.LHip, landmark.RHip, 0.5), mid(landmark.LShoulder, landmark.RShoulder, 0.5)
	c := hips.Lerp(shoulders, 0.5).Scale(0.497).Add(mid(landmark.LEar, landmark.REar, 0.5).Scale(0.081))
	for side := range 2 {
		c = c.Add(mid(landmark.LHip+side, landmark.LKnee+side, 0.433).Scale(0.100))
		c = c.Add(mid(landmark.LKnee+side, landmark.LAnkle+side, 0.606).Scale(0.061))
		c = c.Add(mid(landmark.LShoulder+side, landmark.LElbow+side, 0.436).Scale(0.028))
		c = c.Add(mid(landmark.LElbow+side, landmark.LWrist+side, 0.682).Scale(0.022))
	}
	return c
}

// support returns the point between the feet that carries the body. A moving
// foot carries little, a clearly higher one (10 to 25 cm) nothing. The
// thresholds are wide because up itself depends on the answer.
func support(w *[landmark.Num]spatial.Vec3, up spatial.Vec3, footSpeed [2]float64) spatial.Vec3 {
	foot := func(side int) spatial.Vec3 {
		return w[landmark.LAnkle+side].Add(w[landmark.LHeel+side]).Add(w[landmark.LToe+side]).Scale(1.0 / 3)
	}
	feet := [2]spatial.Vec3{foot(0), foot(1)}
	var share [2]float64
	for side := range 2 {
		higher := up.Dot(feet[side].Sub(feet[1-side]))
		share[side] = (0.05 + falling(footSpeed[side], 0.4, 0.1)) * (1 - clamp01((higher-0.10)/0.15))
	}
	return feet[0].Scale(share[0]).Add(feet[1].Scale(share[1])).Scale(1 / (share[0] + share[1]))
}

// footSpeeds returns the speed in the picture of the left and right ankle, in
// metres per second at the person's scale.
func footSpeeds(frames []landmark.Frame, metrePerPx float64) [][2]float64 {
	out := make([][2]float64, len(frames))
	for i := range frames {
		a, b := &frames[max(0, i-1)], &frames[min(len(frames)-1, i+1)]
		for side := range 2 {
			p, q := a.Landmarks[landmark.LAnkle+side].Px(), b.Landmarks[landmark.LAnkle+side].Px()
			out[i][side] = math.Hypot(q[0]-p[0], q[1]-p[1]) * metrePerPx / (b.TimeS - a.TimeS)
		}
	}
	return out
}

// hybrid returns the landmarks of f in metres with the picture's x and y, which
// are far better than the network's own, and the network's depth.
func hybrid(f *landmark.Frame, metrePerPx float64) (w [landmark.Num]spatial.Vec3) {
	var hip [2]float64
	for k := range 2 {
		hip[k] = (f.Landmarks[landmark.LHip].Px()[k] + f.Landmarks[landmark.RHip].Px()[k]) / 2
	}
	for j := range w {
		p := &f.Landmarks[j]
		w[j] = spatial.Vec3{(p.XPx - hip[0]) * metrePerPx, (p.YPx - hip[1]) * metrePerPx, f.WorldM[j][2]}
	}
	return w
}
