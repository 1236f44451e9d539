//go:build mujoco && cgo

package film

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/robot"
)

func panes(t *testing.T) (string, []Pane) {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	q := make([]float64, 27)
	q[2], q[3] = 0.2837, 1
	return d.MJCF, []Pane{{QPos: [][]float64{q, q, q, q, q, q}, PeriodS: 0.02}, {Picture: func(rgb []byte, s float64) error {
		for i := range rgb {
			rgb[i] = byte(200)
		}
		return nil
	}}}
}

func TestWrite(t *testing.T) {
	if _, err := exec.LookPath("ffprobe"); err != nil {
		t.Skip("ffprobe is not installed")
	}
	mjcf, p := panes(t)
	name := filepath.Join(t.TempDir(), "x.mp4")
	if err := Write(context.Background(), name, mjcf, p, Options{PaneWidthPx: 96, HeightPx: 96}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries",
		"stream=width,height,nb_read_frames", "-of", "csv=p=0", name).Output()
	if err != nil || strings.TrimSpace(string(out)) != "196,96,4" {
		t.Errorf("video is %q (%v); want 196,96,4", out, err)
	}
}

func TestNothingHalfWritten(t *testing.T) {
	mjcf, p := panes(t)
	dir := t.TempDir()
	boom := errors.New("no picture")
	p[1].Picture = func([]byte, float64) error { return boom }
	if err := Write(context.Background(), filepath.Join(dir, "x.mp4"), mjcf, p, Options{PaneWidthPx: 96, HeightPx: 96}); !errors.Is(err, boom) {
		t.Errorf("error %v; want %v", err, boom)
	}
	if _, err := os.Stat(filepath.Join(dir, "x.mp4")); err == nil {
		t.Error("a half-written video was left")
	}
	if err := Write(context.Background(), "x.mp4", mjcf, nil, Options{}); err == nil {
		t.Error("no panes accepted")
	}
}
