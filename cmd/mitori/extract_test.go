package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// extract runs the command and returns its exit code and what it said.
func extractClip(args ...string) (int, string) {
	var out, errOut bytes.Buffer
	code := run(context.Background(), append([]string{"extract"}, args...), &out, &errOut)
	return code, out.String() + errOut.String()
}

func TestExtractUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "1 arg"},
		{[]string{"a.mp4", "b.mp4"}, "--calib"},
		{[]string{"a.mp4", "--model", "huge"}, "lite, full or heavy"},
		{[]string{"a.mp4", "--runtime", "cuda"}, "auto, onnxruntime, opencv"},
		{[]string{"a.mp4", "--person", "tallest"}, "best, largest, left, right, centre"},
		{[]string{"a.mp4", "--from", "5s", "--to", "2s"}, "from < to"},
		{[]string{"a.mp4", "--from", "soon"}, "--from"},
		{[]string{"a.mp4", "--fov", "38", "--focal", "1000"}, "exclude each other"},
		{[]string{"a.mp4", "--fov", "170"}, "5 to 130"},
		{[]string{"a.mp4", "--focal", "-1"}, "50 to 100000"},
		{[]string{"a.mp4", "--focal", "NaN"}, "50 to 100000"},
		{[]string{"a.mp4", "--camera-pitch", "steep"}, "camera-pitch"},
		{[]string{"a.mp4", "--camera-pitch=-90"}, "legal: -85 (up) to 85 (down)"},
		{[]string{"a.mp4", "--camera-height", "100"}, "0.02 to 10"},
		{[]string{"a.mp4", "--causal", "--overlay", "b.mp4"}, "exclude each other"},
	} {
		if code, said := extractClip(c.args...); code != fault.ExitUsage || !strings.Contains(said, c.want) {
			t.Errorf("extract %v: exit code %d, said %q, want %d and %q", c.args, code, said, fault.ExitUsage, c.want)
		}
	}
}

// TestExtractBadVideo: each fault is named with the file, the exit code is that of
// a missing, a damaged or an unsuitable one, and neither the motion nor the overlay nor a part of them is left.
func TestExtractBadVideo(t *testing.T) {
	if _, err := posenet.ParseRuntime("auto"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	noise := make([]byte, 200000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"empty.mp4": nil, "noise.mp4": noise} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]string{"missing.mp4": "missing.mp4", "empty.mp4": "empty.mp4", "noise.mp4": "noise.mp4"}
	if _, err := exec.LookPath("ffmpeg"); err == nil {
		if out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=1",
			filepath.Join(dir, "nobody.mp4")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		cases["nobody.mp4"] = "person"
	}
	before, _ := os.ReadDir(dir)
	for name, want := range cases {
		code, said := extractClip(filepath.Join(dir, name), "-o", filepath.Join(dir, "o.human.npz"), "--overlay", filepath.Join(dir, "o.mp4"))
		if strings.Contains(said, "make deps") {
			t.Skip(said)
		}
		if code != fault.ExitFailed || !strings.Contains(said, want) || strings.Contains(said, "goroutine") {
			t.Errorf("%s: exit code %d, said %q", name, code, said)
		}
	}
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Errorf("left behind: %v", after)
	}
}

// TestExtractRecording runs a real clip through the whole command.
func TestExtractRecording(t *testing.T) {
	clip := "../../../shared/data/pose2sim/videos/cam04.mp4"
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := os.Stat(clip); err != nil {
		t.Skipf("recording is not here: %v", err)
	}
	wholeExtract(t, clip, 24)
}

// TestExtractDemonstration does the same with a clip that is drawn here.
func TestExtractDemonstration(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "wave.mp4")
	demonstratortest.MustFilm(t, clip, "wave", 2, 3, demonstrator.Options{WidthPx: 288, HeightPx: 360, FPS: 30})
	wholeExtract(t, clip, 12)
}

// wholeExtract extracts the first 0.4 s of a clip, which are that many frames, with an overlay.
func wholeExtract(t *testing.T, clip string, frames int) {
	t.Helper()
	dir := t.TempDir()
	out, film := filepath.Join(dir, "o.human.npz"), filepath.Join(dir, "o.mp4")
	code, said := extractClip(clip, "-o", out, "--overlay", film, "--model", "lite", "--to", "0.4s", "--json")
	if strings.Contains(said, "make deps") || strings.Contains(said, "not built in") {
		t.Skip(said)
	}
	if code != fault.ExitDone || !strings.Contains(said, fmt.Sprintf(`"frames": %d`, frames)) || !strings.Contains(said, `"frames_missed": 0`) {
		t.Fatalf("exit code %d, said %s", code, said)
	}
	m, err := human.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if m.Meta.Source != filepath.Base(clip) || len(m.Meta.SourceSHA256) != 64 || m.Meta.Model != "blazepose-lite" || len(m.Frames) < frames*5/6 {
		t.Errorf("%d frames, meta %+v", len(m.Frames), m.Meta)
	}
	if st, err := os.Stat(film); err != nil || st.Size() < 1000 {
		t.Errorf("overlay: %v", err)
	}
}
