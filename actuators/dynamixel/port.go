package dynamixel

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
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
	lookOnly bool // nothing that writes is let through

	failed int // operations in a row
	stuck  uint64
	err    error

	// Cuts past the driver's goroutine. While the driver writes, line is lineDriver; a cut
	// takes the line and so never lands inside a packet. A write of an operation that
	// began before the latest cut is refused, under the line, and so is never after it.
	line atomic.Uint32
	want atomic.Bool // a cut waits for the line, or has it
	cuts atomic.Uint32
	pass uint32      // cuts when the driver's present operation began
	busy atomic.Bool // the driver is in an operation
	good uint32      // cuts when the driver connected
}

// Who has the line.
const (
	lineFree uint32 = iota
	lineDriver
	lineCut
)

const (
	// cutWait is how long a cut waits for a write of the driver, which the port ends in
	// milliseconds; one that takes longer hangs, and the cut goes past it.
	cutWait, cutLook = 5 * time.Millisecond, 100 * time.Microsecond
	// cutTimes is how often torque-off goes out, cutGap apart: the answers to a request of
	// the driver may be on the wire and damage it once, and a packet that broke off
	// swallows what follows within 1.5 ms.
	cutTimes, cutGap = 3, 2 * time.Millisecond
)

// begin and end enclose each operation of the driver.
func (w *watched) begin() {
	w.busy.Store(true)
	w.pass = w.cuts.Load()
}

func (w *watched) end() { w.busy.Store(false) }

// wasCut reports whether torque was switched off past the driver since it connected.
func (w *watched) wasCut() bool { return w.cuts.Load() != w.good }

// cut writes packet past the driver. The caller sees to it that there is one at a time.
func (w *watched) cut(packet []byte) error {
	if w.lookOnly {
		return errLookOnly
	}
	w.cuts.Add(1)
	w.want.Store(true)
	defer w.want.Store(false)
	taken := w.line.CompareAndSwap(lineFree, lineCut)
	for waited := time.Duration(0); !taken && waited < cutWait; waited += cutLook {
		time.Sleep(cutLook)
		taken = w.line.CompareAndSwap(lineFree, lineCut)
	}
	if taken {
		defer w.line.Store(lineFree)
	}
	err := error(nil)
	sent := false
	for n := range cutTimes {
		if n > 0 {
			time.Sleep(cutGap)
		}
		_, e := w.Port.Write(packet)
		sent, err = sent || e == nil, errors.Join(err, e)
	}
	if sent {
		return nil
	}
	return err
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
	if w.lookOnly && !looks(p) {
		return 0, errLookOnly
	}
	if !w.line.CompareAndSwap(lineFree, lineDriver) {
		return 0, driver.ErrCut
	}
	defer w.line.CompareAndSwap(lineDriver, lineFree)
	if w.want.Load() || w.pass != w.cuts.Load() {
		return 0, driver.ErrCut
	}
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
