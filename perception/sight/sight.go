// Package sight says which parts of a person's body a camera sees, and when: a part
// that is out of the picture, or that the pose network takes for hidden, is not
// seen, wherever the network thinks it is.
//
// It is the one rule for those who solve a motion (package perception/solve) and
// those who judge it (package perception/verdict). What follows from it is theirs.
//
// Everything is a pure function of the landmarks and may be called from any
// goroutine.
package sight

import (
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
)

const (
	// Visible is the visibility from which a landmark inside the picture is seen;
	// below, the network guesses where it is.
	Visible = 0.3
	// Of what the own body hides the network still knows that it is in the picture;
	// of what stands behind furniture it does not, and calls it visible all the same.
	// Below the presence present a landmark must be plainly visible to be seen.
	// [the full network, behind a drawn box: presence 0.4 to 0.94, visibility 0.2 to 0.92; five
	// recordings, behind the own body: presence 0.94 and more, visibility from 0.02. The lite
	// network mostly does not notice the box at all]
	present, plain = 0.95, 0.9
	// BridgeS is the longest sight, in seconds, that does not end a hidden stretch,
	// and the longest hidden stretch that does not count: that much is bridged.
	BridgeS = 0.4
)

// Span is a stretch of time in the video, in seconds.
type Span struct {
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
}

// LengthS is how long the span is.
func (s Span) LengthS() float64 { return s.ToS - s.FromS }

// String reads "1.0 to 2.5 s".
func (s Span) String() string { return fmt.Sprintf("%.1f to %.1f s", s.FromS, s.ToS) }

// Part is a part of the body whose sight is judged.
type Part int

// The parts, left before right. A leg is unseen when its knee and ankle are, a foot
// when its ankle, heel and toe are, an arm when its elbow and wrist are.
const (
	LeftArm Part = iota
	RightArm
	LeftLeg
	RightLeg
	LeftFoot
	RightFoot
	LeftShoulder
	RightShoulder
	LeftHip
	RightHip
	NumParts int = iota
)

// marks are the left landmarks that make up each pair of parts; the right ones
// follow them.
var marks = [NumParts / 2][]landmark.Index{
	{landmark.LElbow, landmark.LWrist},
	{landmark.LKnee, landmark.LAnkle},
	{landmark.LAnkle, landmark.LHeel, landmark.LToe},
	{landmark.LShoulder},
	{landmark.LHip},
}

// outward is the next left landmark of a limb: where that is out of the picture, the one
// before it is near the edge, and its presence says nothing.
func outward(left landmark.Index) landmark.Index {
	switch left {
	case landmark.LShoulder, landmark.LElbow, landmark.LHip, landmark.LKnee:
		return left + 2
	case landmark.LWrist:
		return landmark.LIndex
	case landmark.LAnkle:
		return landmark.LToe
	}
	return left
}

// Seen tells whether landmark k of a frame is seen in a picture of the given size: it
// lies inside, and the network does not guess.
func Seen(f *landmark.Frame, k landmark.Index, widthPx, heightPx int) bool {
	inside := func(p *landmark.Point) bool {
		return p.XPx >= 0 && p.YPx >= 0 && p.XPx < float64(widthPx) && p.YPx < float64(heightPx)
	}
	p := &f.Landmarks[k]
	if !inside(p) || p.Visibility < Visible {
		return false
	}
	if p.Presence >= present || p.Visibility >= plain || k < landmark.LShoulder {
		return true
	}
	right := (k + 1) % 2 // left landmarks of the body have odd numbers
	return !inside(&f.Landmarks[outward(k-right)+right])
}

// Hidden lists for each part the stretches in which none of its landmarks is seen.
// Breaks of at most BridgeS are closed first, then stretches of at most BridgeS are
// left out. Frames without the person hide nothing; that is told elsewhere.
func Hidden(c *landmark.Clip) (out [NumParts][]Span) {
	for part := range Part(NumParts) {
		out[part] = spans(c.Frames, func(f *landmark.Frame) bool {
			if !f.Found {
				return false
			}
			for _, k := range marks[part/2] {
				if Seen(f, k+int(part%2), c.WidthPx, c.HeightPx) {
					return false
				}
			}
			return true
		})
	}
	return out
}

// spans lists the stretches in which something holds.
func spans(frames []landmark.Frame, holds func(*landmark.Frame) bool) []Span {
	var all []Span
	for i := 0; i < len(frames); i++ {
		if !holds(&frames[i]) {
			continue
		}
		s := Span{frames[i].TimeS, frames[i].TimeS}
		for ; i < len(frames) && holds(&frames[i]); i++ {
			s.ToS = frames[i].TimeS
		}
		if k := len(all) - 1; k >= 0 && s.FromS-all[k].ToS <= BridgeS {
			all[k].ToS = s.ToS
		} else {
			all = append(all, s)
		}
	}
	return slices.DeleteFunc(all, func(s Span) bool { return s.LengthS() <= BridgeS })
}
