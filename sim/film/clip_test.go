package film

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/mp4"
)

func needFFmpeg(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make deps installs it")
	}
}

// greyClip writes n pictures of 64 x 48 at 10 frames per second; picture i has
// grey level 20 i.
func greyClip(t *testing.T, n int) string {
	t.Helper()
	needFFmpeg(t)
	name := filepath.Join(t.TempDir(), "grey.mp4")
	w, err := mp4.New(name, 64, 48, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.WriteRGB(bytes.Repeat([]byte{byte(20 * i)}, 3*64*48)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// The picture shown at a time must be the person's of that time: held before
// the lead-in is over, held after the end.
func TestClipKeepsTheClock(t *testing.T) {
	name := greyClip(t, 12)
	c, err := playClip(context.Background(), Clip{Video: name, FromS: 0.2, StartS: 0.5, EndS: 1.2},
		Options{PaneWidthPx: 64, HeightPx: 96, FPS: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, want := range []struct {
		second float64
		grey   int
	}{{0, 40}, {0.3, 40}, {0.5, 40}, {0.62, 60}, {0.84, 100}, {1.1, 160}, {1.3, 160}, {9, 160}} {
		p, err := c.at(want.second)
		if err != nil {
			t.Fatal(err)
		}
		// 20 is one picture of the clip: the film's frames fall between them.
		if got := int(p.rgb[3*(48*64+32)]); got < want.grey-20 || got > want.grey+20 {
			t.Errorf("%g s: grey %d, want %d", want.second, got, want.grey)
		}
		// The pane is taller than the clip: a border above and below.
		if top := p.rgb[3*32]; top < 235 {
			t.Errorf("%g s: border is %d, want paper", want.second, top)
		}
	}
}

// A robot that takes twice as long sees a person at half speed.
func TestClipFollowsASlowedRobot(t *testing.T) {
	video := greyClip(t, 12)
	for what, clip := range map[string]Clip{
		"Time": {Video: video, Time: func(s float64) float64 { return (s - 1) / 2 }},
		"Rate": {Video: video, StartS: 1, Rate: 0.5},
	} {
		c, err := playClip(context.Background(), clip, Options{PaneWidthPx: 64, HeightPx: 48, FPS: 20})
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		for second, grey := range []int{0, 0, 100, 200} {
			p, err := c.at(float64(second))
			if err != nil {
				t.Fatal(err)
			}
			if got := int(p.rgb[3*(24*64+32)]); got < grey-20 || got > grey+20 {
				t.Errorf("%s, %d s: grey %d, want %d", what, second, got, grey)
			}
		}
	}
}

func TestClipFaultsNameTheFile(t *testing.T) {
	needFFmpeg(t)
	o := Options{PaneWidthPx: 64, HeightPx: 48, FPS: 20}
	if _, err := playClip(context.Background(), Clip{Video: "/none/x.mp4"}, o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.mp4")
	if err := os.WriteFile(bad, []byte("no video"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, clip := range map[string]Clip{"damaged": {Video: bad}, "behind the end": {Video: greyClip(t, 3), FromS: 60}} {
		c, err := playClip(context.Background(), clip, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.at(0); err == nil || !strings.Contains(err.Error(), clip.Video) {
			t.Errorf("%s: %v does not name the file", what, err)
		}
		c.close()
	}
}

func TestLettersAreSeen(t *testing.T) {
	l, err := newLettering(480)
	if err != nil {
		t.Fatal(err)
	}
	c := newCanvas(200, 60)
	l.label(c, 0, 0, "person")
	plate, letters := 0, 0
	for i := 0; i < len(c.rgb); i += 3 {
		switch v := c.rgb[i]; {
		case v > 180:
			plate++
		case v > 20 && v < 60:
			letters++
		}
	}
	if plate < 1000 || letters < 100 {
		t.Errorf("%d light and %d dark pixels: no label to read", plate, letters)
	}
	if l.width("person beside robot") > 400 {
		t.Errorf("letters do not suit the pane: %d pixels", l.width("person beside robot"))
	}
}

func TestBadPanesAreRefused(t *testing.T) {
	q := make([]float64, 7)
	for want, p := range map[string][]Pane{
		"no panes":    nil,
		"0 positions": {{PeriodS: 0.02}},
		"0 s apart":   {{QPos: [][]float64{q}}},
		"root":        {{QPos: [][]float64{q, q[:6]}, PeriodS: 0.02}},
	} {
		if err := Write(context.Background(), "x.mp4", "", p, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	ok := []Pane{{QPos: [][]float64{q}, PeriodS: 0.02}}
	for want, o := range map[string]Options{"even": {PaneWidthPx: 33, HeightPx: 64}, "240": {FPS: 1000}, "3600": {Seconds: 1e6}} {
		if err := Write(context.Background(), "x.mp4", "", ok, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := Sheet(context.Background(), "", ok, nil, Options{}); err == nil {
		t.Error("a sheet of no moments")
	}
}
