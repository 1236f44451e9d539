package feed

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/video"
)

// ErrNoFFmpeg says that the program ffmpeg is not on this machine.
var ErrNoFFmpeg = errors.New("feed: ffmpeg is not installed: run make deps, or apt-get install ffmpeg")

// silences say how long a camera or a stream may be silent before it counts as gone: at
// its start, when a stream waits for a picture that stands alone, and later.
type silences struct{ first, later time.Duration }

var usualSilences = silences{15 * time.Second, 5 * time.Second}

// program reads a camera or a stream through ffmpeg, which writes each picture as a
// bitmap with its size before it.
type program struct {
	place    Place
	limits   silences
	cmd      *exec.Cmd
	out      io.ReadCloser
	r        *bufio.Reader
	said     *tail
	start    time.Time
	lastS    float64
	pictures int
	silence  *time.Timer
	silent   bool
	mu       sync.Mutex // of silent
	pool     pool
	row      [4]byte
	once     sync.Once
	failed   error // how ffmpeg ended
}

// NewProgram opens a camera or a stream. Pictures are stamped with the time since start
// at which they came.
func NewProgram(p Place, start time.Time) (Source, error) { return newProgram(p, start, usualSilences) }

func newProgram(p Place, start time.Time, limits silences) (Source, error) {
	name, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	s := &program{place: p, limits: limits, start: start, said: &tail{}, cmd: exec.Command(name, arguments(p)...), lastS: -1}
	s.cmd.Stderr = s.said
	if s.out, err = s.cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("feed: ffmpeg: %w", err)
	}
	s.r = bufio.NewReaderSize(s.out, 1<<18)
	s.silence = time.AfterFunc(limits.first, s.tooSilent)
	return s, nil
}

// arguments tell ffmpeg to hand on every picture at once. What it kept while it looked
// for the format (nobuffer would lose it) comes in a burst, of which the newest counts.
func arguments(p Place) []string {
	args := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-flags", "low_delay",
		"-threads", "1", "-max_pixels", strconv.Itoa(video.MaxPixels)}
	if p.Kind == Camera {
		args = append(args, "-f", "v4l2")
	} else {
		scheme, _, _ := strings.Cut(p.Name, "://")
		args = append(args, "-protocol_whitelist", schemes[strings.ToLower(scheme)], "-analyzeduration", "1000000")
	}
	return append(args, "-i", p.Name, "-map", "0:v:0", "-fps_mode", "passthrough",
		"-f", "image2pipe", "-c:v", "bmp", "-pix_fmt", "bgr24", "-")
}

// tooSilent ends ffmpeg, which ends the Next that waits for it.
func (s *program) tooSilent() {
	s.mu.Lock()
	s.silent = true
	s.mu.Unlock()
	s.kill()
}

// kill ends ffmpeg; that it has ended already is no fault.
func (s *program) kill() { _ = s.cmd.Process.Kill() }

// The header of a bitmap: file and picture header (BITMAPFILEHEADER, BITMAPINFOHEADER).
const bitmapHead = 14 + 40

func (s *program) Next() (*video.Frame, error) {
	var head [bitmapHead]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return nil, s.ended()
	}
	u32 := func(at int) int { return int(int32(binary.LittleEndian.Uint32(head[at:]))) }
	w, h, skip := u32(18), u32(22), u32(10)-bitmapHead
	if string(head[:2]) != "BM" || binary.LittleEndian.Uint16(head[28:]) != 24 || skip < 0 || skip > 1024 {
		return nil, fmt.Errorf("feed: %v: ffmpeg wrote no bitmap of 24 bits a pixel", s.place)
	}
	if err := video.CheckSize(w, h); err != nil {
		return nil, infile.Refuse("feed: "+s.place.String(), err)
	}
	if _, err := s.r.Discard(skip); err != nil {
		return nil, s.ended()
	}
	pix := s.pool.take(3 * w * h)
	pad := s.row[:(4-3*w%4)%4]
	for y := h - 1; y >= 0; y-- { // from the bottom
		if _, err := io.ReadFull(s.r, pix[3*w*y:3*w*(y+1)]); err != nil {
			return nil, s.ended()
		}
		if _, err := io.ReadFull(s.r, pad); err != nil {
			return nil, s.ended()
		}
	}
	s.silence.Reset(s.limits.later)
	s.pictures++
	// Two pictures that come at once are of two times.
	s.lastS = max(time.Since(s.start).Seconds(), s.lastS+1e-4)
	return video.Lend(s.lastS, w, h, pix, func() { s.pool.give(pix) }), nil
}

// ended is why there is no further picture.
func (s *program) ended() error {
	s.silence.Stop()
	failed := s.end()
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	// Addresses hold secrets, and are named already.
	said := strings.TrimPrefix(strings.ReplaceAll(s.said.last(), s.place.Name, s.place.String()), s.place.String()+": ")
	switch {
	case strings.Contains(s.said.text(), "not on whitelist"):
		return infile.Refuse("feed: "+s.place.String(), errors.New("what it names lies on this machine, or is reached by other ways than the address itself; legal: streams that lie in the network as a whole"))
	case silent:
		return fmt.Errorf("feed: %v: no picture came for some seconds: %w", s.place, ErrGone)
	case s.pictures == 0 && said != "":
		return fmt.Errorf("feed: %v: %s", s.place, said)
	case s.pictures == 0:
		return fmt.Errorf("feed: %v: it gives no picture", s.place)
	case s.place.Kind == Stream && failed == nil && !strings.Contains(s.said.text(), "prematurely"):
		return io.EOF
	}
	if said != "" {
		return fmt.Errorf("feed: %v: %w: %s", s.place, ErrGone, said)
	}
	return fmt.Errorf("feed: %v: %w", s.place, ErrGone)
}

// end ends ffmpeg and says how it ended.
func (s *program) end() error {
	s.kill()
	s.once.Do(func() { s.failed = s.cmd.Wait() })
	return s.failed
}

// Stop ends ffmpeg, and with it a Next that waits.
func (s *program) Stop() { s.kill() }

// Close ends ffmpeg and sees to what is left of it; that it was killed is no fault.
func (s *program) Close() error {
	s.silence.Stop()
	_ = s.end()
	return nil
}

// tail keeps the end of what a program says.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailBytes = 4096

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	if n := len(t.end); n > tailBytes {
		t.end = append(t.end[:0], t.end[n-tailBytes:]...)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

// last is the last line.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(t.text()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
