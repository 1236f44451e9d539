package retarget

import (
	"github.com/mitori-robotics/mitori/models/curve"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// TestFarKicksBendNoKneeTooFast: a foot that swings out of reach and back leaves the knee below its speed limit without
// the motion being slowed down much.
func TestFarKicksBendNoKneeTooFast(t *testing.T) {
	r := kata(t)
	m := person(r, 6, 30, func(tt float64) act {
		a := act{on: both, joint: map[string]float64{}}
		w := math.Pow(math.Sin(math.Pi*curve.Clamp((tt-1)/1.2, 0, 1)), 2)
		a.joint["l_hip_roll"], a.joint["l_knee"], a.joint["l_hip_pitch"], a.joint["l_ankle_pitch"] = 0.75*w, 0.7-0.7*w, -0.35+0.3*w, -0.35+0.3*w
		a.on[0] = w < 0.02
		return a
	})
	_, rep := retargeted(t, r, m, Options{})
	if rep.TimeStretch > 1.1 {
		t.Errorf("a slow kick is slowed down by %.2f", rep.TimeStretch)
	}
}

// TestAShortSwingOfAnArmCostsNoTime: an arm that is too fast for a moment cuts the corner.
func TestAShortSwingOfAnArmCostsNoTime(t *testing.T) {
	r := kata(t)
	m := person(r, 4, 60, func(tt float64) act {
		x := curve.MinJerk((tt - 2) / 0.36)
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
		for _, j := range [...]human.Joint{human.RAnkle, human.RHeel, human.RToe} {
			m.Frames[t].Positions[j][0] -= 0.3 // behind, as in a stride
			if t%2 == 0 {
				m.Frames[t].Positions[j][1] += 0.02
			}
		}
	}
	made := drafted(t, r, m, 1)
	at := made.plan.Lead[0]
	path := func(k int) spatial.Vec3 { return made.plan.Targets[k].Foot[1].Want }
	if d := path(at).Sub(path(at + 25)); math.Hypot(d[0], d[1]) > 0.03*made.plan.ScaleM {
		t.Errorf("when the motion begins the foot is %.0f mm off", 1e3*math.Hypot(d[0], d[1]))
	}
	for k := at; k < at+100; k++ {
		if d := path(k - 1).Add(path(k + 1)).Sub(path(k).Scale(2)); math.Abs(d[1]) > 1e-4 {
			t.Fatalf("frame %d: the foot's path bends by %.2f mm", k, 1e3*d[1])
		}
	}
}
