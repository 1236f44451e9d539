package metrics

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// At returns the pose of m at time tS after its first frame: positions,
// confidences and contacts linear, rotations on the shortest arc. Outside the
// motion it returns the first or the last pose.
func At(m *human.Motion, tS float64) human.Pose {
	f := tS * m.FPS
	last := len(m.Frames) - 1
	if f <= 0 {
		return m.Frames[0]
	}
	if f >= float64(last) {
		return m.Frames[last]
	}
	i := int(f)
	u := f - float64(i)
	// Rates are rarely exact in binary: a frame that falls on a frame is taken as it is.
	if u < 1e-6 {
		return m.Frames[i]
	}
	if u > 1-1e-6 {
		return m.Frames[i+1]
	}
	a, b := &m.Frames[i], &m.Frames[i+1]
	var p human.Pose
	for j := range human.NumJoints {
		p.Positions[j] = a.Positions[j].Lerp(b.Positions[j], u)
		p.Rotations[j] = a.Rotations[j].Slerp(b.Rotations[j], u)
		p.Confidence[j] = (1-u)*a.Confidence[j] + u*b.Confidence[j]
	}
	for c := range human.NumContacts {
		p.Contacts[c] = (1-u)*a.Contacts[c] + u*b.Contacts[c]
	}
	return p
}

// overlap returns the frames of m that lie within truth, and truth at their times.
func overlap(m, truth *human.Motion) (a, b []human.Pose, err error) {
	shift := m.Meta.StartS - truth.Meta.StartS
	slack := 0.5 / truth.FPS
	for i := range m.Frames {
		t := shift + float64(i)/m.FPS
		if t < -slack || t > truth.Seconds()+slack {
			continue
		}
		a = append(a, m.Frames[i])
		b = append(b, At(truth, t))
	}
	if len(a) < 2 {
		end := func(m *human.Motion) float64 { return m.Meta.StartS + m.Seconds() }
		return nil, nil, fmt.Errorf("metrics: the motions do not overlap in time: %.3f to %.3f s against %.3f to %.3f s",
			m.Meta.StartS, end(m), truth.Meta.StartS, end(truth))
	}
	return a, b, nil
}

func deg(rad float64) float64 { return rad * 180 / math.Pi }

// otherVideo tells that two motions were made from two different recordings.
func otherVideo(a, b *human.Motion) bool {
	return a.Meta.SourceSHA256 != "" && b.Meta.SourceSHA256 != "" && a.Meta.SourceSHA256 != b.Meta.SourceSHA256
}

// faceAlike turns a about the vertical so that the heading of its pelvis is, on average
// over time, that of b.
func faceAlike(a, b []human.Pose) (turned []human.Pose, byRad float64) {
	var sin, cos float64
	for t := range a {
		s, c := math.Sincos(b[t].Rotations[human.Pelvis].YawRad() - a[t].Rotations[human.Pelvis].YawRad())
		sin, cos = sin+s, cos+c
	}
	byRad = math.Atan2(sin, cos)
	turn := spatial.FromYaw(byRad)
	turned = append(turned, a...)
	for t := range turned {
		for j := range human.NumJoints {
			turned[t].Positions[j] = turn.Rotate(turned[t].Positions[j])
			turned[t].Rotations[j] = turn.Mul(turned[t].Rotations[j])
		}
	}
	return turned, byRad
}
