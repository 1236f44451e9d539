package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// levelUp is the direction against gravity in the axes of a level camera.
var levelUp = spatial.Vec3{0, -1, 0}

// estimateUp finds the direction against gravity in camera axes from the
// person: on average over a clip the centre of mass lies above the feet that
// carry it, and the network does see a body lean in the picture's axes when
// the camera is tilted. Frames that lean more than 50 degrees say nothing; if
// few are left, the camera is taken as level. Left and right may be swapped.
func estimateUp(frames []Frame) spatial.Vec3 {
	up := levelUp
	axes := make([]spatial.Vec3, 0, len(frames))
	for range 4 {
		axes = axes[:0]
		for i := range frames {
			f := &frames[i]
			a := massCentre(f).Sub(support(f, up)).Unit(levelUp)
			if a.Dot(levelUp) > math.Cos(50*math.Pi/180) {
				axes = append(axes, a)
			}
		}
		if len(axes) < max(minFoundFrames, len(frames)/5) {
			return levelUp
		}
		up = robustDirection(axes)
	}
	return up
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
func massCentre(f *Frame) spatial.Vec3 {
	w := &f.WorldM
	mid := func(a, b int, s float64) spatial.Vec3 { return w[a].Lerp(w[b], s) }
	hips, shoulders := mid(lHip, rHip, 0.5), mid(lShoulder, rShoulder, 0.5)
	c := hips.Lerp(shoulders, 0.5).Scale(0.497).Add(mid(leftEar, rightEar, 0.5).Scale(0.081))
	for side := range 2 {
		c = c.Add(mid(lHip+side, lKnee+side, 0.433).Scale(0.100))
		c = c.Add(mid(lKnee+side, lAnkle+side, 0.606).Scale(0.061))
		c = c.Add(mid(lShoulder+side, lElbow+side, 0.436).Scale(0.028))
		c = c.Add(mid(lElbow+side, lWrist+side, 0.682).Scale(0.022))
	}
	return c
}

// support returns the point between the feet that carries the body: the lower
// foot counts more, with a soft transition of 4 cm.
func support(f *Frame, up spatial.Vec3) spatial.Vec3 {
	foot := func(side int) spatial.Vec3 {
		w := &f.WorldM
		return w[lAnkle+side].Add(w[lHeel+side]).Add(w[lToe+side]).Scale(1.0 / 3)
	}
	l, r := foot(0), foot(1)
	return r.Lerp(l, 1/(1+math.Exp(up.Dot(l.Sub(r))/0.04)))
}
