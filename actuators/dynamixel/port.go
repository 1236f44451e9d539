package dynamixel

import (
	"errors"
	"io"
	"os"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// goneAfter is how many operations in a row must fail before a port counts as
// gone.
const goneAfter = 3

// watched tells a port that is gone from one that hiccups. A line that takes no
// more bytes for now is a hiccup: the host is behind, and the servos' silence
// says the rest.
type watched struct {
	dxl.Port
	failed int // operations in a row
	stuck  uint64
	err    error
}

func (w *watched) note(err error) error {
	switch {
	case err == nil:
		w.failed = 0
	case errors.Is(err, serialport.ErrStuck):
		w.stuck++
		w.err = err
	case !errors.Is(err, os.ErrDeadlineExceeded):
		w.failed++
		w.err = err
	}
	return err
}

// gone reports whether the port is lost.
func (w *watched) gone() bool { return w.failed >= goneAfter }

// Read implements dxl.Port.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Port.Read(p)
	return n, w.note(err)
}

// Write implements dxl.Port.
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Port.Write(p)
	return n, w.note(err)
}

// ResetInput implements dxl.Port. Its success says nothing: only bytes do.
func (w *watched) ResetInput() error {
	err := w.Port.ResetInput()
	if err != nil {
		return w.note(err)
	}
	return nil
}

// Close closes the port, if it can be closed.
func (w *watched) Close() error {
	if c, ok := w.Port.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
