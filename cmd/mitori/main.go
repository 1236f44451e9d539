// Command mitori turns a video of a person into a balanced, tested policy for a
// servo humanoid. Each sub-command lives in a file of its own.
//
// This package only wires flags to work: the stages are in cmd/internal/pipeline,
// the whole path in cmd/internal/learn, what all commands share in cmd/internal/cli.
package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/buscli"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/seecli"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
)

func main() {
	ctx, stop := interrupt.UntilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := &cobra.Command{Use: "mitori", Short: "Learn a motion from video and run it on a servo humanoid"}
	root.AddCommand(commands()...)
	return cli.Run(ctx, root, args, out, errOut)
}

// commands lists the sub-commands in the order of the help text.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newLearnCmd(),
		cli.Stoppable(seecli.Demonstrate()),
		cli.Stoppable(newExtractCmd()),
		cli.Stoppable(seecli.Cameras()),
		cli.Stoppable(newCompareCmd()),
		cli.Stoppable(seecli.Bench()),
		cli.Stoppable(newImportCmd()),
		cli.Stoppable(newExportCmd()),
		cli.Stoppable(newRetargetCmd()),
		cli.Stoppable(newCheckCmd()),
		cli.Stoppable(newRobotCmd()),
		newTrainCmd(),
		cli.Stoppable(newEvalCmd()),
		cli.Stoppable(newBundleCmd()),
		buscli.New(),
		cli.Stoppable(newReplayCmd()),
		cli.Stoppable(newDoctorCmd()),
	}
}

// alone runs one stage alone and shows its progress.
func alone[Out any](c *cobra.Command, s pipeline.Stage[Out]) (Out, error) {
	p := cli.NewProgress(c.ErrOrStderr())
	defer p.End()
	return pipeline.Do(c.Context(), &pipeline.Run{Tell: show.Progress(p)}, s)
}
