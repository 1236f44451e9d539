package live

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/newest"
	"github.com/mitori-robotics/mitori/models/poserecord"
	"github.com/mitori-robotics/mitori/perception/feed"
	"github.com/mitori-robotics/mitori/perception/scene"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Following says how to follow a source.
type Following struct {
	Watcher *Watcher
	// Emit hears of every record, in order, and must not wait. Its error ends all.
	Emit func(*poserecord.Record) error
	// Tell hears of changes of what holds, in words; nil: nobody does.
	Tell func(Notice)
	// Now is time.Now; tests have their own.
	Now func() time.Time
}

// Notice is a change of what holds, for people.
type Notice struct {
	TimeS float64 // of the source
	Text  string
}

// Count is what became of the pictures.
type Count struct {
	Pictures uint64 `json:"pictures"` // that came
	Dropped  uint64 `json:"dropped"`  // that nobody could look at in time
	Between  uint64 `json:"between"`  // that came faster than poses are made
	Unsolved uint64 `json:"unsolved"` // that were looked at, and no pose was made of them in time
	Poses    uint64 `json:"poses"`
}

// behind is how many sightings may wait for the solver; all are taken in, the newest
// is solved.
const behind = 8

// Follower follows sources, one after the other. Count, Latency and LastLatency may be
// called from any goroutine, the rest from one.
type Follower struct {
	Following
	judge        judge
	surroundings scene.Watcher
	// seq is the reader's: pictures are numbered through all sources.
	seq uint64

	mu    sync.Mutex
	count Count
	whole Meter
	last  Meter // since the last LastLatency
}

// shot is a picture and when it came.
type shot struct {
	frame *video.Frame
	seq   uint64
	at    time.Time
}

// sighted is what was seen in a picture.
type sighted struct {
	Sighting
	seq    uint64
	at     time.Time // when the picture came
	seenAt time.Time // when the networks were done
}

// NewFollower makes a follower.
func NewFollower(f Following) *Follower {
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.Tell == nil {
		f.Tell = func(Notice) {}
	}
	return &Follower{Following: f}
}

// Follow follows src until it ends or ctx does (nil), or it, the networks or Emit fail.
// It may be called again with another source whose times come later. src is closed by
// the goroutine that reads it; that of a pipe may live on until its writer ends.
func (f *Follower) Follow(ctx context.Context, src feed.Source) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := context.AfterFunc(inner, src.Stop)
	defer stopped()
	pictures, seen := make(newest.Slot[shot], 1), make(newest.Slot[sighted], behind)
	read, looked := make(chan error, 1), make(chan error, 1)
	go func() {
		defer close(pictures)
		read <- errors.Join(f.read(inner, src, pictures), src.Close())
	}()
	go func() {
		defer close(seen)
		looked <- f.look(inner, pictures, seen)
	}()
	err := f.think(seen)
	cancel()
	if lookErr := <-looked; err == nil {
		err = lookErr
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	if err := <-read; err != nil {
		return &SourceError{err}
	}
	return nil
}

// SourceError is an error of the source, not of those who look and think.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

// Unwrap gives the source's own error.
func (e *SourceError) Unwrap() error { return e.Err }

// read takes pictures in as they come and keeps the newest.
func (f *Follower) read(ctx context.Context, src feed.Source, out newest.Slot[shot]) error {
	for ctx.Err() == nil {
		picture, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		old, dropped := out.Put(shot{picture, f.seq, f.Now()})
		f.seq++
		if dropped {
			old.frame.Release()
		}
		f.tally(func(c *Count) {
			c.Pictures++
			if dropped {
				c.Dropped++
			}
		})
	}
	return nil
}

// look runs the networks on the newest picture, again and again.
func (f *Follower) look(ctx context.Context, in newest.Slot[shot], out newest.Slot[sighted]) error {
	for {
		var s shot
		var more bool
		select {
		case <-ctx.Done(): // whatever the reader waits for
			return nil
		case s, more = <-in:
		}
		if !more {
			return nil
		}
		began := f.Now()
		seen, err := f.Watcher.See(s.frame)
		if err == nil {
			seen.Scene = f.surroundings.Next(s.frame, seen.Bounds())
		}
		s.frame.Release()
		if errors.Is(err, solve.ErrBetween) {
			f.tally(func(c *Count) { c.Between++ })
			continue
		}
		if err != nil {
			return err
		}
		done := f.Now()
		f.measure(Capture, began.Sub(s.at))
		f.measure(Network, done.Sub(began))
		if _, lost := out.Put(sighted{seen, s.seq, s.at, done}); lost {
			f.tally(func(c *Count) { c.Unsolved++ })
		}
	}
}

// think solves what was seen last, again and again; what was seen before that is taken
// in without.
func (f *Follower) think(in newest.Slot[sighted]) error {
	for s := range in {
		for len(in) > 0 {
			if err := f.Watcher.Note(&s.Sighting); err != nil && !Waiting(err) {
				return err
			}
			f.judge.see(&s.Sighting)
			f.tally(func(c *Count) { c.Unsolved++ })
			s = <-in
		}
		if err := f.solve(&s); err != nil {
			return err
		}
	}
	return nil
}

// solve makes a record of a sighting and hands it on.
func (f *Follower) solve(s *sighted) error {
	r := poserecord.Record{Seq: s.seq, TimeS: s.TimeS}
	pose, err := f.Watcher.Think(&s.Sighting)
	switch {
	case err == nil:
		r.Signs, r.TimeS, r.Pose = poserecord.Posed, pose.TimeS, pose.Pose
		f.tally(func(c *Count) { c.Poses++ })
		f.judge.pose(&pose)
	case errors.Is(err, solve.ErrBetween):
		f.judge.see(&s.Sighting)
		return nil
	case errors.Is(err, solve.ErrSettling):
		r.Signs = poserecord.Settling
	case !errors.Is(err, landmark.ErrNoPerson):
		return err
	}
	f.judge.see(&s.Sighting)
	for _, n := range f.judge.weigh(s.TimeS, f.Watcher) {
		f.Tell(n)
	}
	r.Signs |= f.judge.signs
	now := f.Now()
	r.AgeS = now.Sub(s.at).Seconds() + s.TimeS - r.TimeS
	if err == nil {
		f.measure(Solver, now.Sub(s.seenAt))
		f.measure(Total, now.Sub(s.at))
		f.measure(Age, time.Duration(r.AgeS*float64(time.Second)))
	}
	return f.Emit(&r)
}

func (f *Follower) tally(change func(*Count)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.count)
}

func (f *Follower) measure(s Stage, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.whole.Add(s, d)
	f.last.Add(s, d)
}

// Count is what became of the pictures so far.
func (f *Follower) Count() Count {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Latency is a copy of the latencies from the beginning.
func (f *Follower) Latency() *Meter {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.whole
	return &m
}

// LastLatency is that since the last call.
func (f *Follower) LastLatency() *Meter {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.last
	f.last = Meter{}
	return &m
}
