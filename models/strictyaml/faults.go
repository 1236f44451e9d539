package strictyaml

import (
	"errors"
	"fmt"
	"strings"
)

// Faults collects what is wrong with a file, one sentence each, so that its author is told everything at once.
type Faults []string

// Check adds a sentence where ok is false.
func (f *Faults) Check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// Err is one error with an indented line for each fault; nil without any.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New("  " + strings.Join(f, "\n  "))
}
