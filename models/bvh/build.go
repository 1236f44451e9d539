package bvh

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Bone is a joint of a skeleton that is built rather than read. Parents come first; -1 is the root's.
type Bone struct {
	Name   string
	Parent int
	Offset spatial.Vec3 // from the parent in the rest pose, file units
	Moves  bool         // has a place of its own in every frame, as the root always has
	Fixed  bool         // never turns: an end site, a marker
}

// Build makes a file without frames: channels are positions, where a bone moves, then turns about z, x and y.
func Build(bones []Bone, frameS float64) (*File, error) {
	if len(bones) == 0 || len(bones) > maxJoints {
		return nil, fmt.Errorf("bvh: a skeleton of %d joints; legal: 1 to %d", len(bones), maxJoints)
	}
	if !(frameS >= 1e-3 && frameS <= 1) {
		return nil, fmt.Errorf("bvh: frame time is %g s; legal: 0.001 to 1", frameS)
	}
	f := &File{FrameS: frameS}
	for i, b := range bones {
		if b.Parent >= i || b.Parent < -1 {
			return nil, fmt.Errorf("bvh: joint %q has parent %d; legal: -1 to %d", b.Name, b.Parent, i-1)
		}
		j := Joint{Name: b.Name, Parent: b.Parent, Offset: b.Offset}
		if b.Moves || b.Parent < 0 {
			for axis := range 3 {
				j.chans = append(j.chans, channel{axis: axis, at: f.nChannels})
				f.nChannels++
			}
		}
		if !b.Fixed {
			for _, axis := range turnOrder {
				j.chans = append(j.chans, channel{axis: axis, turn: true, at: f.nChannels})
				f.nChannels++
			}
		}
		f.Joints = append(f.Joints, j)
	}
	return f, nil
}

// turnOrder are the axes of the turns that Build gives a joint: the order that most programs write.
var turnOrder = [3]int{2, 0, 1}

// Append adds a frame: of every joint the place in its parent's axes, which counts where it moves, and the turn against
// its parent.
func (f *File) Append(at []spatial.Vec3, turn []spatial.Quat) {
	row := make([]float64, f.nChannels)
	for i := range f.Joints {
		angles := turnsZXY(turn[i])
		k := 0
		for _, c := range f.Joints[i].chans {
			if !c.turn {
				row[c.at] = at[i][c.axis]
				continue
			}
			row[c.at] = angles[k]
			k++
		}
	}
	f.Values = append(f.Values, row)
}

// turnsZXY takes a rotation apart into turns about z, x and y in degrees: q = z x y.
func turnsZXY(q spatial.Quat) [3]float64 {
	x, y, z := q.Axes() // the columns of the matrix
	const deg = 180 / math.Pi
	sin := math.Max(-1, math.Min(1, y[2]))
	about := math.Asin(sin)
	if math.Abs(sin) > 1-1e-12 { // y stands along z: only the sum of the two others counts
		return [3]float64{math.Atan2(x[1], x[0]) * deg, about * deg, 0}
	}
	return [3]float64{math.Atan2(-y[0], y[1]) * deg, about * deg, math.Atan2(-x[2], z[2]) * deg}
}
