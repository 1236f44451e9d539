package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/train"
)

// learnFlags are the choices of one run of the whole path.
type learnFlags struct {
	video, robot, dir string
	extract           extractFlags
	retarget          retarget.Options
	budget, method    string
	seed              uint64
	tries, episodes   int
	asJSON, showFaces bool
	resume, anyway    bool
}

func newLearnCmd() *cobra.Command {
	var f learnFlags
	c := &cobra.Command{
		Use:   "learn VIDEO --robot R -o DIR",
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
  mitori learn clip.mp4 --robot kata20 -o out/clip --from 2s --to 7s --seed 7`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f.video = args[0]
			return learn(c.Context(), f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.robot, "robot", "", "robot: a built-in name or the path of a robot.yaml")
	fl.StringVarP(&f.dir, "output", "o", "", "folder to write")
	f.extract.add(c)
	fl.StringVar(&f.budget, "budget", "500000steps", "training budget of one try: time (60s), control steps (100000steps) or energy (500J)")
	fl.StringVar(&f.method, "method", defaultMethod, "how to learn: "+strings.Join(methods(), ", "))
	fl.Uint64Var(&f.seed, "seed", 1, "seed of everything random")
	fl.IntVar(&f.tries, "tries", 3, "how often to train, at most, until 95 % survive: with more steps, then slower")
	fl.Float64Var(&f.retarget.Tempo, "tempo", 1, "speed of the motion: 2 is twice as fast")
	fl.Float64Var(&f.retarget.Amplify, "amplify", 1, "size of the motion: 1.2 is a fifth wider")
	fl.BoolVar(&f.retarget.Mirror, "mirror", false, "exchange left and right")
	fl.IntVar(&f.episodes, "episodes", 40, "episodes of the hard test set")
	fl.BoolVar(&f.showFaces, "show-faces", false, "show faces and surroundings in side_by_side.mp4 as they were filmed")
	fl.BoolVar(&f.resume, "resume", false, "go on with the training of an earlier, interrupted run into the same folder")
	fl.BoolVar(&f.anyway, "anyway", false, "go on where a verdict refuses")
	fl.BoolVar(&f.asJSON, "json", false, "print summary.json to standard output at the end")
	return c
}

// prepare refuses bad choices before any work, and before DIR exists.
func (f *learnFlags) prepare() (*learner, error) {
	if f.robot == "" {
		return nil, fault.Usage("--robot is missing; built in: %s; or the path of a robot.yaml", strings.Join(robot.Names(), ", "))
	}
	if f.dir == "" {
		return nil, fault.Usage("name the folder to write with -o, as in: -o out/clip")
	}
	if f.tries < 1 || f.episodes < 1 {
		return nil, fault.Usage("--tries %d, --episodes %d; legal: 1 and more", f.tries, f.episodes)
	}
	if err := cli.NotOver(filepath.Join(f.dir, "side_by_side.mp4"), f.video); err != nil {
		return nil, err
	}
	budget, err := train.ParseBudget(f.budget)
	if err != nil {
		return nil, fault.Usage("--budget: %w", err)
	}
	if err := checkMethod(f.method); err != nil {
		return nil, fault.Usage("--method: %w", err)
	}
	if err := f.checkVideo(); err != nil {
		return nil, err
	}
	b, err := body.Load(f.robot)
	if err != nil {
		return nil, err
	}
	look, err := f.extract.options(f.video)
	if err != nil {
		return nil, err
	}
	return &learner{learnFlags: *f, body: b, budget: budget, look: look, began: time.Now(), summary: record.Summary{
		Video: filepath.Base(f.video), Robot: b.Desc.Name, Seed: f.seed, Machine: machine(), StageS: map[string]float64{},
	}}, nil
}

// checkVideo refuses a video that is not there, or that lies where a result
// will be written: results of an earlier run are removed first.
func (f *learnFlags) checkVideo() error {
	video, err := os.Stat(f.video)
	if err != nil {
		return err
	}
	for _, name := range runResults() {
		result := filepath.Join(f.dir, name)
		if st, err := os.Stat(result); err == nil && os.SameFile(st, video) {
			return fault.Usage("the video %s is where learn would write %s; choose another folder with -o", f.video, result)
		}
	}
	return nil
}

// learner carries the results from stage to stage.
type learner struct {
	learnFlags
	body    *body.Body
	budget  train.Budget
	look    extractOptions
	log     io.Writer
	summary record.Summary
	notes   []string
	began   time.Time

	seen   *extraction
	truth  *human.Motion // nil where it is not known
	policy *trained
	flight *flight
	// longest is the training with the most control steps, which need not be the one whose policy is kept.
	longest *train.Result

	checkpoints []string // files of the trainings of this run; removed when it is done

	sheet []byte
}

func learn(ctx context.Context, f learnFlags, out, log io.Writer) error {
	l, err := f.prepare()
	if err != nil {
		return err
	}
	l.log = log
	for _, s := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"extract", l.watch}, {"train", l.practise}, {"robotd", l.fly}, {"film", l.film},
	} {
		if err := l.stage(ctx, s.name, s.run); err != nil {
			return err
		}
	}
	if err := l.write(out); err != nil {
		return err
	}
	end := l.ending()
	if end != tooLittle { // else the training can go on
		if err := l.forget(); err != nil {
			return err
		}
	}
	return l.verdict(end)
}

// stage runs one stage and notes its wall time, less that of stages inside it.
func (l *learner) stage(ctx context.Context, name string, run func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return interrupt.Errorf("interrupted before %s; what was written lies in %s", name, l.dir)
	}
	inside := 0.0
	for _, t := range l.summary.StageS {
		inside -= t
	}
	start := time.Now()
	err := run(ctx)
	for _, t := range l.summary.StageS {
		inside += t
	}
	l.summary.StageS[name] += time.Since(start).Seconds() - inside
	return err
}

// say prints one line of progress.
func (l *learner) say(stage, format string, args ...any) {
	fmt.Fprintf(l.log, "%5.0f s  %-9s %s\n", time.Since(l.began).Seconds(), stage, fmt.Sprintf(format, args...))
}

// path returns a file of the output folder.
func (l *learner) path(name string) string { return filepath.Join(l.dir, name) }

// goodSurvival is the share of hard episodes that a finished policy survives.
const goodSurvival = bundle.Gate
