package watch

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/models/newest"
)

// Outlet hands records to whoever wants them and never waits for him: who is too slow
// misses the oldest.
type Outlet interface {
	// Put hands a record on. errReaderGone says that nobody can hear of any more.
	Put(record []byte) error
	// Dropped is how many records somebody missed.
	Dropped() uint64
	// Close writes what waits, for a moment.
	Close() error
}

// errReaderGone: whoever read the records has gone, which is no fault of ours.
var errReaderGone = errors.New("the reader of the records has gone")

const (
	// waiting is how many records may wait for a reader: half a second.
	waiting = 16
	// patience is how long a reader of a socket may take for a record.
	patience = 2 * time.Second
)

// OpenOutlet opens "" (nobody), "-" (stdout), "unix:PATH" (a socket that any number of
// readers may connect to) or a file.
func OpenOutlet(name string, stdout io.Writer) (Outlet, error) {
	switch path, isSocket := strings.CutPrefix(name, "unix:"); {
	case name == "":
		return nobody{}, nil
	case name == "-":
		return newStream(stdout, nil), nil
	case isSocket:
		return listen(path)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOCTTY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	return newStream(f, f.Close), nil
}

type nobody struct{}

func (nobody) Put([]byte) error { return nil }
func (nobody) Dropped() uint64  { return 0 }
func (nobody) Close() error     { return nil }

// stream writes records one behind the other, in a goroutine of its own.
type stream struct {
	records newest.Slot[[]byte]
	dropped atomic.Uint64
	done    chan struct{} // closed when err is final
	err     error
	close   func() error
}

func newStream(w io.Writer, end func() error) *stream {
	s := &stream{records: make(newest.Slot[[]byte], waiting), done: make(chan struct{}), close: end}
	go s.write(w)
	return s
}

func (s *stream) write(w io.Writer) {
	defer close(s.done)
	for r := range s.records {
		if _, err := w.Write(r); err != nil {
			s.err = err
			return
		}
	}
}

func (s *stream) Put(record []byte) error {
	select {
	case <-s.done:
		return s.fault()
	default:
	}
	if _, dropped := s.records.Put(record); dropped {
		s.dropped.Add(1)
	}
	return nil
}

// fault says why writing ended.
func (s *stream) fault() error {
	if errors.Is(s.err, syscall.EPIPE) || errors.Is(s.err, io.ErrClosedPipe) {
		return errReaderGone
	}
	return fmt.Errorf("records: %w", s.err)
}

func (s *stream) Dropped() uint64 { return s.dropped.Load() }

// Close waits for what is still to be written, but not for a reader who does not read.
func (s *stream) Close() error {
	close(s.records)
	select {
	case <-s.done:
	case <-time.After(patience / 8):
		return nil
	}
	err := s.err
	if s.close != nil {
		err = errors.Join(err, s.close())
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("records: %w", err)
	}
	return nil
}

// socket hands records to every reader that is connected.
type socket struct {
	listener net.Listener
	mu       sync.Mutex
	readers  map[*stream]struct{}
	missed   uint64 // by readers who have gone
}

// listen makes a socket that only its owner may connect to. What a process that ended
// without a word left of one is replaced.
func listen(path string) (Outlet, error) {
	if st, err := os.Lstat(path); err == nil {
		if st.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("records: %s is there and is no socket; name another path", path)
		}
		if c, err := net.Dial("unix", path); err == nil {
			return nil, errors.Join(fmt.Errorf("records: %s: somebody listens there; name another path", path), c.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("records: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("records: %w", err), l.Close())
	}
	s := &socket{listener: l, readers: map[*stream]struct{}{}}
	go s.accept()
	return s, nil
}

func (s *socket) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // it was closed
		}
		s.mu.Lock()
		s.readers[newStream(&patient{c}, c.Close)] = struct{}{}
		s.mu.Unlock()
	}
}

// patient ends a connection whose reader does not read.
type patient struct{ net.Conn }

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

func (s *socket) Put(record []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.readers {
		if r.Put(record) != nil {
			s.missed += r.Dropped()
			delete(s.readers, r)
			_ = r.Close() // he has gone
		}
	}
	return nil
}

func (s *socket) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.missed
	for r := range s.readers {
		n += r.Dropped()
	}
	return n
}

func (s *socket) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.readers {
		_ = r.Close() // whoever has gone by himself misses nothing
	}
	return err
}
