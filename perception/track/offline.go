package track

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/scene"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Result is the landmark stream of one video.
type Result struct {
	Info   video.Info
	Frames []Frame // one for each picture of the window, by rising time
	Stats  Stats
	// Returns are the gaps between two sightings, by rising time.
	Returns []Return
	// Undecoded is how many pictures the file has by its own account and nobody could
	// decode, because it ends early or is damaged; 0 where it is within the tolerance.
	Undecoded int
	// Warnings say in words what a user should know.
	Warnings []string
}

const (
	// aheadFrames is how far decoding runs ahead of the networks.
	aheadFrames = 2
	// warmFrames are read before a part begins, so that its tracker has
	// settled and can be compared with that of the part before.
	warmFrames = 4
	// A video is cut into an even number of parts of at least partFrames,
	// by its length alone, never by the number of cores: the result must
	// not depend on the machine.
	splitFrames, partFrames, maxParts = 80, 100, 8
)

// parts is the number of parts that a video of n frames is cut into.
func parts(n int, seekable bool) int {
	switch {
	case !seekable || n < splitFrames:
		return 1
	case n < 4*partFrames:
		return 2
	}
	return min(maxParts, 2*(n/(2*partFrames)))
}

// Video tracks one person through the window of a video. Parts of the video
// run side by side on the machine's cores, each with its own decoder and
// networks; progress (may be nil) hears the number of finished frames and the
// expected total, from several goroutines one at a time.
func Video(ctx context.Context, open video.Opener, o Options, w video.Window, progress func(done, total int)) (Result, error) {
	if err := errors.Join(o.Check(), w.Check()); err != nil {
		return Result{}, err
	}
	load := func() (*Networks, error) { return LoadNetworks(o) }
	return runVideo(ctx, open, load, o.Person, w, progress)
}

func runVideo(ctx context.Context, open video.Opener, load func() (*Networks, error), choice Choice, w video.Window,
	progress func(done, total int)) (Result, error) {
	v := &run{open: open, choice: choice, window: w}
	src, err := open()
	if err != nil {
		return Result{}, err
	}
	v.info, v.first = src.Info(), src
	v.plan()
	if v.nets, err = load(); err != nil {
		return Result{}, errors.Join(err, src.Close())
	}
	defer v.close()
	v.report = newCounter(nil)
	if progress != nil {
		v.report.call = func(done int) { progress(done, v.total) }
	}
	if err := v.tracks(ctx); err != nil {
		return Result{}, err
	}
	if err := v.join(ctx); err != nil {
		return Result{}, err
	}
	return v.result(ctx)
}

// run is the state of one call of Video.
type run struct {
	open   video.Opener
	choice Choice
	info   video.Info
	window video.Window
	total  int
	parts  []part
	report *counter
	nets   *Networks
	// first is the source that gave info; the first part goes on with it.
	first video.Source
	// idle trackers, for reuse.
	idle chan *Tracker
}

// part is one stretch of the video.
type part struct {
	window video.Window
	warm   []Frame // before window.FromS
	frames []Frame
	stats  Stats
	end    *person // state after the last frame
}

// plan cuts the window into parts, between frames.
func (v *run) plan() {
	fps := v.info.FPS
	endS := v.window.ToS
	if n := float64(v.info.Frames) / fps; v.info.Frames > 0 && (endS == 0 || endS > n) {
		endS = n
	}
	v.total = max(0, int(math.Round((endS-v.window.FromS)*fps)))
	n := parts(v.total, v.info.Seekable)
	v.parts = make([]part, n)
	for i := range v.parts {
		p := &v.parts[i]
		p.window = v.window
		if i > 0 {
			p.window.FromS = v.cut(i, n)
		}
		if i < n-1 {
			p.window.ToS = v.cut(i+1, n)
		}
	}
	v.idle = make(chan *Tracker, n+1)
}

// cut is the time before part i of n, half a frame off the time stamps of a
// video of constant frame rate. Of two parts the first is a little longer,
// since the second must decode up to its beginning.
func (v *run) cut(i, n int) float64 {
	at := v.total * i / n
	if n == 2 {
		at = v.total * 53 / 100
	}
	return v.window.FromS + (float64(at)-0.5)/v.info.FPS
}

// tracker takes an idle tracker or opens one.
func (v *run) tracker() (*Tracker, error) {
	select {
	case t := <-v.idle:
		t.Reset()
		return t, nil
	default:
		return New(v.nets, v.choice)
	}
}

// tracks runs all parts, as many at a time as there are cores.
func (v *run) tracks(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, min(len(v.parts), runtime.NumCPU())))
	for i := range v.parts {
		open := v.open
		if i == 0 {
			open = func() (video.Source, error) {
				src := v.first
				v.first = nil
				return src, nil
			}
		}
		g.Go(func() error { return v.track(ctx, &v.parts[i], open, i > 0, nil) })
	}
	return g.Wait()
}

// track follows the person through one part; from is the state to begin with.
func (v *run) track(ctx context.Context, p *part, open video.Opener, warmUp bool, from *person) error {
	t, err := v.tracker()
	if err != nil {
		return err
	}
	defer func() { v.idle <- t }()
	if from != nil {
		who := *from
		t.who = &who
	}
	w := p.window
	if warmUp {
		w.FromS = max(v.window.FromS, w.FromS-warmFrames/v.info.FPS)
	}
	again := p.frames // of an earlier pass, which knew the picture before the first
	p.warm, p.frames = nil, nil
	var surroundings scene.Watcher
	err = each(ctx, open, w, func(f *video.Frame) error {
		out, err := t.Step(f)
		if err != nil {
			return err
		}
		disown(p.frames, out.Disowned)
		out.Scene = surroundings.Next(f, out.box())
		if f.TimeS < p.window.FromS {
			p.warm = append(p.warm, out)
			return nil
		}
		p.frames = append(p.frames, out)
		v.report.add(1)
		return nil
	})
	if len(again) > 0 && len(p.frames) > 0 {
		p.frames[0].Scene = again[0].Scene
	}
	p.stats, p.end = t.Stats, t.who
	return err
}

// disown clears the last n frames.
func disown(frames []Frame, n int) {
	for i := max(0, len(frames)-n); i < len(frames); i++ {
		frames[i] = Frame{Frame: landmark.Frame{TimeS: frames[i].TimeS}, Scene: frames[i].Scene}
	}
}

// each decodes a window ahead of what visits its frames.
func each(ctx context.Context, open video.Opener, w video.Window, visit func(*video.Frame) error) error {
	src, err := open()
	if err != nil {
		return err
	}
	defer src.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames := make(chan *video.Frame, aheadFrames)
	decoded := make(chan error, 1)
	go func() { decoded <- video.Ahead(ctx, src, w, frames) }()
	// After an error the channel is drained, so that the reader, which stops
	// when it sees ctx, never waits for a place in it.
	var failed error
	for f := range frames {
		if failed == nil {
			if failed = visit(f); failed == nil {
				failed = ctx.Err()
			}
			if failed != nil {
				cancel()
			}
		}
		f.Release()
	}
	err = <-decoded
	if failed != nil {
		return failed
	}
	return err
}

// join makes sure that every part follows the person of the part before, and
// tracks it again from there where it does not.
func (v *run) join(ctx context.Context) error {
	for i := 1; i < len(v.parts); i++ {
		before, p := &v.parts[i-1], &v.parts[i]
		if before.end == nil {
			continue // nobody yet: the choice is free
		}
		if agree(before.frames, p.warm) {
			continue
		}
		v.report.add(-len(p.frames))
		if err := v.track(ctx, p, v.open, false, before.end); err != nil {
			return err
		}
	}
	return nil
}

// agree tells whether two trackers saw the same person in the last frame that
// both saw.
func agree(a, b []Frame) bool {
	for i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0; {
		switch {
		case a[i].TimeS > b[j].TimeS:
			i--
		case a[i].TimeS < b[j].TimeS:
			j--
		case !a[i].Found || !b[j].Found:
			i, j = i-1, j-1
		default:
			// Regions come out of a slow filter: compare the body.
			p, q := a[i].body(), b[j].body()
			size := math.Max(p.SidePx, q.SidePx)
			return math.Hypot(p.CentreXPx-q.CentreXPx, p.CentreYPx-q.CentreYPx) < 0.1*size && math.Min(p.SidePx, q.SidePx) > 0.7*size
		}
	}
	return false
}

// body is the upright square around the landmarks.
func (f *Frame) body() ROI {
	b := f.box()
	return ROI{CentreXPx: (b.X0 + b.X1) / 2, CentreYPx: (b.Y0 + b.Y1) / 2, SidePx: math.Max(b.X1-b.X0, b.Y1-b.Y0)}
}

// box is the upright rectangle around the landmarks, empty where nobody is seen.
func (f *Frame) box() scene.Box {
	if !f.Found {
		return scene.Box{}
	}
	b := scene.Box{X0: math.Inf(1), Y0: math.Inf(1), X1: math.Inf(-1), Y1: math.Inf(-1)}
	for _, m := range f.Landmarks {
		b.X0, b.X1 = math.Min(b.X0, m.XPx), math.Max(b.X1, m.XPx)
		b.Y0, b.Y1 = math.Min(b.Y0, m.YPx), math.Max(b.Y1, m.YPx)
	}
	return b
}

// result joins the parts, fills gaps backwards and counts.
func (v *run) result(ctx context.Context) (Result, error) {
	r := Result{Info: v.info}
	for _, p := range v.parts {
		r.Frames = append(r.Frames, p.frames...)
		r.Stats.Detections += p.stats.Detections
		r.Stats.Losses += p.stats.Losses
	}
	for i := range r.Frames {
		r.Frames[i].Index = i
	}
	if err := v.fill(ctx, &r); err != nil {
		return Result{}, err
	}
	r.Returns = returns(r.Frames)
	r.Stats.Frames = len(r.Frames)
	gap := 0
	for _, f := range r.Frames {
		if f.Found {
			gap = 0
			continue
		}
		r.Stats.Missed++
		gap++
		r.Stats.LongestGap = max(r.Stats.LongestGap, gap)
	}
	n := len(r.Frames)
	if n == 0 {
		return r, fmt.Errorf("track: %s: no frame lies between %gs and %s", v.info.Path, v.window.FromS, v.endText())
	}
	if found := n - r.Stats.Missed; found < min(youngFrames, n) {
		return r, fmt.Errorf("track: %w in %s (%d frames, a person in %d of them): film one person, whole body, head visible, at least a fifth of the picture's height",
			landmark.ErrNoPerson, v.info.Path, n, found)
	}
	if v.total-n > max(2, v.total/50) {
		r.Undecoded = v.total - n
	}
	r.Warnings = append(r.Warnings, longGaps(r.Frames)...)
	return r, nil
}

// longGaps says where nobody is seen for more than a second.
func longGaps(frames []Frame) (out []string) {
	start := -1
	for i := range frames {
		if !frames[i].Found && start < 0 {
			start = i
		}
		if start >= 0 && (frames[i].Found || i == len(frames)-1) {
			if from, to := frames[start].TimeS, frames[i].TimeS; to-from > 1 {
				out = append(out, fmt.Sprintf("the person is not seen from %.1f s to %.1f s", from, to))
			}
			start = -1
		}
	}
	return out
}

func (v *run) endText() string {
	if v.window.ToS == 0 {
		return "the end"
	}
	return fmt.Sprintf("%gs", v.window.ToS)
}

// close frees what is left; nothing can be lost by a failure to do so.
func (v *run) close() {
	if v.first != nil {
		_ = v.first.Close()
	}
	for {
		select {
		case t := <-v.idle:
			_ = t.Close()
		default:
			_ = v.nets.Close()
			return
		}
	}
}
