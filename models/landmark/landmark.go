// Package landmark is what a pose network says about one person in one picture:
// the 33 points of BlazePose, where they are, and how sure the network is. It is
// the language between those who look at pictures (package perception/track) and
// those who make a motion of it (package perception/solve).
//
// Nothing here looks or computes. Everything is plain data: whoever holds a Frame
// may change it, and copies share nothing.
package landmark

import (
	"errors"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// ErrNoPerson says that nobody was seen, or for too short a time.
var ErrNoPerson = errors.New("no person to follow")

// Index is the place of a landmark in the arrays of a Frame, in BlazePose's order
// (MediaPipe, modules/pose_landmark). L and R are the person's left and right.
type Index = int

// The landmarks. Hands are marked at the knuckles of little finger and index
// finger and at the tip of the thumb; the toe is the tip of the foot.
const (
	Nose Index = iota
	LEyeInner
	LEye
	LEyeOuter
	REyeInner
	REye
	REyeOuter
	LEar
	REar
	LMouth
	RMouth
	LShoulder
	RShoulder
	LElbow
	RElbow
	LWrist
	RWrist
	LPinky
	RPinky
	LIndex
	RIndex
	LThumb
	RThumb
	LHip
	RHip
	LKnee
	RKnee
	LAnkle
	RAnkle
	LHeel
	RHeel
	LToe
	RToe
	// Num is the number of landmarks.
	Num
)

var names = [Num]string{"nose",
	"left inner eye", "left eye", "left outer eye", "right inner eye", "right eye", "right outer eye",
	"left ear", "right ear", "left mouth", "right mouth", "left shoulder", "right shoulder",
	"left elbow", "right elbow", "left wrist", "right wrist", "left little finger", "right little finger",
	"left index finger", "right index finger", "left thumb", "right thumb", "left hip", "right hip",
	"left knee", "right knee", "left ankle", "right ankle", "left heel", "right heel", "left toe", "right toe"}

// Name is landmark i in words.
func Name(i Index) string { return names[i] }

// Mirror returns the landmark on the other side of the body, i itself for the nose.
func Mirror(i Index) Index {
	switch {
	case i == Nose:
		return i
	case i <= LEyeOuter:
		return i + REyeInner - LEyeInner
	case i <= REyeOuter:
		return i - REyeInner + LEyeInner
	case i%2 == 1:
		return i + 1
	}
	return i - 1
}

// Point is one landmark in the picture. X grows to the right and Y down, in pixels
// of the upright picture with square pixels; Z is depth in the same unit, negative
// towards the camera, relative to the middle of the hips.
type Point struct {
	XPx, YPx, ZPx float64
	// Visibility is the network's probability that the point is in the picture
	// and not hidden; Presence that it is in the picture at all.
	Visibility, Presence float64
}

// Px returns x and y, pixels.
func (p *Point) Px() [2]float64 { return [2]float64{p.XPx, p.YPx} }

// SetPx sets x and y, pixels.
func (p *Point) SetPx(v [2]float64) { p.XPx, p.YPx = v[0], v[1] }

// Frame is what was seen of the person in one picture.
type Frame struct {
	// TimeS is the presentation time in seconds, strictly increasing within a clip.
	TimeS float64
	// Found is false where the person was not seen; then the rest means nothing.
	Found     bool
	Landmarks [Num]Point
	// WorldM holds the same points in metres with the origin in the middle of the
	// hips, in camera axes: x right, y down, z away from the camera. Its size is
	// biased towards an average adult.
	WorldM [Num]spatial.Vec3
}

// Clip is the landmark stream of one person before one camera.
type Clip struct {
	WidthPx, HeightPx int // of the upright picture
	Frames            []Frame
}
