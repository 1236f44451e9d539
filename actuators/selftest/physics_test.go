package selftest_test

import (
	"errors"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/selftest"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/plant"
)

// With inertia, friction and the weight of its limbs, held by its trunk with its feet on the
// floor, a healthy robot is healthy; and what is broken is found there too.
func TestWithPhysics(t *testing.T) {
	bound, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	held := func(r *rig) {
		p, err := plant.New(bound, plant.Config{})
		if errors.Is(err, mujoco.ErrNotBuilt) {
			r.t.Skip(err)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(p.Close)
		p.Hold(true)
		r.physics = p
	}
	for _, c := range []struct {
		fault string
		joint string
		want  selftest.Finding
	}{
		{},
		{"dead:id=4", "l_knee", selftest.Dead}, {"weak:id=15,v=10", "l_shoulder_yaw", selftest.Weak},
		{"loose:id=20,v=5", "r_elbow", selftest.Loose}, {"loose:id=9,v=6", "r_hip_pitch", selftest.Loose},
	} {
		t.Run(c.fault, func(t *testing.T) {
			var faults []string
			if c.fault != "" {
				faults = append(faults, c.fault)
			}
			r := newRig(t, held, faults...)
			if c.fault != "" {
				r.session.Only = []int{0, 12, bound.Desc.JointIndex(c.joint)}
			}
			for _, v := range r.run(nil) {
				want := selftest.Healthy
				if v.Joint == c.joint {
					want = c.want
				}
				if v.Finding != want {
					t.Errorf("%s, want %s", v.String(), want)
				}
			}
		})
	}
}
