package verdict

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
)

// How evidence is read off the landmarks.
const (
	// hiddenVisibility: below, the network guesses where a landmark is (the solver
	// treats it so, too).
	hiddenVisibility = 0.3
	// bridgeS is the longest sight, in seconds, that does not end a hidden stretch,
	// and the longest hidden stretch that does not count.
	bridgeS = 0.4
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
)

// Gather reads the evidence off an extraction.
func Gather(r *track.Result, s *solve.Report, m *human.Motion) *Evidence {
	e := &Evidence{
		Span:          Span{m.Meta.StartS, m.Meta.StartS + m.Seconds()},
		CameraHeightM: s.CameraHeightM, CameraTiltDeg: s.CameraTiltDeg, StanceShare: s.StanceShare,
		SpeedMPerS: fastest(m),
	}
	frames := seenPart(r.Frames)
	e.MissedShare, e.AbsentShare = missed(frames), missed(r.Frames)
	e.SwappedShare = float64(s.SwappedFrames) / math.Max(1, float64(len(frames)))
	e.LyingShare, e.InvertedShare = leaning(m)
	heightPx := personPx(frames)
	e.ReprojShare = s.MeanReprojPx / heightPx
	for part := range Part(NumParts) {
		e.Hidden[part] = hidden(frames, part, float64(r.Info.WidthPx), float64(r.Info.HeightPx))
	}
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
		e.Returns = append(e.Returns, Return{Span{b.LostS, b.SeenS}, b.Moved, grown(b.Growth), b.Alike})
	}
	for _, d := range r.Doubts {
		e.Doubts = append(e.Doubts, Span{d.FromS, d.ToS})
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
		deg := math.Acos(math.Max(-1, math.Min(1, trunk[2]/math.Max(trunk.Norm(), 1e-9)))) * 180 / math.Pi
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

// marks are the left landmarks that make up each pair of parts; the right ones
// follow them.
var marks = [NumParts / 2][]int{
	{landmark.LElbow, landmark.LWrist},
	{landmark.LKnee, landmark.LAnkle},
	{landmark.LAnkle, landmark.LHeel, landmark.LToe},
}

// hidden lists when none of a part's landmarks is seen: out of the picture, or
// guessed. Frames without the person are told elsewhere.
func hidden(frames []track.Frame, part Part, widthPx, heightPx float64) []Span {
	return spans(frames, func(f *track.Frame) bool {
		if !f.Found {
			return false
		}
		for _, k := range marks[part/2] {
			m := &f.Landmarks[k+int(part%2)]
			inside := m.XPx >= 0 && m.YPx >= 0 && m.XPx < widthPx && m.YPx < heightPx
			if inside && m.Visibility >= hiddenVisibility {
				return false
			}
		}
		return true
	})
}

// spans lists the stretches in which something holds: breaks of at most bridgeS
// are closed first, then stretches of at most bridgeS are left out.
func spans(frames []track.Frame, holds func(*track.Frame) bool) []Span {
	var all []Span
	for i := 0; i < len(frames); i++ {
		if !holds(&frames[i]) {
			continue
		}
		s := Span{frames[i].TimeS, frames[i].TimeS}
		for ; i < len(frames) && holds(&frames[i]); i++ {
			s.ToS = frames[i].TimeS
		}
		if k := len(all) - 1; k >= 0 && s.FromS-all[k].ToS <= bridgeS {
			all[k].ToS = s.ToS
		} else {
			all = append(all, s)
		}
	}
	return slices.DeleteFunc(all, func(s Span) bool { return s.LengthS() <= bridgeS })
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
func sway(frames []track.Frame, heightPx float64) (most float64, moves []Span) {
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
			moves = append(moves, Span{frames[i].TimeS, frames[end].TimeS})
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
