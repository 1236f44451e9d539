package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
)

// Run executes one command line and returns the exit code. An error is told in one
// sentence, in front of it the program's name.
func Run(ctx context.Context, root *cobra.Command, args []string, out, errOut io.Writer) int {
	Prepare(root)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return fault.ExitDone
	}
	err = interrupt.InWords(err)
	fmt.Fprintf(errOut, "%s: %s\n", root.Name(), Printable(strings.TrimSpace(err.Error())))
	code := fault.Code(err)
	if code == fault.ExitUsage {
		fmt.Fprintf(errOut, "Run '%s --help' for usage.\n", c.CommandPath())
	}
	return code
}

// Prepare makes a tree of commands leave errors to its caller, and every mistake on
// the command line a usage error. A command without work of its own shows its help.
func Prepare(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fault.Usage("%w", err) })
	if root.Args == nil {
		root.Args = noSuch
	}
	prepare(root)
}

func noSuch(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasSubCommands() {
		return fmt.Errorf("unknown argument %q; there are flags only", args[0])
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func prepare(c *cobra.Command) {
	if c.HasSubCommands() && c.RunE == nil {
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		if c.Args == nil {
			c.Args = noSuch
		}
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return fault.Usage("%s: %w", c.CommandPath(), err)
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		prepare(sub)
	}
}

// Stoppable makes a command, and those under it, end soon after an interruption
// though parts of it never look at their context. It is not for commands that have
// to leave something in order, such as a checkpoint or a robot.
func Stoppable(c *cobra.Command) *cobra.Command {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			return interrupt.Work(c.Context(), interrupt.Grace, func() error { return run(c, args) })
		}
	}
	for _, sub := range c.Commands() {
		Stoppable(sub)
	}
	return c
}
