package demonstrator

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Mimic returns any human motion as the demonstrator with the given options does it, at
// the frame times of the video: the exact truth of a film of it. The demonstrator keeps
// its own bones: segments turn as the given person's do, the feet go where theirs went,
// scaled by the legs' length, and stand flat on the floor or on no more than it; the
// legs reach from the hips to them, knees to the same side. The first frame is over the
// origin and faces as it did.
func Mimic(m *human.Motion, opt Options) (*human.Motion, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	b := newBody(opt.HeightM)
	d := double{body: b, ankleM: [2]float64{sole(m, 0), sole(m, 1)}}
	if d.scale, err = d.legs(m); err != nil {
		return nil, err
	}
	n := int(math.Floor(m.Seconds()*opt.FPS+1e-6)) + 1
	out := &human.Motion{FPS: opt.FPS, Frames: make([]human.Pose, n), Meta: human.Meta{
		Schema: 1, Source: "demonstrator:" + m.Meta.Source, SubjectHeightM: opt.HeightM,
		Model: "truth", Runtime: "none", Tool: "mitori demonstrate",
	}}
	turned := spatial.FromYaw(-rad(opt.Camera.AzimuthDeg))
	var origin spatial.Vec3
	for i := range out.Frames {
		src := metrics.At(m, float64(i)/opt.FPS)
		p := d.pose(&src)
		if i == 0 {
			origin = p.Positions[human.Pelvis]
			origin[2] = 0
		}
		for j := range p.Positions {
			p.Positions[j] = turned.Rotate(p.Positions[j].Sub(origin))
			p.Rotations[j] = turned.Mul(p.Rotations[j]).Normalize()
		}
		out.Frames[i] = p
	}
	return out, out.Validate()
}

// double is the demonstrator who does what somebody else did.
type double struct {
	*body
	scale  float64    // of all ways
	ankleM [2]float64 // height of the other's ankles where they stand
}

// legs is the ratio of the legs' lengths: own over the other's.
func (d *double) legs(m *human.Motion) (float64, error) {
	long := 0.0
	for t := range m.Frames {
		p := &m.Frames[t].Positions
		for _, hip := range [2]human.Joint{human.LHip, human.RHip} {
			long += p[hip].Sub(p[hip+1]).Norm() + p[hip+1].Sub(p[hip+2]).Norm()
		}
	}
	long /= float64(2 * len(m.Frames))
	if !(long > 0.05) {
		return 0, fmt.Errorf("demonstrator: the person's legs are %g m long; legal: above 0.05", long)
	}
	return (d.thighM + d.shankM) / long, nil
}

// sole is the height of an ankle (0: left) where it stands: the mean of the frames in which
// the heel touches the floor, or the lowest where none does.
func sole(m *human.Motion, side int) float64 {
	sum, n, low := 0.0, 0, math.Inf(1)
	for t := range m.Frames {
		p := &m.Frames[t]
		z := p.Positions[joint(human.LAnkle, side)][2] - math.Max(0, p.Positions[joint(human.LHeel, side)][2])
		low = math.Min(low, p.Positions[joint(human.LAnkle, side)][2])
		if p.Contacts[2*side] >= 0.5 {
			sum, n = sum+z, n+1
		}
	}
	if n == 0 {
		return low
	}
	return sum / float64(n)
}

func (d *double) pose(src *human.Pose) human.Pose {
	p := human.Pose{Rotations: src.Rotations, Contacts: src.Contacts}
	for j := range p.Confidence {
		p.Confidence[j] = 1
	}
	p.Rotations[human.Nose] = p.Rotations[human.Head]
	for i := range 2 {
		p.Rotations[joint(human.LHand, i)] = p.Rotations[joint(human.LWrist, i)]
		ankle := joint(human.LAnkle, i)
		d.foot(src, &p, i)
		p.Rotations[ankle+1], p.Rotations[ankle+2] = p.Rotations[ankle], p.Rotations[ankle]
	}
	// Hips differ in width: the pelvis goes where the middle of the two hips went.
	p.Positions[human.Pelvis] = src.Positions[human.LHip].Lerp(src.Positions[human.RHip], 0.5).Scale(d.scale)
	p.Positions[human.Pelvis][2] += d.ankleM0()
	d.lower(&p)
	for i := range 2 {
		d.leg(src, &p, i)
	}
	ankles := [2]spatial.Vec3{p.Positions[human.LAnkle], p.Positions[human.RAnkle]}
	d.place(&p)
	for i, at := range ankles { // the legs end there by construction; this removes the rounding
		ankle := joint(human.LAnkle, i)
		p.Positions[ankle] = at
		for _, j := range [2]human.Joint{ankle + 1, ankle + 2} {
			p.Positions[j] = at.Add(p.Rotations[j].Rotate(d.offset[j]))
		}
	}
	return p
}

// ankleM0 is by how much more the own ankles stand above the floor than the other's would.
func (d *double) ankleM0() float64 {
	return d.body.ankleM - d.scale*(d.ankleM[0]+d.ankleM[1])/2
}

// foot puts an ankle where the other's went. Nothing of the foot is under the floor; one
// that stands is flat on it.
func (d *double) foot(src, p *human.Pose, side int) {
	ankle := joint(human.LAnkle, side)
	at := src.Positions[ankle].Scale(d.scale)
	at[2] += d.body.ankleM - d.scale*d.ankleM[side]
	heel, toe := src.Contacts[2*side] >= 0.5, src.Contacts[2*side+1] >= 0.5
	turn := p.Rotations[ankle]
	const flatM = 0.05 // what a heel that stands may be off the floor
	if heel && toe && at[2]-d.body.ankleM < flatM {
		turn = spatial.FromYaw(turn.YawRad())
		at[2] = d.body.ankleM
	}
	low := math.Min(turn.Rotate(d.offset[ankle+1])[2], turn.Rotate(d.offset[ankle+2])[2])
	at[2] = math.Max(at[2], -low)
	p.Positions[ankle], p.Rotations[ankle] = at, turn
}

// lower brings the pelvis down to where both legs reach their ankles, softly.
func (d *double) lower(p *human.Pose) {
	const softM, reserve = 0.004, 0.996
	pelvis := &p.Positions[human.Pelvis]
	wanted := pelvis[2]
	sum := 1.0
	for i := range 2 {
		hip := p.Rotations[human.Pelvis].Rotate(d.offset[joint(human.LHip, i)])
		a := p.Positions[joint(human.LAnkle, i)]
		far := reserve * (d.thighM + d.shankM)
		dx, dy := pelvis[0]+hip[0]-a[0], pelvis[1]+hip[1]-a[1]
		if top := a[2] + math.Sqrt(math.Max(0, far*far-dx*dx-dy*dy)) - hip[2]; top < wanted+0.2 {
			sum += math.Exp(-(top - wanted) / softM)
		}
	}
	// A foot far aside must not draw the pelvis to the floor: it is let go instead.
	const mostM = 0.15
	pelvis[2] = wanted - math.Min(softM*math.Log(sum), mostM)
}

// leg turns thigh and shank so that the leg reaches its ankle, with the knee where the
// other's was; an ankle out of reach comes nearer.
func (d *double) leg(src, p *human.Pose, side int) {
	hipJ, ankleJ := joint(human.LHip, side), joint(human.LAnkle, side)
	hip := p.Positions[human.Pelvis].Add(p.Rotations[human.Pelvis].Rotate(d.offset[hipJ]))
	way := p.Positions[ankleJ].Sub(hip)
	down := way.Unit(spatial.Vec3{0, 0, -1})
	t, s := d.thighM, d.shankM
	dist := math.Max(math.Abs(t-s)+0.05*t, math.Min(way.Norm(), 0.9995*(t+s)))
	p.Positions[ankleJ] = hip.Add(down.Scale(dist))
	// Where the knee stands out of the straight way; of a straight leg, where the thigh's front points.
	q := &src.Positions
	straight := q[hipJ+2].Sub(q[hipJ]).Unit(spatial.Vec3{0, 0, -1})
	knee := q[hipJ+1].Sub(q[hipJ])
	const frontM = 0.02 // below it the knee's own place is noise
	out := knee.Sub(straight.Scale(knee.Dot(straight))).Add(src.Rotations[hipJ].Rotate(spatial.Vec3{frontM, 0, 0}))
	out = out.Sub(down.Scale(out.Dot(down))).Unit(spatial.Vec3{1, 0, 0})
	axis := out.Cross(down).Unit(spatial.Vec3{0, 1, 0}) // to the left
	bend := math.Acos(math.Max(-1, math.Min(1, (t*t+dist*dist-s*s)/(2*t*dist))))
	thigh := down.Scale(math.Cos(bend)).Add(out.Scale(math.Sin(bend)))
	shank := p.Positions[ankleJ].Sub(hip.Add(thigh.Scale(t))).Unit(down)
	p.Rotations[hipJ], p.Rotations[hipJ+1] = segment(axis, thigh), segment(axis, shank)
}

// segment is the rotation of a leg's piece that points along dir and hinges about axis.
func segment(axis, dir spatial.Vec3) spatial.Quat {
	z := dir.Scale(-1)
	return spatial.FromAxes(axis.Cross(z), axis, z)
}

// Surround builds room and camera around a motion that goes somewhere: the stage is the
// middle of its way, the camera, where no distance is chosen yet, stands as near as the
// whole body allows throughout (3.6 m at least), and what does not fit into the room is
// filmed in the garden, where no background is chosen.
func Surround(m *human.Motion, opt Options) (Options, error) {
	lo, hi := m.Frames[0].Positions[human.Pelvis], m.Frames[0].Positions[human.Pelvis]
	for i := range m.Frames {
		at := m.Frames[i].Positions[human.Pelvis]
		for k := range at {
			lo[k], hi[k] = math.Min(lo[k], at[k]), math.Max(hi[k], at[k])
		}
	}
	opt.StageM = [2]float64{(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2}
	const roomXM, roomYM = 1.0, 2.2 // from the middle to where a body touches a wall
	if opt.Look.Background == "" && ((hi[0]-lo[0])/2 > roomXM || (hi[1]-lo[1])/2 > roomYM) {
		opt.Look.Background = "garden"
	}
	chosen := opt.Camera.DistanceM != 0
	opt, err := opt.withDefaults()
	if err != nil || chosen {
		return opt, err
	}
	const marginShare, farthestM, stepM = 0.06, 12.0, 0.1
	for ; opt.Camera.DistanceM+stepM < farthestM; opt.Camera.DistanceM += stepM {
		if opt.holds(m, marginShare) {
			break
		}
	}
	return opt, nil
}

// holds tells whether the body stays in the picture of a still camera, away from its edges.
func (o Options) holds(m *human.Motion, marginShare float64) bool {
	t := &Take{
		FocalPx:  float64(o.HeightPx) / 2 / math.Tan(rad(o.Camera.FovDeg)/2),
		CentrePx: [2]float64{float64(o.WidthPx) / 2, float64(o.HeightPx) / 2},
	}
	v, w, h := o.still().exact(), float64(o.WidthPx), float64(o.HeightPx)
	for i := range m.Frames {
		for _, at := range m.Frames[i].Positions {
			px, ok := t.Project(v, at)
			if !ok || px[0] < marginShare*w || px[0] > (1-marginShare)*w || px[1] < marginShare*h || px[1] > (1-marginShare)*h {
				return false
			}
		}
	}
	return true
}
