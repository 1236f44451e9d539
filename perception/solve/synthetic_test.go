package solve

import (
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// actor is a person whose every joint is known: pelvis, trunk, arms and feet are
// functions of time, the knees follow. Proportions are boneRatio's, so what the
// solver cannot know (the subject's build) does not blur the tests.
type actor struct {
	heightM float64
	pelvis  func(t float64) spatial.Vec3 // share of stature above the floor in z, metres else
	lean    func(t float64) float64      // trunk forwards, rad
	arm     func(t float64, side int) (raise, bend float64)
	foot    func(t float64, side int) (at spatial.Vec3, pitch float64) // sole below the ankle
	yaw     float64
}

// performance is the truth of one instant.
type performance struct {
	pose  human.Pose
	marks [landmark.Num]spatial.Vec3 // world
}

func (a *actor) at(t float64) (p performance) {
	h := a.heightM
	r := func(k boneKind) float64 { return boneRatio[k] * h }
	turn := spatial.FromYaw(a.yaw)
	rot := func(x, y, z float64) spatial.Vec3 { return turn.Rotate(spatial.Vec3{x, y, z}) }
	pos := &p.pose.Positions
	pelvis := a.pelvis(t)
	pelvis[2] *= h
	pos[human.Pelvis] = pelvis
	s, c := math.Sincos(a.lean(t))
	up := rot(s, 0, c)
	ahead := rot(c, 0, -s)
	left := rot(0, 1, 0)
	pos[human.Chest] = pelvis.Add(up.Scale(r(trunk)))
	pos[human.Head] = pos[human.Chest].Add(up.Scale(r(neck)))
	pos[human.Nose] = pos[human.Head].Add(ahead.Scale(noseLength * h * math.Cos(nosePitchDown))).Sub(up.Scale(noseLength * h * math.Sin(nosePitchDown)))
	ears := left.Scale(0.045 * h)
	m := &p.marks
	m[landmark.LEar], m[landmark.REar], m[landmark.Nose] = pos[human.Head].Add(ears), pos[human.Head].Sub(ears), pos[human.Nose]
	for _, j := range []int{1, 2, 3, 9} {
		m[j], m[landmark.Mirror(j)] = m[landmark.Nose].Add(ears.Scale(0.3)), m[landmark.Nose].Sub(ears.Scale(0.3))
	}
	for side, sign := range []float64{1, -1} {
		sh, hip := human.LShoulder+human.Joint(4*side), human.LHip+human.Joint(5*side)
		pos[sh] = pos[human.Chest].Add(left.Scale(sign * r(shoulderWidth) / 2))
		raise, bend := a.arm(t, side)
		out := func(angle, forward float64) spatial.Vec3 {
			return left.Scale(sign * math.Sin(angle) * math.Cos(forward)).Add(up.Scale(-math.Cos(angle))).Add(ahead.Scale(math.Sin(angle) * math.Sin(forward))).Unit(up)
		}
		upper := out(raise, 0.2)
		lower := upper.Scale(math.Cos(bend)).Add(ahead.Scale(math.Sin(bend))).Unit(up)
		pos[sh+1] = pos[sh].Add(upper.Scale(r(upperArm)))
		pos[sh+2] = pos[sh+1].Add(lower.Scale(r(forearm)))
		pos[sh+3] = pos[sh+2].Add(lower.Scale(r(hand)))
		pos[hip] = pelvis.Add(left.Scale(sign * r(hipWidth) / 2))
		at, pitch := a.foot(t, side)
		foot := sole{at, turn.Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, pitch))}
		pos[hip+2] = foot.place(spatial.Vec3{0, 0, ankleHeight * h})
		size := footOf(h)
		pos[hip+3], pos[hip+4] = foot.place(size.heel), foot.place(size.toe)
		pos[hip+1] = kneeOf(pos[hip], pos[hip+2], rot(1, 0, 0), r(thigh), r(shank)+(ankleSeenHeight-ankleHeight)*h)
		for k, j := range []human.Joint{pos1(pos, human.LHeel, side), pos1(pos, human.LToe, side)} {
			if pos[j][2] < 0.005 && abs(pitch) < 0.02 {
				p.pose.Contacts[2*side+k] = 1
			}
		}
		m[landmark.LShoulder+side], m[landmark.LElbow+side], m[landmark.LWrist+side] = pos[sh], pos[sh+1], pos[sh+2]
		m[landmark.LIndex+side], m[landmark.LPinky+side] = pos[sh+3].Add(ahead.Scale(0.03)), pos[sh+3].Sub(ahead.Scale(0.03))
		m[21+side] = pos[sh+3]
		m[landmark.LHip+side], m[landmark.LKnee+side] = pos[hip], pos[hip+1]
		m[landmark.LAnkle+side] = foot.place(spatial.Vec3{0, 0, ankleSeenHeight * h})
		m[landmark.LHeel+side] = foot.place(spatial.Vec3{heelSeenAhead * h, 0, heelSeenHeight * h})
		m[landmark.LToe+side] = foot.place(spatial.Vec3{toeSeenAhead * h, 0, toeSeenHeight * h})
	}
	p.offMarks(h)
	knuckles := [2]spatial.Vec3{m[landmark.LIndex].Sub(m[landmark.LPinky]), m[landmark.RIndex].Sub(m[landmark.RPinky])}
	flat := [2]float64{min(p.pose.Contacts[0], p.pose.Contacts[1]), min(p.pose.Contacts[2], p.pose.Contacts[3])}
	fillRotations(&p.pose, pos[human.Nose].Sub(pos[human.Head]), ears, knuckles, flat)
	return p
}

// offMarks moves the marks off the joints, as the network has them.
func (p *performance) offMarks(heightM float64) {
	var dir [len(bones)]spatial.Vec3
	pos := &p.pose.Positions
	for i, b := range bones {
		dir[i] = pos[b.b].Sub(pos[b.a]).Unit(spatial.Vec3{})
	}
	var off [numFree]spatial.Vec3
	(&problem{heightM: heightM}).markJoints(&dir, &off)
	for i, j := range freeJoints {
		a, b := landmarks(j)
		p.marks[a] = p.marks[a].Add(off[i])
		if b != a {
			p.marks[b] = p.marks[b].Add(off[i])
		}
	}
}

func pos1(_ *[human.NumJoints]spatial.Vec3, j human.Joint, side int) human.Joint {
	return j + human.Joint(5*side)
}

// kneeOf is an own, independent inverse kinematics: rotate the straight leg.
func kneeOf(hip, ankle, forward spatial.Vec3, a, b float64) spatial.Vec3 {
	d := ankle.Sub(hip)
	dist := math.Min(d.Norm(), a+b)
	angle := math.Acos(math.Max(-1, math.Min(1, (a*a+dist*dist-b*b)/(2*a*dist))))
	axis := d.Cross(forward).Unit(spatial.Vec3{0, -1, 0})
	return hip.Add(spatial.FromAxisAngle(axis, angle).Rotate(d.Unit(spatial.Vec3{0, 0, -1}).Scale(a)))
}

// camera films the actor.
type camera struct {
	distanceM, heightM, pitchRad, rollRad float64
	focalPx                               float64
	widthPx, heightPx                     int
}

func defaultCamera() camera {
	return camera{distanceM: 3.5, heightM: 1.0, focalPx: 648, widthPx: 540, heightPx: 720}
}

// axes returns the camera's right, down and away directions in the world.
func (c camera) axes() (right, down, away spatial.Vec3) {
	q := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -c.pitchRad) // looks down for positive pitch
	away = q.Rotate(spatial.Vec3{-1, 0, 0})
	right, down = spatial.Vec3{0, 1, 0}, away.Cross(spatial.Vec3{0, 1, 0})
	roll := spatial.FromAxisAngle(away, c.rollRad)
	return roll.Rotate(right), roll.Rotate(down), away
}

// upInCamera is the exact direction against gravity in camera axes.
func (c camera) upInCamera() spatial.Vec3 {
	r, d, a := c.axes()
	return spatial.Vec3{r[2], d[2], a[2]}
}

func (c camera) see(v spatial.Vec3) spatial.Vec3 {
	r, d, a := c.axes()
	v = v.Sub(spatial.Vec3{c.distanceM, 0, c.heightM})
	return spatial.Vec3{r.Dot(v), d.Dot(v), a.Dot(v)}
}

// habit turns a body as the network sees it (see turnUpright), so that taking it out
// is right; root is where the body is, in camera axes.
func (c camera) habit(root spatial.Vec3) spatial.Quat {
	up, ray := c.upInCamera(), root.Unit(root)
	right, _ := horizontal(up)
	pitch := math.Asin(-up.Dot(ray))
	return spatial.Between(ray, spatial.Vec3{0, 0, 1}).
		Mul(spatial.FromAxisAngle(right, seenPitch-(1-seenPitchShare)*pitch))
}

// noise is what the network adds.
type noise struct{ px, worldM, depthM float64 }

// film returns what a network would report, and the truth.
func film(a *actor, c camera, seconds, fps float64, n noise, seed uint64) (*landmark.Clip, *human.Motion) {
	r := rand.New(rand.NewPCG(seed, 7))
	in := &landmark.Clip{WidthPx: c.widthPx, HeightPx: c.heightPx}
	truth := &human.Motion{FPS: fps}
	var origin spatial.Vec3
	for i := range int(seconds*fps) + 1 {
		t := float64(i) / fps
		p := a.at(t)
		if i == 0 {
			origin = p.pose.Positions[human.Pelvis]
			origin[2] = 0
		}
		f := landmark.Frame{TimeS: t, Found: true}
		root := c.see(p.marks[landmark.LHip].Lerp(p.marks[landmark.RHip], 0.5))
		for j := range landmark.Num {
			v := c.see(p.marks[j])
			f.Landmarks[j].SetPx([2]float64{
				c.focalPx*v[0]/v[2] + float64(c.widthPx)/2 + n.px*r.NormFloat64(),
				c.focalPx*v[1]/v[2] + float64(c.heightPx)/2 + n.px*r.NormFloat64(),
			})
			v = v.Sub(root)
			f.WorldM[j] = spatial.Vec3{v[0] + n.worldM*r.NormFloat64(), v[1] + n.worldM*r.NormFloat64(), v[2] + n.depthM*r.NormFloat64()}
			f.Landmarks[j].Visibility = 0.95
		}
		habit := c.habit(root)
		for j := range landmark.Num {
			f.WorldM[j] = habit.Rotate(f.WorldM[j])
		}
		in.Frames = append(in.Frames, f)
		for j := range p.pose.Positions {
			p.pose.Positions[j] = p.pose.Positions[j].Sub(origin)
		}
		truth.Frames = append(truth.Frames, p.pose)
	}
	return in, truth
}

// pulse rises from 0 to 1 and back between from and to.
func pulse(t, from, to float64) float64 {
	s := (t - from) / (to - from)
	if s <= 0 || s >= 1 {
		return 0
	}
	v := math.Sin(math.Pi * s)
	return v * v
}

const standing = 0.505 // height of the pelvis of a standing actor, share of stature

func stillFeet(t float64, side int) (spatial.Vec3, float64) {
	return spatial.Vec3{0, 0.12 - 0.24*float64(side), 0}, 0
}

// squatter squats twice and raises the arms.
func squatter() *actor {
	return &actor{
		heightM: 1.75,
		pelvis: func(t float64) spatial.Vec3 {
			d := pulse(t, 0.8, 2.6) + 0.7*pulse(t, 2.6, 4.2)
			return spatial.Vec3{-0.08*d + 0.01, 0, standing - 0.11*d}
		},
		lean: func(t float64) float64 { return 0.35 * (pulse(t, 0.8, 2.6) + 0.7*pulse(t, 2.6, 4.2)) },
		arm: func(t float64, side int) (float64, float64) {
			return 0.15 + 1.3*pulse(t, 0.8, 2.6), 0.3 + 0.8*pulse(t, 2.6, 4.2)
		},
		foot: stillFeet,
	}
}

// stepper lifts one foot after the other and moves to the left.
func stepper() *actor {
	foot := func(t float64, side int) (spatial.Vec3, float64) {
		y, z := 0.12-0.24*float64(side), 0.0
		for k := range 3 {
			from := 0.6 + float64(k)*1.6 + 0.8*float64(side)
			s := clamp01((t - from) / 0.6)
			y += 0.20 * smoothStep(s)
			z += 0.14 * pulse(t, from, from+0.6)
		}
		return spatial.Vec3{0, y, z}, 0
	}
	return &actor{
		heightM: 1.68,
		pelvis: func(t float64) spatial.Vec3 {
			l, _ := foot(t, 0)
			r, _ := foot(t, 1)
			return spatial.Vec3{0.02, (l[1] + r[1]) / 2, standing - 0.008}
		},
		lean: func(float64) float64 { return 0.03 },
		arm:  func(t float64, side int) (float64, float64) { return 0.25, 0.5 + 0.3*math.Sin(3*t+float64(side)) },
		foot: foot,
	}
}

// balancer lifts the right foot and holds it still.
func balancer() *actor {
	up := func(t float64) float64 { return smoothStep((t-1)/0.7) - smoothStep((t-3.6)/0.7) }
	return &actor{
		heightM: 1.8,
		pelvis:  func(t float64) spatial.Vec3 { return spatial.Vec3{0.01, 0.09 * up(t+0.3), standing - 0.006} },
		lean:    func(float64) float64 { return 0.04 },
		arm:     func(t float64, side int) (float64, float64) { return 0.2 + up(t), 0.2 },
		foot: func(t float64, side int) (spatial.Vec3, float64) {
			p, _ := stillFeet(t, side)
			if side == 1 {
				p[0], p[2] = 0.10*up(t), 0.25*up(t)
			}
			return p, 0
		},
	}
}
