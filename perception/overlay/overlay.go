// Package overlay draws tracked landmarks onto the pictures of a video and
// films the result.
//
// Faces are made unrecognisable unless the caller asks for them: the head of
// the tracked person becomes a coarse mosaic, also in the frames around those
// where the person was seen, and a frame in which nothing is known about the
// head within a second is not trusted but blurred as a whole. Other persons in
// the picture are masked only as far as Options.Heads says where they are.
//
// Drawing is done on plain bytes, without a graphics library. Functions keep no
// state.
package overlay

import (
	"context"
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Options say what is drawn.
type Options struct {
	// ShowFaces leaves heads as they are.
	ShowFaces bool
	// HeightPx scales the pictures down to this height; 0 keeps the size.
	// Sizes are rounded down to even numbers.
	HeightPx int
	// Heads, when given, lists further heads to mask in a picture.
	// track.HeadFinder.Find does.
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
		return fmt.Errorf("overlay: height %d px, want 0 (as it is) or more", o.HeightPx)
	}
	info := src.Info()
	w, h := o.Size(info)
	out := make([]byte, 3*w*h)
	half := 0.5 / info.FPS
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pictures := make(chan *video.Frame, 3)
	decoded := make(chan error, 1)
	window := video.Window{FromS: max(0, frames[0].TimeS-half), ToS: frames[len(frames)-1].TimeS + half}
	go func() { decoded <- video.Ahead(ctx, src, window, pictures) }()
	next := 0
	var failed error
	for f := range pictures {
		for next < len(frames) && frames[next].TimeS < f.TimeS-half {
			next++
		}
		if failed == nil && next < len(frames) && frames[next].TimeS < f.TimeS+half {
			if failed = draw(out, w, h, f, frames, next, o); failed == nil {
				failed = visit(next, out)
			}
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

// draw fills out with the masked, scaled picture and the skeleton.
func draw(out []byte, w, h int, f *video.Frame, frames []track.Frame, i int, o Options) error {
	if !o.ShowFaces {
		heads, known := headsNear(frames, i)
		if o.Heads != nil {
			more, err := o.Heads(f)
			if err != nil {
				return err
			}
			heads = append(heads, more...)
		}
		if !known {
			mosaic(f, track.Disc{XPx: float64(f.WidthPx) / 2, YPx: float64(f.HeightPx) / 2, RadiusPx: float64(f.WidthPx + f.HeightPx)}, wholeCells)
		}
		for _, c := range heads {
			mosaic(f, c, headCells)
		}
	}
	scale(out, w, h, f)
	if frames[i].Found {
		k := canvas{rgb: out, w: w, h: h}
		k.skeleton(&frames[i], float64(w)/float64(f.WidthPx), float64(h)/float64(f.HeightPx))
	}
	return nil
}
