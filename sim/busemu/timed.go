package busemu

import (
	"os"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// TimedWire is a Wire on which time passes as on a real line, without taking any: bytes
// take as long as at Baud, devices and delay faults as long as they say, and a read with
// nothing to come lasts until its timeout. Answers keep their order. The world's clock
// follows in whole steps of the plant.
type TimedWire struct {
	Line *Line
	Baud int // bits/s; 0: bytes take no time

	dec     *dxl.Decoder
	now     time.Duration // since the wire was made
	free    time.Duration // when the line has carried what was sent so far
	timeout time.Duration
	in      []byte // for the master, in the order of due
	due     []arrival
}

// brokenOff is the silence after which servos forget the beginning of a packet.
const brokenOff = 1500 * time.Microsecond

// arrival is a piece of in and when it is there.
type arrival struct {
	at time.Duration
	n  int
}

// NewTimedWire connects to line.
func NewTimedWire(line *Line, baud int) *TimedWire {
	return &TimedWire{Line: line, Baud: baud, dec: dxl.NewDecoder(4096), in: make([]byte, 0, 1<<16), due: make([]arrival, 0, 256)}
}

// Now is the wire's clock, for the master's Config.Now.
func (w *TimedWire) Now() time.Time { return time.Unix(0, 0).Add(w.now) }

// PassUntil lets time pass until the clock reads t; a time in the past changes nothing.
func (w *TimedWire) PassUntil(t time.Time) { w.pass(t.Sub(w.Now())) }

func (w *TimedWire) pass(d time.Duration) {
	if d > 0 {
		w.now += d
		w.Line.Advance(d)
	}
}

func (w *TimedWire) wireTime(n int) time.Duration {
	if w.Baud == 0 {
		return 0
	}
	return time.Duration(n) * 10 * time.Second / time.Duration(w.Baud)
}

// Write implements dxl.Port. The master goes on at once, as after a write to a kernel; the
// bytes wait for their turn on the line.
func (w *TimedWire) Write(b []byte) (int, error) {
	if w.now > w.free+brokenOff {
		w.dec.Reset()
	}
	w.free = max(w.free, w.now) + w.wireTime(len(b))
	w.dec.Feed(b)
	var p dxl.Packet
	for ev := w.dec.Next(&p); ev != dxl.NeedMore; ev = w.dec.Next(&p) {
		if ev != dxl.Got {
			continue
		}
		reply, pause := w.Line.Handle(&p)
		if len(reply) == 0 {
			continue
		}
		w.free += w.wireTime(len(reply))
		at := w.free + pause
		if n := len(w.due); n > 0 {
			at = max(at, w.due[n-1].at)
		}
		w.in, w.due = append(w.in, reply...), append(w.due, arrival{at, len(reply)})
	}
	return len(b), nil
}

// Echo gives the master back what it is about to write, as adapters do whose receiver stays
// on while they send.
func (w *TimedWire) Echo(b []byte) {
	at := max(w.free, w.now) + w.wireTime(len(b))
	if n := len(w.due); n > 0 {
		at = max(at, w.due[n-1].at)
	}
	w.in, w.due = append(w.in, b...), append(w.due, arrival{at, len(b)})
}

// Read implements dxl.Port.
func (w *TimedWire) Read(b []byte) (int, error) {
	if len(w.due) == 0 || w.due[0].at > w.now+w.timeout {
		w.pass(w.timeout)
		return 0, os.ErrDeadlineExceeded
	}
	w.pass(w.due[0].at - w.now)
	n := copy(b, w.in[:w.due[0].n])
	w.drop(n)
	return n, nil
}

// drop takes n bytes of the first arrival away.
func (w *TimedWire) drop(n int) {
	w.in = append(w.in[:0], w.in[n:]...)
	if w.due[0].n -= n; w.due[0].n == 0 {
		w.due = append(w.due[:0], w.due[1:]...)
	}
}

// SetReadTimeout implements dxl.Port.
func (w *TimedWire) SetReadTimeout(d time.Duration) error { w.timeout = d; return nil }

// ResetInput implements dxl.Port: what is still under way comes all the same.
func (w *TimedWire) ResetInput() error {
	for len(w.due) > 0 && w.due[0].at <= w.now {
		w.drop(w.due[0].n)
	}
	return nil
}
