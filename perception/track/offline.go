package track

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

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
	// Doubts are the times in which somebody else may have been followed, by rising
	// time.
	Doubts []Doubt
	Camera Camera
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
	v := &run{open: open, window: w}
	var err error
	if v.wish, err = choice.parse(); err != nil {
		return Result{}, err
	}
	if at := v.wish.atS; v.wish.timed && (at < w.FromS || w.ToS > 0 && at >= w.ToS) {
		return Result{}, fmt.Errorf("track: person %q: %gs does not lie between %gs and %s", string(choice), at, w.FromS, v.endText())
	}
	src, err := open()
	if err != nil {
		return Result{}, err
	}
	v.info, v.first = src.Info(), src
	if v.nets, err = load(); err != nil {
		return Result{}, errors.Join(err, src.Close())
	}
	defer v.close()
	v.report = newCounter(nil)
	if progress != nil {
		v.report.call = func(done int) { progress(done, v.total) }
	}
	r, err := v.whole(ctx)
	if err != nil {
		return r, err
	}
	if other, ok := v.meant(&r); ok {
		v.report.add(-v.total)
		v.wish = other
		again, err := v.whole(ctx)
		switch {
		case err == nil:
			r = again
		case !errors.Is(err, landmark.ErrNoPerson):
			return Result{}, err
		}
	}
	return r, v.steady(ctx, &r)
}

// whole tracks one person through the window.
func (v *run) whole(ctx context.Context) (Result, error) {
	v.plan()
	v.doubts = nil
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
	wish   wish
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
	// doubts of backward passes
	doubts []Doubt
}

// part is one stretch of the video.
type part struct {
	window video.Window
	warm   []Frame // before window.FromS
	frames []Frame
	stats  Stats
	end    *person // state after the last frame
	doubts []Doubt
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
	if v.idle == nil {
		v.idle = make(chan *Tracker, maxParts+1)
	}
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
		t.wish = v.wish
		return t, nil
	default:
		t, err := New(v.nets, Best)
		if err == nil {
			t.wish = v.wish
		}
		return t, err
	}
}

// tracks runs all parts, as many at a time as there are cores.
func (v *run) tracks(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, min(len(v.parts), runtime.NumCPU())))
	for i := range v.parts {
		open := v.open
		if i == 0 && v.first != nil {
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
		t.who = from.clone()
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
	p.stats, p.end, p.doubts = t.Stats, t.who, t.doubts
	return err
}

// disown clears the last n frames.
func disown(frames []Frame, n int) {
	for i := max(0, len(frames)-n); i < len(frames); i++ {
		frames[i].clear()
	}
}

// clear forgets who was seen.
func (f *Frame) clear() {
	*f = Frame{Frame: landmark.Frame{TimeS: f.TimeS}, Index: f.Index, Scene: f.Scene, others: f.others}
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

// result joins the parts, fills gaps backwards and counts.
func (v *run) result(ctx context.Context) (Result, error) {
	r := Result{Info: v.info}
	for _, p := range v.parts {
		r.Frames = append(r.Frames, p.frames...)
		r.Stats.Detections += p.stats.Detections
		r.Stats.Losses += p.stats.Losses
		r.Doubts = append(r.Doubts, p.doubts...)
	}
	for i := range r.Frames {
		r.Frames[i].Index = i
	}
	if err := v.fill(ctx, &r); err != nil {
		return Result{}, err
	}
	r.Doubts = append(r.Doubts, v.doubts...)
	slices.SortFunc(r.Doubts, func(a, b Doubt) int { return cmp.Compare(a.FromS, b.FromS) })
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
	r.Warnings = append(r.Warnings, alone(r.Frames)...)
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
