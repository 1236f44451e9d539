package bvh

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// axes are the directions that may be up, in the order of axisNames.
var axes = [6]spatial.Vec3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}}

var axisNames = [6]string{"x", "y", "z", "-x", "-y", "-z"}

// upright turns the axis k of a file to our z. Which way x and y then point does not matter, as the person is turned to
// face +x in the end; for y up, the file's z becomes x.
func upright(k int) spatial.Quat {
	q := [3]spatial.Quat{{0.5, -0.5, -0.5, -0.5}, {0.5, 0.5, 0.5, 0.5}, spatial.Identity()}[k%3]
	if k >= 3 {
		q = spatial.Quat{0, 1, 0, 0}.Mul(q) // half a turn about x: what was down is up
	}
	return q
}

// nearest returns the axis that v points along, or -1 if it points along none within about 37 degrees.
func nearest(v spatial.Vec3) int {
	v = v.Unit(spatial.Vec3{})
	return slices.IndexFunc(axes[:], func(a spatial.Vec3) bool { return a.Dot(v) > 0.8 })
}

func (s *snapshot) mid(a, b human.Joint) spatial.Vec3 { return s.at[a].Lerp(s.at[b], 0.5) }

// body points from the ankles to the head.
func (s *snapshot) body() spatial.Vec3 {
	return s.at[human.Head].Sub(s.mid(human.LAnkle, human.RAnkle))
}

// left points across the body, from the right hip to the left one.
func (s *snapshot) left() spatial.Vec3 { return s.at[human.LHip].Sub(s.at[human.RHip]) }

// stands returns the axis that is up in a pose in which a person stands straight, or -1: the legs stretched, the head
// over the hips over the knees over the ankles, hips and shoulders alike across.
func (s *snapshot) stands() int {
	k := nearest(s.body())
	if k < 0 {
		return -1
	}
	up := axes[k]
	for _, l := range [2][4]human.Joint{{human.LHip, human.LKnee, human.LAnkle, human.LShoulder}, {human.RHip, human.RKnee, human.RAnkle, human.RShoulder}} {
		hip, knee, ankle := s.at[l[0]], s.at[l[1]], s.at[l[2]]
		long := hip.Sub(knee).Norm() + knee.Sub(ankle).Norm()
		if hip.Sub(ankle).Dot(up) < 0.9*long || s.at[human.Head].Sub(hip).Dot(up) < 0.4*long || s.at[l[3]].Sub(hip).Dot(up) < 0.2*long {
			return -1
		}
	}
	across := s.left().Unit(spatial.Vec3{})
	if across.Dot(s.at[human.LShoulder].Sub(s.at[human.RShoulder]).Unit(spatial.Vec3{})) < 0.8 || math.Abs(across.Dot(up)) > 0.3 {
		return -1
	}
	return k
}

// findUp returns the index of the axis that is up. asked is what the caller says: "x" to "-z", or empty. A note says
// what was found where it could be otherwise.
func (c *convert) findUp(asked string) (k int, note string, err error) {
	if asked != "" {
		if k = slices.Index(axisNames[:], strings.ToLower(asked)); k < 0 {
			return 0, "", fmt.Errorf("bvh: %w: up is %q; legal: %s", ErrOption, asked, strings.Join(axisNames[:], ", "))
		}
		return k, "", nil
	}
	var votes [6]int
	best := 0
	for t := range c.frames {
		if k := nearest(c.frames[t].body()); k >= 0 {
			votes[k]++
		}
	}
	for k := range votes {
		if votes[k] > votes[best] {
			best = k
		}
	}
	share := float64(votes[best]) / float64(len(c.frames))
	rest := c.rest.stands()
	switch {
	case share >= 0.6 && rest == best:
		return best, "", nil
	case share >= 0.6 && rest < 0 && (best == 1 || best == 2): // along any other axis a person rather lies
		if best != 1 {
			note = fmt.Sprintf("%s is taken for up, as the person stands along it in %.0f %% of the frames (else give --up)", axisNames[best], 100*share)
		}
		return best, note, nil
	case share >= 0.9 && (best == 1 || best == 2): // usual: built along one axis, turned to the other by the root
		return best, fmt.Sprintf("%s is taken for up, as the person stands along it, though the skeleton is built along %s (a person who lies? give --up %s)",
			axisNames[best], axisNames[rest], axisNames[rest]), nil
	case share < 0.6 && rest >= 0:
		return rest, fmt.Sprintf("%s is taken for up, as the skeleton is built along it; the person stands along it in %.0f %% of the frames (else give --up)",
			axisNames[rest], 100*float64(votes[rest])/float64(len(c.frames))), nil
	}
	why := fmt.Sprintf("the person is along no axis in most frames (most often along %s, in %.0f %%), and the skeleton's rest pose does not stand", axisNames[best], 100*share)
	if rest >= 0 {
		why = fmt.Sprintf("the skeleton is built along %s, but the person is along %s in %.0f %% of the frames", axisNames[rest], axisNames[best], 100*share)
	}
	return 0, "", fmt.Errorf("bvh: %w: which axis is up? %s; give --up y or --up z (legal: %s)", ErrAmbiguous, why, strings.Join(axisNames[:], ", "))
}

// checkSides refuses a skeleton whose feet point backwards, seen from its left and right: its sides are exchanged or
// its axes are left-handed, and the motion would come out mirrored.
func (c *convert) checkSides() error {
	back, seen := 0, 0
	for t := range c.frames {
		s := &c.frames[t]
		for _, l := range [2][3]human.Joint{{human.LKnee, human.LAnkle, human.LToe}, {human.RKnee, human.RAnkle, human.RToe}} {
			foot := s.at[l[2]].Sub(s.at[l[1]])
			ahead := s.left().Cross(s.at[l[0]].Sub(s.at[l[1]])) // left x up, up along the shin
			if foot.Norm() < 1e-9 || ahead.Norm() < 1e-9 {
				continue
			}
			seen++
			if foot.Unit(spatial.Vec3{}).Dot(ahead.Unit(spatial.Vec3{})) < -0.4 {
				back++
			}
		}
	}
	if seen > 0 && float64(back) > 0.8*float64(seen) {
		return fmt.Errorf("bvh: %w: the feet point backwards in %.0f %% of the frames, so left and right are exchanged (name the joints with --map), or the file's axes are left-handed",
			ErrAmbiguous,
			100*float64(back)/float64(seen))
	}
	return nil
}
