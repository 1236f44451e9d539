package robot

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Exit codes.
const (
	ExitDone    = 0
	ExitFailed  = 1
	ExitUsage   = 2
	ExitRefused = 3 // unsafe or unverified input, or a robot that may not be armed
)

// codedError carries an exit code other than ExitFailed.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// Usage is an error of the command line or of the configuration.
func Usage(format string, args ...any) error {
	return &codedError{ExitUsage, fmt.Errorf(format, args...)}
}

// Refused is an error of input that is damaged or may not be flown.
func Refused(format string, args ...any) error {
	return &codedError{ExitRefused, fmt.Errorf(format, args...)}
}

// ExitCode is the exit code of an error.
func ExitCode(err error) int {
	var coded *codedError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, infile.ErrUnusable):
		return ExitRefused
	}
	return ExitFailed
}
