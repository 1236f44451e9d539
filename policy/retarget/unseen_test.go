package retarget

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// TestUnseenLegsStandUnderTheRobot: of a person who is seen from the waist up, who
// squats, turns and waves, the robot does the arms, whatever the file says of legs.
func TestUnseenLegsStandUnderTheRobot(t *testing.T) {
	r := kata(t)
	m := person(r, 3, 30, func(t float64) act {
		a := 0.5 - 0.5*math.Cos(2*math.Pi*t/3)
		j, low := squat(r, 0.7+a)
		j["l_shoulder_roll"], j["r_shoulder_pitch"] = 0.15+1.2*a, -1.5*a
		return act{on: both, joint: j, lower: low, yaw: 0.6 * a, tilt: 0.5 * a}
	})
	rng := rand.New(rand.NewPCG(1, 1))
	for k := range m.Frames {
		f := &m.Frames[k]
		for s := range 2 {
			for i, j := range leg(s) {
				f.Confidence[j] = 0
				if i > 0 {
					f.Positions[j] = spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
				}
			}
		}
		f.Confidence[human.Pelvis] = 0
	}
	clip, rep, err := r.Retarget(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	arms := 0.0
	for k, name := range clip.JointNames {
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range clip.Frames {
			lo, hi = min(lo, clip.Frames[i].JointPosRad[k]), max(hi, clip.Frames[i].JointPosRad[k])
		}
		if strings.Contains(name, "shoulder") {
			arms = max(arms, hi-lo)
		} else if !strings.Contains(name, "elbow") && (hi-lo)*180/math.Pi > 6 {
			t.Errorf("%s moves by %.1f degrees", name, (hi-lo)*180/math.Pi)
		}
	}
	if arms < 0.8 {
		t.Errorf("the arms move by %.2f rad", arms)
	}
	if rep.Likeness.Verdict != likeness.Kept || rep.LegsUnseen < 0.999 || rep.StepIn || rep.StepOut {
		t.Errorf("%+v", rep)
	}
	if !strings.Contains(strings.Join(rep.Notes, "; "), "legs were not seen: they stand still") {
		t.Errorf("notes: %q", rep.Notes)
	}
}
