package track

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/scene"
	"github.com/mitori-robotics/mitori/perception/video"
)

// shaken is a film before a wall with structure, taken by a camera that moves: at
// gives how far everything is moved in picture i.
type shaken struct {
	film
	at    func(i int) (dx, dy float64)
	plain bool
}

func (v *shaken) Next() (*video.Frame, error) {
	dx, dy := v.at(v.next)
	script := v.script
	moved := v.film
	moved.script = func(i int) []disc {
		out := append([]disc(nil), script(i)...)
		for k := range out {
			out[k].x, out[k].y = out[k].x+dx, out[k].y+dy
		}
		return out
	}
	f, err := moved.Next()
	v.next = moved.next
	if err != nil || v.plain {
		return f, err
	}
	for y := range f.HeightPx {
		for x := range f.WidthPx {
			if p := f.Pix[3*(y*f.WidthPx+x):]; p[0] != marker {
				u, w := float64(x)-dx, float64(y)-dy
				p[1] = byte(110 + 50*math.Sin(u/23)*math.Cos(w/17) + 30*math.Sin((u+2*w)/41))
			}
		}
	}
	return f, nil
}

func (v *shaken) opener() video.Opener {
	return func() (video.Source, error) {
		c := *v
		c.next = 0
		return &c, nil
	}
}

// TestCameraTakenOut: the landmarks of a camera that shakes are those of one that
// stands; those of one that stands are left alone to the last bit.
func TestCameraTakenOut(t *testing.T) {
	walk := func(i int) disc { return disc{x: 160 + float64(i), y: 120, r: 40, clothes: 90} }
	for name, c := range map[string]struct {
		at    func(i int) (dx, dy float64)
		plain bool
		want  bool
	}{
		"shakes":      {func(i int) (dx, dy float64) { return 9 * math.Sin(float64(i)/4), 7 * math.Sin(float64(i)/5) }, false, true},
		"pans slowly": {func(i int) (dx, dy float64) { return -float64(i), 0 }, false, true},
		"stands":      {func(int) (dx, dy float64) { return 0, 0 }, false, false},
		"blank wall":  {func(i int) (dx, dy float64) { return 9 * math.Sin(float64(i)/4), 0 }, true, false},
	} {
		v := &shaken{film{w: 400, h: 240, n: 60, fps: 30, script: func(i int) []disc { return []disc{walk(i)} }}, c.at, c.plain}
		r, err := runVideo(t.Context(), v.opener(), func() (*Networks, error) { return fakeNetworks(), nil }, Best, video.Window{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Camera.Taken != c.want {
			t.Errorf("%s: %+v", name, r.Camera)
			continue
		}
		x0, y0 := c.at(0)
		clip := r.Clip()
		for i := range r.Frames {
			if !c.want {
				if clip.Frames[i] != r.Frames[i].Frame {
					t.Fatalf("%s: frame %d was changed", name, i)
				}
				continue
			}
			d := walk(i)
			m := clip.Frames[i].Landmarks[landmark.LHip]
			hx, hy := fakePose(landmark.LHip)
			if off := math.Hypot(m.XPx-d.x-x0-d.r*hx, m.YPx-d.y-y0-d.r*hy); off > 3 {
				t.Fatalf("%s: frame %d: the hip is %.1f px off in the first camera", name, i, off)
			}
		}
	}
}

// TestBridged: a few pictures that could not be placed are held, many are not.
func TestBridged(t *testing.T) {
	views := func(unknown ...int) []scene.View {
		out := make([]scene.View, 200)
		for i := range out {
			out[i] = scene.View{Known: true, ToFirst: scene.Same(), RestPx: float64(i) / 200}
		}
		for _, i := range unknown {
			out[i] = scene.View{}
		}
		return out
	}
	few := views(50, 51, 52)
	if rest, ok := bridged(few); !ok || math.Abs(rest-0.9) > 0.03 || few[51].ToFirst != scene.Same() {
		t.Errorf("three pictures: %v, rest %v", ok, rest)
	}
	if _, ok := bridged(views(50, 51, 52, 53, 54, 55)); ok {
		t.Error("six in a row were held")
	}
	if _, ok := bridged(views(3, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120)); ok {
		t.Error("more than one in twenty were held")
	}
	if _, ok := bridged(views(0)); ok {
		t.Error("the first one was held")
	}
}
