package overlay

import (
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// cutout is a rendered person without what is behind them.
type cutout struct {
	pix   []byte // blue, green, red
	solid []bool
	w, h  int
	// top is the upper edge of the head, midX its middle, tall the person's height.
	top, midX, tall float64
}

// cutOut films a person before a plain wall, and takes the wall away: grey that is
// neither dark nor bright.
func cutOut(t *testing.T, azimuthDeg float64, shirt string) cutout {
	t.Helper()
	o := demonstrator.Options{WidthPx: 576, HeightPx: 720, FPS: 5, Camera: demonstrator.Camera{AzimuthDeg: azimuthDeg},
		Look: demonstrator.Look{Background: "studio", Shirt: shirt, Shoes: "#804020"}}
	name := filepath.Join(t.TempDir(), "person.mp4")
	demonstratortest.MustFilm(t, name, "march", 0, 0.2, o)
	src, err := video.Open(name)
	if errors.Is(err, video.ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	f, err := src.Next()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	c := cutout{pix: append([]byte(nil), f.Pix...), solid: make([]bool, f.WidthPx*f.HeightPx), w: f.WidthPx, h: f.HeightPx, top: math.Inf(1)}
	bottom := 0.0
	for y := range c.h {
		for x := range c.w {
			p := c.pix[3*(y*c.w+x):]
			lo, hi := min(p[0], p[1], p[2]), max(p[0], p[1], p[2])
			if hi-lo < 18 && lo > 60 {
				continue
			}
			c.solid[y*c.w+x] = true
			if c.top > float64(y) {
				c.top, c.midX = float64(y), float64(x)
			}
			bottom = math.Max(bottom, float64(y))
		}
	}
	c.tall = bottom - c.top
	return c
}

// place is somebody in a crowd: how large, and where the head's upper edge is.
type place struct {
	who   *cutout
	scale float64
	x, y  float64
}

// crowd is one picture and the heads in it; whose[i] is the person a pixel shows,
// -1 for nobody.
type crowd struct {
	pix    []byte
	w, h   int
	whose  []int
	people []place
}

// compose draws people one before the other, the last one in front, before a wall
// with soft structure.
func compose(w, h int, people ...place) *crowd {
	c := &crowd{pix: make([]byte, 3*w*h), w: w, h: h, whose: make([]int, w*h), people: people}
	for y := range h {
		for x := range w {
			v := byte(170 + 20*math.Sin(float64(x)/40)*math.Cos(float64(y)/50))
			p := c.pix[3*(y*w+x):]
			p[0], p[1], p[2] = v, v, v+10
			c.whose[y*w+x] = -1
		}
	}
	for i, m := range people {
		for y := range h {
			for x := range w {
				sx, sy := int((float64(x)-m.x)/m.scale+m.who.midX), int((float64(y)-m.y)/m.scale+m.who.top)
				if sx < 0 || sy < 0 || sx >= m.who.w || sy >= m.who.h || !m.who.solid[sy*m.who.w+sx] {
					continue
				}
				copy(c.pix[3*(y*w+x):][:3], m.who.pix[3*(sy*m.who.w+sx):][:3])
				c.whose[y*w+x] = i
			}
		}
	}
	return c
}

// crowdFilm is a Source of one picture.
type crowdFilm struct {
	*crowd
	next int
}

func (s *crowdFilm) Info() video.Info {
	return video.Info{Path: "crowd", WidthPx: s.w, HeightPx: s.h, FPS: 10, Frames: 1, Seekable: true}
}

func (s *crowdFilm) Next() (*video.Frame, error) {
	if s.next > 0 {
		return nil, io.EOF
	}
	s.next++
	return video.NewFrame(0, s.w, s.h, append([]byte(nil), s.pix...)), nil
}

func (s *crowdFilm) SeekS(float64) error { s.next = 0; return nil }
func (s *crowdFilm) Close() error        { return nil }

// headShare is a head's height as a share of the person's.
const headShare = 0.14

// recognisable is how much of the detail of somebody's head is left, 0 to 1: how far
// the brightness of a grid of 14 x 14 cells over the head, as seen, explains that of
// the original, once what 5 x 5 cells tell is taken away. Cells that show
// somebody else do not count; ok is false where too little of the head is in sight.
func (c *crowd) recognisable(rgb []byte, i int) (left float64, ok bool) {
	m := c.people[i]
	side := headShare * m.who.tall * m.scale
	const fine, coarse = 14, 5
	var was, is [fine * fine]float64
	var seen [fine * fine]bool
	count := 0
	for cy := range fine {
		for cx := range fine {
			x0, y0 := m.x-side/2+side*float64(cx)/fine, m.y+side*float64(cy)/fine
			n, own, a, b := 0.0, 0.0, 0.0, 0.0
			for y := int(y0); y < max(int(y0)+1, int(y0+side/fine)); y++ {
				for x := int(x0); x < max(int(x0)+1, int(x0+side/fine)); x++ {
					if x < 0 || y < 0 || x >= c.w || y >= c.h {
						continue
					}
					n++
					if c.whose[y*c.w+x] != i {
						continue
					}
					own++
					for k := range 3 {
						a += float64(c.pix[3*(y*c.w+x)+k])
						b += float64(rgb[3*(y*c.w+x)+k])
					}
				}
			}
			if at := cy*fine + cx; n > 0 && own > n/2 {
				was[at], is[at], seen[at] = a/own, b/own, true
				count++
			}
		}
	}
	if count < fine*fine/5 {
		return 0, false
	}
	// Less the mean of the coarse cell that each one lies in.
	var before, after float64
	for by := range coarse {
		for bx := range coarse {
			var cells []int
			for cy := by * fine / coarse; cy < (by+1)*fine/coarse; cy++ {
				for cx := bx * fine / coarse; cx < (bx+1)*fine/coarse; cx++ {
					if seen[cy*fine+cx] {
						cells = append(cells, cy*fine+cx)
					}
				}
			}
			var ma, mb float64
			for _, at := range cells {
				ma, mb = ma+was[at]/float64(len(cells)), mb+is[at]/float64(len(cells))
			}
			for _, at := range cells {
				before += (was[at] - ma) * (was[at] - ma)
				after += (was[at] - ma) * (is[at] - mb)
			}
		}
	}
	return after / math.Max(before, 1e-9), before > 0
}

// TestNoHeadIsShownInACrowd: of two to six people at several sizes, from the front
// and from behind, beside, behind and before the followed one, no head can be
// recognised.
func TestNoHeadIsShownInACrowd(t *testing.T) {
	if _, err := assets.File("blazepose", "pose_landmark_full.tflite"); err != nil {
		t.Skipf("no networks here: %v", err)
	}
	rt, err := posenet.ParseRuntime("auto")
	if err != nil {
		t.Skip(err)
	}
	front, back := cutOut(t, 0, "#b03030"), cutOut(t, 180, "#3050b0")
	const w, h = 1152, 720
	hero := place{&front, 1, 576, 120}
	crowds := map[string][]place{
		"alone":                        {hero},
		"beside, facing and turned":    {hero, {&front, 0.8, 250, 160}, {&back, 0.9, 900, 140}},
		"small ones behind":            {{&front, 0.15, 510, 420}, {&back, 0.15, 650, 400}, {&front, 0.12, 640, 330}, {&back, 0.2, 500, 250}, {&front, 0.25, 576, 470}, hero},
		"heads at the waist":           {{&front, 0.45, 480, 300}, {&back, 0.45, 665, 310}, hero},
		"a child before, facing":       {hero, {&front, 0.6, 590, 330}},
		"a child before, turned":       {hero, {&back, 0.6, 590, 330}},
		"small ones before":            {hero, {&front, 0.3, 560, 300}, {&back, 0.25, 600, 420}},
		"a large one before, turned":   {hero, {&back, 1.5, 700, 260}},
		"cut off before the legs":      {hero, {&front, 0.9, 540, 480}, {&back, 0.8, 640, 520}},
		"shoulder to shoulder, turned": {{&back, 1, 690, 115}, {&front, 0.95, 465, 125}, hero},
	}
	nets, err := track.LoadNetworks(track.Options{Runtime: rt, Model: posenet.Full})
	if err != nil {
		t.Fatal(err)
	}
	defer nets.Close()
	unmasked, heads := 0, 0
	for name, people := range crowds {
		c := compose(w, h, people...)
		heads += c.unmasked(t, rt, nets, name, &unmasked)
	}
	t.Logf("%d heads in sight, %d unmasked", heads, unmasked)
	if heads < 20 {
		t.Errorf("only %d heads are in sight", heads)
	}
}

// stillShown is the share of a head's detail above which it counts as unmasked.
const stillShown = 0.25

// unmasked films a crowd with the person in its middle followed, and counts.
func (c *crowd) unmasked(t *testing.T, rt posenet.Runtime, nets *track.Networks, name string, bad *int) (heads int) {
	t.Helper()
	tr, err := track.New(nets, "0.5,0.4")
	if err != nil {
		t.Fatal(err)
	}
	finder, err := track.NewHeadFinder(rt)
	if err != nil {
		t.Fatal(err)
	}
	picture := video.NewFrame(0, c.w, c.h, append([]byte(nil), c.pix...))
	frame, err := tr.Step(picture)
	if err != nil {
		t.Fatal(err)
	}
	if !frame.Found {
		t.Logf("%s: nobody is followed", name)
	}
	err = Film(context.Background(), &crowdFilm{crowd: c}, []track.Frame{frame}, Options{Heads: finder.Find}, func(_ int, rgb []byte) error {
		bgr := make([]byte, len(rgb))
		for i := 0; i < len(rgb); i += 3 {
			bgr[i], bgr[i+1], bgr[i+2] = rgb[i+2], rgb[i+1], rgb[i]
		}
		for i := range c.people {
			left, ok := c.recognisable(bgr, i)
			if !ok {
				continue
			}
			heads++
			if left > stillShown {
				*bad++
				t.Errorf("%s: person %d: %.0f %% of the head's detail is left", name, i, 100*left)
			} else {
				t.Logf("%s: person %d: %.2f", name, i, left)
			}
		}
		return nil
	})
	if err := errors.Join(err, finder.Close(), tr.Close()); err != nil {
		t.Fatal(err)
	}
	return heads
}
