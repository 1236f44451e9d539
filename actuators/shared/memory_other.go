//go:build !linux

package shared

import (
	"errors"
	"os"
)

// anonymous is a file of that size without a name: for trying things out only.
func anonymous(size int) (*os.File, error) {
	f, err := os.CreateTemp("", "robotd-")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(int64(size))); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// fixed cannot be had here.
func fixed(*os.File) bool { return true }
