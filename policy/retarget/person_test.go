package retarget

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// size is how much larger the test persons are than the robot they are made from.
const size = 3.5

func kata(t testing.TB) *Retargeter {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leg and arm3 are the joints of a side, from the body outwards.
func leg(s int) [5]human.Joint {
	return [2][5]human.Joint{{human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe},
		{human.RHip, human.RKnee, human.RAnkle, human.RHeel, human.RToe}}[s]
}

func arm3(s int) [3]human.Joint {
	return [2][3]human.Joint{{human.LShoulder, human.LElbow, human.LWrist}, {human.RShoulder, human.RElbow, human.RWrist}}[s]
}

// act moves one joint (by name) to an angle; root drops and shifts the pelvis.
type act struct {
	joint        map[string]float64
	lower        float64 // of the root, m
	on           [2]bool
	raise        float64 // of everything, m
	tilt         float64 // of the whole body, rad forward
	yaw, forward float64
}

// person turns robot poses into a human motion at fps: the points of the skeleton are the robot's own, blown up.
func person(r *Retargeter, seconds, fps float64, pose func(t float64) act) *human.Motion {
	d := r.robot.Kin.NewData()
	m := &human.Motion{FPS: fps, Meta: human.Meta{Source: "test", SubjectHeightM: size * r.robot.An.HeightM}}
	for k := 0; k <= int(seconds*fps); k++ {
		a := pose(float64(k) / fps)
		q := append([]float64(nil), r.robot.An.Ref...)
		for name, v := range a.joint {
			q[r.robot.DofQ[r.robot.Joints[r.robot.Desc.JointIndex(name)]]] = v
		}
		q[2] += a.raise - a.lower
		q[0] += a.forward
		rot := spatial.FromYaw(a.yaw).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, a.tilt))
		copy(q[3:7], rot[:])
		r.robot.Kin.Forward(d, q)
		var p human.Pose
		for j := range p.Rotations {
			p.Rotations[j] = rot
			p.Confidence[j] = 1
		}
		set := func(j human.Joint, v spatial.Vec3) { p.Positions[j] = v.Scale(size) }
		var hips, shoulders spatial.Vec3
		for s := range r.robot.An.Legs {
			l, arm := &r.robot.An.Legs[s], &r.robot.An.Arms[s]
			lj, aj := leg(s), arm3(s)
			set(lj[0], l.Hip.At(d))
			set(lj[1], l.Knee.At(d))
			set(lj[2], l.Ankle.At(d))
			set(lj[3], d.Point(l.Foot, l.SoleCenter.Add(spatial.Vec3{-0.05, 0, 0})))
			set(lj[4], d.Point(l.Foot, l.SoleCenter.Add(spatial.Vec3{0.05, 0, 0})))
			set(aj[0], arm.Shoulder.At(d))
			set(aj[1], arm.Elbow.At(d))
			set(aj[2], arm.End.At(d))
			set(aj[2]+1, arm.End.At(d))
			hips, shoulders = hips.Add(l.Hip.At(d).Scale(0.5)), shoulders.Add(arm.Shoulder.At(d).Scale(0.5))
			if a.on[s] {
				p.Contacts[2*s], p.Contacts[2*s+1] = 1, 1
			}
		}
		set(human.Pelvis, hips)
		set(human.Chest, shoulders)
		set(human.Head, shoulders.Add(rot.Rotate(spatial.Vec3{0, 0, 0.07})))
		set(human.Nose, shoulders.Add(rot.Rotate(spatial.Vec3{0.03, 0, 0.07})))
		m.Frames = append(m.Frames, p)
	}
	return m
}

var both = [2]bool{true, true}

// squat returns leg angles that keep the feet flat below the hips, and how far the root sinks.
func squat(r *Retargeter, knee float64) (map[string]float64, float64) {
	l := r.robot.An.Legs[anatomy.Left]
	low := (l.ThighM + l.ShankM) * (math.Cos(0.35) - math.Cos(knee/2))
	return map[string]float64{"l_hip_pitch": -knee / 2, "l_knee": knee, "l_ankle_pitch": -knee / 2,
		"r_hip_pitch": -knee / 2, "r_knee": knee, "r_ankle_pitch": -knee / 2}, low
}

// motions are the test performances, each of one wave or two lifts: as long as it takes to show what it is.
func motions(r *Retargeter) map[string]*human.Motion {
	wave := func(t float64) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*t/3) }
	lift := func(s int, h float64, a *act) { // bends leg s so that the foot rises
		side := [...]string{"l", "r"}[s]
		a.joint[side+"_hip_pitch"], a.joint[side+"_knee"], a.joint[side+"_ankle_pitch"] = -0.35-h, 0.7+2*h, -0.35-h
		a.on[s] = h < 0.02
	}
	return map[string]*human.Motion{
		"stand": person(r, 2, 30, func(float64) act { return act{on: both} }),
		"arms": person(r, 3, 30, func(t float64) act {
			return act{on: both, joint: map[string]float64{
				"l_shoulder_pitch": -0.8 * wave(t), "l_shoulder_roll": 0.15 + 1.2*wave(t), "l_elbow": -0.3 - wave(t),
				"r_shoulder_pitch": -1.5 * wave(t), "r_shoulder_roll": -0.15 - 0.4*wave(t), "r_shoulder_yaw": 0.6 * wave(t), "r_elbow": -0.3 - 0.9*wave(t)}}
		}),
		"squat": person(r, 3, 30, func(t float64) act {
			j, low := squat(r, 0.7+1.0*wave(t))
			return act{on: both, joint: j, lower: low}
		}),
		"march": person(r, 3, 30, func(t float64) act {
			a := act{on: both, joint: map[string]float64{}}
			lift(int(t/1.5)%2, 0.5*math.Pow(math.Sin(math.Pi*math.Mod(t, 1.5)/1.5), 2), &a)
			return a
		}),
		"one foot from the start": person(r, 3, 30, func(t float64) act {
			a := act{on: both, joint: map[string]float64{}}
			lift(1, 0.4, &a)
			return a
		}),
		"jump": person(r, 3, 30, func(t float64) act {
			h := math.Max(0, 0.1*math.Sin(2*math.Pi*t))
			return act{on: [2]bool{h == 0, h == 0}, raise: h}
		}),
		"bow": person(r, 3, 30, func(t float64) act { return act{on: both, tilt: 1.4 * wave(t)} }),
		"turn with false contacts": person(r, 3, 30, func(t float64) act {
			return act{on: both, yaw: 2 * wave(t), forward: 0.1 * t}
		}),
		"fast arms": person(r, 3, 60, func(t float64) act {
			return act{on: both, joint: map[string]float64{"l_shoulder_roll": 0.15 + 1.2*math.Pow(math.Sin(9*t), 2), "r_shoulder_pitch": -2.5 * math.Pow(math.Sin(5*t), 2)}}
		}),
		"upside down": person(r, 2, 30, func(t float64) act { return act{on: both, tilt: 3.1 * wave(1.5*t), raise: 0.3 * wave(1.5*t)} }),
	}
}

// spoil makes a motion look like poor video: jitter, flickering contacts, drifting root, gaps.
func spoil(m *human.Motion, seed uint64, jitter float64) *human.Motion {
	r := rand.New(rand.NewPCG(seed, 0))
	out := *m
	out.Frames = append([]human.Pose(nil), m.Frames...)
	var drift spatial.Vec3
	for t := range out.Frames {
		f := &out.Frames[t]
		drift = drift.Add(spatial.Vec3{r.NormFloat64(), r.NormFloat64(), 0}.Scale(0.01))
		for j := range f.Positions {
			n := spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}.Scale(jitter)
			f.Positions[j] = f.Positions[j].Add(n).Add(drift)
			if r.Float64() < 0.05 { // lost: the position means nothing
				f.Confidence[j] = 0
				f.Positions[j] = spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
			}
		}
		for c := range f.Contacts {
			f.Contacts[c] = r.Float64()
		}
	}
	return &out
}
