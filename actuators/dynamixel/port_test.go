package dynamixel

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// scripted gives one error an operation.
type scripted struct{ errs []error }

func (s *scripted) next() error {
	e := s.errs[0]
	s.errs = s.errs[1:]
	return e
}
func (s *scripted) Read([]byte) (int, error)           { return 0, s.next() }
func (s *scripted) Write(b []byte) (int, error)        { return len(b), s.next() }
func (s *scripted) SetReadTimeout(time.Duration) error { return nil }
func (s *scripted) ResetInput() error                  { return s.next() }

func TestWatchedPort(t *testing.T) {
	gone, late, stuck := io.ErrClosedPipe, os.ErrDeadlineExceeded, fmt.Errorf("tty: %w", serialport.ErrStuck)
	tests := []struct {
		name string
		errs []error
		gone bool
	}{
		{"healthy", []error{nil, nil, nil, nil}, false},
		{"silent", []error{late, late, late, late, late}, false},
		{"stuck", []error{stuck, stuck, stuck, stuck, stuck}, false},
		{"two failures", []error{gone, gone, nil, gone, gone}, false},
		{"three failures", []error{gone, gone, gone}, true},
		{"silence between failures", []error{gone, late, gone, late, gone}, true},
		{"back again", []error{gone, gone, gone, nil}, false},
	}
	for _, tt := range tests {
		w := &watched{Port: &scripted{append([]error(nil), tt.errs...)}}
		for i := range tt.errs {
			if i%2 == 0 {
				_, _ = w.Write(nil)
			} else {
				_, _ = w.Read(nil)
			}
		}
		if w.gone() != tt.gone {
			t.Errorf("%s: gone %v", tt.name, w.gone())
		}
	}
	w := &watched{Port: &scripted{[]error{gone, nil, gone, nil, gone}}}
	for range 2 {
		_, _ = w.Write(nil)
		_ = w.ResetInput() // works even on a dead terminal
	}
	if _, _ = w.Write(nil); !w.gone() {
		t.Error("a flush that succeeds hid a dead port")
	}
}
