package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
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

// trainJob is one training, for the command and for `mitori learn`.
type trainJob struct {
	Robot      *body.Body
	Clips      []*motion.Clip
	Seed       uint64
	Budget     train.Budget
	Method     string
	Checkpoint string // file, none if empty
	Resume     bool
	Progress   func(p train.Point, spent float64)
}

// trainSummary is what --json prints.
type trainSummary struct {
	Bundle       string        `json:"bundle"`
	Method       string        `json:"method"`
	Seed         uint64        `json:"seed"`
	WallS        float64       `json:"wall_s"`
	ControlSteps int64         `json:"control_steps"`
	ChosenAt     int64         `json:"chosen_at_step"`
	Joules       float64       `json:"joules,omitempty"`
	StoppedBy    string        `json:"stopped_by"`
	Episodes     int           `json:"test_episodes"`
	Survived     int           `json:"test_survived"`
	Survival     float64       `json:"test_survival_rate"`
	SurvivalCI95 [2]float64    `json:"test_survival_ci95"`
	JointMAERad  float64       `json:"test_joint_mae_rad"`
	BLAS         string        `json:"blas"`
	Curve        []train.Point `json:"curve"`
}

func newTrainCmd() *cobra.Command {
	var (
		robotName, out, budget, checkpoint string
		job                                trainJob
		asJSON                             bool
	)
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
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return fault.Usage("name the bundle to write with -o, as in: -o policy.bundle")
			}
			if job.Checkpoint = checkpoint; checkpoint == "" {
				job.Checkpoint = checkpointName(out)
			}
			for _, written := range []string{out, job.Checkpoint} {
				if err := cli.NotOver(written, args...); err != nil {
					return err
				}
			}
			var err error
			if job.Budget, err = train.ParseBudget(budget); err != nil {
				return fault.Usage("--budget: %w", err)
			}
			if err := checkMethod(job.Method); err != nil {
				return fault.Usage("--method: %w", err)
			}
			if job.Robot, err = body.Load(robotName); err != nil {
				return err
			}
			for _, name := range args {
				clip, err := motion.Load(name)
				if err != nil {
					return err
				}
				job.Clips = append(job.Clips, clip)
			}
			job.Progress = trainProgress(c.ErrOrStderr())
			res, b, err := job.run(c.Context())
			if err != nil {
				return err
			}
			if err := job.save(b, out, checkpoint != ""); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(summariseTraining(out, res))
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d control steps in %.1f s, stopped by %s; on the trainer's own test set: survived %s, joint error %.3f rad\n",
				out, res.ControlSteps, res.WallS, res.StoppedBy, res.Score.Rate(), res.Score.JointErrRad)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&robotName, "robot", "kata20", "robot name or path of a robot.yaml")
	f.StringVarP(&out, "output", "o", "", "bundle to write")
	f.StringVar(&budget, "budget", "2m", "time (60s), control steps (100000steps) or energy (500J)")
	f.Uint64Var(&job.Seed, "seed", 1, "seed of everything random")
	f.StringVar(&job.Method, "method", defaultMethod, "how to learn: "+strings.Join(methods(), ", "))
	f.StringVar(&checkpoint, "checkpoint", "", "checkpoint file, kept at the end (default: the output's name with .checkpoint, removed at the end)")
	f.BoolVar(&job.Resume, "resume", false, "go on from the checkpoint")
	f.BoolVar(&asJSON, "json", false, "print machine-readable results")
	return c
}

func checkpointName(out string) string { return out + ".checkpoint" }

func summariseTraining(out string, r *train.Result) trainSummary {
	return trainSummary{Bundle: out, Method: r.Method, Seed: r.Seed, WallS: r.WallS, ControlSteps: r.ControlSteps,
		ChosenAt: r.ChosenAt, Joules: r.Joules, StoppedBy: r.StoppedBy, Survival: r.Score.Survival,
		Survived: r.Score.Rate().Hits, Episodes: r.Score.Episodes, SurvivalCI95: r.Score.Rate().CI95(),
		JointMAERad: r.Score.JointErrRad, BLAS: blas.CoreName(), Curve: r.Curve}
}

// task makes what the worlds practise.
func (j *trainJob) task() (rollout.Task, error) {
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

// save writes the bundle, and only then removes the checkpoint, unless it was
// asked for by name.
func (j *trainJob) save(b *bundle.Bundle, out string, keepCheckpoint bool) error {
	if err := b.Save(out); err != nil || keepCheckpoint {
		return err
	}
	return removeIfThere(j.Checkpoint)
}

// run trains and packs the policy. Nothing is written but checkpoints.
func (j *trainJob) run(ctx context.Context) (*train.Result, *bundle.Bundle, error) {
	if err := train.CheckReplaceable(j.Checkpoint); err != nil {
		return nil, nil, err
	}
	task, err := j.task()
	if err != nil {
		return nil, nil, err
	}
	opt := train.Options{Budget: j.Budget, Checkpoint: j.Checkpoint, Progress: j.Progress}
	if meter, err := train.NewRAPL("/sys/class/powercap"); err == nil {
		opt.Meter = meter
	} else if j.Budget.Joules > 0 {
		return nil, nil, fault.Refuse("%w", err)
	}
	env, err := worlds.New(j.Robot, worlds.Config{Worlds: trainWorlds, Threads: parallel.Workers()})
	if err != nil {
		return nil, nil, err
	}
	defer env.Close()
	testEnv, err := worlds.New(j.Robot, worlds.Config{Worlds: testWorlds, Threads: parallel.Workers()})
	if err != nil {
		return nil, nil, err
	}
	defer testEnv.Close()
	test := train.NewTestSet(testEnv, task, testWorlds, j.Seed, rollout.StartNoise{JointRad: 0.02}, testDynamics(rollout.Hard()))
	method, err := methodTable[j.Method](func() (imitate.Expert, error) { return expert.New(j.Robot, &task) })
	if err != nil {
		return nil, nil, err
	}
	t, err := train.New(env, task, method, test, j.Seed)
	if err != nil {
		return nil, nil, err
	}
	if j.Resume {
		if err := t.Resume(j.Checkpoint); err != nil {
			return nil, nil, explainResume(err)
		}
	}
	res, err := t.Run(ctx, opt)
	if err != nil {
		return nil, nil, err
	}
	b, err := j.pack(&task, res)
	return res, b, err
}

// testDynamics are those that a policy must survive to be done: a little harder than the test set of `mitori eval`
// in pushes and delay, and with other seeds.
func testDynamics(hard rollout.Randomization) rollout.Randomization {
	r := hard
	r.Friction, r.GainScale, r.TorqueScale = [2]float64{0.45, 1.2}, [2]float64{0.9, 1.1}, [2]float64{0.85, 1}
	r.DelayS = [2]float64{0, 0.025}
	r.PushSpeedMS, r.PushEveryS = [2]float64{0.2, 0.25}, [2]float64{1.2, 1.2}
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
func (j *trainJob) pack(task *rollout.Task, res *train.Result) (*bundle.Bundle, error) {
	spec, err := json.Marshal(task.Spec)
	if err != nil {
		return nil, err
	}
	terms, err := json.Marshal(task.Spec.Terms())
	if err != nil {
		return nil, err
	}
	b := &bundle.Bundle{Net: res.Net, Clips: j.Clips, Manifest: bundle.Manifest{
		Name: j.Robot.Desc.Name + " tracking policy", Robot: j.Robot.Desc.Name, RobotHash: j.Robot.Desc.Hash,
		JointNames: j.Robot.Desc.JointNames(), PolicyRateHz: j.Robot.Desc.PolicyRateHz, Observation: spec, Terms: terms,
		Training: bundle.Training{Method: res.Method, Seed: j.Seed, ControlSteps: res.ControlSteps}, Tool: "mitori",
		Versions: map[string]string{"mujoco": mujoco.Version(), "gorgonia": "0.9.18", "blas": blas.CoreName()},
	}}
	for i := range j.Robot.Desc.Joints {
		s := j.Robot.Desc.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmRad: s.StiffnessNmRad, DampingNmsRad: s.DampingNmsRad, TorqueLimitNm: s.StallTorqueNm})
	}
	return b, nil
}

// trainProgress draws one line that changes on a terminal, and says a line for
// every evaluation otherwise.
func trainProgress(w io.Writer) func(p train.Point, spent float64) {
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	survival := "not tested yet"
	return func(p train.Point, spent float64) {
		if p.Eval != nil {
			survival = fmt.Sprintf("survived %s, joint error %.3f rad", p.Eval.Rate(), p.Eval.JointErrRad)
		}
		spent = min(spent, 1)
		left := p.Seconds * (1 - spent) / max(spent, 1e-3)
		rate := float64(p.Steps) / max(p.Seconds, 1e-3)
		line := fmt.Sprintf("training: %3.0f %%, %d control steps, %.0f a second, at most %.0f s left; randomisation %.0f %%; test: %s",
			100*spent, p.Steps, rate, left, 100*p.Level, survival)
		switch {
		case terminal && spent >= 1:
			fmt.Fprintf(w, "\r\x1b[K%s\n", line)
		case terminal:
			fmt.Fprintf(w, "\r\x1b[K%s", line)
		case p.Eval != nil:
			fmt.Fprintln(w, line)
		}
	}
}
