// Package practice is the stage that trains a policy for reference motions and packs it
// as a bundle, and the table of the ways to learn.
//
// Nothing is written but the checkpoint, which is also what a later run takes up. What
// is not here: learning itself (policy/train and the packages below it), physics
// (sim/worlds), and when training is good enough.
package practice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/policy/train/imitate"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
	"github.com/mitori-robotics/mitori/sim/expert"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/worlds"
)

// Sizes of a training: worlds that practise, worlds that test, and how long an
// episode goes on in the last pose of its reference, so that the robot can stand
// there as long as it must.
const (
	trainWorlds = 128
	testWorlds  = 40
	trainHoldS  = 1.0
)

// Job is one training.
type Job struct {
	Robot      *body.Body
	Clips      []*motion.Clip
	Name       string // of the policy; empty: the robot's
	Seed       uint64
	Budget     train.Budget
	Method     string // of Methods
	Checkpoint string // file, none if empty
	Resume     bool   // go on from the checkpoint
}

// Result is a policy, packed, and how it was trained.
type Result struct {
	*train.Result
	Bundle *bundle.Bundle
}

// Stage trains. The progress is the share of the budget; its detail is a train.Point.
func Stage(j Job) pipeline.Stage[*Result] {
	return pipeline.Stage[*Result]{
		Name: "train",
		Inputs: func(in *pipeline.Inputs) {
			in.Hash("robot", j.Robot.Desc.Hash)
			in.Value("clips", j.Clips)
			in.Value("name", j.Name)
			in.Value("seed", j.Seed)
			in.Value("budget", j.Budget)
			in.Value("method", j.Method)
		},
		Work: j.run,
	}
}

// task makes what the worlds practise.
func (j *Job) task() (rollout.Task, error) {
	task := rollout.Task{Spec: obs.DefaultSpec(j.Robot.Desc), Reward: rollout.DefaultReward(), Limits: rollout.TrainLimits()}
	task.HoldSteps = int(trainHoldS / task.Spec.PeriodS)
	for _, clip := range j.Clips {
		if hash := clip.Meta.RobotHash; hash != "" && hash != j.Robot.Desc.Hash {
			return task, fault.Refuse("train: the motion from %q is for another robot (%s, hash %.12s) than %s (hash %.12s); retarget it again",
				clip.Meta.Source, clip.Meta.Robot, hash, j.Robot.Desc.Name, j.Robot.Desc.Hash)
		}
		ref, err := obs.NewReference(clip, &task.Spec)
		if err != nil {
			return task, fault.Refuse("train: the motion from %q: %w", clip.Meta.Source, err)
		}
		task.Refs = append(task.Refs, ref)
	}
	return task, nil
}

// run trains and packs the policy. Nothing is written but checkpoints.
func (j *Job) run(ctx context.Context, tell pipeline.Tell) (*Result, error) {
	if err := train.CheckReplaceable(j.Checkpoint); err != nil {
		return nil, err
	}
	task, err := j.task()
	if err != nil {
		return nil, err
	}
	opt := train.Options{Budget: j.Budget, Checkpoint: j.Checkpoint, Progress: func(p train.Point, spent float64) {
		tell(pipeline.Progress{Done: spent, Total: 1, Detail: p})
	}}
	if meter, err := train.NewRAPL("/sys/class/powercap"); err == nil {
		opt.Meter = meter
	} else if j.Budget.Joules > 0 {
		return nil, fault.Refuse("%w", err)
	}
	env, err := worlds.New(j.Robot, worlds.Config{Worlds: trainWorlds, Threads: parallel.Workers()})
	if err != nil {
		return nil, err
	}
	defer env.Close()
	testEnv, err := worlds.New(j.Robot, worlds.Config{Worlds: testWorlds, Threads: parallel.Workers()})
	if err != nil {
		return nil, err
	}
	defer testEnv.Close()
	judged := task
	judged.Fall = fall.Of(testEnv.StandHeightM())
	if err := judged.CheckRefs(); err != nil {
		return nil, fault.Refuse("%w", err)
	}
	test := train.NewTestSet(testEnv, judged, testWorlds, j.Seed, rollout.StartNoise{JointRad: 0.02}, testDynamics(rollout.Hard()))
	method, err := methodTable[j.Method](func() (imitate.Expert, error) { return expert.New(j.Robot, &task) })
	if err != nil {
		return nil, err
	}
	t, err := train.New(env, task, method, test, j.Seed)
	if err != nil {
		return nil, err
	}
	if j.Resume {
		if err := t.Resume(j.Checkpoint); err != nil {
			return nil, explainResume(err)
		}
	}
	res, err := t.Run(ctx, opt)
	if err != nil {
		return nil, err
	}
	b, err := j.pack(&task, res)
	if err != nil {
		return nil, err
	}
	return &Result{res, b}, nil
}

// testDynamics are those that a policy must survive to be done: a little harder than the test set of `mitori eval`
// in pushes and delay, and with other seeds.
func testDynamics(hard rollout.Randomization) rollout.Randomization {
	r := hard
	r.Friction, r.GainScale, r.TorqueScale = [2]float64{0.45, 1.2}, [2]float64{0.9, 1.1}, [2]float64{0.85, 1}
	r.DelayS = [2]float64{0, 0.025}
	r.PushSpeedMPerS, r.PushEveryS = [2]float64{0.2, 0.25}, [2]float64{1.2, 1.2}
	return r
}

func explainResume(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w; there is nothing to resume: start without --resume", err)
	case errors.Is(err, train.ErrCheckpoint):
		return fault.Refuse("%w", err)
	}
	return err
}

// pack puts a trained policy into a bundle. Nothing in it depends on the clock.
func (j *Job) pack(task *rollout.Task, res *train.Result) (*bundle.Bundle, error) {
	spec, err := json.Marshal(task.Spec)
	if err != nil {
		return nil, err
	}
	terms, err := json.Marshal(task.Spec.Terms())
	if err != nil {
		return nil, err
	}
	name := cmp.Or(j.Name, j.Robot.Desc.Name+" tracking policy")
	b := &bundle.Bundle{Net: res.Net, Clips: j.Clips, Manifest: bundle.Manifest{
		Name: name, Robot: j.Robot.Desc.Name, RobotHash: j.Robot.Desc.Hash,
		JointNames: j.Robot.Desc.JointNames(), PolicyRateHz: j.Robot.Desc.PolicyRateHz, Observation: spec, Terms: terms,
		Training: bundle.Training{Method: res.Method, Seed: j.Seed, ControlSteps: res.ControlSteps}, Tool: "mitori",
		Versions: map[string]string{"mujoco": mujoco.Version(), "gorgonia": "0.9.18", "blas": blas.CoreName()},
	}}
	for i := range j.Robot.Desc.Joints {
		s := j.Robot.Desc.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmPerRad: s.StiffnessNmPerRad, DampingNmSPerRad: s.DampingNmSPerRad, TorqueLimitNm: s.StallTorqueNm})
	}
	return b, nil
}

// CheckpointOf names the checkpoint that lies beside a bundle while it is trained.
func CheckpointOf(bundle string) string { return bundle + ".checkpoint" }

// Discard removes a checkpoint; that there is none is no error.
func Discard(checkpoint string) error {
	if err := os.Remove(checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
