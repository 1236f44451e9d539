package video

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Every container that is promised passes, as the ffmpeg program writes it.
func TestContainersPass(t *testing.T) {
	if testing.Short() {
		t.Skip("runs ffmpeg fifteen times; leave out -short to run it")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	dir := t.TempDir()
	for _, kind := range []string{"mp4", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mpg", "ogv", "flv", "wmv", "gif", "h264", "3gp", "ivf"} {
		name := filepath.Join(dir, "a."+kind)
		args := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=176x144:rate=25:duration=0.4", "-threads", "1"}
		if kind == "ivf" {
			args = append(args, "-c:v", "vp8")
		}
		if out, err := exec.Command("ffmpeg", append(args, name)...).CombinedOutput(); err != nil {
			t.Logf("%s: this ffmpeg cannot write it: %s", kind, out)
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkContainer(name, f); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		f.Close()
	}
}

// What is no video is named, before any decoder sees it: pictures of any size, and
// playlists, which would make it open other files.
func TestOtherFilesAreRefused(t *testing.T) {
	for what, head := range map[string]string{
		"a picture":      "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x40\x00\x00\x00\x40\x00",
		"a playlist":     "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n",
		"a text":         "<?xml version=\"1.0\"?><MPD></MPD>",
		"65535 x 65535":  "GIF89a\xff\xff\xff\xff\x00\x00\x00",
		"0 x 5":          "GIF89a\x00\x00\x05\x00\x00\x00\x00",
		"unknown format": "\xef\xbb\xbf#EXTM3U\n",
	} {
		name := filepath.Join(t.TempDir(), "clip.mp4")
		if err := os.WriteFile(name, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		refused := what != "unknown format" // which is no refusal: nobody can read it
		if _, err := checkFile(name); err == nil || errors.Is(err, infile.ErrUnusable) != refused || !strings.Contains(err.Error(), what) {
			t.Errorf("%.10q: %v; want %q, refused: %v", head, err, what, refused)
		}
	}
	if err := checkContainer("nothing", bytes.NewReader(nil)); err == nil {
		t.Error("nothing passed for a video")
	}
}

func TestPictureSizeIsBounded(t *testing.T) {
	for _, c := range []struct {
		w, h int
		ok   bool
	}{{1920, 1080, true}, {4320, 8192, true}, {16384, 16384, false}, {1 << 40, 1 << 40, false}, {0, 100, false}, {100, -1, false}} {
		if err := CheckSize(c.w, c.h); (err == nil) != c.ok {
			t.Errorf("%d x %d: %v", c.w, c.h, err)
		}
	}
}
