package track

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/mitori-robotics/mitori/perception/video"
)

// fillBlock is how many pictures the backward pass holds at a time.
const fillBlock = 16

// companyFrames are looked through for others whom a backward pass must know.
const companyFrames = 90

// fill follows the person backwards from the first frame after each gap: who
// is hard to find from nothing is easy to follow from a good view.
func (v *run) fill(ctx context.Context, r *Result) error {
	if !v.info.Seekable {
		return nil
	}
	for i := len(r.Frames) - 1; i > 0; i-- {
		if !r.Frames[i].Found || r.Frames[i-1].Found {
			continue
		}
		start := i - 1
		for start > 0 && !r.Frames[start-1].Found {
			start--
		}
		if doubted(r.Doubts, r.Frames[i-1].TimeS) {
			continue
		}
		n, err := v.fillGap(ctx, r.Frames, start, i)
		if err != nil {
			return err
		}
		r.Stats.Filled += n
	}
	return nil
}

// doubted tells whether it is not known who was followed at a time.
func doubted(all []Doubt, timeS float64) bool {
	for _, d := range all {
		if timeS >= d.FromS && timeS <= d.ToS {
			return true
		}
	}
	return false
}

// fillGap tracks frames[start:end] from the last to the first, until the person is
// lost, and returns how many were found. Before a chosen time nobody was followed
// yet: there it looks for a person who was lost, as forwards.
func (v *run) fillGap(ctx context.Context, frames []Frame, start, end int) (int, error) {
	t, err := v.tracker()
	if err != nil {
		return 0, err
	}
	after := frames[end]
	t.who = &person{roi: after.ROI, last: after.ROI, lastS: -after.TimeS,
		clothes: clothesAround(frames[end:min(len(frames), end+companyFrames)]), filter: newROIFilter(), following: true, frames: youngFrames}
	for i := end; i < min(len(frames), end+companyFrames); i++ {
		t.who.note(-after.TimeS, frames[i].others)
	}
	defer func() {
		for _, d := range t.doubts {
			v.doubts = append(v.doubts, Doubt{FromS: -d.ToS, ToS: -d.FromS, Alike: d.Alike})
		}
		v.idle <- t
	}()
	persist := v.wish.timed && frames[start].TimeS < v.wish.atS
	filled := 0
	for end > start {
		from := max(start, end-fillBlock)
		block, err := v.block(ctx, frames[from].TimeS, frames[end].TimeS)
		if err != nil {
			return filled, err
		}
		if len(block) != end-from { // another number than before: leave it
			releaseAll(block)
			break
		}
		n, done, err := t.backwards(block, frames[from:end], persist)
		filled += n
		releaseAll(block)
		if err != nil || done {
			return filled, err
		}
		end = from
	}
	return filled, nil
}

// backwards follows the person through pictures from the last to the first. It is
// done where the person is lost, unless it shall persist.
func (t *Tracker) backwards(block []*video.Frame, frames []Frame, persist bool) (filled int, done bool, err error) {
	for i := len(block) - 1; i >= 0; i-- {
		// Time runs backwards here, and filters want it to rise.
		f := block[i]
		f.TimeS = -f.TimeS
		if persist {
			out, err := t.Step(f)
			if err != nil {
				return filled, true, err
			}
			for k := i + 1; k <= min(i+out.Disowned, len(frames)-1); k++ {
				frames[k].clear()
			}
			if out.Found {
				frames[i].set(seen{presence: out.Presence, marks: out.Landmarks, world: out.WorldM}, out.ROI, out.wear)
				filled++
			}
			frames[i].others = out.others
			continue
		}
		s, roi, ok, err := t.follow(f)
		if err != nil || !ok {
			return filled, true, err
		}
		t.accept(f, s, roi)
		frames[i].set(s, roi, t.who.worn)
		filled++
	}
	return filled, false, nil
}

// block decodes the pictures with time stamps from fromS to before toS.
func (v *run) block(ctx context.Context, fromS, toS float64) ([]*video.Frame, error) {
	var out []*video.Frame
	src, err := v.open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	half := 0.5 / v.info.FPS
	if err := src.SeekS(max(0, fromS-half)); err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			releaseAll(out)
			return nil, err
		}
		if f.TimeS >= toS {
			f.Release()
			return out, nil
		}
		if f.TimeS < fromS {
			f.Release()
			continue
		}
		out = append(out, f)
	}
	releaseAll(out)
	return nil, ctx.Err()
}

func releaseAll(frames []*video.Frame) {
	for _, f := range frames {
		f.Release()
	}
}

// counter sums progress from several goroutines.
type counter struct {
	mu   sync.Mutex
	done int
	call func(done int)
}

func newCounter(call func(done int)) *counter { return &counter{call: call} }

func (c *counter) add(n int) {
	if c.call == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	c.call(c.done)
}
