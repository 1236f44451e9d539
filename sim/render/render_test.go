//go:build mujoco && cgo

package render

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

const twoBalls = `<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <body name="red"><freejoint/><geom type="sphere" size="0.1" rgba="1 0 0 1"/></body>
    <body name="blue" mocap="true"><geom type="sphere" size="0.1" rgba="0 0 1 1"/></body>
    <geom type="sphere" size="0.1" pos="0 0 1" rgba="0 1 0 1" group="3"/>
  </worldbody>
</mujoco>`

var fromTheFront = Camera{LookAtM: spatial.Vec3{}, DistanceM: 3, AzimuthDeg: 180, FovyDeg: 45}

// centre returns the mean pixel column and row of the given colour channel
// where it dominates, and the number of such pixels.
func centre(rgb []byte, w, h, channel int) (x, y float64, n int) {
	for i := range w * h {
		p := rgb[3*i : 3*i+3]
		if p[channel] > 100 && p[(channel+1)%3] < 60 && p[(channel+2)%3] < 60 {
			x, y, n = x+float64(i%w), y+float64(i/w), n+1
		}
	}
	if n == 0 {
		return 0, 0, 0
	}
	return x / float64(n), y / float64(n), n
}

func open(t *testing.T, xml string, opt Options) *Renderer {
	t.Helper()
	r, err := New(xml, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A person facing the camera has the left hand on the picture's right, and up
// is up: the two balls must land there, at the size perspective gives them.
func TestDrawPlacesBodies(t *testing.T) {
	r := open(t, twoBalls, Options{WidthPx: 200, HeightPx: 160})
	if r.Nq() != 7 || r.NMocap() != 1 {
		t.Fatalf("nq %d, nmocap %d, want 7 and 1", r.Nq(), r.NMocap())
	}
	rgb := make([]byte, 200*160*3)
	left := []float64{0, 0.5, 0, 1, 0, 0, 0}
	up := []float64{0, 0, 0.6, 1, 0, 0, 0}
	if err := r.Draw(rgb, fromTheFront, left, up); err != nil {
		t.Fatal(err)
	}
	// 160 px span 2*3*tan(22.5 deg) = 2.485 m at the look-at point.
	const pxPerM = 160 / 2.485
	check := func(what string, channel int, wantX, wantY float64) {
		t.Helper()
		x, y, n := centre(rgb, 200, 160, channel)
		area := 3.1416 * 0.01 * pxPerM * pxPerM
		if n < int(area*0.9) || n > int(area*1.15) {
			t.Errorf("%s ball covers %d pixels, want about %.0f", what, n, area)
		}
		if d := abs(x-wantX) + abs(y-wantY); d > 1.5 {
			t.Errorf("%s ball at %.1f, %.1f, want %.1f, %.1f", what, x, y, wantX, wantY)
		}
	}
	check("red (person's left)", 0, 99.5+0.5*pxPerM, 79.5)
	check("blue (above)", 2, 99.5, 79.5-0.6*pxPerM)
	if _, _, n := centre(rgb, 200, 160, 1); n != 0 {
		t.Errorf("group 3 is drawn by default: %d green pixels", n)
	}
	if p, err := r.BodyPosM("red"); err != nil || p != (spatial.Vec3{0, 0.5, 0}) {
		t.Errorf("red body at %v, %v", p, err)
	}
	lo, hi, err := r.Bounds(nil)
	if err != nil || lo.Sub(spatial.Vec3{-0.1, -0.1, -0.1}).Norm() > 1e-6 || hi.Sub(spatial.Vec3{0.1, 0.6, 0.7}).Norm() > 1e-6 {
		t.Errorf("bounds %v to %v, %v", lo, hi, err)
	}
	if _, err := r.BodyPosM("grey"); err == nil {
		t.Error("unknown body has a position")
	}
}

func TestShadeDarkensTheFloorBelow(t *testing.T) {
	r := open(t, `<mujoco><visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
	<worldbody><geom type="plane" size="5 5 1" rgba="0.8 0.8 0.8 1"/></worldbody></mujoco>`, Options{WidthPx: 100, HeightPx: 100})
	rgb := make([]byte, 3*100*100)
	above := Camera{DistanceM: 2, ElevationDeg: -90, FovyDeg: 45}
	grey := func() (middle, corner int) {
		t.Helper()
		if err := r.Draw(rgb, above, nil, nil); err != nil {
			t.Fatal(err)
		}
		return int(rgb[3*(50*100+50)]), int(rgb[3*(5*100+5)])
	}
	r.Shade(0, 0, 0.3)
	if m, c := grey(); m > c-60 || c < 190 {
		t.Errorf("shaded floor has grey %d in the middle, %d in the corner", m, c)
	}
	r.Shade(0, 0, 0)
	if m, c := grey(); m != c {
		t.Errorf("floor without shade has grey %d and %d", m, c)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestSamePictureTwice(t *testing.T) {
	a := open(t, twoBalls, Options{WidthPx: 64, HeightPx: 64, Shadows: true})
	b := open(t, twoBalls, Options{WidthPx: 64, HeightPx: 64, Shadows: true})
	pa, pb := make([]byte, 64*64*3), make([]byte, 64*64*3)
	for range 2 {
		for _, c := range []struct {
			r *Renderer
			p []byte
		}{{a, pa}, {b, pb}} {
			if err := c.r.Draw(c.p, fromTheFront, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(pa, pb) {
			t.Fatal("two contexts draw the same state differently")
		}
	}
}

func TestErrorsAreErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, c := range map[string]struct {
		xml  string
		opt  Options
		want string
	}{
		"bad xml":     {"<mujoco><wrold/></mujoco>", Options{}, "wrold"},
		"no asset":    {`<mujoco><asset><mesh name="m" file="m.stl"/></asset></mujoco>`, Options{}, "m.stl"},
		"tiny":        {twoBalls, Options{WidthPx: 3}, "16"},
		"huge":        {twoBalls, Options{WidthPx: 9000}, "4096"},
		"bad samples": {twoBalls, Options{Samples: 99}, "16"},
		"bad group":   {twoBalls, Options{Groups: []int{7}}, "group 7"},
	} {
		if _, err := New(c.xml, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %q", name, err, c.want)
		}
	}
	r := open(t, twoBalls, Options{WidthPx: 32, HeightPx: 32})
	rgb := make([]byte, 32*32*3)
	if err := r.Draw(rgb, Camera{}, nil, nil); err == nil || !strings.Contains(err.Error(), "camera") {
		t.Errorf("zero camera: %v", err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // certainly not the thread of the renderer, which is locked
		defer runtime.UnlockOSThread()
		done <- r.Draw(rgb, fromTheFront, nil, nil)
	}()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "thread") {
		t.Errorf("foreign thread: %v", err)
	}
	r.Close()
	if err := r.Draw(rgb, fromTheFront, nil, nil); err == nil {
		t.Error("draw after close works")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("files left in the working directory: %v", left)
	}
}

func BenchmarkDraw640x480(b *testing.B) {
	for _, shadows := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "shadows"}[shadows], func(b *testing.B) {
			r, err := New(twoBalls, Options{Shadows: shadows})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			rgb := make([]byte, 640*480*3)
			for b.Loop() {
				if err := r.Draw(rgb, fromTheFront, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
