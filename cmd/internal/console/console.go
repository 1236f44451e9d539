// Package console talks to the people at robotd's terminal: a status line a second,
// a line for each event, lines of JSON for programs.
//
// It never waits for whoever reads: lines are queued, and what nobody reads is
// dropped and counted. All methods may be called from any goroutine.
package console

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/models/record"
)

// sink writes lines to one stream from a goroutine of its own. A reader that
// stopped reading, or died, holds that goroutine and nobody else: put never
// blocks, and what does not fit is dropped and counted.
type sink struct {
	w     io.Writer
	lines chan []byte
	quit  chan struct{} // closed: write what is queued, then end
	done  chan struct{} // closed when it has ended
	lost  atomic.Uint64 // lines dropped, or failed to be written
	crash *crash.Net
}

const (
	sinkLines = 256
	// statusRoom is what the second-by-second status leaves free for what happens.
	statusRoom = sinkLines / 2
	// lastWords is how long the end of robotd waits for its reader.
	lastWords = 2 * time.Second
)

func newSink(w io.Writer, c *crash.Net) *sink {
	s := &sink{w: w, lines: make(chan []byte, sinkLines), quit: make(chan struct{}), done: make(chan struct{}), crash: c}
	go func() {
		defer close(s.done)
		for !s.work() { // a panic in the writer costs one line
		}
	}()
	return s
}

// work writes until the sink is closed; false after a panic.
func (s *sink) work() (over bool) {
	defer s.crash.Caught("the console")
	for {
		select {
		case line := <-s.lines:
			s.write(line)
		case <-s.quit:
			for len(s.lines) > 0 {
				s.write(<-s.lines)
			}
			return true
		}
	}
}

func (s *sink) write(line []byte) {
	if _, err := s.w.Write(line); err != nil {
		s.lost.Add(1) // there is nobody to tell
	}
}

// put queues one line; false: it was dropped.
func (s *sink) put(line []byte) bool {
	select {
	case s.lines <- line:
		return true
	default:
		s.lost.Add(1)
		return false
	}
}

// close gives the reader a last chance.
func (s *sink) close(late <-chan struct{}) {
	close(s.quit)
	select {
	case <-s.done:
	case <-late:
	}
}

// Console talks to people: a status line a second on a terminal, plain lines for
// what happens, JSON lines when asked. It never waits for whoever reads.
type Console struct {
	err  *sink
	out  *sink // JSON lines; nil: none
	live bool  // err is a terminal

	mu     sync.Mutex
	onLine bool   // a status line stands on the terminal
	told   uint64 // lost lines that have been told of
}

// New returns a console that writes to errOut.
func New(errOut io.Writer, c *crash.Net) *Console {
	return &Console{err: newSink(errOut, c), live: cli.IsTerminal(errOut)}
}

// JSONTo turns on one line of JSON a second, and one at the end.
func (t *Console) JSONTo(out io.Writer, c *crash.Net) { t.out = newSink(out, c) }

// Event prints a line of its own.
func (t *Console) Event(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := "robotd: " + cli.Printable(strings.TrimSpace(fmt.Sprintf(format, args...))) + "\n"
	if n := t.err.lost.Load(); n > t.told && len(t.err.lines) == 0 { // somebody reads again
		text = fmt.Sprintf("robotd: %d lines were not shown here, nobody read them\n", n-t.told) + text
		t.told = n
	}
	if t.onLine {
		text = cli.ToStart + text
		t.onLine = false
	}
	t.err.put([]byte(text))
}

// Status shows the state of this second.
func (t *Console) Status(s record.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out != nil && len(t.out.lines) < statusRoom {
		t.encode(s)
	} else if t.out != nil {
		t.out.lost.Add(1)
	}
	if !t.live || len(t.err.lines) >= statusRoom {
		return
	}
	const line = cli.ToStart + "%-8s tick %d, missed %d, late p99 %d us, bus errors %d, %.1f V, %.0f C, tilt %.2f rad"
	t.onLine = t.err.put(fmt.Appendf(nil, line,
		s.State, s.Tick, s.Missed, s.LateP99Us, s.BusErrors, s.SupplyV, s.MaxTempC, s.TiltRad))
}

// Settings prints the numbers in force as JSON, where JSON was asked for.
func (t *Console) Settings(inForce map[string]float64) {
	if t.out != nil {
		t.encode(map[string]any{"failsafes": inForce})
	}
}

// Final prints the statistics as JSON, where JSON was asked for.
func (t *Console) Final(st *record.Stats) {
	if t.out != nil {
		t.encode(st)
	}
}

func (t *Console) encode(v any) {
	if line, err := json.Marshal(v); err == nil {
		t.out.put(append(line, '\n'))
	}
}

// Lost is how many lines found no reader.
func (t *Console) Lost() uint64 {
	n := t.err.lost.Load()
	if t.out != nil {
		n += t.out.lost.Load()
	}
	return n
}

// Close ends both streams; a reader who does not read is left alone after a
// moment.
func (t *Console) Close() {
	late := make(chan struct{})
	defer time.AfterFunc(lastWords, func() { close(late) }).Stop()
	for _, s := range []*sink{t.err, t.out} {
		if s != nil {
			s.close(late)
		}
	}
}
