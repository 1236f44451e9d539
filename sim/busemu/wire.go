package busemu

import (
	"os"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Wire is a dxl.Port straight into a line, without a pseudo-terminal and without wall
// time: for tests and tools in one process. The clock advances only by World.Advance. A
// read with nothing to come returns at once, as if the timeout had passed.
type Wire struct {
	Line *Line
	dec  *dxl.Decoder
	in   []byte // for the master
}

// NewWire connects to line.
func NewWire(line *Line) *Wire {
	return &Wire{Line: line, dec: dxl.NewDecoder(4096), in: make([]byte, 0, 8192)}
}

// Write implements dxl.Port.
func (w *Wire) Write(b []byte) (int, error) {
	w.dec.Feed(b)
	var p dxl.Packet
	for ev := w.dec.Next(&p); ev != dxl.NeedMore; ev = w.dec.Next(&p) {
		if ev != dxl.Got {
			continue
		}
		reply, _ := w.Line.Handle(&p)
		w.in = append(w.in, reply...)
	}
	return len(b), nil
}

// Read implements dxl.Port.
func (w *Wire) Read(b []byte) (int, error) {
	if len(w.in) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, w.in)
	w.in = append(w.in[:0], w.in[n:]...)
	return n, nil
}

// SetReadTimeout implements dxl.Port.
func (w *Wire) SetReadTimeout(time.Duration) error { return nil }

// ResetInput implements dxl.Port.
func (w *Wire) ResetInput() error { w.in = w.in[:0]; return nil }
