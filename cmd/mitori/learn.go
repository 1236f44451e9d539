package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/learn"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/policy/train"
)

// learnFlags are the choices of one run of the whole path.
type learnFlags struct {
	learn.Options
	look   extract.Choices
	budget string
	asJSON bool
}

func newLearnCmd() *cobra.Command {
	var f learnFlags
	c := &cobra.Command{
		Use:   "learn VIDEO... --robot R -o DIR",
		Short: "From a video to a tested policy, and a robot that performs it under robotd",
		Long: `The whole path: find the person's pose, solve their motion, retarget it to the robot,
judge it, train a policy, test it hard, run it under robotd over the bytes of an
emulated servo bus, and report.

DIR gets the human motion, the reference motion, the bundle, eval.json, stats.json,
summary.json, report.html and side_by_side.mp4. Of the person only the body
is shown in stored pictures: no face, no surroundings.
When the policy does not reach 95 % survival, training goes on, then the motion is
slowed down; the report says so. A motion that is no longer the person's, or that
the robot cannot carry out, is refused before it trains (exit code 3, with the parts
of the video that would work); --anyway trains it all the same.

Results of an earlier run in DIR are removed first, so that a run that fails shows
none. After Ctrl-C, a crash or a power cut, the same command with --resume goes on
with the training where it was; a finished one is taken up as it is.`,
		Example: `  mitori learn clip.mp4 --robot kata20 -o out/clip
  mitori learn clip.mp4 --robot kata20 -o out/clip --from 2s --to 7s --seed 7
  mitori learn left.mp4 right.mp4 --calib room.toml --robot kata20 -o out/clip`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := f.options(args)
			if err != nil {
				return err
			}
			p := cli.NewProgress(c.ErrOrStderr())
			o.Tell = show.Progress(p)
			o.Say = func(l learn.Line) { p.Line(fmt.Sprintf("%5.0f s  %-9s %s", l.At.Seconds(), l.Stage, l.Text)) }
			summary, err := learn.Run(c.Context(), o)
			p.End()
			if summary != nil && f.asJSON {
				return errors.Join(cli.WriteJSON(c.OutOrStdout(), summary), err)
			}
			return err
		},
	}
	fl := c.Flags()
	cli.RobotFlag(fl, &f.RobotName, "")
	fl.StringVarP(&f.Folder, "output", "o", "", "folder to write")
	lookFlags(fl, &f.look)
	fl.StringVar(&f.budget, "budget", "500000steps", "training budget of one try: time (60s), control steps (100000steps) or energy (500J)")
	fl.StringVar(&f.Method, "method", practice.DefaultMethod, "how to learn: "+strings.Join(practice.Methods(), ", "))
	fl.Uint64Var(&f.Seed, "seed", 1, "seed of everything random")
	fl.IntVar(&f.Tries, "tries", 3, "how often to train, at most, until 95 % survive: with more steps, then slower")
	fl.Float64Var(&f.Retarget.Tempo, "tempo", 1, "speed of the motion: 2 is twice as fast")
	fl.Float64Var(&f.Retarget.Amplify, "amplify", 1, "size of the motion: 1.2 is a fifth wider")
	fl.BoolVar(&f.Retarget.Mirror, "mirror", false, "exchange left and right")
	fl.IntVar(&f.Episodes, "episodes", 40, "episodes of the hard test set")
	fl.BoolVar(&f.ShowFaces, "show-faces", false, "show faces and surroundings in side_by_side.mp4 as they were filmed")
	fl.BoolVar(&f.Resume, "resume", false, "go on with the training of an earlier, interrupted run into the same folder")
	fl.BoolVar(&f.Anyway, "anyway", false, "go on where a verdict refuses")
	fl.BoolVar(&f.asJSON, "json", false, "print summary.json to standard output at the end")
	return c
}

// options refuses bad choices before any work, and before DIR exists.
func (f *learnFlags) options(videos []string) (o learn.Options, err error) {
	o = f.Options
	if o.Folder == "" {
		return o, fault.Usage("name the folder to write with -o, as in: -o out/clip")
	}
	if o.Budget, err = train.ParseBudget(f.budget); err != nil {
		return o, fault.Usage("--budget: %w", err)
	}
	for _, v := range videos {
		if err := o.Check(v); err != nil {
			return o, err
		}
	}
	if o.Robot, err = cli.LoadRobot(o.RobotName); err != nil {
		return o, err
	}
	o.Look, err = f.look.Options(videos...)
	return o, err
}
