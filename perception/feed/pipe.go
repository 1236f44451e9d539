package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/video"
)

// pipe reads frames of one size, one behind the other. Their times follow from their
// number: what writes them decides how fast they come.
type pipe struct {
	r       *bufio.Reader
	close   func() error
	format  Format
	marked  bool // every frame has a line before it (YUV4MPEG2)
	frame   []byte
	pool    pool
	counted int
}

// NewPipe reads frames of the given format; nil reads YUV4MPEG2, which says itself how
// it is laid out.
func NewPipe(r io.ReadCloser, raw *Format) (Source, error) {
	p := &pipe{r: bufio.NewReaderSize(r, 1<<16), close: r.Close}
	if raw != nil {
		p.format = *raw
	} else if err := p.head(); err != nil {
		return nil, err
	}
	p.frame = make([]byte, p.format.bytes())
	return p, nil
}

const (
	y4mMagic = "YUV4MPEG2"
	y4mFrame = "FRAME"
	// lineLimit is more than any header line has.
	lineLimit = 1024
)

// line reads a line of text of bounded length.
func (p *pipe) line() (string, error) {
	var text []byte
	for len(text) < lineLimit {
		b, err := p.r.ReadByte()
		if err != nil {
			return string(text), err
		}
		if b == '\n' {
			return string(text), nil
		}
		text = append(text, b)
	}
	return "", errors.New("a header line without end")
}

// head reads the first line of a YUV4MPEG2 stream.
func (p *pipe) head() error {
	begin, err := p.r.Peek(len(y4mMagic))
	if len(begin) == 0 && errors.Is(err, io.EOF) {
		return errors.New("feed: standard input: it is empty")
	}
	if !bytes.Equal(begin, []byte(y4mMagic)) {
		return infile.Refuse("feed: standard input", errors.New("it is no YUV4MPEG2 stream; raw frames need --raw, as in --raw 640x480@30:bgr24"))
	}
	text, err := p.line()
	if err != nil {
		return fmt.Errorf("feed: standard input: it ends in its header: %w", err)
	}
	p.marked = true
	if p.format, err = parseY4M(text); err != nil {
		return infile.Refuse("feed: standard input", err)
	}
	return nil
}

// parseY4M reads the header line of a YUV4MPEG2 stream (yuv4mpeg(5) of mjpegtools).
func parseY4M(text string) (Format, error) {
	f := Format{FPS: 30}
	chroma, full := "420", false
	for _, word := range strings.Fields(text)[1:] {
		value := word[1:]
		switch word[0] {
		case 'W':
			f.WidthPx, _ = strconv.Atoi(value)
		case 'H':
			f.HeightPx, _ = strconv.Atoi(value)
		case 'F':
			f.FPS = ratio(value)
		case 'A':
			if a := ratio(value); a > 0 && a != 1 {
				return f, fmt.Errorf("pixels of width to height %s; legal: square ones (1:1), as after ffmpeg's -vf scale", value)
			}
		case 'C':
			chroma = value
		case 'X':
			full = full || value == "COLORRANGE=FULL"
		}
	}
	if chroma == "mono" {
		f.layout = layout{name: chroma, pixel: 1}
		return f, f.check()
	}
	kinds := map[string][2]int{"420": {2, 2}, "420jpeg": {2, 2}, "420mpeg2": {2, 2}, "420paldv": {2, 2}, "422": {2, 1}, "444": {1, 1}}
	k, ok := kinds[chroma]
	if !ok {
		return f, fmt.Errorf("chroma %q; legal: 420, 420jpeg, 420mpeg2, 420paldv, 422, 444, mono (8 bits)", chroma)
	}
	f.layout = layout{name: chroma, across: k[0], down: k[1], full: full}
	return f, f.check()
}

// ratio reads "30000:1001"; what is none is 0.
func ratio(text string) float64 {
	a, b, _ := strings.Cut(text, ":")
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || y == 0 {
		return 0
	}
	return x / y
}

// Next reads a frame. A stream that ends in the middle of one has ended before it.
func (p *pipe) Next() (*video.Frame, error) {
	if p.marked {
		text, err := p.line()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil || !strings.HasPrefix(text, y4mFrame) {
			return nil, fmt.Errorf("feed: standard input: picture %d does not begin with %s: the stream is damaged", p.counted, y4mFrame)
		}
	}
	if _, err := io.ReadFull(p.r, p.frame); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return nil, err
	}
	pix := p.pool.take(3 * p.format.WidthPx * p.format.HeightPx)
	p.format.convert(pix, p.frame)
	timeS := float64(p.counted) / p.format.FPS
	p.counted++
	return video.Lend(timeS, p.format.WidthPx, p.format.HeightPx, pix, func() { p.pool.give(pix) }), nil
}

// Stop does nothing: a read of standard input cannot be ended, its writer ends it.
func (p *pipe) Stop() {}

func (p *pipe) Close() error { return p.close() }
