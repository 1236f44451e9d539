package overlay

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// still is a Source of n equal pictures of white noise at 10 per second.
type still struct {
	w, h, n, next int
	fail          error
}

func (s *still) Info() video.Info {
	return video.Info{Path: "still", WidthPx: s.w, HeightPx: s.h, FPS: 10, Frames: s.n, Seekable: true}
}

func (s *still) Next() (*video.Frame, error) {
	if s.next == s.n {
		return nil, io.EOF
	}
	if s.fail != nil && s.next == 3 {
		return nil, s.fail
	}
	r := rand.New(rand.NewPCG(1, 1))
	pix := make([]byte, 3*s.w*s.h)
	for i := range pix {
		pix[i] = byte(r.Uint32())
	}
	s.next++
	return video.NewFrame(float64(s.next-1)/10, s.w, s.h, pix), nil
}

func (s *still) SeekS(timeS float64) error { s.next = int(math.Ceil(timeS * 10)); return nil }
func (s *still) Close() error              { return nil }

// stand places an upright person: head of radius about 20 px around (x, 60).
func stand(timeS, x float64) track.Frame {
	f := track.Frame{Frame: landmark.Frame{TimeS: timeS, Found: true}, ROI: track.ROI{CentreXPx: x, CentreYPx: 150, SidePx: 300}}
	for i := range f.Landmarks {
		f.Landmarks[i] = landmark.Point{XPx: x, YPx: 60 + 5*float64(i), Visibility: 1}
		if i < landmark.LShoulder {
			f.Landmarks[i].YPx = 60
		}
	}
	f.Landmarks[landmark.LEar].XPx, f.Landmarks[landmark.REar].XPx = x+12, x-12
	f.Landmarks[landmark.LShoulder] = landmark.Point{XPx: x + 25, YPx: 95.5, Visibility: 1}
	f.Landmarks[landmark.RShoulder] = landmark.Point{XPx: x - 25, YPx: 95.5, Visibility: 1}
	return f
}

// detail is the mean difference between neighbouring pixels in a square: noise
// has about 85, a mosaic far less.
func detail(rgb []byte, w, x0, y0, side int) float64 {
	sum := 0.0
	for y := y0; y < y0+side; y++ {
		for x := x0; x < x0+side-1; x++ {
			at := 3 * (y*w + x)
			sum += math.Abs(float64(rgb[at]) - float64(rgb[at+3]))
		}
	}
	return sum / float64(side*(side-1))
}

// spreadOf is the standard deviation of red in a rectangle.
func spreadOf(rgb []byte, w, x0, y0, wide, high int) float64 {
	n, sum, squares := 0.0, 0.0, 0.0
	for y := y0; y < y0+high; y++ {
		for x := x0; x < x0+wide; x++ {
			v := float64(rgb[3*(y*w+x)])
			n, sum, squares = n+1, sum+v, squares+v*v
		}
	}
	return math.Sqrt(math.Max(0, squares/n-sum/n*sum/n))
}

// filmed returns copies of all drawn pictures.
func filmed(t *testing.T, s *still, frames []track.Frame, o Options) [][]byte {
	t.Helper()
	var out [][]byte
	err := Film(context.Background(), s, frames, o, func(i int, rgb []byte) error {
		if i != len(out) {
			t.Fatalf("picture %d comes as number %d", i, len(out))
		}
		out = append(out, append([]byte(nil), rgb...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNobodyElseIsShown: of a picture full of detail only the tracked body is
// left; the head is a mosaic, and where the person is not seen there is nothing.
func TestNobodyElseIsShown(t *testing.T) {
	frames := make([]track.Frame, 30)
	for i := range frames {
		frames[i] = stand(float64(i)/10, 150)
		if i >= 5 && i < 20 {
			frames[i] = track.Frame{Frame: landmark.Frame{TimeS: float64(i) / 10}}
		}
	}
	masked := filmed(t, &still{w: 300, h: 320, n: 30}, frames, Options{})
	if len(masked) != 30 {
		t.Fatalf("%d pictures, want 30", len(masked))
	}
	for i, rgb := range masked {
		// Landmarks and lines are drawn over it: look beside the nose.
		if d := detail(rgb, 300, 135, 40, 14); d > 40 {
			t.Errorf("picture %d: the face has detail %.0f", i, d)
		}
		for y := 0; y < 300; y += 20 {
			for x := 0; x < 280; x += 20 {
				if x > 80 && x < 220 && y > 20 { // the body is about here
					continue
				}
				if d := detail(rgb, 300, x, y, 20); d > 12 {
					t.Fatalf("picture %d: the surroundings at %d, %d have detail %.0f", i, x, y, d)
				}
			}
		}
		if d := detail(rgb, 300, 135, 110, 30); d > 20 { // dots and lines are drawn over it
			t.Errorf("picture %d: the body has detail %.0f", i, d)
		}
	}
	shown := filmed(t, &still{w: 300, h: 320, n: 30}, frames, Options{ShowFaces: true})
	if d := detail(shown[0], 300, 135, 40, 14); d < 60 {
		t.Errorf("faces are wanted and masked (%.0f)", d)
	}
	if d := detail(shown[10], 300, 20, 250, 20); d < 60 {
		t.Errorf("the surroundings are wanted and masked (%.0f)", d)
	}
}

// TestSomebodyStandsBefore: a head before the tracked body, seen by the finder
// in one picture only, is cut out for a second before and after; the tracked
// person's own head and those beside the body cut nothing.
func TestSomebodyStandsBefore(t *testing.T) {
	frames := make([]track.Frame, 40)
	for i := range frames {
		frames[i] = stand(float64(i)/10, 150)
	}
	calls := 0
	find := func(*video.Frame) (found []track.Disc, _ error) {
		found = []track.Disc{{XPx: 152, YPx: 66, RadiusPx: 37}, {XPx: 40, YPx: 120, RadiusPx: 30}}
		if calls == 20 {
			found = append(found, track.Disc{XPx: 150, YPx: 130, RadiusPx: 30})
		}
		calls++
		return found, nil
	}
	bare := filmed(t, &still{w: 300, h: 320, n: 40}, frames, Options{})
	for i, rgb := range filmed(t, &still{w: 300, h: 320, n: 40}, frames, Options{Heads: find}) {
		hidden, most := i >= 10 && i <= 30, 0.0
		for y := 110; y < 150; y++ {
			for x := 135; x < 165; x++ {
				at := 3 * (y*300 + x)
				most = math.Max(most, math.Abs(float64(rgb[at])-float64(bare[i][at])))
			}
		}
		if (most > 5) != hidden {
			t.Errorf("picture %d: differs by %.0f from one without heads where a head was seen in picture 20", i, most)
		}
	}
	if calls != 40 {
		t.Errorf("the finder saw %d pictures, want each of 40 once, in order", calls)
	}
	broken := errors.New("no network")
	err := Film(context.Background(), &still{w: 300, h: 320, n: 40}, frames, Options{Heads: func(*video.Frame) ([]track.Disc, error) { return nil, broken }},
		func(int, []byte) error { return nil })
	if !errors.Is(err, broken) {
		t.Errorf("a finder that fails: %v", err)
	}
}

// TestWash: what is kept has smaller cells than the rest, and no cell's inside.
func TestWash(t *testing.T) {
	raw, _ := (&still{w: 300, h: 320, n: 1}).Next()
	c := canvas{rgb: append([]byte(nil), raw.Pix...), w: 300, h: 320}
	o := outline{keep: make([]byte, 300*320), w: 300, h: 320}
	for i := range o.keep {
		if i%300 < 150 {
			o.keep[i] = 255
		}
	}
	c.wash(o, 6)
	kept, washed := spreadOf(c.rgb, 300, 10, 10, 130, 300), spreadOf(c.rgb, 300, 170, 10, 120, 300)
	// Noise of deviation 74, in cells of 6 and of 20 pixels, blended.
	if kept < 5 || kept > 74.0/6 || washed > 74.0/20 || detail(c.rgb, 300, 20, 20, 100) > 6 {
		t.Errorf("colours are spread by %.1f where kept, %.1f elsewhere, detail %.1f", kept, washed, detail(c.rgb, 300, 20, 20, 100))
	}
}

// TestDraws: a limb is drawn in its side's colour where it is seen, and the
// picture elsewhere is what was filmed, with red first.
func TestDraws(t *testing.T) {
	f := stand(0, 150)
	f.Landmarks[landmark.LElbow] = landmark.Point{XPx: 250, YPx: 95.5, Visibility: 1}
	got := filmed(t, &still{w: 301, h: 321, n: 1}, []track.Frame{f}, Options{ShowFaces: true})[0]
	if len(got) != 3*300*320 {
		t.Fatalf("%d bytes: odd sizes must lose a row and a column", len(got))
	}
	p := got[3*(95*300+215):]
	if p[0] < 200 || p[1] < 90 || p[1] > 190 || p[2] > 90 {
		t.Errorf("the left upper arm is %v, want orange", p[:3])
	}
	src := &still{w: 301, h: 321, n: 1}
	raw, _ := src.Next()
	at, from := 3*(300*300+10), 3*(300*301+10)
	if got[at] != raw.Pix[from+2] || got[at+1] != raw.Pix[from+1] || got[at+2] != raw.Pix[from] {
		t.Error("the background is not the filmed one with red first")
	}
}

func TestScale(t *testing.T) {
	f := video.NewFrame(0, 4, 2, []byte{
		0, 0, 10, 0, 0, 20, 9, 0, 0, 9, 0, 0,
		0, 0, 30, 0, 0, 40, 9, 0, 0, 9, 0, 0,
	})
	out := make([]byte, 6)
	scale(out, 2, 1, f)
	if want := []byte{25, 0, 0, 0, 0, 9}; string(out) != string(want) {
		t.Errorf("got %v, want %v", out, want)
	}
	if w, h := (Options{HeightPx: 333}).Size(video.Info{WidthPx: 1768, HeightPx: 994}); w != 592 || h != 332 {
		t.Errorf("size %dx%d, want 592x332", w, h)
	}
}

// TestLineOutside: strokes beyond the picture, or of no length, do no harm.
func TestLineOutside(t *testing.T) {
	c := canvas{rgb: make([]byte, 3*20*10), w: 20, h: 10}
	for _, l := range [][4]float64{{-50, -50, 60, 60}, {math.NaN(), 0, 1, 1}, {1e30, 0, 1, 1}, {5, 5, 5, 5}, {-9, 3, -5, 3}, {25, 20, 30, 30}} {
		c.line(l[0], l[1], l[2], l[3], 3, sideColours[0], 1)
	}
	if c.rgb[3*(5*20+5)] < 200 {
		t.Error("the point at 5,5 is not drawn")
	}
}

func TestWriteFailsCleanly(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	name := filepath.Join(t.TempDir(), "o.mp4")
	frames := []track.Frame{stand(0, 50), stand(0.1, 50), stand(0.2, 50), stand(0.3, 50), stand(0.4, 50)}
	broken := errors.New("disk on fire")
	if err := Write(context.Background(), name, &still{w: 100, h: 200, n: 5, fail: broken}, frames, Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Write(ctx, name, &still{w: 100, h: 200, n: 5}, frames, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(name)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := Write(context.Background(), name, &still{w: 100, h: 200, n: 5}, frames, Options{}); err != nil {
		t.Error(err)
	}
}

// TestUnseenLimbsAreATrace: what was not seen is drawn, if at all, so that nobody takes it
// for a measurement.
func TestUnseenLimbsAreATrace(t *testing.T) {
	brightest := func(change func(p *landmark.Point)) (most byte) {
		f := stand(0, 150)
		for _, i := range []landmark.Index{landmark.LKnee, landmark.LAnkle, landmark.LHeel, landmark.LToe} {
			f.Landmarks[i].XPx = 250
			if i != landmark.LKnee {
				f.Landmarks[i].YPx = 280
			}
			change(&f.Landmarks[i])
		}
		c := canvas{rgb: make([]byte, 3*400*300), w: 400, h: 300}
		c.skeleton(&f, 1, 1)
		for y := range 300 {
			for x := 230; x < 300; x++ {
				for k := range 3 {
					most = max(most, c.rgb[3*(y*400+x)+k])
				}
			}
		}
		return most
	}
	if v := brightest(func(*landmark.Point) {}); v < 150 {
		t.Errorf("a leg that is seen: %d", v)
	}
	for name, change := range map[string]func(*landmark.Point){
		"guessed":          func(p *landmark.Point) { p.Visibility = 0.1 },
		"behind furniture": func(p *landmark.Point) { p.Visibility, p.Presence = 0.8, 0.5 },
	} {
		if v := brightest(change); v > 80 {
			t.Errorf("%s: %d", name, v)
		}
	}
}
