package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

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
	crash *crash
}

const (
	sinkLines = 256
	// statusRoom is what the second-by-second status leaves free for what happens.
	statusRoom = sinkLines / 2
	// lastWords is how long the end of robotd waits for its reader.
	lastWords = 2 * time.Second
)

func newSink(w io.Writer, c *crash) *sink {
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
	defer s.crash.caught("the console")
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

// teller talks to people: a status line a second on a terminal, plain lines for
// what happens, JSON lines when asked. It never waits for whoever reads.
type teller struct {
	err  *sink
	out  *sink // JSON lines; nil: none
	live bool  // err is a terminal

	mu     sync.Mutex
	onLine bool   // a status line stands on the terminal
	told   uint64 // lost lines that have been told of
}

func newTeller(errOut io.Writer, c *crash) *teller {
	t := &teller{err: newSink(errOut, c)}
	if f, ok := errOut.(*os.File); ok {
		t.live = term.IsTerminal(int(f.Fd()))
	}
	return t
}

// jsonTo turns on one line of JSON a second, and one at the end.
func (t *teller) jsonTo(out io.Writer, c *crash) { t.out = newSink(out, c) }

// event prints a line of its own.
func (t *teller) event(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := "robotd: " + printable(strings.TrimSpace(fmt.Sprintf(format, args...))) + "\n"
	if n := t.err.lost.Load(); n > t.told && len(t.err.lines) == 0 { // somebody reads again
		text = fmt.Sprintf("robotd: %d lines were not shown here, nobody read them\n", n-t.told) + text
		t.told = n
	}
	if t.onLine {
		text = "\r\x1b[K" + text
		t.onLine = false
	}
	t.err.put([]byte(text))
}

// status shows the state of this second.
func (t *teller) status(s record.Status) {
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
	t.onLine = t.err.put(fmt.Appendf(nil, "\r\x1b[K%-8s tick %d, missed %d, late p99 %d us, bus errors %d, %.1f V, %.0f C, tilt %.2f rad",
		s.State, s.Tick, s.Missed, s.LateP99Us, s.BusErrors, s.SupplyV, s.MaxTempC, s.TiltRad))
}

// final prints the statistics as JSON, where JSON was asked for.
func (t *teller) final(st *record.Stats) {
	if t.out != nil {
		t.encode(st)
	}
}

func (t *teller) encode(v any) {
	if line, err := json.Marshal(v); err == nil {
		t.out.put(append(line, '\n'))
	}
}

// lost is how many lines found no reader.
func (t *teller) lost() uint64 {
	n := t.err.lost.Load()
	if t.out != nil {
		n += t.out.lost.Load()
	}
	return n
}

// close ends both streams; a reader who does not read is left alone after a
// moment.
func (t *teller) close() {
	late := make(chan struct{})
	defer time.AfterFunc(lastWords, func() { close(late) }).Stop()
	for _, s := range []*sink{t.err, t.out} {
		if s != nil {
			s.close(late)
		}
	}
}

// printable shows control characters, which a file's author may have put into a
// name, instead of sending them to the terminal.
func printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
