package verdict

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/sight"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
)

// How evidence is read off the landmarks.
const (
	// torsoShare is the length from hips to shoulders as a share of stature, as the
	// network sees it; the torso is the part whose length in the picture changes
	// least.
	torsoShare = 0.30
	// torsoQuantile: bending shortens a torso in the picture.
	torsoQuantile = 0.8
	// cutAlike is the correlation of the surroundings below which they are others.
	// [good: 0.93 and more, shaking 0.94; cuts to another place: 0.39, 0.42]
	cutAlike = 0.6
	// jumpShare is how far beyond twice its usual speed a body must get from one
	// picture to the next, as a share of its height, to have jumped there.
	// [good: 0.006 at most; cuts with the same background: 0.029 and more]
	jumpShare = 0.012
	// jumpQuantile: all but two of the seven pairs of landmarks must jump.
	jumpQuantile = 0.4
	// swayS is the time over which the camera's movement is taken, in seconds.
	swayS = 1.0
	// trunk angles from upright, degrees
	lyingDeg, invertedDeg = 60.0, 120.0
	// straightDeg is the bend of a knee below which a leg is straight, standS the time,
	// in seconds, for which somebody must be seen to stand on two of them.
	straightDeg, standS = 30.0, 0.5
)

// Gather reads the evidence off an extraction.
func Gather(r *track.Result, s *solve.Report, m *human.Motion) *Evidence {
	e := &Evidence{
		Span:         sight.Span{FromS: m.Meta.StartS, ToS: m.Meta.StartS + m.Seconds()},
		Hidden:       s.Hidden,
		TiltDoubtDeg: s.TiltDoubtDeg, LevelsM: s.LevelsM,
		CameraHeightM: s.CameraHeightM, CameraTiltDeg: s.CameraTiltDeg, StanceShare: s.StanceShare,
		SpeedMPerS: fastest(m),
	}
	frames := seenPart(r.Frames)
	e.MissedShare, e.AbsentShare = missed(frames), missed(r.Frames)
	e.SwappedShare = float64(s.SwappedFrames) / math.Max(1, float64(len(frames)))
	e.LyingShare, e.InvertedShare = leaning(m)
	e.LeanDeg = standingLean(m)
	e.UndecodedShare = float64(r.Undecoded) / math.Max(1, float64(r.Undecoded+len(r.Frames)))
	heightPx := personPx(frames)
	e.ReprojShare = s.MeanReprojPx / heightPx
	for i := range frames {
		if i == 0 {
			continue // what came before the motion, say black, does not matter
		}
		if c := &frames[i].Scene; c.Known && c.Alike < cutAlike {
			e.CutsS = append(e.CutsS, frames[i].TimeS)
		} else if jumps(frames, i, heightPx) {
			e.JumpsS = append(e.JumpsS, frames[i].TimeS)
		}
	}
	e.SwayMost, e.Moves = sway(frames, heightPx)
	if far := r.Camera.FarPx / heightPx; r.Camera.Taken {
		e.TakenMost, e.SwayMost = math.Max(e.SwayMost, far), r.Camera.RestPx/heightPx
	} else {
		e.SwayMost = math.Max(e.SwayMost, far)
	}
	for _, b := range r.Returns {
		e.Returns = append(e.Returns, Return{sight.Span{FromS: b.LostS, ToS: b.SeenS}, b.Moved, grown(b.Growth), b.Alike})
	}
	for _, d := range r.Doubts {
		e.Doubts = append(e.Doubts, sight.Span{FromS: d.FromS, ToS: d.ToS})
	}
	return e
}

// seenPart is what lies between the first and the last sighting: the motion.
func seenPart(frames []track.Frame) []track.Frame {
	first, last := -1, -1
	for i := range frames {
		if frames[i].Found {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return nil
	}
	return frames[first : last+1]
}

func missed(frames []track.Frame) float64 {
	n := 0.0
	for i := range frames {
		if !frames[i].Found {
			n++
		}
	}
	return n / math.Max(1, float64(len(frames)))
}

// personPx is the height of the person in the picture, pixels, as if stretched.
func personPx(frames []track.Frame) float64 {
	var torso []float64
	for i := range frames {
		if !frames[i].Found {
			continue
		}
		s, h := middle(&frames[i], landmark.LShoulder), middle(&frames[i], landmark.LHip)
		torso = append(torso, math.Hypot(s[0]-h[0], s[1]-h[1]))
	}
	return math.Max(1, quantile(torso, torsoQuantile)/torsoShare)
}

// middle is between a left landmark and its right partner: it does not care
// which side the network takes for which.
func middle(f *track.Frame, left int) [2]float64 {
	a, b := &f.Landmarks[left], &f.Landmarks[left+1]
	return [2]float64{(a.XPx + b.XPx) / 2, (a.YPx + b.YPx) / 2}
}

// fastest is the 95th percentile of the fastest joint's speed, metres a second.
func fastest(m *human.Motion) float64 {
	var speeds []float64
	for t := 1; t < len(m.Frames); t++ {
		most := 0.0
		for j := range human.NumJoints {
			most = math.Max(most, m.Frames[t].Positions[j].Sub(m.Frames[t-1].Positions[j]).Norm()*m.FPS)
		}
		speeds = append(speeds, most)
	}
	return quantile(speeds, 0.95)
}

// leaning is the share of frames that lie and that are upside down.
func leaning(m *human.Motion) (lying, inverted float64) {
	for t := range m.Frames {
		p := &m.Frames[t].Positions
		trunk := p[human.Chest].Sub(p[human.Pelvis])
		deg := degrees(trunk, spatial.Vec3{0, 0, 1})
		if deg > lyingDeg {
			lying++
		}
		if deg > invertedDeg {
			inverted++
		}
	}
	n := float64(len(m.Frames))
	return lying / n, inverted / n
}

// standingLean is the angle, in degrees, from upright of the trunk's mean direction
// while the person stands on two straight legs; 0 where that is hardly seen.
func standingLean(m *human.Motion) float64 {
	var sum spatial.Vec3
	n := 0.0
	for t := range m.Frames {
		f := &m.Frames[t]
		if !standsStraight(f) {
			continue
		}
		sum = sum.Add(f.Positions[human.Chest].Sub(f.Positions[human.Pelvis]).Unit(spatial.Vec3{0, 0, 1}))
		n++
	}
	if n < standS*m.FPS {
		return 0
	}
	return degrees(sum, spatial.Vec3{0, 0, 1})
}

// standsStraight tells whether both feet are seen on the floor below straight legs.
func standsStraight(f *human.Pose) bool {
	p := &f.Positions
	for side, hip := range [2]human.Joint{human.LHip, human.RHip} {
		knee, ankle := hip+1, hip+2
		down := max(f.Contacts[2*side], f.Contacts[2*side+1]) >= 0.5
		seen := min(f.Confidence[knee], f.Confidence[ankle]) >= sight.Visible
		if !down || !seen || degrees(p[knee].Sub(p[hip]), p[ankle].Sub(p[knee])) > straightDeg {
			return false
		}
	}
	return true
}

// degrees is the angle between two directions.
func degrees(a, b spatial.Vec3) float64 {
	return math.Atan2(a.Cross(b).Norm(), a.Dot(b)) * 180 / math.Pi
}

// jumpMarks are the left landmarks of the pairs whose middles show a jump.
var jumpMarks = [...]int{landmark.LShoulder, landmark.LElbow, landmark.LWrist, landmark.LHip,
	landmark.LKnee, landmark.LAnkle, landmark.LToe}

// jumps tells whether the body got to frame i from the one before without moving:
// most of it went farther than twice the speed just before and after explain.
// People speed up and slow down; a dropped picture is no jump either.
func jumps(frames []track.Frame, i int, heightPx float64) bool {
	if i < 2 || i+1 >= len(frames) {
		return false
	}
	for k := i - 2; k <= i+1; k++ {
		if !frames[k].Found {
			return false
		}
	}
	speed := func(a, b, left int) float64 {
		p, q := middle(&frames[a], left), middle(&frames[b], left)
		return math.Hypot(q[0]-p[0], q[1]-p[1]) / (frames[b].TimeS - frames[a].TimeS)
	}
	var far []float64
	for _, left := range jumpMarks {
		more := speed(i-1, i, left) - 2*math.Max(speed(i-2, i-1, left), speed(i, i+1, left))
		far = append(far, more*(frames[i].TimeS-frames[i-1].TimeS))
	}
	return quantile(far, jumpQuantile) > jumpShare*heightPx
}

// sway is how far the surroundings move within swayS at most, as a share of the
// person's height, and when they move more than is good.
func sway(frames []track.Frame, heightPx float64) (most float64, moves []sight.Span) {
	for i := range frames {
		var x, y, x0, x1, y0, y1 float64
		end := i
		for k := i + 1; k < len(frames) && frames[k].TimeS <= frames[i].TimeS+swayS; k++ {
			end = k
			c := &frames[k].Scene
			if !c.Known || c.Alike < cutAlike {
				continue
			}
			x, y = x+c.ShiftPx[0], y+c.ShiftPx[1]
			x0, x1, y0, y1 = math.Min(x0, x), math.Max(x1, x), math.Min(y0, y), math.Max(y1, y)
		}
		far := math.Hypot(x1-x0, y1-y0) / heightPx
		most = math.Max(most, far)
		if far <= swayDoubtful {
			continue
		}
		if k := len(moves) - 1; k >= 0 && frames[i].TimeS <= moves[k].ToS {
			moves[k].ToS = frames[end].TimeS
		} else {
			moves = append(moves, sight.Span{FromS: frames[i].TimeS, ToS: frames[end].TimeS})
		}
	}
	return most, moves
}

// quantile is the value below which a share p of x lies; 0 for an empty x.
func quantile(x []float64, p float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return x[int(p*float64(len(x)-1))]
}
