//go:build mujoco && cgo

package demonstrator

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// pinhole projects a world point into the picture of the given options, from
// what Camera's documentation says and nothing else.
func pinhole(o Options, p spatial.Vec3) (x, y float64) {
	eye := spatial.Vec3{o.Camera.DistanceM, 0, o.Camera.HeightM}
	ahead := spatial.Vec3{0, 0, 0.54 * o.HeightM}.Sub(eye).Unit(spatial.Vec3{})
	right := spatial.Vec3{0, 1, 0} // of a camera that looks along -x
	up := right.Cross(ahead)
	d := p.Sub(eye)
	focal := float64(o.HeightPx) / 2 / math.Tan(rad(o.Camera.FovDeg)/2)
	return float64(o.WidthPx)/2 + focal*d.Dot(right)/d.Dot(ahead), float64(o.HeightPx)/2 - focal*d.Dot(up)/d.Dot(ahead)
}

// The truth must be what is in the picture: a shoe of a colour that nothing
// else has, found in the pixels, is where the projected joints are.
func TestTruthIsInThePicture(t *testing.T) {
	m, err := Find("one_leg_balance")
	if err != nil {
		t.Fatal(err)
	}
	opt, err := Options{
		WidthPx: 240, HeightPx: 320, HeightM: 1.6, Camera: Camera{AzimuthDeg: 25, HeightM: 1.4},
		Look: Look{Shoes: "#00ff00", Background: "studio"},
	}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Perform(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	lifted := p.Frames[int(3*opt.FPS)]
	p.Frames = []human.Pose{p.Frames[0], lifted}
	err = Film(context.Background(), p, opt, func(frame int, rgb []byte) error {
		f := &p.Frames[frame]
		var want [2][2]float64
		for i := range want {
			mid := f.Positions[joint(human.LHeel, i)].Lerp(f.Positions[joint(human.LToe, i)], 0.5)
			mid[2] += 0.02 * opt.HeightM // shoes rise over their soles
			want[i][0], want[i][1] = pinhole(opt, mid)
		}
		var sum [2][3]float64
		for i := range opt.WidthPx * opt.HeightPx {
			r, g, b := int(rgb[3*i]), int(rgb[3*i+1]), int(rgb[3*i+2])
			if g < 60 || r > g/2 || b > g/2 {
				continue
			}
			x, y := float64(i%opt.WidthPx), float64(i/opt.WidthPx)
			k := 0
			if math.Hypot(x-want[1][0], y-want[1][1]) < math.Hypot(x-want[0][0], y-want[0][1]) {
				k = 1
			}
			sum[k][0], sum[k][1], sum[k][2] = sum[k][0]+x, sum[k][1]+y, sum[k][2]+1
		}
		for k, s := range sum {
			if s[2] < 20 {
				t.Errorf("frame %d: shoe %d has %v pixels", frame, k, s[2])
				continue
			}
			// 4 px: a shoe seen from the front is 10 px wide, and its visible
			// middle is not exactly the middle of its sole.
			if d := math.Hypot(s[0]/s[2]-want[k][0], s[1]/s[2]-want[k][1]); d > 4 {
				t.Errorf("frame %d: shoe %d is %.1f px from the truth", frame, k, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecordIsDeterministicAndWhole(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make deps installs it")
	}
	m := Motions()[0]
	opt := Options{WidthPx: 96, HeightPx: 128, FPS: 6, Seed: 5}
	dir := t.TempDir()
	var files [2][2][]byte
	for i, name := range []string{"a.mp4", "b.mp4"} {
		calls := 0
		done, err := Record(context.Background(), m, opt, filepath.Join(dir, name), func(int, int) { calls++ })
		if err != nil {
			t.Fatal(err)
		}
		if calls != done.Frames {
			t.Errorf("progress heard of %d of %d frames", calls, done.Frames)
		}
		for k, f := range []string{done.Video, done.Truth} {
			if files[i][k], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.Equal(files[0][0], files[1][0]) {
		t.Error("the same options give another video")
	}
	if !bytes.Equal(files[0][1], files[1][1]) {
		t.Error("the same options give another truth")
	}

	empty := filepath.Join(dir, "stopped")
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Record(ctx, m, opt, filepath.Join(empty, "c.mp4"), func(done, _ int) {
		if done == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped film: %v", err)
	}
	if left, _ := os.ReadDir(empty); len(left) != 0 {
		t.Errorf("a stopped film leaves %v", left)
	}
}

// Every background and a tall person can be drawn, and the person stands out.
func TestLooksDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, look := range []Look{{}, {Background: "studio"}, {Background: "garden"}, {Light: 0.4}, {Shirt: "#c03020"}} {
		p, err := Perform(Motions()[0], Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.Frames = p.Frames[:1]
		err = Film(context.Background(), p, Options{WidthPx: 96, HeightPx: 128, Look: look}, func(_ int, rgb []byte) error {
			seen[string(rgb)] = true
			return nil
		})
		if err != nil {
			t.Fatalf("%+v: %v", look, err)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d different pictures of 5 looks", len(seen))
	}
}
