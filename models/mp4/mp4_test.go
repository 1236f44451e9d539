package mp4

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func needFFmpeg(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make deps installs it")
	}
}

// film writes n frames whose grey level rises by 20 each.
func film(t *testing.T, name string, n int) []byte {
	t.Helper()
	w, err := New(name, 64, 48, 25)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for i := range n {
		if err := w.WriteRGB(bytes.Repeat([]byte{byte(20 * i), byte(20 * i), byte(20 * i)}, 64*48)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("the file has its name before it is complete")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPicturesComeBack(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	a := film(t, filepath.Join(dir, "sub", "a.mp4"), 10)
	if b := film(t, filepath.Join(dir, "b.mp4"), 10); !bytes.Equal(a, b) {
		t.Error("the same pictures give different files")
	}
	raw, err := exec.Command("ffmpeg", "-loglevel", "error", "-i", filepath.Join(dir, "b.mp4"),
		"-f", "rawvideo", "-pix_fmt", "gray", "pipe:1").Output()
	if err != nil || len(raw) != 10*64*48 {
		t.Fatalf("%d bytes back, want 10 frames of 64 x 48: %v", len(raw), err)
	}
	for i := range 10 {
		// 3: quantisation at crf 20 and the narrower range of video levels.
		if got := int(raw[i*64*48+1000]); got < 20*i-3 || got > 20*i+3 {
			t.Errorf("frame %d: grey %d, want %d", i, got, 20*i)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A folder whose name looks like a network protocol is a folder: the film must
// not leave this machine.
func TestNoProtocolInNames(t *testing.T) {
	needFFmpeg(t)
	t.Chdir(t.TempDir())
	for _, name := range []string{"rtmp://127.0.0.1:1/a.mp4", "tcp:127.0.0.1:1/b.mp4", "http:/c.mp4", "-y.mp4"} {
		if film(t, name, 2); t.Failed() {
			t.Fatalf("%s was not written as a file", name)
		}
	}
}

func TestNothingHalfWritten(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	w, err := New(filepath.Join(dir, "a.mp4"), 64, 48, 25)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteRGB(make([]byte, 3*64*48)); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	// An encoder that dies half way.
	w, err = New(filepath.Join(dir, "b.mp4"), 64, 48, 25)
	if err != nil {
		t.Fatal(err)
	}
	w.cmd.Process.Kill()
	for err = nil; err == nil; {
		err = w.WriteRGB(make([]byte, 3*64*48))
	}
	if !strings.Contains(err.Error(), "b.mp4") {
		t.Errorf("error does not name the file: %v", err)
	}
	// An encoder that dies at the end.
	w, err = New(filepath.Join(dir, "c.mp4"), 64, 48, 25)
	if err != nil {
		t.Fatal(err)
	}
	w.cmd.Process.Kill()
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "c.mp4") {
		t.Errorf("a killed encoder: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBadArguments(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.mp4")
	for _, c := range []struct {
		w, h int
		fps  float64
		want string
	}{{63, 48, 25, "63"}, {64, 0, 25, "64 x 0"}, {64, 48, 0, "0 frames"}, {64, 48, 2000, "1000"}} {
		if _, err := New(name, c.w, c.h, c.fps); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c, err)
		}
	}
	t.Setenv("PATH", "")
	if _, err := New(name, 64, 48, 25); !errors.Is(err, ErrNoFFmpeg) {
		t.Errorf("without ffmpeg: %v", err)
	}
}
