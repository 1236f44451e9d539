package capture

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// crownShare is the top of a head above the ears as a share of stature (Winter, Biomechanics, figure 4.1): some sets of
// points mean that by "head".
const crownShare = 0.064

// place is where human joint j is in frame t, file units and axes.
func (r *rig) place(t int, j human.Joint) spatial.Vec3 {
	mid := func(a, b human.Joint) spatial.Vec3 { return r.place(t, a).Lerp(r.place(t, b), 0.5) }
	switch j {
	case human.Pelvis:
		return mid(human.LHip, human.RHip)
	case human.Chest:
		return mid(human.LShoulder, human.RShoulder)
	case human.Head:
		return r.headAt(t)
	}
	return r.p.Frames[t][r.at[j]]
}

// headAt is the point between the ears: theirs, else that of the head, which may be its top, else the nose.
func (r *rig) headAt(t int) spatial.Vec3 {
	frame := r.p.Frames[t]
	if r.ears[0] >= 0 && r.ears[1] >= 0 {
		return frame[r.ears[0]].Lerp(frame[r.ears[1]], 0.5)
	}
	nose, hasNose := r.at[human.Nose]
	head, hasHead := r.at[human.Head]
	if !hasHead {
		return frame[nose]
	}
	if !hasNose {
		return frame[head]
	}
	up := frame[head].Sub(r.place(t, human.Chest)).Unit(spatial.Vec3{})
	tall := r.legs() / bvh.LegShare
	if frame[head].Sub(frame[nose]).Dot(up) < 0.6*crownShare*tall {
		return frame[head]
	}
	return frame[head].Sub(up.Scale(crownShare * tall))
}

// legs is the length of a leg, hip to ankle, in the middle of all frames, file units.
func (r *rig) legs() float64 {
	if r.p.FPS == 0 || len(r.p.Frames) == 0 {
		return 0
	}
	var all []float64
	step := max(1, len(r.p.Frames)/200)
	for t := 0; t < len(r.p.Frames); t += step {
		f := r.p.Frames[t]
		for _, l := range [2]human.Joint{human.LHip, human.RHip} {
			hip, knee, ankle := f[r.at[l]], f[r.at[l+1]], f[r.at[l+2]]
			all = append(all, hip.Sub(knee).Norm()+knee.Sub(ankle).Norm())
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// upAxis is the axis (0 x, 1 y, 2 z) along which the person is in most frames, and its sign.
func (r *rig) upAxis() spatial.Vec3 {
	var votes [6]int
	for t := range r.p.Frames {
		body := r.place(t, human.Chest).Sub(r.place(t, human.LAnkle).Lerp(r.place(t, human.RAnkle), 0.5))
		k := 0
		for i := range body {
			if math.Abs(body[i]) > math.Abs(body[k]) {
				k = i
			}
		}
		if body[k] < 0 {
			k += 3
		}
		votes[k]++
	}
	best := 1
	for k, n := range votes {
		if n > votes[best] {
			best = k
		}
	}
	var up spatial.Vec3
	up[best%3] = 1
	if best >= 3 {
		up[best] = -1
	}
	return up
}

// chain is a skeleton in the making.
type chain struct {
	bones []bvh.Bone
	of    []human.Joint // -1: neither
	at    map[human.Joint]int
}

func (c *chain) add(name string, j, parent human.Joint, offset spatial.Vec3) {
	p := -1
	if parent >= 0 {
		p = c.at[parent]
	}
	c.at[j] = len(c.bones)
	c.of = append(c.of, j)
	c.bones = append(c.bones, bvh.Bone{Name: name, Parent: p, Offset: offset, Moves: true})
}

// skeleton lays a standing person out along up, who faces ahead, so that a rest pose is known.
func (r *rig) skeleton(up, ahead spatial.Vec3) *chain {
	l := r.legs()
	left := up.Cross(ahead)
	c := &chain{at: map[human.Joint]int{}}
	c.add("Hips", human.Pelvis, -1, spatial.Vec3{})
	c.add("Spine1", human.Chest, human.Pelvis, up.Scale(0.55*l))
	c.add("Head", human.Head, human.Chest, up.Scale(0.3*l))
	for s, side := range [2]string{"Left", "Right"} {
		out := left.Scale(1 - 2*float64(s))
		hip, shoulder := human.LHip, human.LShoulder
		if s == 1 {
			hip, shoulder = human.RHip, human.RShoulder
		}
		c.add(side+"UpLeg", hip, human.Pelvis, out.Scale(0.1*l))
		c.add(side+"Leg", hip+1, hip, up.Scale(-0.5*l))
		c.add(side+"Foot", hip+2, hip+1, up.Scale(-0.5*l))
		if _, ok := r.at[hip+4]; ok {
			c.add(side+"ToeBase", hip+4, hip+2, ahead.Scale(0.2*l).Sub(up.Scale(0.05*l)))
		}
		c.add(side+"Arm", shoulder, human.Chest, out.Scale(0.2*l))
		c.add(side+"ForeArm", shoulder+1, shoulder, out.Scale(0.3*l))
		c.add(side+"Hand", shoulder+2, shoulder+1, out.Scale(0.3*l))
		if _, ok := r.at[shoulder+3]; ok {
			c.add(side+"HandMiddle", shoulder+3, shoulder+2, out.Scale(0.1*l))
		}
	}
	return c
}

// build makes the file: every joint has a place of its own in every frame, and head and feet are turned as the points
// say.
func (r *rig) build() (*bvh.File, error) {
	up := r.upAxis()
	ahead := spatial.Vec3{up[1], up[2], up[0]} // y up: z ahead; z up: x ahead is {0,1,0} turned on
	c := r.skeleton(up, ahead)
	f, err := bvh.Build(c.bones, 1/r.p.FPS)
	if err != nil {
		return nil, err
	}
	rest := spatial.FromAxes(ahead, up.Cross(ahead), up).Inv()
	for t := range r.p.Frames {
		at, turn := make([]spatial.Vec3, len(c.bones)), make([]spatial.Quat, len(c.bones))
		for i, j := range c.of {
			at[i], turn[i] = r.place(t, j), spatial.Identity()
			switch j {
			case human.Head:
				turn[i] = r.head(t).Mul(rest)
			case human.LAnkle, human.RAnkle:
				turn[i] = r.foot(t, j).Mul(rest)
			}
		}
		for i := len(c.bones) - 1; i > 0; i-- {
			p := c.bones[i].Parent
			at[i] = turn[p].Inv().Rotate(at[i].Sub(at[p]))
		}
		f.Append(at, turn)
	}
	return f, nil
}

// square is a frame with x along ahead and y as near to left as it may be.
func square(ahead, left spatial.Vec3) spatial.Quat {
	x := ahead.Unit(spatial.Vec3{1, 0, 0})
	y := left.Sub(x.Scale(x.Dot(left)))
	if y.Norm() < 1e-9 {
		y = x.Cross(spatial.Vec3{0.3, 0.5, 0.8})
	}
	y = y.Unit(spatial.Vec3{0, 1, 0})
	return spatial.FromAxes(x, y, x.Cross(y))
}

// head is where the head faces in frame t: by ears and nose as far as there are any, else as the shoulders do.
func (r *rig) head(t int) spatial.Quat {
	left := r.place(t, human.LShoulder).Sub(r.place(t, human.RShoulder))
	trunk := r.place(t, human.Chest).Sub(r.place(t, human.Pelvis))
	ahead := left.Cross(trunk)
	if r.ears[0] >= 0 && r.ears[1] >= 0 {
		left = r.p.Frames[t][r.ears[0]].Sub(r.p.Frames[t][r.ears[1]])
		ahead = left.Cross(trunk)
	}
	if nose, ok := r.at[human.Nose]; ok {
		if v := r.p.Frames[t][nose].Sub(r.headAt(t)); v.Norm() > 1e-6 {
			// The nose is a little above the ears.
			return square(v, left).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, math.Atan2(bvh.NoseUp, bvh.NoseAhead)))
		}
	}
	return square(ahead, left)
}

// foot is how a foot lies in frame t: along heel and toes as far as there are any, else as the hips do.
func (r *rig) foot(t int, ankle human.Joint) spatial.Quat {
	left := r.place(t, human.LHip).Sub(r.place(t, human.RHip))
	shin := r.place(t, ankle-1).Sub(r.place(t, ankle))
	ahead := left.Cross(shin)
	if toe, ok := r.at[ankle+2]; ok {
		from := r.place(t, ankle)
		if heel, ok := r.at[ankle+1]; ok {
			from = r.p.Frames[t][heel]
		}
		ahead = r.p.Frames[t][toe].Sub(from)
	}
	return square(ahead, left)
}
