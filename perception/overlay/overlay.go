// Package overlay draws tracked landmarks onto the pictures of a video and
// films the result.
//
// Nobody can be recognised unless the caller asks for it. Of the body of the
// tracked person, within an outline around the landmarks, the colours of cells are
// shown that are a fifth of a head wide; their head becomes a coarse mosaic, and
// everything else, whoever is there, a wash of a few colours. That does not depend
// on a detector that sees all people; none does. Where the tracked person is not
// seen, the whole picture is washed. Of a person who stands before the tracked one,
// nearer to the camera, the cells would show more: heads that Options.Heads finds
// are cut out of the outline, a second before and after too.
//
// Drawing is done on plain bytes, without a graphics library. Functions keep no
// state.
package overlay

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Options say what is drawn.
type Options struct {
	// ShowFaces leaves heads and surroundings as they are.
	ShowFaces bool
	// HeightPx scales the pictures down to this height; 0 keeps the size.
	// Sizes are rounded down to even numbers.
	HeightPx int
	// Heads, when given, lists the heads in a picture, called for each in order;
	// track.HeadFinder.Find does. The video is read twice then.
	Heads func(f *video.Frame) ([]track.Disc, error)
}

// Size gives the size of the drawn pictures for a video.
func (o Options) Size(info video.Info) (widthPx, heightPx int) {
	w, h := info.WidthPx, info.HeightPx
	if o.HeightPx > 0 && o.HeightPx < h {
		w, h = w*o.HeightPx/h, o.HeightPx
	}
	return max(w&^1, 2), max(h&^1, 2)
}

// Film reads the pictures that belong to frames, draws, and hands each to
// visit: three bytes a pixel, red first, of the size that Size gives, valid
// until visit returns. Frames whose picture is not in the source are skipped.
func Film(ctx context.Context, src video.Source, frames []track.Frame, o Options, visit func(i int, rgb []byte) error) error {
	if len(frames) == 0 {
		return errors.New("overlay: no frames")
	}
	if o.HeightPx < 0 {
		return fmt.Errorf("overlay: height %d px; legal: 0 (as it is) or more", o.HeightPx)
	}
	var heads [][]track.Disc
	if o.Heads != nil && !o.ShowFaces {
		var err error
		if heads, err = others(ctx, src, frames, o.Heads); err != nil {
			return err
		}
		if err := src.SeekS(window(src, frames).FromS); err != nil {
			return err
		}
	}
	w, h := o.Size(src.Info())
	out := make([]byte, 3*w*h)
	body := outline{keep: make([]byte, w*h), w: w, h: h}
	return pictures(ctx, src, frames, func(i int, f *video.Frame) error {
		if !o.ShowFaces && frames[i].Found {
			for _, c := range headsNear(frames, i) {
				mosaic(f, c, headCells)
			}
		}
		scale(out, w, h, f)
		k, sx, sy := canvas{rgb: out, w: w, h: h}, float64(w)/float64(f.WidthPx), float64(h)/float64(f.HeightPx)
		if !o.ShowFaces {
			clear(body.keep)
			bodyPx := 0
			if frames[i].Found {
				body.person(&frames[i], sx, sy)
				bodyPx = int(math.Ceil(2 * head(&frames[i]).RadiusPx * sy / bodyCells))
			}
			for _, d := range around(frames, heads, i) {
				body.remove(d.XPx*sx, d.YPx*sy, d.RadiusPx*sy)
			}
			k.wash(body, bodyPx)
		}
		if frames[i].Found {
			k.skeleton(&frames[i], sx, sy)
		}
		return visit(i, out)
	})
}

// window is the time of the video that frames cover.
func window(src video.Source, frames []track.Frame) video.Window {
	half := 0.5 / src.Info().FPS
	return video.Window{FromS: max(0, frames[0].TimeS-half), ToS: frames[len(frames)-1].TimeS + half}
}

// pictures hands each picture that belongs to a frame to visit.
func pictures(ctx context.Context, src video.Source, frames []track.Frame, visit func(i int, f *video.Frame) error) error {
	half := 0.5 / src.Info().FPS
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan *video.Frame, 3)
	decoded := make(chan error, 1)
	go func() { decoded <- video.Ahead(ctx, src, window(src, frames), ahead) }()
	next := 0
	var failed error
	for f := range ahead {
		for next < len(frames) && frames[next].TimeS < f.TimeS-half {
			next++
		}
		if failed == nil && next < len(frames) && frames[next].TimeS < f.TimeS+half {
			failed = visit(next, f)
			next++
		}
		if failed == nil {
			failed = ctx.Err()
		}
		if failed != nil {
			cancel()
		}
		f.Release()
	}
	if err := <-decoded; failed == nil {
		failed = err
	}
	return failed
}

// Write films to an mp4 file, which appears only when it is complete.
func Write(ctx context.Context, name string, src video.Source, frames []track.Frame, o Options) error {
	w, h := o.Size(src.Info())
	movie, err := mp4.New(name, w, h, src.Info().FPS)
	if err != nil {
		return err
	}
	defer movie.Abort()
	if err := Film(ctx, src, frames, o, func(_ int, rgb []byte) error { return movie.WriteRGB(rgb) }); err != nil {
		return err
	}
	return movie.Close()
}
