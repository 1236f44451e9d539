// Package observe reads what a person did off a human motion, in a form that has no body size: directions of limbs and
// trunk, the height of the hips over the standing one, footfalls and their places in leg lengths.
//
// Joints that were not seen are bridged for a moment; a limb that is lost for longer goes to its rest, and legs that
// are lost stand still (bridge.go, still.go). Jitter is measured and smoothed away without delay, the pelvis is
// walked along on the standing feet. Read looks at a whole motion at once; At resamples what was read at another
// pace. Everything is a pure function and may be called from any goroutine; a Performance is not changed after it was
// made. Not here: the robot.
package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// smoothS is the width of the Gaussian that takes jitter off clean observed positions: -3 dB at 5 Hz, the usual cut-off
// for human kinematics. Jitter of cleanM widens it to twice that, and so on up to widestS (1.3 Hz).
const (
	smoothS = 0.027
	cleanM  = 0.006
	widestS = 0.1
)

// pose is what is read off the person at one instant. World axes: the person's first heading is +x.
type pose struct {
	pos     [human.NumJoints]spatial.Vec3
	head    spatial.Quat
	contact [2]float64               // probability that the foot is on the floor
	sure    [human.NumJoints]float64 // confidence
}

var legJoints = [2][5]human.Joint{
	{human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe},
	{human.RHip, human.RKnee, human.RAnkle, human.RHeel, human.RToe}}
var armJoints = [2][3]human.Joint{
	{human.LShoulder, human.LElbow, human.LWrist},
	{human.RShoulder, human.RElbow, human.RWrist}}

// sample samples the motion at the given times (s), bridges what was not seen, mirrors it if asked, smooths it over
// frames that follow each other fps times a second (soft times more than its jitter asks for), and turns it so that it
// starts facing +x.
func sample(m *human.Motion, times []float64, fps, soft float64, mirror bool) []pose {
	src := bridge(m)
	n := len(times)
	out := make([]pose, n)
	for k := range out {
		u := curve.Clamp(times[k]*m.FPS, 0, float64(len(src)-1))
		i := min(int(u), len(src)-2)
		f := u - float64(i)
		a, b, p := &src[i], &src[i+1], &out[k]
		for j := range p.pos {
			p.pos[j] = a.pos[j].Lerp(b.pos[j], f)
		}
		for j := range p.sure {
			p.sure[j] = math.Min(a.sure[j], b.sure[j])
		}
		p.head = a.head.Slerp(b.head, f)
		for s := range p.contact {
			p.contact[s] = a.contact[s]*(1-f) + b.contact[s]*f
		}
	}
	if mirror {
		for k := range out {
			out[k] = out[k].mirrored()
		}
	}
	var smooth curve.Gauss
	sigma := smoothS * fps * soft
	noise := jitter(src)
	for j := range out[0].pos {
		k := human.Joint(j)
		if mirror {
			k = k.Mirror()
		}
		wide := math.Min(smoothS*(1+noise[k]/cleanM), widestS) * fps * soft
		for c := 0; c < 3; c++ {
			smooth.Each(n, wide, func(t int) *float64 { return &out[t].pos[j][c] })
		}
	}
	for k := 1; k < n; k++ { // the same sign for neighbours, so that components can be averaged
		if out[k].head.Dot(out[k-1].head) < 0 {
			for c := range out[k].head {
				out[k].head[c] = -out[k].head[c]
			}
		}
	}
	for c := 0; c < 4; c++ {
		smooth.Each(n, sigma, func(t int) *float64 { return &out[t].head[c] })
	}
	yaw := out[0].heading(0.5)
	for k := range out {
		for j := range out[k].pos {
			out[k].pos[j] = out[k].pos[j].Yawed(-yaw)
		}
		out[k].head = spatial.FromYaw(-yaw).Mul(out[k].head).Normalize()
	}
	return out
}

// jitter estimates the white noise on every joint in m from fourth differences, which smooth motion hardly has; their
// standard deviation is sqrt(70) times the noise's, and the median of the absolute value 0.6745 of that.
func jitter(ps []pose) (out [human.NumJoints]float64) {
	if len(ps) < 8 {
		return out
	}
	v := make([]float64, 0, 3*len(ps))
	for j := range out {
		v = v[:0]
		for t := 2; t+2 < len(ps); t++ {
			for c := 0; c < 3; c++ {
				d := ps[t-2].pos[j][c] - 4*ps[t-1].pos[j][c] + 6*ps[t].pos[j][c] - 4*ps[t+1].pos[j][c] + ps[t+2].pos[j][c]
				v = append(v, math.Abs(d))
			}
		}
		out[j] = curve.Median(v) / (0.6745 * math.Sqrt(70))
	}
	return out
}

// mirrored swaps left and right.
func (p *pose) mirrored() pose {
	out := *p
	for j := range p.pos {
		v := p.pos[j]
		out.pos[human.Joint(j).Mirror()] = spatial.Vec3{v[0], -v[1], v[2]}
		out.sure[human.Joint(j).Mirror()] = p.sure[j]
	}
	out.head = spatial.Quat{p.head[0], -p.head[1], p.head[2], -p.head[3]}
	out.contact = [2]float64{p.contact[1], p.contact[0]}
	return out
}

// left returns the direction to the person's left; share of the shoulders, the rest from the hips.
func (p *pose) left(shoulders float64) spatial.Vec3 {
	y := spatial.Vec3{0, 1, 0}
	h := p.pos[human.LHip].Sub(p.pos[human.RHip]).Unit(y)
	s := p.pos[human.LShoulder].Sub(p.pos[human.RShoulder]).Unit(y)
	return h.Lerp(s, shoulders).Unit(y)
}

// up returns the direction of the trunk.
func (p *pose) up() spatial.Vec3 {
	return p.pos[human.Chest].Sub(p.pos[human.Pelvis]).Unit(spatial.Vec3{0, 0, 1})
}

// heading returns the direction the trunk faces, rad about z.
func (p *pose) heading(shoulders float64) float64 {
	l := p.left(shoulders)
	if math.Hypot(l[0], l[1]) < 1e-3 { // lying on the side: the trunk's own turn decides
		x := l.Cross(p.up())
		return math.Atan2(x[1], x[0])
	}
	return math.Atan2(-l[0], l[1])
}

// com returns the centre of mass of the person, by the segment masses of Winter (Biomechanics and Motor Control of
// Human Movement, table 4.1).
func (p *pose) com() spatial.Vec3 {
	var c spatial.Vec3
	add := func(a, b human.Joint, at, mass float64) { c = c.Add(p.pos[a].Lerp(p.pos[b], at).Scale(mass)) }
	add(human.Head, human.Head, 0, 0.081)
	add(human.Pelvis, human.Chest, 0.5, 0.497)
	for s := range legJoints {
		a, l := armJoints[s], legJoints[s]
		add(a[0], a[1], 0.436, 0.028)
		add(a[1], a[2], 0.682, 0.022)
		add(l[0], l[1], 0.433, 0.100)
		add(l[1], l[2], 0.606, 0.061)
	}
	return c
}
