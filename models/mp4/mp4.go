// Package mp4 writes H.264 video files from RGB pictures through an ffmpeg
// process, so that no video library is linked in. A file appears under its name
// only when it is complete. The same pictures give the same bytes: one encoder
// thread, no time stamps or version texts in the file.
//
// A Writer belongs to one goroutine.
package mp4

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/atomicfile"
)

// ErrNoFFmpeg says that the program ffmpeg is not on this machine.
var ErrNoFFmpeg = errors.New("mp4: ffmpeg is not installed: run make deps, or apt-get install ffmpeg")

// Options say how the pictures become a file; the zero value is what New does.
type Options struct {
	// Filters of ffmpeg, in their order, that all pictures pass first. They are the
	// caller's own words, never somebody else's.
	Filters  []string
	CRF      int  // of x264: 0 for the default of 20, 51 is the poorest
	OwnTimes bool // the filters decide which pictures there are, and when
	// TurnDeg is what the file's display matrix turns its pictures by, clockwise, where
	// they are shown: 0, 90, 180 or 270, as phones write it.
	TurnDeg int
}

// Writer encodes one video.
type Writer struct {
	name     string
	opt      Options
	part     *atomicfile.File // encoded here, published at Close
	width    int
	height   int
	cmd      *exec.Cmd
	in       io.WriteCloser
	said     bytes.Buffer // ffmpeg's complaints
	finished bool
}

// New starts the encoder for a video of widthPx x heightPx pixels (both even, as
// H.264's 4:2:0 colour needs) at fps frames per second. Missing parent folders
// are created.
func New(name string, widthPx, heightPx int, fps float64) (*Writer, error) {
	return NewWith(name, widthPx, heightPx, fps, Options{})
}

// NewWith is New with options. Filters may change the size of the pictures in the file.
func NewWith(name string, widthPx, heightPx int, fps float64, o Options) (*Writer, error) {
	if widthPx < 2 || heightPx < 2 || widthPx%2 != 0 || heightPx%2 != 0 {
		return nil, fmt.Errorf("mp4: %s: picture of %d x %d pixels; legal: even numbers from 2", name, widthPx, heightPx)
	}
	if !(fps > 0 && fps <= 1000) {
		return nil, fmt.Errorf("mp4: %s: %g frames per second; legal: above 0, at most 1000", name, fps)
	}
	if o.CRF < 0 || o.CRF > 51 {
		return nil, fmt.Errorf("mp4: %s: crf %d; legal: 0 (which is 20) to 51", name, o.CRF)
	}
	if _, ok := turned(o.TurnDeg, 0, 0); !ok {
		return nil, fmt.Errorf("mp4: %s: turned by %d degrees; legal: 0, 90, 180, 270", name, o.TurnDeg)
	}
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	part, err := atomicfile.Create(name)
	if err != nil {
		return nil, fmt.Errorf("mp4: %w", err)
	}
	w := &Writer{name: name, opt: o, part: part, width: widthPx, height: heightPx}
	w.cmd = exec.Command(program, o.arguments(widthPx, heightPx, fps, part.Path())...)
	w.cmd.Stderr = &w.said
	if w.in, err = w.cmd.StdinPipe(); err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		part.Abort()
		return nil, fmt.Errorf("mp4: start ffmpeg: %w", err)
	}
	return w, nil
}

// arguments of ffmpeg.
func (o Options) arguments(widthPx, heightPx int, fps float64, file string) []string {
	crf := 20
	if o.CRF > 0 {
		crf = o.CRF
	}
	args := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-s", fmt.Sprintf("%dx%d", widthPx, heightPx),
		"-r", strconv.FormatFloat(fps, 'f', -1, 64), "-i", "pipe:0", "-an"}
	if len(o.Filters) > 0 {
		args = append(args, "-vf", strings.Join(o.Filters, ","))
	}
	if o.OwnTimes {
		args = append(args, "-fps_mode", "vfr")
	}
	return append(args, "-c:v", "libx264", "-preset", "veryfast", "-crf", strconv.Itoa(crf), "-pix_fmt", "yuv420p",
		"-threads", "1", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact",
		// Without "file:" a colon would make ffmpeg take a folder's name for a
		// protocol, as in rtmp:/host/film.mp4, and send the film there.
		"-movflags", "+faststart", "-f", "mp4", "file:"+file)
}

// WriteRGB appends one picture: three bytes a pixel, top row first.
func (w *Writer) WriteRGB(rgb []byte) error {
	if len(rgb) != 3*w.width*w.height {
		panic("mp4: picture of wrong size")
	}
	if _, err := w.in.Write(rgb); err != nil {
		return w.failed(err)
	}
	return nil
}

// Close finishes the file and gives it its name; on an error nothing is left.
// Closing again does nothing.
func (w *Writer) Close() error {
	if w.finished {
		return nil
	}
	w.finished = true
	defer w.part.Abort() // does nothing when all went well
	w.in.Close()
	if err := w.cmd.Wait(); err != nil {
		return w.failed(err)
	}
	if w.opt.TurnDeg != 0 {
		if err := turn(w.part.Path(), w.opt.TurnDeg); err != nil {
			return fmt.Errorf("mp4: %s: %w", w.name, err)
		}
	}
	if err := w.part.Commit(); err != nil {
		return fmt.Errorf("mp4: %s: %w", w.name, err)
	}
	return nil
}

// Abort stops the encoder and leaves no file. After Close it does nothing, so it
// can be deferred.
func (w *Writer) Abort() {
	if w.finished {
		return
	}
	w.finished = true
	w.cmd.Process.Kill()
	w.in.Close()
	_ = w.cmd.Wait() // it was killed: nothing to learn
	w.part.Abort()
}

// failed adds ffmpeg's own words to an error.
func (w *Writer) failed(err error) error {
	if !w.finished {
		w.finished = true
		w.in.Close()
		_ = w.cmd.Wait() // flushes what ffmpeg said
		w.part.Abort()
	}
	if said := strings.TrimSpace(w.said.String()); said != "" {
		return fmt.Errorf("mp4: %s: ffmpeg: %s (%w)", w.name, said, err)
	}
	return fmt.Errorf("mp4: %s: ffmpeg: %w", w.name, err)
}
