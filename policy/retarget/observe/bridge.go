package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// bridge reads the poses off the file and replaces joints of low confidence: their offset from the parent joint is
// interpolated over the gap. Limbs are bridged within the bounds of models/human only; beyond them they go to their
// rest, which is hanging straight down, also where they were never seen.
func bridge(m *human.Motion) []pose {
	out := make([]pose, len(m.Frames))
	for t := range out {
		f := &m.Frames[t]
		out[t].pos, out[t].sure = f.Positions, f.Confidence
		out[t].head = f.Rotations[human.Head]
		out[t].contact = [2]float64{
			math.Max(f.Contacts[human.LHeelContact], f.Contacts[human.LToeContact]),
			math.Max(f.Contacts[human.RHeelContact], f.Contacts[human.RToeContact])}
	}
	for j := human.Joint(0); int(j) < human.NumJoints; j++ {
		g := gap{poses: out, joint: j, parent: max(j.Parent(), 0), fps: m.FPS}
		g.usualM = g.usualLength()
		last := -1 // the last frame in which the joint was seen
		for t := 0; t <= len(out); t++ {
			if t < len(out) && out[t].sure[j] < human.Missing {
				continue
			}
			if t > last+1 {
				g.fill(last, t)
			}
			last = t
		}
	}
	return out
}

// gap is a joint that is not seen for some frames.
type gap struct {
	poses         []pose
	joint, parent human.Joint
	fps           float64
	usualM        float64 // length of the bone to the parent
}

// usualLength is the bone's length in the file.
func (g *gap) usualLength() float64 {
	var l []float64
	for t := range g.poses {
		l = append(l, g.off(t).Norm())
	}
	return curve.Median(l)
}

func (g *gap) off(t int) spatial.Vec3 { return g.poses[t].pos[g.joint].Sub(g.poses[t].pos[g.parent]) }

// hangs says whether the joint's bone belongs to a limb that hangs at rest.
func (g *gap) hangs() bool {
	for s := range armJoints {
		for _, j := range [...]human.Joint{armJoints[s][1], armJoints[s][2], armJoints[s][2] + 1, legJoints[s][1], legJoints[s][2]} {
			if j == g.joint {
				return true
			}
		}
	}
	return false
}

// fill fills the frames between last and next, in which the joint was seen; -1 and the number of frames stand for
// never.
func (g *gap) fill(last, next int) {
	n := len(g.poses)
	switch known := last >= 0 || next < n; {
	case g.joint == human.Pelvis && known: // it has no parent: straight on
		a, b := max(last, 0), min(next, n-1)
		if last < 0 {
			a = b
		} else if next == n {
			b = a
		}
		from, to := g.poses[a].pos[g.joint], g.poses[b].pos[g.joint]
		for t := last + 1; t < next; t++ {
			g.poses[t].pos[g.joint] = from.Lerp(to, float64(t-a)/math.Max(float64(b-a), 1))
		}
	case g.hangs() && !g.short(last, next):
		g.rest(last, next)
	case known:
		g.interpolate(last, next)
	} // else never seen: keep what the file says
}

// short says whether the gap is within the bounds of what is bridged.
func (g *gap) short(last, next int) bool {
	if last < 0 || next == len(g.poses) {
		return false
	}
	a, b := g.off(last), g.off(next)
	return float64(next-last)/g.fps <= human.BridgeS && math.Atan2(a.Cross(b).Norm(), a.Dot(b)) <= human.BridgeRad
}

// interpolate goes straight from one sighting to the next, or holds the only one.
func (g *gap) interpolate(last, next int) {
	for t := last + 1; t < next; t++ {
		var v spatial.Vec3
		switch {
		case last < 0:
			v = g.off(next)
		case next == len(g.poses):
			v = g.off(last)
		default:
			a, b := g.off(last), g.off(next)
			f := float64(t-last) / float64(next-last)
			v = a.Lerp(b, f).Unit(b).Scale(a.Norm()*(1-f) + b.Norm()*f)
		}
		g.put(t, v)
	}
}

// rest lets the limb hang, from where it was last seen and to where it is seen next.
func (g *gap) rest(last, next int) {
	gapS := float64(next-last) / g.fps
	for t := last + 1; t < next; t++ {
		v := spatial.Vec3{0, 0, -1}
		if last >= 0 {
			v = toward(v, g.off(last), human.Stays(float64(t-last)/g.fps, gapS))
		}
		if next < len(g.poses) {
			v = toward(v, g.off(next), human.Stays(float64(next-t)/g.fps, gapS))
		}
		g.put(t, v.Scale(g.usualM))
	}
}

func (g *gap) put(t int, off spatial.Vec3) {
	g.poses[t].pos[g.joint] = g.poses[t].pos[g.parent].Add(off)
}

// toward is the unit vector a turned towards b by a share of the way.
func toward(a, b spatial.Vec3, share float64) spatial.Vec3 {
	return spatial.Exp(spatial.Between(a, b.Unit(a)).Log().Scale(share)).Rotate(a)
}
