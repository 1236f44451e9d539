package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
)

func TestCode(t *testing.T) {
	damaged := infile.Refuse("x.npz", errors.New("cut short"))
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, ExitDone},
		{errors.New("robotd died"), ExitFailed},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, ExitFailed},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, ExitFailed},
		{Usage("--tries %d", 0), ExitUsage},
		{Refuse("x: infeasible"), ExitRefused},
		{damaged, ExitRefused},
		{fmt.Errorf("bundle: motion 2: %w", damaged), ExitRefused},
		// Who knows better says so: a damaged list of names on the command line is a mistake there.
		{Usage("--map: %w", damaged), ExitUsage},
		{errors.Join(errors.New("first"), Refuse("second"), Usage("third")), ExitRefused},
	} {
		if got := Code(c.err); got != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.code)
		}
	}
}

func TestMarksKeepWhatTheyMark(t *testing.T) {
	inner := errors.New("inner")
	for _, err := range []error{Usage("a: %w", inner), Refuse("a: %w", inner)} {
		if !errors.Is(err, inner) || err.Error() != "a: inner" {
			t.Errorf("%v", err)
		}
	}
}
