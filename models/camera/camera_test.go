package camera

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

func phone() Camera {
	return LookingAt("phone", Lens{
		WidthPx: 1088, HeightPx: 1920, FocalPx: [2]float64{1681, 1683}, CentrePx: [2]float64{533, 948},
		Distortion: Distortion{-0.046, 0.139, 0.0006, 0.0007, -0.01},
	}, spatial.Vec3{1.5, -1.9, 1.9}, spatial.Vec3{0.1, 0, 0.9})
}

// A ray and its pixel find each other again, also in the corners of a bent picture.
func TestRayUndoesPixel(t *testing.T) {
	c := phone()
	for x := 0.0; x <= 1088; x += 136 {
		for y := 0.0; y <= 1920; y += 120 {
			r := c.Ray([2]float64{x, y})
			px, ok := c.Pixel(spatial.Vec3{3 * r[0], 3 * r[1], 3})
			if !ok || math.Hypot(px[0]-x, px[1]-y) > 1e-6 {
				t.Errorf("pixel %g, %g comes back as %v", x, y, px)
			}
		}
	}
}

// The slopes are those of small moves.
func TestSlopes(t *testing.T) {
	c := phone()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p := spatial.Vec3{rnd.Float64() - 0.5, 2*rnd.Float64() - 1, 2 + rnd.Float64()}
		_, slopes, _ := c.PixelSlopes(p)
		for k := range 3 {
			const h = 1e-6
			a, b := p, p
			a[k], b[k] = a[k]-h, b[k]+h
			pa, _ := c.Pixel(a)
			pb, _ := c.Pixel(b)
			for i := range 2 {
				if want := (pb[i] - pa[i]) / (2 * h); math.Abs(slopes[i][k]-want) > 1e-3 {
					t.Fatalf("d px[%d] / d p[%d] at %v is %g, want %g", i, k, p, slopes[i][k], want)
				}
			}
		}
	}
}

// What a camera looks at is in the middle of its picture, up is up, left is left.
func TestLookingAt(t *testing.T) {
	l := Lens{WidthPx: 640, HeightPx: 480, FocalPx: [2]float64{500, 500}, CentrePx: [2]float64{319.5, 239.5}}
	c := LookingAt("c", l, spatial.Vec3{3, 0, 1}, spatial.Vec3{0, 0, 1})
	if got := c.Place().Sub(spatial.Vec3{3, 0, 1}).Norm(); got > 1e-12 {
		t.Errorf("it stands %g m off", got)
	}
	middle, _ := c.Project(spatial.Vec3{0, 0, 1})
	above, _ := c.Project(spatial.Vec3{0, 0, 1.3})
	left, _ := c.Project(spatial.Vec3{0, -0.3, 1}) // of somebody who faces +x: their right
	for _, x := range []struct{ got, want [2]float64 }{
		{middle, [2]float64{319.5, 239.5}}, {above, [2]float64{319.5, 189.5}}, {left, [2]float64{269.5, 239.5}},
	} {
		if math.Hypot(x.got[0]-x.want[0], x.got[1]-x.want[1]) > 1e-9 {
			t.Errorf("at %v, want %v", x.got, x.want)
		}
	}
	if _, ok := c.Project(spatial.Vec3{4, 0, 1}); ok {
		t.Error("it sees what is behind it")
	}
}

// The same scene in a picture of half the size lies at half the pixels.
func TestForPicture(t *testing.T) {
	c := phone()
	half, err := c.ForPicture(544, 960)
	if err != nil {
		t.Fatal(err)
	}
	p := spatial.Vec3{0.4, -0.7, 2.5}
	a, _ := c.Pixel(p)
	b, _ := half.Pixel(p)
	for k := range 2 {
		if math.Abs((a[k]+0.5)/2-(b[k]+0.5)) > 1e-9 {
			t.Errorf("pixel %v at half size %v", a, b)
		}
	}
	if same, err := c.ForPicture(1080, 1920); err != nil || same != c.Lens {
		t.Errorf("a trimmed border: %+v, %v", same, err)
	}
	if _, err := c.ForPicture(1920, 1088); err == nil || !strings.Contains(err.Error(), "upright") {
		t.Errorf("a turned picture: %v", err)
	}
	if _, err := c.ForPicture(1088, 1088); err == nil {
		t.Error("a cut picture is taken")
	}
}

func TestCheck(t *testing.T) {
	good := phone()
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(c *Camera){
		"no picture":    func(c *Camera) { c.WidthPx = 0 },
		"no focal":      func(c *Camera) { c.FocalPx[1] = math.NaN() },
		"64ths":         func(c *Camera) { c.FocalPx[0] *= 6400 },
		"centre":        func(c *Camera) { c.CentrePx[0] = math.Inf(1) },
		"distortion":    func(c *Camera) { c.Distortion[2] = math.NaN() },
		"rotation":      func(c *Camera) { c.Rotation = spatial.Quat{} },
		"millimetres":   func(c *Camera) { c.TranslationM = c.TranslationM.Scale(1000) },
		"not a number":  func(c *Camera) { c.TranslationM[0] = math.NaN() },
		"not a number2": func(c *Camera) { c.Rotation[0] = math.NaN() },
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), "phone") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
