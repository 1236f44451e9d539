package bvh

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// neutral says how the axes of the head and the feet lie when the person stands and looks ahead. In files of some
// programs a joint's axes lie along the world's then; in others along the bone, or anywhere.
type neutral struct {
	head spatial.Quat // from the file's axes of the head's joint to ours (x ahead, z up), in the joint
	foot [2]sole
}

// sole is the direction of the toes and up, in the axes of the foot's joint.
type sole struct{ ahead, up spatial.Vec3 }

// level is a frame with z up and y along left.
func level(left spatial.Vec3) spatial.Quat { return square(left, spatial.Vec3{0, 0, 1}) }

// square is a frame with z along up and y nearly along left.
func square(left, up spatial.Vec3) spatial.Quat {
	z := up.Unit(spatial.Vec3{0, 0, 1})
	fallback := spatial.Vec3{0, 1, 0}
	if math.Abs(z[1]) > 0.9 {
		fallback = spatial.Vec3{1, 0, 0}
	}
	fallback = fallback.Sub(z.Scale(z.Dot(fallback))).Unit(spatial.Vec3{1, 0, 0})
	y := left.Sub(z.Scale(z.Dot(left))).Unit(fallback)
	return spatial.FromAxes(y.Cross(z), y, z)
}

// neutralHead finds the head's zero: in the skeleton's rest pose if a person stands there, in a T pose at the start,
// else as the mean of all frames, with a note.
func (c *convert) neutralHead() (q spatial.Quat, note string) {
	if k := c.rest.stands(); k >= 0 {
		left := c.rest.left()
		if n := nearest(left); n >= 0 {
			left = axes[n] // exactly, where hips are drawn a little askew
		}
		return square(left, axes[k]), "" // in the rest pose all joints lie along the file's axes
	}
	if c.first > 0 {
		s := &c.frames[0]
		return s.head.Inv().Mul(level(s.at[human.LShoulder].Sub(s.at[human.RShoulder]))), ""
	}
	var sum spatial.Quat
	for t := range c.frames {
		s := &c.frames[t]
		trunk := s.mid(human.LShoulder, human.RShoulder).Sub(s.mid(human.LHip, human.RHip)).Unit(spatial.Vec3{0, 0, 1})
		body := square(s.at[human.LShoulder].Sub(s.at[human.RShoulder]), trunk)
		if trunk[2] > 0.85 { // upright: people hold their heads level, not square to a leaning trunk
			body = level(s.at[human.LShoulder].Sub(s.at[human.RShoulder]))
		}
		q := s.head.Inv().Mul(body)
		sign := 1.0
		if q.Dot(sum) < 0 {
			sign = -1
		}
		for k := range sum {
			sum[k] += sign * q[k]
		}
	}
	return sum.Normalize(), "the file does not say how the head is held when it looks ahead: its mean direction is taken for that"
}

// planted returns the frames in which a foot stands: its ankle low, ankle and toes slow.
func (c *convert) planted(s int) []int {
	l := [2][2]human.Joint{{human.LAnkle, human.LToe}, {human.RAnkle, human.RToe}}[s]
	var z []float64
	for t := c.first; t < len(c.frames); t++ {
		z = append(z, c.frames[t].at[l[0]][2])
	}
	slices.Sort(z)
	low := z[len(z)/10] + 0.012*c.heightM/c.unit
	var out, slow []int
	for t := c.first; t < len(c.frames); t++ {
		if c.frames[t].at[l[0]][2] > low {
			continue
		}
		out = append(out, t)
		a, b := &c.frames[max(t-1, c.first)], &c.frames[min(t+1, len(c.frames)-1)]
		step := max(b.at[l[0]].Sub(a.at[l[0]]).Norm(), b.at[l[1]].Sub(a.at[l[1]]).Norm())
		if step*c.unit/(2*c.f.FrameS) < stillMPerS/2 {
			slow = append(slow, t)
		}
	}
	if len(slow) >= 3 {
		return slow
	}
	return out
}

// neutralFoot finds the sole of a foot: level while the foot stands, the toes ahead.
func (c *convert) neutralFoot(s int) sole {
	l := [2][2]human.Joint{{human.LAnkle, human.LToe}, {human.RAnkle, human.RToe}}[s]
	var up, ahead spatial.Vec3
	for _, t := range c.planted(s) {
		f := &c.frames[t]
		inv := f.foot[s].Inv()
		up = up.Add(inv.Rotate(spatial.Vec3{0, 0, 1}))
		toes := f.at[l[1]].Sub(f.at[l[0]])
		if c.at[l[1]] == c.at[l[0]] { // no toes in the file: the foot points where the hips do
			toes = f.left().Cross(spatial.Vec3{0, 0, 1})
		}
		toes[2] = 0
		ahead = ahead.Add(inv.Rotate(toes.Unit(spatial.Vec3{})))
	}
	up = up.Unit(spatial.Vec3{0, 0, 1})
	q := square(up.Cross(ahead), up)
	x, _, z := q.Axes()
	return sole{x, z}
}

// tPose reports whether the first frame is a T pose, or the skeleton's own rest pose, out of which the person jumps in
// the next: a frame that many captures begin with and that is no part of the motion.
func (c *convert) tPose() bool {
	if len(c.frames) < 4 || !c.spread(&c.frames[0]) && !c.unturned() {
		return false
	}
	jump := func(t int) float64 {
		a, b := &c.frames[t], &c.frames[t+1]
		most := 0.0
		for _, j := range [...]human.Joint{human.Head, human.LWrist, human.RWrist, human.LElbow, human.RElbow, human.LKnee, human.RKnee, human.LAnkle, human.RAnkle} {
			root := b.mid(human.LHip, human.RHip).Sub(a.mid(human.LHip, human.RHip))
			most = max(most, b.at[j].Sub(a.at[j]).Sub(root).Norm())
		}
		return most
	}
	return jump(0)*c.unit > 0.06*c.heightM && jump(0) > 4*jump(1) && jump(0) > 4*jump(2)
}

// unturned reports whether no joint below a root is turned in the first frame.
func (c *convert) unturned() bool {
	for i := range c.f.Joints {
		for _, ch := range c.f.Joints[i].chans {
			if c.f.Joints[i].Parent >= 0 && ch.turn && math.Abs(c.f.Values[0][ch.at]) > 1e-3 {
				return false
			}
		}
	}
	return true
}

// spread reports whether both arms are stretched out to the sides.
func (c *convert) spread(s *snapshot) bool {
	left := s.at[human.LShoulder].Sub(s.at[human.RShoulder]).Unit(spatial.Vec3{})
	for side, l := range [2][3]human.Joint{{human.LShoulder, human.LElbow, human.LWrist}, {human.RShoulder, human.RElbow, human.RWrist}} {
		out := left.Scale(1 - 2*float64(side))
		for k := range 2 {
			if s.at[l[k+1]].Sub(s.at[l[k]]).Unit(spatial.Vec3{}).Dot(out) < 0.94 {
				return false
			}
		}
	}
	return true
}
