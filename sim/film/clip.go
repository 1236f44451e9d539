package film

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/mp4"
)

// clipPlayer shows a clip at rising times, fitted into a pane with a plain
// border, by decoding it through ffmpeg at the film's own rate.
type clipPlayer struct {
	clip  Clip
	fps   float64
	now   *canvas
	shown int // pictures decoded so far, less one
	ended bool

	cmd  *exec.Cmd
	pipe io.ReadCloser
	out  *bufio.Reader
	said bytes.Buffer
	done bool
}

func playClip(ctx context.Context, c Clip, o Options) (*clipPlayer, error) {
	if _, err := os.Stat(c.Video); err != nil {
		return nil, fmt.Errorf("film: person's video: %w", err)
	}
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, mp4.ErrNoFFmpeg
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	w, h := o.PaneWidthPx, o.HeightPx
	fit := fmt.Sprintf("fps=%s,scale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2,"+
		"pad=%d:%d:(ow-iw)/2:(oh-ih)/2:color=0x%02x%02x%02x,setsar=1", number(o.FPS), w, h, w, h, paper.R, paper.G, paper.B)
	if r := c.CropPx; r[2] > 0 {
		fit = fmt.Sprintf("crop=%d:%d:%d:%d,", r[2], r[3], r[0], r[1]) + fit
	}
	p := &clipPlayer{clip: c, fps: o.FPS, now: newCanvas(w, h), shown: -1}
	// Without "file:" a colon would make ffmpeg take a name for a protocol; and a
	// file that names others (a playlist) must not lead out of this machine.
	p.cmd = exec.CommandContext(ctx, program, "-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1",
		"-protocol_whitelist", "file,crypto,data",
		"-ss", number(c.FromS), "-i", "file:"+c.Video, "-an", "-vf", fit,
		"-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
	p.cmd.Stderr = &p.said
	if p.pipe, err = p.cmd.StdoutPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("film: start ffmpeg: %w", err)
	}
	p.out = bufio.NewReaderSize(p.pipe, 1<<20)
	return p, nil
}

// at returns the picture for a time on the film's clock; times must rise.
func (p *clipPlayer) at(second float64) (*canvas, error) {
	p.ended = p.ended || p.clip.EndS > 0 && second >= p.clip.EndS && p.shown >= 0
	for want := max(0, int(math.Round(p.clip.time(second)*p.fps))); p.shown < want && !p.ended; {
		switch err := p.read(p.now.rgb); {
		case err == nil:
			p.shown++
		case errors.Is(err, io.EOF) && p.shown >= 0:
			p.ended = true
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%s has no picture at %g s", p.clip.Video, p.clip.FromS)
		default:
			return nil, err
		}
	}
	return p.now, nil
}

// read decodes one picture, or returns io.EOF after the last.
func (p *clipPlayer) read(rgb []byte) error {
	_, err := io.ReadFull(p.out, rgb)
	if err == nil {
		return nil
	}
	p.done = true
	if werr := p.cmd.Wait(); werr != nil {
		return fmt.Errorf("%s: ffmpeg: %s (%w)", p.clip.Video, strings.TrimSpace(p.said.String()), werr)
	}
	// ffmpeg ended well, so a broken last picture is the end all the same. The
	// picture on show may be half overwritten only if it never was whole.
	return io.EOF
}

func (p *clipPlayer) close() {
	if p.done {
		return
	}
	p.done = true
	p.cmd.Process.Kill()
	p.pipe.Close()
	_ = p.cmd.Wait() // it was killed: nothing to learn
}
