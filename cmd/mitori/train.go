package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/train"
)

// trainFlags are the choices of one training.
type trainFlags struct {
	job                            practice.Job
	robot, out, budget, checkpoint string
	asJSON                         bool
}

func newTrainCmd() *cobra.Command {
	var x trainFlags
	c := &cobra.Command{
		Use:   "train X.motion.npz... -o P.bundle",
		Short: "Train a policy that performs reference motions without falling",
		Long: `Train a tracking policy in simulation and write it as a bundle.

The budget is a time (60s), a number of control steps over all simulated worlds
(100000steps) or the energy of the processors (500J). Training stops earlier when
the policy survives its whole test set twice in a row and tracks closely.
With the same motions, robot, seed and a budget in steps, the bundle has the same bytes.

--method bc clones the behaviour of a regulator computed along the reference motion;
--method ppo learns by trial (reinforcement learning around it); --method guided
begins as bc and goes on as ppo where the motion needs it.

A checkpoint lies beside the output while training runs; after Ctrl-C, a crash or
a power cut, the same command with --resume goes on from it as if nothing had happened.
It is removed when the bundle is written; one named with --checkpoint stays, and
--resume with a larger --budget goes on from there.`,
		Example: `  mitori train wave.motion.npz --robot kata20 -o wave.bundle
  mitori train wave.motion.npz --robot kata20 -o wave.bundle --budget 400000steps --seed 7
  mitori train wave.motion.npz --robot kata20 -o wave.bundle --resume`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args) },
	}
	f := c.Flags()
	cli.RobotFlag(f, &x.robot, "the one that the motion was made for")
	f.StringVarP(&x.out, "output", "o", "", "bundle to write")
	f.StringVar(&x.budget, "budget", "2m", "time (60s), control steps (100000steps) or energy (500J)")
	f.Uint64Var(&x.job.Seed, "seed", 1, "seed of everything random")
	f.StringVar(&x.job.Method, "method", practice.DefaultMethod, "how to learn: "+strings.Join(practice.Methods(), ", "))
	f.StringVar(&x.checkpoint, "checkpoint", "", "checkpoint file, kept at the end (default: the output's name with .checkpoint, removed at the end)")
	f.BoolVar(&x.job.Resume, "resume", false, "go on from the checkpoint")
	f.BoolVar(&x.asJSON, "json", false, "print machine-readable results")
	return c
}

// prepare checks the choices and loads what is trained for.
func (x *trainFlags) prepare(motions []string) (job practice.Job, err error) {
	job = x.job
	if x.out == "" {
		return job, fault.Usage("name the bundle to write with -o, as in: -o policy.bundle")
	}
	job.Checkpoint = cmp.Or(x.checkpoint, practice.CheckpointOf(x.out))
	for _, written := range []string{x.out, job.Checkpoint} {
		if err := cli.NotOver(written, motions...); err != nil {
			return job, err
		}
	}
	if job.Budget, err = train.ParseBudget(x.budget); err != nil {
		return job, fault.Usage("--budget: %w", err)
	}
	if err := practice.CheckMethod(job.Method); err != nil {
		return job, fault.Usage("--method: %w", err)
	}
	for _, name := range motions {
		clip, err := motion.Load(name)
		if err != nil {
			return job, err
		}
		job.Clips = append(job.Clips, clip)
	}
	job.Robot, err = cli.LoadRobot(cmp.Or(x.robot, job.Clips[0].Meta.Robot))
	return job, err
}

func (x *trainFlags) run(c *cobra.Command, motions []string) error {
	job, err := x.prepare(motions)
	if err != nil {
		return err
	}
	res, err := alone(c, practice.Stage(job))
	if err != nil {
		return err
	}
	if err := res.Bundle.Save(x.out); err != nil {
		return err
	}
	if x.checkpoint == "" { // only now is it of no use
		if err := practice.Discard(job.Checkpoint); err != nil {
			return err
		}
	}
	if x.asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(res.Summary(x.out))
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %d control steps in %.1f s, stopped by %s; on the trainer's own test set: survived %s, joint error %.3f rad\n",
		x.out, res.ControlSteps, res.WallS, res.StoppedBy, res.Score.Rate(), res.Score.JointErrRad)
	return nil
}
