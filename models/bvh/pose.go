package bvh

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Pose places all joints at frame t: positions in file units and orientations, file axes. t = -1 is the skeleton's own
// rest pose, with the roots at their offsets.
//
// A position channel replaces the joint's offset along its axis, as the usual readers have it, for the root and for all
// other joints (files that write six channels for every joint repeat the offset there). See areShifts for the exception.
func (f *File) Pose(t int, pos []spatial.Vec3, rot []spatial.Quat) {
	for i := range f.Joints {
		j := &f.Joints[i]
		p, q := j.Offset, spatial.Identity()
		if t >= 0 {
			for _, c := range j.chans {
				v := f.Values[t][c.at]
				if !c.turn {
					if f.shifts && j.Parent >= 0 {
						v += j.Offset[c.axis]
					}
					p[c.axis] = v
					continue
				}
				var axis spatial.Vec3
				axis[c.axis] = 1
				q = q.Mul(spatial.FromAxisAngle(axis, v*math.Pi/180))
			}
		}
		if j.Parent >= 0 {
			p = pos[j.Parent].Add(rot[j.Parent].Rotate(p))
			q = rot[j.Parent].Mul(q)
		}
		pos[i], rot[i] = p, q
	}
}

// areShifts reports whether the position channels of the joints below the roots are written as shifts against the
// offsets: nearer to zero than to the offset in the first frame, for most joints. To let them replace the offsets would
// then put all joints into one point.
func (f *File) areShifts() bool {
	zero, offset := 0, 0
	for i := range f.Joints {
		j := &f.Joints[i]
		if j.Parent < 0 || j.Offset.Norm() < 1e-9 {
			continue
		}
		n := 0
		var p spatial.Vec3
		for _, c := range j.chans {
			if !c.turn {
				n++
				p[c.axis] = f.Values[0][c.at]
			}
		}
		switch {
		case n < 3:
		case p.Norm() < p.Sub(j.Offset).Norm():
			zero++
		default:
			offset++
		}
	}
	return zero > offset
}
