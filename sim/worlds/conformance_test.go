//go:build mujoco && cgo

package worlds

import (
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

// standClip is the standing pose as a reference motion of one second.
func standClip(e *Env) *motion.Clip {
	q := e.scene.StandQPos
	c := &motion.Clip{FPS: 50, JointNames: e.scene.Body.Desc.JointNames(), BodyNames: []string{e.scene.Body.Desc.RootBody}}
	for range 51 {
		f := motion.NewFrame(e.layout.Joints, 1)
		copy(f.JointPosRad, e.scene.StandRad)
		f.BodyPosM[0] = spatial.Vec3{0, 0, q[2]}
		f.BodyQuat[0] = spatial.Identity()
		f.Contacts = [2]float64{1, 1}
		c.Frames = append(c.Frames, f)
	}
	return c
}

func TestConformance(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(d)
	ref, err := obs.NewReference(standClip(open(t, 1, 1)), &spec)
	if err != nil {
		t.Fatal(err)
	}
	task := rollout.Task{Spec: spec, Refs: []*obs.Reference{ref}, Reward: rollout.DefaultReward(), Limits: rollout.TrainLimits()}
	rollouttest.Conformance(t, func(t *testing.T) rollout.Env { return open(t, 4, 2) }, task)
}
