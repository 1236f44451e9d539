package retarget

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// TestDrawnInHasNoCorner: nothing is changed within reach, nothing goes straight, and speed changes without a jump.
func TestDrawnInHasNoCorner(t *testing.T) {
	const easy, h = 0.9, 1e-4
	last, slope := drawnIn(0.5, easy), 1.0
	for far := 0.5 + h; far < 3; far += h {
		v := drawnIn(far, easy)
		if far < easy && v != far || v < last || v > 1-(1-reachUse)*(1-easy) {
			t.Fatalf("%g becomes %g", far, v)
		}
		if s := (v - last) / h; math.Abs(s-slope) > 0.01 {
			t.Fatalf("at %g the speed jumps from %.3f to %.3f", far, slope, s)
		} else {
			slope = s
		}
		last = v
	}
}

// TestFarKicksBendNoKneeTooFast: a foot that swings out of reach and back leaves the knee below its speed limit without
// the motion being slowed down much.
func TestFarKicksBendNoKneeTooFast(t *testing.T) {
	r := kata(t)
	m := person(r, 6, 30, func(tt float64) act {
		a := act{on: both, joint: map[string]float64{}}
		w := math.Pow(math.Sin(math.Pi*clamp((tt-1)/1.2, 0, 1)), 2)
		a.joint["l_hip_roll"], a.joint["l_knee"], a.joint["l_hip_pitch"], a.joint["l_ankle_pitch"] = 0.75*w, 0.7-0.7*w, -0.35+0.3*w, -0.35+0.3*w
		a.on[0] = w < 0.02
		return a
	})
	_, rep := retargeted(t, r, m, Options{})
	if rep.TimeStretch > 1.1 {
		t.Errorf("a slow kick is slowed down by %.2f", rep.TimeStretch)
	}
}

// tPose returns a person who stands with bent arms hanging, after a first frame with the arms straight out: the pose that
// motion capture starts with.
func tPose(r *Retargeter) *human.Motion {
	return person(r, 3, 30, func(tt float64) act {
		a := act{on: both, joint: map[string]float64{"l_shoulder_roll": 1.5, "r_shoulder_roll": -1.5, "l_elbow": 0, "r_elbow": 0}}
		if tt > 0 {
			a.joint = map[string]float64{"l_shoulder_pitch": -0.6, "l_shoulder_roll": 0.3, "l_elbow": -1.2,
				"r_shoulder_pitch": -0.6, "r_shoulder_roll": -0.3, "r_elbow": -1.2}
		}
		return a
	})
}

// TestArmsThatPointNowhereLeaveTheTrunkAlone: a direction that an arm cannot take must not turn the trunk.
func TestArmsThatPointNowhereLeaveTheTrunkAlone(t *testing.T) {
	r := kata(t)
	w := drafted(r, motions(r)["stand"], 1)
	tg := w.plan.targets[len(w.q)/2]
	for s := range tg.upper {
		tg.upper[s] = spatial.Vec3{-0.8, -0.6 * float64(1-2*s), 0} // behind the back and across
		tg.arm[s] = spatial.Vec3{-0.6, -0.8 * float64(1-2*s), 0}
	}
	w.s.reset()
	copy(w.s.q, r.an.Ref)
	for k := 0; k < 20; k++ {
		w.s.solve(&tg, r.an.Ref)
	}
	r.kin.Forward(w.s.d, w.s.q)
	if off := tg.rootRot.Inv().Mul(w.s.d.BodyRot[r.an.Root]).Log().Norm(); off > 0.02 {
		t.Errorf("the trunk turns by %.3f rad", off)
	}
}

// TestArmsComeOutOfCorners: whatever the first frame was, the arms end up where the person's are.
func TestArmsComeOutOfCorners(t *testing.T) {
	r := kata(t)
	w := drafted(r, tPose(r), 1)
	corner := [4]float64{1.1, 2.2, -1.5, 0}
	for a := range r.an.Arms {
		p := &armPath{w: w, arm: &r.an.Arms[a], side: a, draft: true, free: true}
		for _, i := range r.an.Arms[a].Dofs {
			if r.dofQ[i] > 0 {
				p.dofs = append(p.dofs, i)
			}
		}
		sign := float64(1 - 2*a)
		for t := range w.q {
			for k, i := range p.dofs {
				v := corner[k]
				if k == 1 || k == 2 {
					v *= sign
				}
				w.q[t][r.dofQ[i]] = clamp(v, r.lo[i], r.hi[i])
			}
		}
		p.solve()
		miss := p.retry(p.errors())
		if m := miss[len(miss)/2]; m > 0.1 {
			t.Errorf("arm %d points %.2f rad off", a, m)
		}
	}
}

// TestAShortSwingOfAnArmCostsNoTime: an arm that is too fast for a moment cuts the corner.
func TestAShortSwingOfAnArmCostsNoTime(t *testing.T) {
	r := kata(t)
	m := person(r, 4, 60, func(tt float64) act {
		x := smoothstep((tt - 2) / 0.36)
		return act{on: both, joint: map[string]float64{"l_shoulder_pitch": -1.2 * x}}
	})
	_, rep := retargeted(t, r, m, Options{})
	if rep.TimeStretch > 1.01 {
		t.Errorf("a swing that is too fast for a tenth of a second makes the motion %.2f times as long", rep.TimeStretch)
	}
	if rep.DirectionErrorDeg > 3 {
		t.Errorf("direction error %.1f deg", rep.DirectionErrorDeg)
	}
}

// TestAFootInTheAirIsThereInTime: the lead-in has lifted a foot to where the motion begins with it, so that no part of
// the motion is spent on that; and far from the floor's places a foot's path is smoother than the person's.
func TestAFootInTheAirIsThereInTime(t *testing.T) {
	r := kata(t)
	m := motions(r)["one foot from the start"]
	for t := range m.Frames {
		for _, j := range legJoints[1][2:] {
			m.Frames[t].Positions[j][0] -= 0.3 // behind, as in a stride
			if t%2 == 0 {
				m.Frames[t].Positions[j][1] += 0.02
			}
		}
	}
	w := drafted(r, m, 1)
	at := w.plan.lead[0]
	path := func(k int) spatial.Vec3 { return w.plan.targets[k].foot[1].want }
	if d := path(at).Sub(path(at + 25)); math.Hypot(d[0], d[1]) > 0.03*w.plan.scale {
		t.Errorf("when the motion begins the foot is %.0f mm off", 1e3*math.Hypot(d[0], d[1]))
	}
	for k := at; k < at+100; k++ {
		if d := path(k - 1).Add(path(k + 1)).Sub(path(k).Scale(2)); math.Abs(d[1]) > 1e-4 {
			t.Fatalf("frame %d: the foot's path bends by %.2f mm", k, 1e3*d[1])
		}
	}
}
