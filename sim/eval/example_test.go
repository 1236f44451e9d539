//go:build mujoco && cgo

package eval_test

import (
	"context"
	"fmt"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// A robot stands for a second in four hard worlds: the reference alone, played on the servos. eval.Policy makes a player
// of a trained network; bundle.Load gives the network and the clips.
func ExampleRun() {
	b, err := body.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	an, err := b.Humanoid()
	if err != nil {
		fmt.Println(err)
		return
	}
	clip := &motion.Clip{FPS: 50, JointNames: b.Desc.JointNames(), BodyNames: []string{b.Desc.RootBody}}
	for range 51 {
		f := motion.NewFrame(len(clip.JointNames), 1)
		copy(f.JointPosRad, b.StandRad)
		copy(f.BodyPosM[0][:], an.Ref[b.Root.QPos:])
		copy(f.BodyQuat[0][:], an.Ref[b.Root.QPos+3:])
		f.Contacts = [2]float64{1, 1}
		clip.Frames = append(clip.Frames, f)
	}
	spec := obs.DefaultSpec(b.Desc)
	ref, err := obs.NewReference(clip, &spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := eval.Run(context.Background(), eval.Test{Robot: b, Spec: spec, Refs: []*obs.Reference{ref}, Episodes: 4, CardEpisodes: -1}, eval.Playback)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("survived", report.Survived, "of", report.Episodes)
	fmt.Println("changed by robotd's guard:", report.GuardChanged)
	// Output:
	// survived 4 of 4
	// changed by robotd's guard: 0
}
