package demonstrator

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func take(t *testing.T, motion string, o Options) (*human.Motion, *Take) {
	t.Helper()
	m, err := Find(motion)
	if err != nil {
		t.Fatal(err)
	}
	o.Props = append(o.Props, m.Needs()...)
	o, err = o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	truth, err := Perform(m, o)
	if err != nil {
		t.Fatal(err)
	}
	k, err := TakeOf(truth, o)
	if err != nil {
		t.Fatal(err)
	}
	return truth, k
}

// seen is the share of the pictures in which a joint is visible.
func (t *Take) seen(j human.Joint) float64 {
	n := 0.0
	for i := range t.Pictures {
		if t.Pictures[i].Visible[j] {
			n++
		}
	}
	return n / float64(len(t.Pictures))
}

func TestWhatIsVisible(t *testing.T) {
	for name, c := range map[string]struct {
		motion string
		o      Options
		want   map[human.Joint][2]float64 // least and most of the time
	}{
		"nothing in the way": {"march", Options{}, map[human.Joint][2]float64{human.LToe: {1, 1}, human.RHand: {1, 1}, human.Head: {1, 1}}},
		"a table":            {"wave", Options{Props: []string{"table"}}, map[human.Joint][2]float64{human.LKnee: {0, 0}, human.RAnkle: {0, 0}, human.Chest: {1, 1}, human.RWrist: {0.7, 1}}},
		"a table at the side": {"wave", Options{Props: []string{"table:2"}}, map[human.Joint][2]float64{
			human.LKnee: {1, 1}, human.RAnkle: {1, 1}}},
		"a pillar":    {"wave", Options{Props: []string{"pillar:0.2"}}, map[human.Joint][2]float64{human.LElbow: {0, 0.05}, human.RElbow: {1, 1}, human.Nose: {1, 1}}},
		"cut off":     {"march", Options{Picture: Picture{CutBottom: 0.45}}, map[human.Joint][2]float64{human.LKnee: {0, 0.4}, human.LAnkle: {0, 0}, human.Head: {1, 1}}},
		"cut on top":  {"march", Options{Picture: Picture{CutTop: 0.25}}, map[human.Joint][2]float64{human.Nose: {0, 0}, human.LToe: {1, 1}}},
		"cut beside":  {"march", Options{Picture: Picture{CutLeft: 0.5}}, map[human.Joint][2]float64{human.LShoulder: {1, 1}, human.RShoulder: {0, 0}}},
		"before":      {"march", Options{Second: Second{Does: "before"}}, map[human.Joint][2]float64{human.Chest: {0.7, 0.97}, human.RHip: {0.7, 0.97}}},
		"behind":      {"march", Options{Second: Second{Does: "behind"}}, map[human.Joint][2]float64{human.Chest: {1, 1}, human.LToe: {1, 1}}},
		"out of view": {"march", Options{Moves: Moves{PanDeg: 60}}, map[human.Joint][2]float64{human.Pelvis: {0.2, 0.8}}},
		"followed":    {"approach", Options{Camera: Camera{DistanceM: 6}, Moves: Moves{Follow: true}}, map[human.Joint][2]float64{human.Pelvis: {1, 1}, human.Head: {1, 1}}},
	} {
		_, k := take(t, c.motion, c.o)
		for j, want := range c.want {
			if got := k.seen(j); got < want[0] || got > want[1] {
				t.Errorf("%s: %s is seen for %.2f of the time, want %.2f to %.2f", name, j, got, want[0], want[1])
			}
		}
	}
}

// A camera that knows where it is says where a point lies: turned and moved points keep their pictures.
func TestProjectionKnowsTheCamera(t *testing.T) {
	_, k := take(t, "wave", Options{})
	first := k.Pictures[0].Camera
	// 3.6 m before the camera half the height of the picture is 3.6 tan(19 deg) = 1.2396 m.
	px, ok := k.Project(first, spatial.Vec3{0, 0, first.AtM[2]})
	rise := math.Atan2(0.95-middleShare*1.72, 3.6)
	if want := 360 - 360/math.Tan(rad(19))*math.Tan(rise); !ok || math.Abs(px[0]-288) > 1e-6 || math.Abs(px[1]-want) > 1e-6 {
		t.Errorf("the level before the camera is at %v, want 288, %.3f", px, want)
	}
	if px, _ := k.Project(first, spatial.Vec3{0, 0.5, 1}); px[0] <= 288 {
		t.Errorf("the person's left is at %v, want on the right", px)
	}
	if _, ok := k.Project(first, spatial.Vec3{5, 0, 1}); ok {
		t.Error("a point behind the camera is in the picture")
	}
	_, moved := take(t, "wave", Options{Moves: Moves{ShakeDeg: 3, SwayM: 0.1, PanDeg: 10}})
	for i := range moved.Pictures {
		v := moved.Pictures[i].Camera
		if up := v.WorldFromCamera.Rotate(spatial.Vec3{1, 0, 0})[2]; math.Abs(up) > 1e-12 {
			t.Fatalf("picture %d: the camera rolls by %g", i, up)
		}
		ahead := v.AtM.Add(v.WorldFromCamera.Rotate(spatial.Vec3{0, 0, 2}))
		if px, ok := moved.Project(v, ahead); !ok || math.Abs(px[0]-288) > 1e-6 || math.Abs(px[1]-360) > 1e-6 {
			t.Fatalf("picture %d: what lies ahead is at %v", i, px)
		}
	}
	if a, b := moved.Pictures[0].Camera, moved.Pictures[20].Camera; a == b {
		t.Error("the camera does not move")
	}
}

func TestCutPicturesKeepTheLens(t *testing.T) {
	truth, whole := take(t, "march", Options{})
	_, cut := take(t, "march", Options{Picture: Picture{CutLeft: 0.1, CutTop: 0.2, CutBottom: 0.3, RotateDeg: 90, PixelAspect: 2}})
	if cut.SizePx != [2]int{518, 360} {
		t.Errorf("size %v", cut.SizePx)
	}
	a, _ := whole.Project(whole.Pictures[9].Camera, truth.Frames[9].Positions[human.LElbow])
	b, _ := cut.Project(cut.Pictures[9].Camera, truth.Frames[9].Positions[human.LElbow])
	if math.Abs(a[0]-b[0]-58) > 1e-9 || math.Abs(a[1]-b[1]-144) > 1e-9 {
		t.Errorf("the elbow is at %v, in the cut picture at %v", a, b)
	}
}

// Two pieces of line are as far apart as their nearest samples; a box hides what samples of the way lie in.
func TestSightAgainstSampling(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	v := func() spatial.Vec3 { return spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()} }
	for n := range 300 {
		p, q, a, b := v(), v(), v(), v()
		if n%10 == 0 {
			b = a
		}
		if n%15 == 0 {
			b = a.Add(q.Sub(p).Scale(0.5)) // parallel
		}
		nearest, inside := math.Inf(1), false
		c := box{mid: a, half: spatial.Vec3{math.Abs(b[0]) + 0.05, math.Abs(b[1]) + 0.05, math.Abs(b[2]) + 0.05}}
		for i := range 201 {
			at := p.Lerp(q, float64(i)/200)
			d := at.Sub(c.mid)
			inside = inside || math.Abs(d[0]) < c.half[0] && math.Abs(d[1]) < c.half[1] && math.Abs(d[2]) < c.half[2]
			for k := range 201 {
				nearest = math.Min(nearest, at.Sub(a.Lerp(b, float64(k)/200)).Norm())
			}
		}
		if d := between(p, q, a, b); d > nearest+1e-9 || d < nearest-0.03 {
			t.Errorf("case %d: %g apart, sampled %g", n, d, nearest)
		}
		if inside && !c.hides(p, q) {
			t.Errorf("case %d: a box does not hide what passes through it", n)
		}
		if !inside {
			wider := box{mid: c.mid, half: c.half.Add(spatial.Vec3{0.05, 0.05, 0.05})}
			if c.hides(p, q) && !wider.hides(p, q) {
				t.Errorf("case %d: a larger box hides less", n)
			}
		}
	}
}

func TestTakeSurvivesItsFile(t *testing.T) {
	_, k := take(t, "side_step", Options{FPS: 10, Second: Second{Does: "before"}, Moves: Moves{ShakeDeg: 1}, Picture: Picture{Uneven: true, CutTop: 0.1}})
	name := filepath.Join(t.TempDir(), "a.truth.scene.npz")
	if err := k.Save(name); err != nil {
		t.Fatal(err)
	}
	back, err := LoadTake(name)
	if err != nil {
		t.Fatal(err)
	}
	k.Second = nil // a file of its own
	if !reflect.DeepEqual(k, back) {
		t.Error("what is read differs from what was written")
	}
	for i, p := range back.Pictures {
		if r := p.Frame % 11; r >= 3 && r <= 5 || p.TimeS != float64(p.Frame)/10 {
			t.Errorf("picture %d: frame %d at %g s", i, p.Frame, p.TimeS)
		}
	}
}

// Who crosses comes from outside the picture and goes there, feet on the floor.
func TestTheSecondPersonPasses(t *testing.T) {
	for _, role := range []string{"before", "behind"} {
		o, err := Options{Second: Second{Does: role}}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		m, k := take(t, "turn_360", o)
		first, last := &k.Second.Frames[0], &k.Second.Frames[len(m.Frames)-1]
		v := k.Pictures[0].Camera
		for name, p := range map[string]*human.Pose{"first": first, "last": last} {
			for j := range human.Joint(human.NumJoints) {
				if k.inside(v, p.Positions[j]) {
					t.Errorf("%s: %s is in the %s picture", role, j, name)
				}
			}
		}
		if a, b := first.Positions[human.Pelvis][1], last.Positions[human.Pelvis][1]; a > -0.8 || b < 0.8 {
			t.Errorf("%s: goes from %.2f to %.2f m", role, a, b)
		}
	}
}

func TestWrongScenesAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"stand, pass":       {Second: Second{Does: "dance"}},
		"other, alike":      {Second: Second{Does: "stand", Clothes: "none"}},
		"does is missing":   {Second: Second{Clothes: "alike"}},
		"table, pillar":     {Props: []string{"tree"}},
		"-3 to 3 metres":    {Props: []string{"pillar:far"}},
		"no place after":    {Props: []string{"block:1"}},
		"shaking":           {Moves: Moves{ShakeDeg: -1}},
		"pan":               {Moves: Moves{PanDeg: math.NaN()}},
		"cut from top":      {Picture: Picture{CutTop: 0.5, CutBottom: 0.5}},
		"0, 90, 180, 270":   {Picture: Picture{RotateDeg: 45}},
		"0.25 to 4":         {Picture: Picture{PixelAspect: 0.1}},
		"noise":             {Picture: Picture{Noise: 200}},
		"backlight is 2":    {Look: Look{Backlight: 2}},
		"height is 9 m":     {Second: Second{Does: "stand", HeightM: 9}},
		"legal: -500 to 50": {StageM: [2]float64{1e9, 0}},
	} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
