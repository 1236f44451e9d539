//go:build mujoco && cgo

package demonstrator

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
)

// shirtPx is the middle of the magenta pixels, and how many there are.
func shirtPx(rgb []byte, w, h int) (x, y float64, n int) {
	for i := range w * h {
		if r, g, b := int(rgb[3*i]), int(rgb[3*i+1]), int(rgb[3*i+2]); r > 2*g+40 && b > 2*g+40 {
			x, y, n = x+float64(i%w)+0.5, y+float64(i/w)+0.5, n+1
		}
	}
	return x / float64(max(n, 1)), y / float64(max(n, 1)), n
}

// What the truth says of the camera and of what is hidden is what the pictures show: a magenta shirt is where the
// chest is projected to, and is gone where the truth says so.
func TestPicturesShowWhatTheTruthSays(t *testing.T) {
	const w, h = 128, 160
	for name, o := range map[string]Options{
		"still":   {},
		"shaking": {Moves: Moves{ShakeDeg: 4, SwayM: 0.15, PanDeg: 12}, StageM: [2]float64{0.2, -0.1}},
		"crossed": {Second: Second{Does: "before"}},
		"pillar":  {Props: []string{"pillar:0.05"}, Moves: Moves{PanDeg: 3}},
	} {
		o.WidthPx, o.HeightPx, o.FPS, o.Look.Shirt = w, h, 5, "#ff00ff"
		if o.Look.Background = "studio"; name == "crossed" {
			o.FPS = 8
		}
		truth, k := take(t, "one_leg_balance", o)
		most, wrong, hiddenSome := 0, 0, false
		var shown []int
		err := Film(context.Background(), truth, o, func(i int, rgb []byte) error {
			x, y, n := shirtPx(rgb, w, h)
			shown, most = append(shown, n), max(most, n)
			p := &truth.Frames[i].Positions
			chest := p[human.Chest].Lerp(p[human.Pelvis], 0.28)
			px, _ := k.Project(k.Pictures[i].Camera, chest)
			// The shirt with its sleeves is 30 pixels high; its middle lies within a few of the rib cage's.
			if o.Second.Does == "" && o.Props == nil && math.Hypot(px[0]-x, px[1]-y) > 3 {
				t.Errorf("%s, picture %d: the shirt is at %.1f, %.1f, the chest at %.1f", name, i, x, y, px)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range shown {
			v := &k.Pictures[i].Visible
			all := v[human.LShoulder] && v[human.RShoulder] && v[human.Chest]
			none := !v[human.LShoulder] && !v[human.RShoulder] && !v[human.Chest]
			hiddenSome = hiddenSome || !all
			if all && n < most/3 || none && n > 2*most/3 {
				wrong++
			}
		}
		if wrong > 0 || hiddenSome != (name == "crossed" || name == "pillar") {
			t.Errorf("%s: %d of %d pictures show another person than the truth says; hidden at times: %v", name, wrong, len(shown), hiddenSome)
		}
	}
}

// Everything at once is a function of the options, to the byte; the file holds the pictures that the truth lists.
func TestHardClipsAreReproducible(t *testing.T) {
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: make deps installs it", program)
		}
	}
	o := Options{WidthPx: 96, HeightPx: 128, FPS: 6, Second: Second{Does: "pass", Clothes: "alike"}, Props: []string{"table", "pillar"},
		Moves: Moves{ShakeDeg: 1, PanDeg: 5, Follow: true}, Look: Look{Backlight: 0.5, Light: 0.6},
		Picture: Picture{CutTop: 0.1, RotateDeg: 90, PixelAspect: 1.5, Noise: 10, Uneven: true, CRF: 30}}
	dir := t.TempDir()
	var files [2][4][]byte
	for i, name := range []string{"a.mp4", "b.mp4"} {
		m, err := Find("step_up")
		if err != nil {
			t.Fatal(err)
		}
		done, err := Record(context.Background(), m, o, filepath.Join(dir, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, f := range []string{done.Video, done.Truth, done.Scene, done.Second} {
			if files[i][k], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for k := range files[0] {
		if !bytes.Equal(files[0][k], files[1][k]) {
			t.Errorf("file %d differs", k)
		}
	}
	k, err := LoadTake(filepath.Join(dir, "a.truth.scene.npz"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", filepath.Join(dir, "a.mp4"), "-fps_mode", "passthrough", "-f", "framehash", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out, []byte("\n0,")); n != len(k.Pictures) {
		t.Errorf("%d pictures in the file, %d in the truth", n, len(k.Pictures))
	}
}
