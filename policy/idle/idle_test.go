package idle

import (
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
)

func TestTry(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Find(b, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range s.Joints {
		t.Logf("%-18s %7.3f %7.3f  %7.3f %7.3f  %.4f %.4f W", j.Name, j.Stand.AngleRad, j.Idle.AngleRad, j.Stand.TorqueNm, j.Idle.TorqueNm, j.Stand.HeatW, j.Idle.HeatW)
	}
	t.Logf("%g %g rise %g legs %v", s.StandW, s.IdleW, s.RiseM, s.LegsOnly)
}
