package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// exitCut is the code after a second signal: what shells give a program that was
// ended by Ctrl-C.
const exitCut = 130

// grace is how long a command may take to end by itself after an interruption.
const grace = 700 * time.Millisecond

// untilSignal returns a context that the first Ctrl-C or SIGTERM cancels; the
// second ends the process at once. Both leave no half-written files: output is
// published when it is complete.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		<-signals
		cancel()
		<-signals
		os.Exit(exitCut)
	}()
	return ctx, cancel
}

// interruption is a cancelled context in words. It is context.Canceled for
// errors.Is.
type interruption struct{ text string }

func (i *interruption) Error() string        { return i.text }
func (i *interruption) Is(target error) bool { return target == context.Canceled }

// inWords turns the error of a command that was interrupted into one for people.
func inWords(err error) error {
	var said *interruption
	if errors.Is(err, context.Canceled) && !errors.As(err, &said) {
		return &interruption{"interrupted"}
	}
	return err
}

// untilInterrupted runs work that cannot be stopped half way, and leaves it to
// itself when ctx has ended and wait has passed: soon the process ends with it. work
// may publish nothing but whole files, and nobody may look at its results then.
func untilInterrupted(ctx context.Context, wait time.Duration, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(wait):
		return &interruption{"interrupted"}
	}
}

// stoppable makes a command, and those under it, end soon after an interruption
// though parts of it never look at their context. It is not for commands that have
// to leave something in order, such as a checkpoint or a robot.
func stoppable(c *cobra.Command) *cobra.Command {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			return untilInterrupted(c.Context(), grace, func() error { return run(c, args) })
		}
	}
	for _, sub := range c.Commands() {
		stoppable(sub)
	}
	return c
}
