package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Limits of what is taken over from the person; beyond them the robot does what it can and the report says so.
const (
	maxTiltRad    = 0.75 // of the trunk, forward or back
	maxSideRad    = 0.35 // of the trunk, sideways: hips of robots roll little
	maxTwistRad   = 0.6  // of the trunk against the feet
	tiltDamping   = 0.85 // share of the trunk's lean that is copied: the robot's trunk is heavier than a person's
	biasTiltRad   = 0.10 // a constant lean up to this size is taken as the camera's, not the person's
	minHipRatio   = 0.55 // lowest hip height, of the standing one
	liftFromFloor = 0.12 // a foot that is higher than the other by this share of the leg is in the air
)

// intent is what the person does at one instant, free of the person's size. Lengths are in human leg lengths.
type intent struct {
	heading    float64      // rad
	tilt       spatial.Vec3 // trunk direction in the heading frame, unit
	chest      spatial.Quat // rib cage, heading frame
	head       spatial.Quat
	upper, arm [2]spatial.Vec3 // upper arm and forearm directions, heading frame, unit
	reach      [2]spatial.Vec3 // from shoulder to wrist, unit, heading frame
	thigh      [2]spatial.Vec3 // world, for scoring only
	shank      [2]spatial.Vec3
	hip        float64         // height of the hips above the lower ankle over the standing one, 1 = standing
	foot       [2]spatial.Vec3 // ankle in a world where stance feet do not move; z = height above the lower foot
	footYaw    [2]float64      // relative to heading
	com        spatial.Vec3    // same world, horizontal only
	on         [2]bool         // standing on that foot
}

// perform is the whole motion in that form.
type perform struct {
	intents []intent
	legM    float64 // the person's leg length
	amplify float64
	// hipRatio is the distance between the person's hips in leg lengths.
	hipRatio float64
	flight   int // frames in which no foot was on the floor
	tilted   int // frames in which the trunk's lean was cut
}

// read turns poses into intents. amplify widens angles, steps and the depth of squats about the rest pose.
func read(ps []pose, fps, amplify float64) *perform {
	n := len(ps)
	pf := &perform{intents: make([]intent, n), legM: legLength(ps), amplify: amplify}
	buf, buf2 := make([]float64, n), make([]float64, n)
	for t := range ps {
		buf[t] = ps[t].pos[human.LHip].Sub(ps[t].pos[human.RHip]).Norm() / pf.legM
	}
	pf.hipRatio = median(buf)
	prev := 0.0
	for t := range ps {
		p, in := &ps[t], &pf.intents[t]
		in.heading = prev + angleDiff(p.heading(0.5), prev)
		prev = in.heading
	}
	gaussEach(n, 0.1*fps, func(t int) *float64 { return &pf.intents[t].heading }, buf, buf2)
	for t := range ps {
		pf.posture(&ps[t], &pf.intents[t], amplify)
	}
	pf.removeBias()
	for t := range pf.intents {
		pf.limitTilt(&pf.intents[t], amplify)
	}
	for k := 0; k < 3; k++ { // a robot's trunk is most of its mass: no faster than 2.5 Hz
		gaussEach(n, 0.05*fps, func(t int) *float64 { return &pf.intents[t].tilt[k] }, buf, buf2)
	}
	for t := range pf.intents {
		in := &pf.intents[t]
		in.tilt = in.tilt.Unit(spatial.Vec3{0, 0, 1})
	}
	pf.hips(ps, fps, amplify)
	pf.contacts(ps, fps)
	pf.odometry(ps, amplify)
	return pf
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
	l := median(leg)
	return math.Max(l+clamp(median(ankle), 0.03*l, 0.15*l), 1e-3)
}

// posture reads directions.
func (pf *perform) posture(p *pose, in *intent, amplify float64) {
	q := &p.pos
	down := spatial.Vec3{0, 0, -1}
	seg := func(a, b human.Joint) spatial.Vec3 { return turn(q[b].Sub(q[a]), -in.heading).Unit(down) }
	in.tilt = turn(p.up(), -in.heading)
	z := in.tilt
	y := turn(p.left(1), -in.heading)
	x := y.Cross(z).Unit(spatial.Vec3{1, 0, 0})
	in.chest = spatial.FromAxes(x, z.Cross(x), z)
	in.head = spatial.FromYaw(-in.heading).Mul(p.head)
	for s := range armJoints {
		a, l := armJoints[s], legJoints[s]
		in.upper[s] = widen(down, seg(a[0], a[1]), amplify)
		bend := spatial.Between(seg(a[0], a[1]), seg(a[1], a[2])).Log()
		if b := bend.Norm() * amplify; amplify != 1 && b > 1e-6 {
			// The elbow's own bend is widened in its plane, then carried along by the upper arm.
			bend = bend.Unit(bend).Scale(math.Min(b, 2.6))
		}
		carry := spatial.Between(seg(a[0], a[1]), in.upper[s])
		in.arm[s] = carry.Rotate(spatial.Exp(bend).Rotate(seg(a[0], a[1])))
		in.reach[s] = carry.Rotate(seg(a[0], a[2]))
		in.thigh[s], in.shank[s] = q[l[1]].Sub(q[l[0]]).Unit(down), q[l[2]].Sub(q[l[1]]).Unit(down)
		toe := turn(q[l[4]].Sub(q[l[3]]), -in.heading)
		if math.Hypot(toe[0], toe[1]) > 0.3*toe.Norm() {
			in.footYaw[s] = clamp(math.Atan2(toe[1], toe[0]), -0.8, 0.8)
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
func (pf *perform) removeBias() {
	var lean [2][]float64
	for t := range pf.intents {
		for k := range lean {
			lean[k] = append(lean[k], pf.intents[t].tilt[k])
		}
	}
	b := spatial.Vec3{median(lean[0]), median(lean[1]), 0}
	if n := b.Norm(); n > biasTiltRad {
		b = b.Scale(biasTiltRad / n)
	}
	up := spatial.Vec3{0, 0, 1}
	fix := spatial.Between(spatial.Vec3{b[0], b[1], math.Sqrt(1 - b.Dot(b))}, up)
	for t := range pf.intents {
		in := &pf.intents[t]
		in.tilt, in.chest = fix.Rotate(in.tilt), fix.Mul(in.chest)
	}
}

func (pf *perform) limitTilt(in *intent, amplify float64) {
	up := spatial.Vec3{0, 0, 1}
	r := spatial.Between(up, in.tilt).Log()
	a := r.Norm()
	if a < 1e-9 {
		return
	}
	// The limit is an ellipse around upright: r[1] leans forward, r[0] sideways.
	want := a * tiltDamping * amplify
	limit := a / math.Hypot(r[1]/maxTiltRad, r[0]/maxSideRad)
	if want > limit {
		pf.tilted++
	}
	if soft := 0.6 * limit; want > soft { // bent into the limit: a corner would be a jolt
		want = soft + (limit-soft)*math.Tanh((want-soft)/(limit-soft))
	}
	cut := spatial.Exp(r.Scale((want - a) / a))
	in.tilt, in.chest = cut.Rotate(in.tilt), cut.Mul(in.chest)
}

// hips measures hip heights from the legs alone, so that a drifting root does no harm: the hip is as high as the
// longer of the two legs reaches down.
func (pf *perform) hips(ps []pose, fps, amplify float64) {
	n := len(ps)
	all := make([]float64, n)
	for t := range ps {
		q := &ps[t].pos
		mid := q[human.LHip].Lerp(q[human.RHip], 0.5)
		low := math.Min(q[human.LAnkle][2], q[human.RAnkle][2])
		pf.intents[t].hip = mid[2] - low
		all[t] = mid[2] - low
	}
	median(all)
	stand := all[int(0.95*float64(n-1))]
	// A clip without a straight leg does not show the standing height; the leg's length bounds it from below.
	stand = math.Max(stand, 0.8*pf.legM)
	buf, buf2 := make([]float64, n), make([]float64, n)
	for t := range pf.intents {
		in := &pf.intents[t]
		in.hip = clamp(1-amplify*(1-in.hip/stand), minHipRatio, 1)
	}
	gaussEach(n, 0.05*fps, func(t int) *float64 { return &pf.intents[t].hip }, buf, buf2)
}

// odometry walks the pelvis along so that feet on the floor stay where they are, and notes feet and centre of mass
// in that world.
func (pf *perform) odometry(ps []pose, amplify float64) {
	var root spatial.Vec3
	scale := amplify / pf.legM
	rel := func(t, s int) spatial.Vec3 {
		q := &ps[t].pos
		return q[legJoints[s][2]].Sub(q[human.Pelvis])
	}
	for t := range ps {
		in := &pf.intents[t]
		if t > 0 {
			var move spatial.Vec3
			k := 0.0
			for s := range in.on {
				if in.on[s] && pf.intents[t-1].on[s] {
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
		for s := range in.foot {
			f := root.Add(rel(t, s))
			in.foot[s] = spatial.Vec3{f[0] * scale, f[1] * scale, (rel(t, s)[2] - low) * scale}
		}
		c := ps[t].com().Sub(ps[t].pos[human.Pelvis]).Add(root)
		in.com = spatial.Vec3{c[0] * scale, c[1] * scale, 0}
	}
}
