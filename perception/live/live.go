// Package live follows one person through pictures that arrive one at a time and
// says what pose they are in: tracker and solver in their causal forms, joined.
//
// The pose of a push is that of a few pictures before (solve.DefaultLagFrames, so
// that a foot can be seen to stand); nothing that comes later changes it, and
// memory does not grow. Where the picture does not show the person there is no
// pose. Cameras, files and queues are not here: whoever has pictures pushes them,
// and leaves out those that are already too old.
//
// A Watcher belongs to one goroutine. The same pictures give the same poses.
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
	solver  *solve.Causal
	width   int
	height  int
	looked  bool // at the surroundings, once
}

// New makes a watcher. The tracker stays the caller's to close.
func New(t Tracker, o Options) *Watcher { return &Watcher{tracker: t, opt: o} }

// Push looks at the next picture (time stamps rising) and returns the pose that is
// due; the picture may be released afterwards. Without a pose the error says why:
// Waiting tells the ordinary reasons from faults.
func (w *Watcher) Push(f *video.Frame) (solve.Pose, error) {
	if w.solver == nil {
		c, err := solve.NewCausal(solve.CausalOptions{Options: w.opt.Options,
			WidthPx: f.WidthPx, HeightPx: f.HeightPx, LagFrames: w.opt.LagFrames})
		if err != nil {
			return solve.Pose{}, err
		}
		w.solver, w.width, w.height = c, f.WidthPx, f.HeightPx
	}
	if f.WidthPx != w.width || f.HeightPx != w.height {
		return solve.Pose{}, fmt.Errorf("live: picture of %d x %d pixels after %d x %d: one camera has one size",
			f.WidthPx, f.HeightPx, w.width, w.height)
	}
	if !w.solver.Wants(f.TimeS) {
		return solve.Pose{}, solve.ErrBetween
	}
	seen, err := w.tracker.Step(f)
	if err != nil {
		return solve.Pose{}, err
	}
	if seen.Disowned > 0 {
		w.solver.Forget()
	}
	if seen.Found && !w.looked {
		edges := lines.Find(f.Pix, f.WidthPx, f.HeightPx, lines.Around(&seen.Frame))
		w.solver.See(lines.NewView(edges, f.WidthPx, f.HeightPx))
		w.looked = true
	}
	return w.solver.Push(&seen.Frame)
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
