package feed

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/perception/video"
)

// reel is a video of four pictures of uneven distance that begins late.
type reel struct {
	next   int
	closed bool
}

var reelS = []float64{5, 5.1, 5.15, 6}

func (r *reel) Info() video.Info      { return video.Info{} }
func (r *reel) SeekS(_ float64) error { return nil }
func (r *reel) Close() error          { r.closed = true; return nil }
func (r *reel) Next() (*video.Frame, error) {
	if r.next == len(reelS) {
		return nil, io.EOF
	}
	r.next++
	return video.NewFrame(reelS[r.next-1], 1, 1, make([]byte, 3)), nil
}

// Pictures come when they are due, and at once where the reader was late.
func TestPacedKeepsThePace(t *testing.T) {
	now := time.Unix(100, 0)
	begin := now
	c := Clock{Now: func() time.Time { return now }, After: func(d time.Duration) <-chan time.Time {
		now = now.Add(d)
		ch := make(chan time.Time, 1)
		ch <- now
		return ch
	}}
	v := &reel{}
	s := Paced(v, c)
	wantS := []float64{0, 0.1, 0.4, 1} // at 0.4 s the reader was late
	for i, want := range wantS {
		if i == 2 {
			now = begin.Add(400 * time.Millisecond)
		}
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		if got := now.Sub(begin).Seconds(); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("picture %d came at %g s, due at %g s", i, got, want)
		}
	}
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
	if err := s.Close(); err != nil || !v.closed {
		t.Errorf("closed %v, %v", v.closed, err)
	}
}

// Stop ends a wait.
func TestPacedStops(t *testing.T) {
	waits := make(chan struct{})
	s := Paced(&reel{}, Clock{Now: func() time.Time { return time.Unix(0, 0) }, After: func(time.Duration) <-chan time.Time {
		close(waits)
		return nil
	}})
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { _, err := s.Next(); ended <- err }()
	<-waits
	s.Stop()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("stopped: %v", err)
	}
}
