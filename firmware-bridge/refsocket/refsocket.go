// Package refsocket takes live references for a robot's joints in over a Unix socket: one
// client at a time writes frames of a fixed layout (docs/formats/reference.md), and each is
// handed on as it comes. Who may connect the file system decides: the socket has mode 0600.
//
// What is not here: judging what a frame asks for, and following it (actuators/follow). A
// client that sends what is no frame is thrown out; nothing is ever sent to it.
//
// Concurrency: Serve runs until Close, which any goroutine may call.
package refsocket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
)

// MaxJoints is how many joints a frame may have.
const MaxJoints = 256

// headBytes come before the angles; Magic is how they begin.
const (
	headBytes = 24
	Magic     = "MRF1"
)

// Frame is one reference.
type Frame struct {
	Seq    uint64    // grows
	TimeUs int64     // by the sender's clock
	PosRad []float64 // in the order of the robot's description
}

// Append appends the bytes of a frame, as a client sends it.
func Append(dst []byte, f Frame) []byte {
	dst = append(dst, Magic...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(f.PosRad)))
	dst = append(dst, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, f.Seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.TimeUs))
	for _, q := range f.PosRad {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(q)))
	}
	return dst
}

// Reader reads frames from a stream. It reuses what it returns.
type Reader struct {
	r    *bufio.Reader
	head [headBytes]byte
	body [4 * MaxJoints]byte
	pos  [MaxJoints]float64
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 8192)} }

// Next returns the next frame, whose PosRad is valid until the following call. The error is
// io.EOF at the end between two frames, and says what is no frame.
func (r *Reader) Next() (Frame, error) {
	if _, err := io.ReadFull(r.r, r.head[:]); err != nil {
		return Frame{}, err
	}
	n := int(binary.LittleEndian.Uint16(r.head[4:]))
	switch {
	case string(r.head[:4]) != Magic:
		return Frame{}, fmt.Errorf("refsocket: a frame begins with %q; legal: %q", r.head[:4], Magic)
	case n < 1 || n > MaxJoints:
		return Frame{}, fmt.Errorf("refsocket: %d joints; legal: 1 to %d", n, MaxJoints)
	case r.head[6] != 0 || r.head[7] != 0:
		return Frame{}, fmt.Errorf("refsocket: bytes 6 and 7 are %d and %d; legal: 0", r.head[6], r.head[7])
	}
	if _, err := io.ReadFull(r.r, r.body[:4*n]); err != nil {
		return Frame{}, fmt.Errorf("refsocket: a frame ends too early: %w", err)
	}
	for j := range n {
		r.pos[j] = float64(math.Float32frombits(binary.LittleEndian.Uint32(r.body[4*j:])))
	}
	return Frame{
		Seq: binary.LittleEndian.Uint64(r.head[8:]), TimeUs: int64(binary.LittleEndian.Uint64(r.head[16:])), PosRad: r.pos[:n],
	}, nil
}

// Server is an open socket.
type Server struct {
	path string
	l    *net.UnixListener

	mu     sync.Mutex
	client net.Conn // nil: none
	closed bool
}

// Listen opens a socket at path, which must not exist, in a folder that is closed to others.
func Listen(path string) (*Server, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("refsocket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("refsocket: %w", err)
	}
	return &Server{path: path, l: l}, nil
}

// Path is where clients connect.
func (s *Server) Path() string { return s.path }

// Serve takes clients one after the other and hands their frames to take, until Close; a
// client who comes while another is there is turned away. gone is told why a client was
// thrown out, nil if he left. The frame's PosRad is valid until take returns.
func (s *Server) Serve(take func(Frame), gone func(error)) {
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		c, err := s.l.Accept()
		if err != nil {
			return // closed
		}
		if !s.admit(c) {
			_ = c.Close()
			continue
		}
		clients.Go(func() {
			err := read(c, take)
			s.leave(c)
			gone(err)
		})
	}
}

func (s *Server) admit(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.client != nil {
		return false
	}
	s.client = c
	return true
}

func (s *Server) leave(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = nil
}

// read hands on frames until the client leaves, or sends something else.
func read(c net.Conn, take func(Frame)) error {
	r := NewReader(c)
	for {
		f, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		take(f)
	}
}

// Close ends Serve, throws the client out and removes the socket.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	_ = s.l.Close() // removes the file, too
	if s.client != nil {
		_ = s.client.Close()
	}
}
