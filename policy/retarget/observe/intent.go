package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Limits of what is taken over from the person; beyond them the robot does what it can and the report says so.
const (
	MaxTiltRad    = 0.75 // of the trunk, forward or back
	MaxSideRad    = 0.35 // of the trunk, sideways: hips of robots roll little
	tiltDamping   = 0.85 // share of the trunk's lean that is copied: the robot's trunk is heavier than a person's
	biasTiltRad   = 0.10 // a constant lean up to this size is taken as the camera's, not the person's
	minHipRatio   = 0.55 // lowest hip height, of the standing one
	liftFromFloor = 0.12 // a foot that is higher than the other by this share of the leg is in the air
)

// Intent is what the person does at one instant, free of the person's size. Lengths are in human leg lengths.
type Intent struct {
	Heading     float64      // rad, whole turns counted
	Tilt        spatial.Vec3 // trunk direction in the heading frame, unit
	Chest       spatial.Quat // rib cage, heading frame
	Head        spatial.Quat
	Upper, Fore [2]spatial.Vec3 // upper arm and forearm directions, heading frame, unit
	Reach       [2]spatial.Vec3 // from shoulder to wrist, unit, heading frame
	Thigh       [2]spatial.Vec3 // world, for scoring only
	Shank       [2]spatial.Vec3
	Hip         float64         // height of the hips above the lower ankle over the standing one, 1 = standing
	Foot        [2]spatial.Vec3 // ankle in a world where stance feet do not move; z = height above the lower foot
	FootYaw     [2]float64      // relative to heading
	Com         spatial.Vec3    // same world, horizontal only
	On          [2]bool         // standing on that foot
	// What was seen: ArmDoubt is how much less an arm is to be followed, 0 to 1; LegLost are legs that were not seen for
	// longer than is bridged; Still is 1 where both are lost, so that the robot stands, and goes over to 0 around.
	ArmDoubt [2]float64
	LegLost  [2]bool
	Still    float64
}

// Performance is the whole motion in that form.
type Performance struct {
	Intents []Intent
	LegM    float64 // the person's leg length
	Amplify float64
	// HipRatio is the distance between the person's hips in leg lengths.
	HipRatio float64
	Flight   int        // frames in which no foot was on the floor
	Tilted   int        // frames in which the trunk's lean was cut
	Legless  float64    // share of the frames in which both legs were lost
	Armless  [2]float64 // share of the frames in which an arm was not seen, left and right
}

// Options says how a motion is read.
type Options struct {
	FPS     float64 // at which the times read follow each other
	Soft    float64 // smooth this many times more than the jitter asks for; 1 for just that
	Amplify float64 // widens angles, steps and the depth of squats about the rest pose; 1 for not at all
	Mirror  bool    // exchange left and right
}

// Read reads the motion at the given times (s from its first frame, rising), at least two.
func Read(m *human.Motion, times []float64, o Options) *Performance {
	return read(sample(m, times, o.FPS, o.Soft, o.Mirror), o.FPS, o.Amplify)
}

// read turns poses into intents. amplify widens angles, steps and the depth of squats about the rest pose.
func read(ps []pose, fps, amplify float64) *Performance {
	n := len(ps)
	perf := &Performance{Intents: make([]Intent, n), LegM: legLength(ps), Amplify: amplify}
	var smooth curve.Gauss
	wide := make([]float64, n)
	for t := range ps {
		wide[t] = ps[t].pos[human.LHip].Sub(ps[t].pos[human.RHip]).Norm() / perf.LegM
	}
	perf.HipRatio = curve.Median(wide)
	prev := 0.0
	for t := range ps {
		p, in := &ps[t], &perf.Intents[t]
		in.Heading = prev + curve.AngleDiff(p.heading(0.5), prev)
		prev = in.Heading
	}
	smooth.Each(n, 0.1*fps, func(t int) *float64 { return &perf.Intents[t].Heading })
	for t := range ps {
		perf.posture(&ps[t], &perf.Intents[t], amplify)
	}
	perf.removeBias()
	for t := range perf.Intents {
		perf.limitTilt(&perf.Intents[t], amplify)
	}
	for k := 0; k < 3; k++ { // a robot's trunk is most of its mass: no faster than 2.5 Hz
		smooth.Each(n, 0.05*fps, func(t int) *float64 { return &perf.Intents[t].Tilt[k] })
	}
	for t := range perf.Intents {
		in := &perf.Intents[t]
		in.Tilt = in.Tilt.Unit(spatial.Vec3{0, 0, 1})
	}
	perf.sight(ps, fps)
	perf.hips(ps, fps, amplify)
	perf.stand()
	perf.contacts(ps, fps)
	perf.odometry(ps, amplify)
	return perf
}

// legLength measures the person's leg from hip to floor.
func legLength(ps []pose) float64 {
	var leg, ankle []float64
	for t := range ps {
		for _, l := range legJoints {
			q := &ps[t].pos
			leg = append(leg, q[l[0]].Sub(q[l[1]]).Norm()+q[l[1]].Sub(q[l[2]]).Norm())
			ankle = append(ankle, q[l[2]][2]-math.Min(q[l[3]][2], q[l[4]][2]))
		}
	}
	l := curve.Median(leg)
	return math.Max(l+curve.Clamp(curve.Median(ankle), 0.03*l, 0.15*l), 1e-3)
}

// posture reads directions.
func (perf *Performance) posture(p *pose, in *Intent, amplify float64) {
	q := &p.pos
	down := spatial.Vec3{0, 0, -1}
	seg := func(a, b human.Joint) spatial.Vec3 { return q[b].Sub(q[a]).Yawed(-in.Heading).Unit(down) }
	in.Tilt = p.up().Yawed(-in.Heading)
	z := in.Tilt
	y := p.left(1).Yawed(-in.Heading)
	x := y.Cross(z).Unit(spatial.Vec3{1, 0, 0})
	in.Chest = spatial.FromAxes(x, z.Cross(x), z)
	in.Head = spatial.FromYaw(-in.Heading).Mul(p.head)
	for s := range armJoints {
		a, l := armJoints[s], legJoints[s]
		in.Upper[s] = widen(down, seg(a[0], a[1]), amplify)
		bend := spatial.Between(seg(a[0], a[1]), seg(a[1], a[2])).Log()
		if b := bend.Norm() * amplify; amplify != 1 && b > 1e-6 {
			// The elbow's own bend is widened in its plane, then carried along by the upper arm.
			bend = bend.Unit(bend).Scale(math.Min(b, 2.6))
		}
		carry := spatial.Between(seg(a[0], a[1]), in.Upper[s])
		in.Fore[s] = carry.Rotate(spatial.Exp(bend).Rotate(seg(a[0], a[1])))
		in.Reach[s] = carry.Rotate(seg(a[0], a[2]))
		in.Thigh[s], in.Shank[s] = q[l[1]].Sub(q[l[0]]).Unit(down), q[l[2]].Sub(q[l[1]]).Unit(down)
		toe := q[l[4]].Sub(q[l[3]]).Yawed(-in.Heading)
		if math.Hypot(toe[0], toe[1]) > 0.3*toe.Norm() {
			in.FootYaw[s] = curve.Clamp(math.Atan2(toe[1], toe[0]), -0.8, 0.8)
		}
	}
}

// widen turns direction v away from rest by a factor.
func widen(rest, v spatial.Vec3, factor float64) spatial.Vec3 {
	if factor == 1 {
		return v
	}
	r := spatial.Between(rest, v).Log()
	a := r.Norm()
	if a < 1e-9 {
		return v
	}
	return spatial.Exp(r.Scale(math.Min(a*factor, math.Pi-0.05) / a)).Rotate(rest)
}

// removeBias takes a small constant lean out of the trunk: one camera cannot tell it from its own pitch.
func (perf *Performance) removeBias() {
	var lean [2][]float64
	for t := range perf.Intents {
		for k := range lean {
			lean[k] = append(lean[k], perf.Intents[t].Tilt[k])
		}
	}
	b := spatial.Vec3{curve.Median(lean[0]), curve.Median(lean[1]), 0}
	if n := b.Norm(); n > biasTiltRad {
		b = b.Scale(biasTiltRad / n)
	}
	up := spatial.Vec3{0, 0, 1}
	fix := spatial.Between(spatial.Vec3{b[0], b[1], math.Sqrt(1 - b.Dot(b))}, up)
	for t := range perf.Intents {
		in := &perf.Intents[t]
		in.Tilt, in.Chest = fix.Rotate(in.Tilt), fix.Mul(in.Chest)
	}
}

func (perf *Performance) limitTilt(in *Intent, amplify float64) {
	up := spatial.Vec3{0, 0, 1}
	r := spatial.Between(up, in.Tilt).Log()
	a := r.Norm()
	if a < 1e-9 {
		return
	}
	// The limit is an ellipse around upright: r[1] leans forward, r[0] sideways.
	want := a * tiltDamping * amplify
	limit := a / math.Hypot(r[1]/MaxTiltRad, r[0]/MaxSideRad)
	if want > limit {
		perf.Tilted++
	}
	if soft := 0.6 * limit; want > soft { // bent into the limit: a corner would be a jolt
		want = soft + (limit-soft)*math.Tanh((want-soft)/(limit-soft))
	}
	cut := spatial.Exp(r.Scale((want - a) / a))
	in.Tilt, in.Chest = cut.Rotate(in.Tilt), cut.Mul(in.Chest)
}

// hips measures hip heights from the legs alone, so that a drifting root does no harm: the hip is as high as the
// longer of the two legs reaches down.
func (perf *Performance) hips(ps []pose, fps, amplify float64) {
	n := len(ps)
	all := make([]float64, n)
	for t := range ps {
		q := &ps[t].pos
		mid := q[human.LHip].Lerp(q[human.RHip], 0.5)
		low := math.Min(q[human.LAnkle][2], q[human.RAnkle][2])
		if lost := perf.Intents[t].LegLost; lost[0] != lost[1] { // the leg that is seen says how high
			low = q[human.LAnkle][2]
			if lost[0] {
				low = q[human.RAnkle][2]
			}
		}
		perf.Intents[t].Hip = mid[2] - low
		all[t] = mid[2] - low
	}
	curve.Median(all)
	stand := all[int(0.95*float64(n-1))]
	// A clip without a straight leg does not show the standing height; the leg's length bounds it from below.
	stand = math.Max(stand, 0.8*perf.LegM)
	var smooth curve.Gauss
	for t := range perf.Intents {
		in := &perf.Intents[t]
		in.Hip = curve.Clamp(1-amplify*(1-in.Hip/stand), minHipRatio, 1)
	}
	smooth.Each(n, 0.05*fps, func(t int) *float64 { return &perf.Intents[t].Hip })
}

// odometry walks the pelvis along so that feet on the floor stay where they are, and notes feet and centre of mass
// in that world.
func (perf *Performance) odometry(ps []pose, amplify float64) {
	var root spatial.Vec3
	scale := amplify / perf.LegM
	rel := func(t, s int) spatial.Vec3 {
		q := &ps[t].pos
		return q[legJoints[s][2]].Sub(q[human.Pelvis])
	}
	for t := range ps {
		in := &perf.Intents[t]
		if t > 0 {
			var move spatial.Vec3
			k := 0.0
			for s := range in.On {
				if in.On[s] && perf.Intents[t-1].On[s] && (!in.LegLost[s] || in.LegLost[1-s]) {
					move = move.Add(rel(t-1, s).Sub(rel(t, s)))
					k++
				}
			}
			if k > 0 {
				move = move.Scale(1 / k)
			} else {
				move = ps[t].pos[human.Pelvis].Sub(ps[t-1].pos[human.Pelvis])
			}
			root = root.Add(spatial.Vec3{move[0], move[1], 0})
		}
		low := math.Min(rel(t, 0)[2], rel(t, 1)[2])
		for s := range in.Foot {
			f := root.Add(rel(t, s))
			in.Foot[s] = spatial.Vec3{f[0] * scale, f[1] * scale, (rel(t, s)[2] - low) * scale}
		}
		c := ps[t].com().Sub(ps[t].pos[human.Pelvis]).Add(root)
		in.Com = spatial.Vec3{c[0] * scale, c[1] * scale, 0}
	}
}
