// Package interrupt turns Ctrl-C and SIGTERM into the end of a context, and makes
// work that never looks at its context end with it all the same.
//
// The first signal asks, the second one ends the process at once. Neither leaves a
// half-written file, because files are published when they are complete. What is not
// here: robotd's signals, which settle a robot first. All functions are safe for
// concurrent use.
package interrupt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// Grace is how long a command may take to end by itself after an interruption.
const Grace = 700 * time.Millisecond

// UntilSignal returns a context that the first Ctrl-C or SIGTERM cancels; the
// second ends the process with code 130.
func UntilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		<-signals
		cancel()
		<-signals
		os.Exit(fault.ExitCut)
	}()
	return ctx, cancel
}

// interruption is a cancelled context in words. It is context.Canceled for
// errors.Is.
type interruption struct{ text string }

func (i *interruption) Error() string        { return i.text }
func (i *interruption) Is(target error) bool { return target == context.Canceled }

// Errorf makes an error that says in its own words that work was interrupted; it is
// context.Canceled for errors.Is.
func Errorf(format string, args ...any) error { return &interruption{fmt.Sprintf(format, args...)} }

// InWords turns the error of work that was interrupted into one for people. Errors
// that have words for it, and all others, stay as they are.
func InWords(err error) error {
	var said *interruption
	if errors.Is(err, context.Canceled) && !errors.As(err, &said) {
		return Errorf("interrupted")
	}
	return err
}

// Work runs work that cannot be stopped half way, and leaves it to itself when ctx
// has ended and wait has passed: soon the process, or the server's job, ends with it.
// work may publish nothing but whole files, and nobody may look at its results then.
func Work(ctx context.Context, wait time.Duration, work func() error) error {
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
		return Errorf("interrupted")
	}
}
