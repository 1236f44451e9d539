// Package fault says what an error means to whoever called a command: the exit
// code. One rule holds for every command and every reader of files:
//
//	0  done
//	1  failed; also a file that is missing or may not be read
//	2  the command line is wrong
//	3  refused: a file that is damaged or of the wrong kind, an unsafe or infeasible wish
//	130  ended by a second Ctrl-C
//
// Who refuses marks it ([Refuse], or [infile.Refuse] for files); nobody decides about
// codes anywhere else. What is not here: printing, and anything that ends a process.
// A server that runs the same work can use the same code as its answer. All functions
// are safe for concurrent use.
package fault

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Exit codes of every command.
const (
	ExitDone    = 0
	ExitFailed  = 1
	ExitUsage   = 2
	ExitRefused = 3   // damaged, infeasible, unsafe or unverified input
	ExitCut     = 130 // what shells give a program that was ended by Ctrl-C
)

// coded is an error that carries an exit code other than ExitFailed.
type coded struct {
	code int
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// Usage makes an error about the command line: exit code 2. The format is that of
// fmt.Errorf.
func Usage(format string, args ...any) error {
	return &coded{ExitUsage, fmt.Errorf(format, args...)}
}

// Refuse makes an error about input that is understood and not acted on: exit code 3.
// The format is that of fmt.Errorf.
func Refuse(format string, args ...any) error {
	return &coded{ExitRefused, fmt.Errorf(format, args...)}
}

// Code returns the exit code of a command that ended with err; ExitDone for nil. Of
// joined errors the first one that was marked decides.
func Code(err error) int {
	var marked *coded
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &marked):
		return marked.code
	case errors.Is(err, infile.ErrUnusable):
		return ExitRefused
	}
	return ExitFailed
}
