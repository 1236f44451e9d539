package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Exit codes of every command.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // damaged, infeasible, unsafe or unverified input
)

// codedError carries an exit code other than exitFailed.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// usageError marks a mistake on the command line: exit code 2.
func usageError(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...)}
}

// refused marks input that mitori understands and will not act on: exit code 3.
func refused(format string, args ...any) error {
	return &codedError{exitRefused, fmt.Errorf(format, args...)}
}

// commands lists the sub-commands in the order of the help text.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newLearnCmd(),
		stoppable(newDemonstrateCmd()),
		stoppable(newExtractCmd()),
		stoppable(newCompareCmd()),
		stoppable(newImportCmd()),
		stoppable(newRetargetCmd()),
		stoppable(newCheckCmd()),
		stoppable(newRobotCmd()),
		newTrainCmd(),
		stoppable(newEvalCmd()),
		stoppable(newBundleCmd()),
		newBusCmd(),
		stoppable(newDoctorCmd()),
	}
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := &cobra.Command{
		Use:           "mitori",
		Short:         "Learn a motion from video and run it on a servo humanoid",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown command %q", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	root.AddCommand(commands()...)
	for _, c := range root.Commands() {
		mapArgErrors(c)
	}
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	err = inWords(err)
	var coded *codedError
	code := exitFailed
	if errors.As(err, &coded) {
		code = coded.code
	} else if errors.Is(err, infile.ErrUnusable) {
		code = exitRefused
	}
	fmt.Fprintf(errOut, "mitori: %s\n", strings.TrimSpace(err.Error()))
	if code == exitUsage {
		fmt.Fprintf(errOut, "Run '%s --help' for usage.\n", c.CommandPath())
	}
	return code
}

// mapArgErrors gives wrong argument counts the exit code of a usage error.
func mapArgErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError("%s: %w", c.CommandPath(), err)
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		mapArgErrors(sub)
	}
}
