package feed

import (
	"io"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/perception/video"
)

// Clock is the time by which a file is paced; tests have their own.
type Clock struct {
	Now func() time.Time
	// After is time.After.
	After func(time.Duration) <-chan time.Time
}

// WallClock is the machine's.
func WallClock() Clock { return Clock{time.Now, time.After} }

// paced gives the pictures of a video when they are due, as its camera did.
type paced struct {
	src    video.Source
	clock  Clock
	start  time.Time
	firstS float64
	begun  bool
	once   sync.Once
	stop   chan struct{}
}

// Paced plays a video at its own pace. It closes src.
func Paced(src video.Source, c Clock) Source {
	return &paced{src: src, clock: c, stop: make(chan struct{})}
}

func (p *paced) Next() (*video.Frame, error) {
	f, err := p.src.Next()
	if err != nil {
		return nil, err
	}
	if !p.begun {
		p.begun, p.start, p.firstS = true, p.clock.Now(), f.TimeS
	}
	due := p.start.Add(time.Duration((f.TimeS - p.firstS) * float64(time.Second)))
	if wait := due.Sub(p.clock.Now()); wait > 0 {
		select {
		case <-p.clock.After(wait):
		case <-p.stop:
			f.Release()
			return nil, io.EOF
		}
	}
	return f, nil
}

// Stop ends the play.
func (p *paced) Stop() { p.once.Do(func() { close(p.stop) }) }

func (p *paced) Close() error { return p.src.Close() }
