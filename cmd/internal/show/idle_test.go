package show

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/idle"
)

// After half an hour a winding is where its model ends: above its case by its constant times the square of the current.
// And the keyframe is one: a robot that has it stands in that stance, where there is hardly anything left to save.
func TestIdleFacts(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := idle.Find(b, idle.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	f := IdleOf(b, s, 30)
	for k, j := range s.Joints {
		if want := 30 + 20*j.Stand.CurrentA*j.Stand.CurrentA; math.Abs(f.StandC[k]-want) > 1e-3 {
			t.Errorf("%s: %g C, want %g C", j.Name, f.StandC[k], want)
		}
	}
	var out bytes.Buffer
	Idle(&out, f)
	for _, want := range []string{"l_knee", "0.85 W", "cases at 30 C", f.Keyframe} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "-0.0 ") || strings.Contains(out.String(), "-0.000") {
		t.Errorf("a minus before nothing:\n%s", out.String())
	}
	changed := *d
	changed.MJCF = strings.Replace(d.MJCF, "</keyframe>", f.Keyframe+"</keyframe>", 1)
	changed.StandKeyframe = "idle"
	again, err := body.New(&changed)
	if err != nil {
		t.Fatal(err)
	}
	for k, q := range again.StandRad {
		if math.Abs(q-s.Joints[k].Idle.AngleRad) > 1e-5 {
			t.Errorf("%s: %g in the keyframe, %g found", s.Joints[k].Name, q, s.Joints[k].Idle.AngleRad)
		}
	}
}
