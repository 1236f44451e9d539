package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
)

// Place is where readers may ask.
type Place struct{ network, address string }

// unixPrefix marks the name of a socket.
const unixPrefix = "unix:"

// ParsePlace reads unix:/PATH, 127.0.0.1:PORT, [::1]:PORT or localhost:PORT. Nothing else is a place: what is shown is
// nobody's business beyond this machine.
func ParsePlace(text string) (Place, error) {
	bad := fmt.Errorf("%q; legal: unix:/PATH, 127.0.0.1:PORT or [::1]:PORT: only this machine may ask", text)
	if path, ok := strings.CutPrefix(text, unixPrefix); ok {
		if !filepath.IsAbs(path) || len(path) > 100 { // the kernel takes 107 bytes
			return Place{}, fmt.Errorf("%w, by an absolute path of up to 100 bytes", bad)
		}
		return Place{"unix", path}, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Place{}, bad
	}
	if host == "localhost" { // by whatever name service
		host = "127.0.0.1"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return Place{}, bad
	}
	return Place{"tcp", net.JoinHostPort(host, strconv.FormatUint(n, 10))}, nil
}

// Server answers readers.
type Server struct {
	meter atomic.Pointer[Meter]
	http  http.Server
	line  net.Listener
	turns chan struct{} // of readers who are being answered
}

// mostReaders may be answered at once.
const mostReaders = 8

// Times for one reader.
const (
	readerPatience = 5 * time.Second
	answerPatience = 5 * time.Second
)

// Serve opens the place. Until Show, readers are told that robotd is starting. What goes wrong goes to failed.
func Serve(at Place, failed *crash.Net) (*Server, error) {
	if at.network == "unix" {
		if err := clear(at.address); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	line, err := net.Listen(at.network, at.address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if at.network == "unix" {
		if err := os.Chmod(at.address, 0o660); err != nil {
			line.Close()
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	s := &Server{line: line, turns: make(chan struct{}, mostReaders)}
	s.http = http.Server{
		Handler: http.HandlerFunc(s.answer), ReadTimeout: readerPatience, WriteTimeout: answerPatience, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	s.http.SetKeepAlivesEnabled(false)
	failed.Start("the metrics", func() { _ = s.http.Serve(line) })
	return s, nil
}

// clear removes a socket that nobody listens to any more, and nothing else.
func clear(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is no socket; legal: the name of a new one", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return fmt.Errorf("%s: somebody listens there already; legal: another place for each robot", path)
	}
	return os.Remove(path)
}

// Show says whose numbers readers get from now on.
func (s *Server) Show(m *Meter) {
	if s != nil {
		s.meter.Store(m)
	}
}

// Where is the place in words, with the port that was free.
func (s *Server) Where() string {
	if s.line.Addr().Network() == "unix" {
		return unixPrefix + s.line.Addr().String()
	}
	return "http://" + s.line.Addr().String() + "/metrics"
}

// answer is given to a few readers at a time: there is no use in more.
func (s *Server) answer(w http.ResponseWriter, ask *http.Request) {
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	default:
		http.Error(w, "too many are asking", http.StatusServiceUnavailable)
		return
	}
	m := s.meter.Load()
	switch {
	case ask.URL.Path != "/metrics":
		http.Error(w, "legal: /metrics", http.StatusNotFound)
	case ask.Method != http.MethodGet && ask.Method != http.MethodHead:
		http.Error(w, "legal: GET", http.StatusMethodNotAllowed)
	case m == nil:
		http.Error(w, "robotd is starting", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, m.Text())
	}
}

// farewell is how long a reader may hold up the end.
const farewell = 500 * time.Millisecond

// Close ends the server and removes its socket. A nil Server does nothing.
func (s *Server) Close() {
	if s == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), farewell)
	defer stop()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
}
