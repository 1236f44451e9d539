package video

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// makeClip runs ffmpeg for a test file, or skips.
func makeClip(t *testing.T, name string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: makes clips with ffmpeg")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("ffmpeg", append(append([]string{"-loglevel", "error"}, args...), path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

func mustOpen(t *testing.T, path string) *Reader {
	t.Helper()
	r, err := Open(path)
	if errors.Is(err, ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// stamps reads to the end.
func stamps(t *testing.T, r *Reader) (out []float64) {
	t.Helper()
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Pix) != 3*f.WidthPx*f.HeightPx {
			t.Fatalf("%d bytes for %dx%d", len(f.Pix), f.WidthPx, f.HeightPx)
		}
		out = append(out, f.TimeS)
		f.Release()
	}
}

// TestEveryFrame: all frames come, also the last ones of a stream with
// B-frames, with rising stamps; and after each jump the very same ones.
func TestEveryFrame(t *testing.T) {
	path := makeClip(t, "b.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30:duration=2", "-c:v", "libx264", "-bf", "3", "-g", "20", "-pix_fmt", "yuv420p")
	r := mustOpen(t, path)
	if i := r.Info(); i.WidthPx != 160 || i.HeightPx != 120 || i.FPS != 30 || i.Frames != 60 || !i.Seekable {
		t.Fatalf("info %+v", i)
	}
	all := stamps(t, r)
	if len(all) != 60 {
		t.Fatalf("%d frames, want 60", len(all))
	}
	for i, s := range all {
		if d := s - float64(i)/30; d > 1e-6 || d < -1e-6 {
			t.Fatalf("frame %d at %v s", i, s)
		}
	}
	for _, i := range []int{59, 0, 31, 19, 20, 58, 1} {
		if err := r.SeekS(all[i]); err != nil {
			t.Fatal(err)
		}
		if rest := stamps(t, r); len(rest) != 60-i || rest[0] != all[i] {
			t.Errorf("after the jump to frame %d: %d frames from %v", i, len(rest), rest[:min(1, len(rest))])
		}
	}
	if err := r.SeekS(99); err != nil {
		t.Error(err)
	}
	if rest := stamps(t, r); len(rest) != 0 {
		t.Errorf("%d frames after the end", len(rest))
	}
}

// TestUneven: stamps are those of the file where frames are not evenly spaced.
func TestUneven(t *testing.T) {
	path := makeClip(t, "v.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30:duration=1", "-vf", "setpts='N*(1+mod(N,2))/30/TB'",
		"-fps_mode", "vfr", "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", "-video_track_timescale", "30000")
	r := mustOpen(t, path)
	all := stamps(t, r)
	uneven := false
	for i := 2; i < len(all); i++ {
		if all[i] <= all[i-1] {
			t.Fatalf("stamps %v, %v do not rise", all[i-1], all[i])
		}
		d := (all[i] - all[i-1]) / (all[i-1] - all[i-2])
		uneven = uneven || d > 1.5 || d < 0.6
	}
	if !uneven {
		t.Errorf("the uneven stamps were evened out: %v", all[:6])
	}
}

// TestBadFiles: each fault is named, and nothing crashes.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	noise := make([]byte, 200000)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	put := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing.mp4"):  "no such file",
		put("empty.mp4", nil):              "is empty",
		dir:                                "a folder",
		filepath.Join(dir, "pic-%03d.png"): "no such file",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	for _, path := range []string{put("noise.mp4", noise), put("text.mp4", []byte("this is not a film\n"))} {
		_, err := Open(path)
		if errors.Is(err, ErrNotBuilt) {
			t.Skip(err)
		}
		if err == nil || !strings.Contains(err.Error(), "not a video") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	// A whole file with its middle destroyed decodes as far as it goes.
	whole := makeClip(t, "a.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30:duration=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)/2:], noise[:len(b)/4])
	r := mustOpen(t, put("torn.mp4", b))
	if n := len(stamps(t, r)); n == 0 || n > 60 {
		t.Errorf("a torn file gave %d frames", n)
	}
	r = mustOpen(t, put("cut.mp4", b[:len(b)/2]))
	if n := len(stamps(t, r)); n == 0 || n >= 60 {
		t.Errorf("a cut file gave %d frames", n)
	}
}

// script is a Source of n frames at 10 per second.
type script struct{ next, n, released int }

func (s *script) Info() Info {
	return Info{FPS: 10, Frames: s.n, WidthPx: 2, HeightPx: 2, Seekable: true}
}
func (s *script) Next() (*Frame, error) {
	if s.next == s.n {
		return nil, io.EOF
	}
	f := NewFrame(float64(s.next)/10, 2, 2, make([]byte, 12))
	f.release = func() { s.released++ }
	s.next++
	return f, nil
}
func (s *script) SeekS(timeS float64) error { s.next = max(0, int(timeS*10)-1); return nil }
func (s *script) Close() error              { return nil }

func TestAhead(t *testing.T) {
	s := &script{n: 50}
	out := make(chan *Frame, 100)
	if err := Ahead(context.Background(), s, Window{FromS: 1, ToS: 2}, out); err != nil {
		t.Fatal(err)
	}
	var got []float64
	for f := range out {
		got = append(got, f.TimeS)
	}
	if len(got) != 10 || got[0] != 1 || got[9] != 1.9 {
		t.Errorf("window 1..2 s gave %v", got)
	}
	if s.released != 2 { // one before, one after the window
		t.Errorf("%d frames released, want 2", s.released)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, out = &script{n: 50}, make(chan *Frame)
	if err := Ahead(ctx, s, Window{}, out); !errors.Is(err, context.Canceled) || s.released != 1 {
		t.Errorf("cancelled: %v, %d released", err, s.released)
	}
	for _, w := range []Window{{FromS: -1}, {FromS: 3, ToS: 2}, {FromS: 2, ToS: 2}} {
		if err := Ahead(context.Background(), &script{n: 5}, w, make(chan *Frame, 9)); err == nil {
			t.Errorf("window %+v was accepted", w)
		}
	}
}
