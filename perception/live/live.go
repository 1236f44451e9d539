// Package live follows one person through pictures that arrive one at a time and
// says what pose they are in: tracker and solver in their causal forms, joined. Follow
// does it for a source that does not wait: networks and solver side by side, the newest
// picture first, what is too old left out.
//
// The pose of a push is that of a few pictures before (solve.DefaultLagFrames, so
// that a foot can be seen to stand); nothing that comes later changes it, and
// memory does not grow. Where the picture does not show the person there is no
// pose. Cameras and streams are not here (perception/feed), nor is whoever hears of
// the poses.
//
// A Watcher belongs to one goroutine, but for See, which may have one of its own. The
// same pictures give the same poses.
package live

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/lines"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Tracker sees the person in the next picture; *track.Tracker does.
type Tracker interface {
	Step(f *video.Frame) (track.Frame, error)
}

// Options say how to solve. The zero value is a sound default, but for the lag.
type Options struct {
	solve.Options
	LagFrames int // see solve.CausalOptions
}

// Watcher turns pictures into poses.
type Watcher struct {
	tracker Tracker
	opt     Options
	// Of See.
	began         bool
	looked        bool // at the surroundings, once
	lastS         float64
	width, height int
	// Of Note and Think.
	solver *solve.Causal
}

// New makes a watcher. The tracker stays the caller's to close.
func New(t Tracker, o Options) *Watcher { return &Watcher{tracker: t, opt: o} }

// Push looks at the next picture (time stamps rising) and returns the pose that is
// due; the picture may be released afterwards. Without a pose the error says why:
// Waiting tells the ordinary reasons from faults.
func (w *Watcher) Push(f *video.Frame) (solve.Pose, error) {
	seen, err := w.See(f)
	if err != nil {
		return solve.Pose{}, err
	}
	return w.Think(&seen)
}

// Sighting is what was seen in a picture of that size.
type Sighting struct {
	track.Frame
	WidthPx, HeightPx int
	edges             *lines.View // of the surroundings; with the first sighting only
}

// See is the first half of Push: the networks. solve.ErrBetween says that the picture
// was not looked at, as no pose is due. Another goroutine may think meanwhile.
func (w *Watcher) See(f *video.Frame) (Sighting, error) {
	if w.began && (f.WidthPx != w.width || f.HeightPx != w.height) {
		return Sighting{}, fmt.Errorf("live: picture of %d x %d pixels after %d x %d: one camera has one size",
			f.WidthPx, f.HeightPx, w.width, w.height)
	}
	fps := w.opt.FPS
	if fps == 0 {
		fps = solve.DefaultCausalFPS
	}
	if w.began && !solve.Wanted(f.TimeS-w.lastS, fps) {
		return Sighting{}, solve.ErrBetween
	}
	w.began, w.lastS, w.width, w.height = true, f.TimeS, f.WidthPx, f.HeightPx
	seen, err := w.tracker.Step(f)
	s := Sighting{Frame: seen, WidthPx: f.WidthPx, HeightPx: f.HeightPx}
	if err == nil && seen.Found && !w.looked {
		found := lines.Find(f.Pix, f.WidthPx, f.HeightPx, lines.Around(&seen.Frame))
		s.edges, w.looked = lines.NewView(found, f.WidthPx, f.HeightPx), true
	}
	return s, err
}

// Think is the second half of Push: the solver.
func (w *Watcher) Think(s *Sighting) (solve.Pose, error) {
	if err := w.ready(s); err != nil {
		return solve.Pose{}, err
	}
	return w.solver.Push(&s.Frame.Frame)
}

// Note takes in what was seen and solves nothing: for pictures whose pose nobody can
// wait for. Those after them are solved as well as if it had been.
func (w *Watcher) Note(s *Sighting) error {
	if err := w.ready(s); err != nil {
		return err
	}
	return w.solver.Note(&s.Frame.Frame)
}

// ready makes the solver for pictures of that size, and forgets what was disowned.
func (w *Watcher) ready(s *Sighting) error {
	if w.solver == nil {
		c, err := solve.NewCausal(solve.CausalOptions{Options: w.opt.Options,
			WidthPx: s.WidthPx, HeightPx: s.HeightPx, LagFrames: w.opt.LagFrames})
		if err != nil {
			return err
		}
		w.solver = c
	}
	if s.Disowned > 0 {
		w.solver.Forget()
	}
	if s.edges != nil {
		w.solver.See(s.edges)
	}
	return nil
}

// Report tells what the solver found out so far; nil before the first picture.
func (w *Watcher) Report() *solve.Report {
	if w.solver == nil {
		return nil
	}
	return w.solver.Report()
}

// FPS is the rate of poses, 0 before the first picture.
func (w *Watcher) FPS() float64 {
	if w.solver == nil {
		return 0
	}
	return w.solver.FPS()
}

// Waiting tells whether a push without a pose is in order: nobody to be seen, the
// person not yet known, or no pose due.
func Waiting(err error) bool {
	return errors.Is(err, landmark.ErrNoPerson) || errors.Is(err, solve.ErrSettling) || errors.Is(err, solve.ErrBetween)
}

// Join makes a motion of poses at fps, in order. A place where there is none shows
// the pose before, with no confidence.
func Join(poses []solve.Pose, fps float64) *human.Motion {
	m := &human.Motion{FPS: fps}
	m.Meta.Schema = 1
	for i := range poses {
		if i == 0 {
			m.Meta.StartS = poses[0].TimeS
		}
		at := int((poses[i].TimeS-m.Meta.StartS)*fps + 0.5)
		for i > 0 && len(m.Frames) < at {
			held := m.Frames[len(m.Frames)-1]
			held.Confidence = [human.NumJoints]float64{}
			m.Frames = append(m.Frames, held)
			m.Meta.FramesMissed++
		}
		m.Frames = append(m.Frames, poses[i].Pose)
	}
	return m
}
