package selftest_test

import (
	"testing"

	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/actuators/selftest"
)

func TestBefore(t *testing.T) {
	q := 0.0
	joint := func(change func(j *preflight.Joint)) preflight.Joint {
		j := preflight.Joint{Answers: true, PosRad: &q, InRange: true, Reads: 100}
		change(&j)
		return j
	}
	r := &preflight.Report{Joints: []preflight.Joint{
		joint(func(*preflight.Joint) {}),
		joint(func(j *preflight.Joint) { j.Answers, j.Faults = false, []string{"does not answer"} }),
		joint(func(j *preflight.Joint) { j.Faults = []string{"model number 1030 (XM430-W210); legal: 1020"} }),
		joint(func(j *preflight.Joint) { j.Faults = []string{"homing offset is 700; legal: 0"} }),
		joint(func(j *preflight.Joint) { j.InRange = false }),
		joint(func(j *preflight.Joint) { j.Missed = 9 }),
	}}
	want := []selftest.Finding{selftest.Untested, selftest.Dead, selftest.Ratio, selftest.Unfit, selftest.Slipped, selftest.BadCable}
	all := selftest.Before(r)
	for i, f := range want {
		if len(all) != len(want) || all[i].Finding != f || f != selftest.Untested && all[i].What == "" {
			t.Errorf("%d: %+v, want %s", i, all, f)
		}
	}
	r.Ready = true
	if all := selftest.Before(r); all != nil {
		t.Errorf("a robot that is ready: %+v", all)
	}
}
