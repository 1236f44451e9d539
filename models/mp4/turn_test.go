package mp4

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// corner is a picture of 64 x 48 that is white in its upper left quarter.
func corner() []byte {
	rgb := make([]byte, 3*64*48)
	for y := range 24 {
		for i := range 3 * 32 {
			rgb[3*64*y+i] = 255
		}
	}
	return rgb
}

func write(t *testing.T, name string, o Options, n int) {
	t.Helper()
	w, err := NewWith(name, 64, 48, 10, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for range n {
		if err := w.WriteRGB(corner()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A player turns the stored picture clockwise by what the file says, so that the white corner goes round.
func TestPlayersTurnThePicture(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	for deg, want := range map[int]struct{ w, h, x, y int }{0: {64, 48, 10, 10}, 90: {48, 64, 38, 10}, 180: {64, 48, 54, 38}, 270: {48, 64, 10, 54}} {
		name := filepath.Join(dir, fmt.Sprint(deg, ".mp4"))
		write(t, name, Options{TurnDeg: deg}, 3)
		raw, err := exec.Command("ffmpeg", "-loglevel", "error", "-i", name, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1").Output()
		if err != nil || len(raw) != 64*48 {
			t.Fatalf("%d degrees: %d bytes, %v", deg, len(raw), err)
		}
		for _, p := range [][2]int{{10, 10}, {want.w - 10, 10}, {10, want.h - 10}, {want.w - 10, want.h - 10}} {
			white := raw[p[1]*want.w+p[0]] > 128
			if white != (p == [2]int{want.x, want.y}) {
				t.Errorf("%d degrees: pixel %v is white: %v", deg, p, white)
			}
		}
	}
}

// Filters that leave pictures out leave the time stamps of the others as they were.
func TestFiltersDecideTheTimes(t *testing.T) {
	needFFmpeg(t)
	if _, err := exec.LookPath("ffprobe"); err != nil {
		t.Skip(err)
	}
	name := filepath.Join(t.TempDir(), "a.mp4")
	write(t, name, Options{Filters: []string{"select='not(eq(mod(n,3),1))'", "scale=32:24"}, OwnTimes: true, CRF: 40}, 7)
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "frame=pts_time,width", "-of", "csv=p=0", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []string
	for line := range strings.Lines(string(out)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		at, width, _ := strings.Cut(strings.TrimSpace(line), ",")
		if strings.TrimSuffix(width, ",") != "32" {
			t.Errorf("line %q: width %q, want 32", line, width)
		}
		times = append(times, at)
	}
	if got := strings.Join(times, " "); got != "0.000000 0.200000 0.300000 0.500000 0.600000" {
		t.Errorf("pictures at %s", got)
	}
}

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	var files [2][]byte
	for i := range files {
		name := filepath.Join(dir, fmt.Sprint(i, ".mp4"))
		write(t, name, Options{Filters: []string{"noise=all_seed=1:alls=20:allf=t"}, TurnDeg: 90, CRF: 30}, 5)
		var err error
		if files[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two files differ")
	}
	for what, o := range map[string]Options{"0 (which is 20) to 51": {CRF: 99}, "0, 90, 180, 270": {TurnDeg: 45}} {
		if _, err := NewWith(filepath.Join(dir, "b.mp4"), 64, 48, 10, o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	w, err := NewWith(filepath.Join(dir, "c.mp4"), 64, 48, 10, Options{Filters: []string{"nosuchfilter"}})
	if err == nil {
		for err == nil {
			err = w.WriteRGB(corner())
		}
	}
	if !strings.Contains(err.Error(), "nosuchfilter") {
		t.Errorf("an unknown filter: %v", err)
	}
}
