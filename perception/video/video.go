// Package video reads video files, picture by picture, through OpenCV.
// Pictures are those that a player shows: upright (the rotation and the
// mirrors that the file asks for are applied) and with square pixels. They carry
// the presentation time stamp of the file. The program ffprobe says how a file
// wants to be shown.
//
// Files are checked before OpenCV sees them, since a C++ exception inside it
// ends the process. Writing video is package models/mp4; what is in the
// pictures is package track.
//
// The code that needs OpenCV is behind the build tag opencv; without it, Open
// returns ErrNotBuilt. A Reader belongs to one goroutine; a Frame may be handed
// to another one.
package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/mitori-robotics/mitori/models/infile"
)

// ErrNotBuilt reports that the program was built without OpenCV.
var ErrNotBuilt = errors.New("video: not built in: reading video needs -tags opencv")

// Info describes a video.
type Info struct {
	Path              string
	WidthPx, HeightPx int
	FPS               float64
	// Frames is the container's count; 0 if it does not say. Damaged files
	// have fewer.
	Frames int
	// Seekable is false for files whose time stamps cannot be used; their
	// TimeS is counted from FPS.
	Seekable bool
	// FocalPx is the camera's focal length in pixels of the upright picture, by
	// what the camera wrote into the file; 0 where it wrote nothing. What it
	// wrote is rounded, and of the lens: stabilised pictures show less.
	FocalPx float64
}

// Frame is one picture.
type Frame struct {
	TimeS             float64
	WidthPx, HeightPx int
	// Pix holds blue, green, red bytes, rows from the top without gaps. It
	// is valid until Release.
	Pix     []byte
	release func()
}

// NewFrame makes a picture that owns its pixels; it panics if pix does not fill
// the size.
func NewFrame(timeS float64, widthPx, heightPx int, pix []byte) *Frame {
	if widthPx < 1 || heightPx < 1 || len(pix) != 3*widthPx*heightPx {
		panic("video: pixels do not fill the picture")
	}
	return &Frame{TimeS: timeS, WidthPx: widthPx, HeightPx: heightPx, Pix: pix}
}

// Release gives the pixels back to the Reader for reuse. Call it once.
func (f *Frame) Release() {
	if f.release != nil {
		f.release()
	}
	f.Pix = nil
}

// Window is the half-open span of time to read, [FromS, ToS) seconds. ToS 0
// stands for the end.
type Window struct{ FromS, ToS float64 }

// Check reports a window that holds nothing.
func (w Window) Check() error {
	if !(w.FromS >= 0) || math.IsInf(w.FromS, 0) || !(w.ToS >= 0) || (w.ToS > 0 && w.ToS <= w.FromS) {
		return fmt.Errorf("video: time window from %gs to %gs; legal: 0s <= from < to", w.FromS, w.ToS)
	}
	return nil
}

// Contains tells whether a time stamp lies in the window.
func (w Window) Contains(timeS float64) bool {
	return timeS >= w.FromS && (w.ToS == 0 || timeS < w.ToS)
}

// Source gives pictures in order of time. Reader is one; tests have others.
type Source interface {
	Info() Info
	// Next gives the following picture, or io.EOF after the last.
	Next() (*Frame, error)
	// SeekS makes the first picture at or after a time the next one.
	SeekS(timeS float64) error
	Close() error
}

// Opener opens the same video again, so that parts can be read side by side.
type Opener func() (Source, error)

// Ahead reads the window of src into out until its end, so that decoding runs
// beside the consumer; the channel's capacity is how far. It blocks, closes
// out, and returns nil at the end of the window. Pictures it could not hand
// over are released.
func Ahead(ctx context.Context, src Source, w Window, out chan<- *Frame) error {
	defer close(out)
	if err := w.Check(); err != nil {
		return err
	}
	if w.FromS > 0 {
		if err := src.SeekS(w.FromS); err != nil {
			return err
		}
	}
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !w.Contains(f.TimeS) {
			past := w.ToS > 0 && f.TimeS >= w.ToS
			f.Release()
			if past {
				return nil
			}
			continue
		}
		select {
		case out <- f:
		case <-ctx.Done():
			f.Release()
			return ctx.Err()
		}
	}
}

// checkFile finds what can be said about a bad file without decoding it, and
// returns an absolute path, which no decoder takes for a URL or a pattern.
func checkFile(path string) (string, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("video: %w", err)
	case st.Mode().IsRegular() && st.Size() == 0:
		return "", fmt.Errorf("video: %s: it is empty", path)
	}
	f, err := infile.Open(path, math.MaxInt64) // it is read piece by piece
	if err != nil {
		return "", fmt.Errorf("video: %w", err)
	}
	defer f.Close()
	if err := checkContainer(path, f); err != nil {
		return "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("video: %w", err)
	}
	return abs, nil
}
