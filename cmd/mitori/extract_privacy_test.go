package main

import (
	"fmt"
	"image"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// figure is a rendered person in a crowd: the size of the clip in eights and
// tens of pixels, and the place of its left top corner in the picture.
type figure struct {
	motion     string
	azimuthDeg float64
	size       int
	x, y       int
}

func (f figure) w() int { return 8 * f.size }
func (f figure) h() int { return 10 * f.size }

// headAt is where the head is in a frame, from the exact truth and the
// renderer's default camera: 3.6 m away, 0.95 m high, turned to 0.54 of the
// height of 1.72 m, 38 degrees of view. The rectangle holds the face.
func (f figure) headAt(truth *human.Motion, frame int) image.Rectangle {
	head := truth.Frames[frame].Positions[human.Head]
	const far, high, aim = 3.6, 0.95, 0.54 * 1.72
	pitch := math.Atan2(aim-high, far)
	forward, up := far-head[0], head[2]-high
	depth := forward*math.Cos(pitch) + up*math.Sin(pitch)
	rise := up*math.Cos(pitch) - forward*math.Sin(pitch)
	focal := float64(f.h()) / 2 / math.Tan(19*math.Pi/180)
	x := float64(f.x) + float64(f.w())/2 + focal*head[1]/depth
	y := float64(f.y) + float64(f.h())/2 - focal*rise/depth
	r := focal * 0.1 / depth
	return image.Rect(int(x-r), int(y-r), int(x+r), int(y+r))
}

// pictures decodes every frame of a clip, grey.
func pictures(t *testing.T, clip string, w, h int) (out [][]byte) {
	t.Helper()
	c := exec.Command("ffmpeg", "-loglevel", "error", "-i", clip, "-vf", fmt.Sprintf("scale=%d:%d", w, h),
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		p := make([]byte, w*h)
		if _, err := io.ReadFull(pipe, p); err != nil {
			break
		}
		out = append(out, p)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

// alike is the correlation, in a rectangle, of the detail of two pictures: what
// is left when the mean of the neighbourhood of a fifth of the rectangle is
// taken away. A mosaic of as few cells has next to nothing of the original's.
func alike(a, b []byte, w, h int, r image.Rectangle) float64 {
	reach := max(2, r.Dx()/10)
	fine := func(p []byte, x, y int) float64 {
		sum, n := 0.0, 0.0
		for v := max(0, y-reach); v <= min(h-1, y+reach); v++ {
			for u := max(0, x-reach); u <= min(w-1, x+reach); u++ {
				sum += float64(p[v*w+u])
				n++
			}
		}
		return float64(p[y*w+x]) - sum/n
	}
	var ab, aa, bb float64
	r = r.Intersect(image.Rect(0, 0, w, h))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			u, v := fine(a, x, y), fine(b, x, y)
			ab, aa, bb = ab+u*v, aa+u*u, bb+v*v
		}
	}
	// A washed picture has hardly any detail, which must not count as noise of the
	// same strength.
	if bb < 0.05*aa {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// TestNoHeadInACrowd: in a clip with bystanders of all sizes, from the front,
// the side and behind, no head can be seen in the stored film, the followed
// person's included, and the body can.
func TestNoHeadInACrowd(t *testing.T) {
	dir := t.TempDir()
	figures := []figure{
		{"march", 0, 72, 0, 0}, // the largest, who is followed
		{"wave", 20, 36, 560, 300},
		{"march", 180, 22, 800, 40}, // a fifth of the picture's height
		{"side_step", 90, 18, 860, 380},
		{"one_leg_balance", 0, 16, 1040, 100},
	}
	const w, h, seconds, fps = 1200, 720, 2, 10
	args := []string{"-loglevel", "error"}
	var chain strings.Builder
	fmt.Fprintf(&chain, "color=black:s=%dx%d:r=%d:d=%d[c0]", w, h, fps, seconds)
	truths := make([]*human.Motion, len(figures))
	for i, f := range figures {
		clip := filepath.Join(dir, fmt.Sprintf("f%d.mp4", i))
		truths[i] = demonstratortest.MustFilm(t, clip, f.motion, 0, seconds, demonstrator.Options{
			WidthPx: f.w(), HeightPx: f.h(), FPS: fps, Camera: demonstrator.Camera{AzimuthDeg: f.azimuthDeg}})
		args = append(args, "-i", clip)
		fmt.Fprintf(&chain, ";[c%d][%d]overlay=%d:%d[c%d]", i, i, f.x, f.y, i+1)
	}
	crowd, masked, bare := filepath.Join(dir, "crowd.mp4"), filepath.Join(dir, "masked.mp4"), filepath.Join(dir, "bare.mp4")
	args = append(args, "-filter_complex", chain.String(), "-map", fmt.Sprintf("[c%d]", len(figures)), "-t", fmt.Sprint(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-pix_fmt", "yuv420p", crowd)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for film, extra := range map[string]string{masked: "--json", bare: "--show-faces"} {
		code, said := extractClip(crowd, "-o", filepath.Join(dir, "o.human.npz"), "--overlay", film, "--model", "lite", extra)
		if strings.Contains(said, "make deps") || strings.Contains(said, "not built") {
			t.Skip(said)
		}
		if code != fault.ExitDone && code != fault.ExitRefused {
			t.Fatalf("exit code %d, said %s", code, said)
		}
	}
	before, after, shown := pictures(t, crowd, w, h), pictures(t, masked, w, h), pictures(t, bare, w, h)
	if len(after) != len(before) || len(shown) != len(before) || len(before) < 20 {
		t.Fatalf("%d, %d and %d pictures", len(before), len(after), len(shown))
	}
	heads, seen, seenBare := 0, 0, 0
	for k := range before {
		for i, f := range figures {
			r := f.headAt(truths[i], k)
			heads++
			if c := alike(before[k], after[k], w, h, r); c > 0.5 {
				seen++
				t.Logf("picture %d: the head of figure %d (%s) is seen: %.2f", k, i, f.motion, c)
			}
			if alike(before[k], shown[k], w, h, r) > 0.5 {
				seenBare++
			}
		}
		// In cells of a fifth of the head's width, but not washed away like all around.
		if body := alike(before[k], after[k], w, h, image.Rect(180, 180, 400, 560)); body < 0.25 {
			t.Errorf("picture %d: the followed body is not seen (%.2f)", k, body)
		}
	}
	if seen > 0 {
		t.Errorf("%d of %d heads are seen", seen, heads)
	}
	if seenBare < heads*9/10 {
		t.Errorf("with --show-faces only %d of %d heads are seen: this test sees nothing", seenBare, heads)
	}
}
