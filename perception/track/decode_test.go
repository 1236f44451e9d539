package track

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/posenet"
)

// TestAnchors checks the layout against the published SSD options: strides 8,
// 16, 32, 32, 32 on 224 pixels, two anchors a cell and layer, equal strides
// sharing a grid.
func TestAnchors(t *testing.T) {
	a := anchors()
	if len(a) != 2254 || posenet.Anchors != 2254 {
		t.Fatalf("%d anchors, want 2254", len(a))
	}
	for i, want := range map[int]point{
		0: {4.0 / 224, 4.0 / 224}, 1: {4.0 / 224, 4.0 / 224}, 2: {12.0 / 224, 4.0 / 224}, 56: {4.0 / 224, 12.0 / 224},
		1568: {8.0 / 224, 8.0 / 224}, 1960: {16.0 / 224, 16.0 / 224}, 1966: {48.0 / 224, 16.0 / 224}, 2253: {208.0 / 224, 208.0 / 224},
	} {
		if a[i].distance(want) > 1e-12 {
			t.Errorf("anchor %d is at %v, want %v", i, a[i], want)
		}
	}
}

func TestROI(t *testing.T) {
	for name, c := range map[string]struct {
		scale point
		rot   float64
	}{
		"upright":     {point{100, 60}, 0},
		"leans right": {point{100 + 28.284271, 200 - 128.284271}, math.Pi / 4}, // head towards the right of the screen
		"lies right":  {point{140, 100}, math.Pi / 2},
		"on the head": {point{100, 140}, -math.Pi},
		"lies left":   {point{60, 100}, -math.Pi / 2},
	} {
		r := roiFrom(point{100, 100}, c.scale)
		if math.Abs(wrap(r.RotationRad-c.rot)) > 1e-6 || math.Abs(r.SidePx-100) > 1e-4 {
			t.Errorf("%s: rotation %.4f side %.2f, want %.4f and 100", name, r.RotationRad, r.SidePx, c.rot)
		}
		// The scale point lies straight above the centre in the square, at
		// 1/2 - 1/2.5 from its top.
		if u, v := r.fromPicture(c.scale); math.Abs(u-0.5) > 1e-6 || math.Abs(v-0.1) > 1e-6 {
			t.Errorf("%s: scale point at %.3f,%.3f of the square, want 0.5,0.1", name, u, v)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		r := ROI{rnd.Float64() * 500, rnd.Float64() * 500, 1 + 900*rnd.Float64(), wrap(9 * rnd.NormFloat64())}
		u, v := r.fromPicture(r.toPicture(0.3, 0.8))
		if math.Abs(u-0.3) > 1e-9 || math.Abs(v-0.8) > 1e-9 {
			t.Fatalf("%+v: %v, %v", r, u, v)
		}
		if w := wrap(r.RotationRad); w < -math.Pi || w >= math.Pi {
			t.Fatalf("wrap gives %v", w)
		}
	}
	if (ROI{0, 0, math.NaN(), 0}).Valid() || (ROI{0, 0, 0.5, 0}).Valid() || !(ROI{0, 0, 2, 0}).Valid() {
		t.Error("Valid is wrong")
	}
}

// TestSuppress: boxes that overlap become their average weighted by score; the
// score is the best one's; far boxes stay.
func TestSuppress(t *testing.T) {
	at := func(score, x float64) rawDetection {
		return rawDetection{score: score, box: box{x, 0, x + 0.2, 0.2}, keys: [4]point{{x, 1}, {x, 2}, {x, 3}, {x, 4}}}
	}
	out := suppress([]rawDetection{at(0.9, 0.1), at(0.8, 0.7), at(0.6, 0.14)})
	if len(out) != 2 {
		t.Fatalf("%d detections, want 2", len(out))
	}
	want := (0.9*0.1 + 0.6*0.14) / 1.5
	if out[0].score != 0.9 || math.Abs(out[0].keys[2].x-want) > 1e-12 || math.Abs(out[0].box.x1-want-0.2) > 1e-12 || out[0].keys[2].y != 3 {
		t.Errorf("merged detection %+v, want x %.4f", out[0], want)
	}
	if out[1].score != 0.8 || math.Abs(out[1].box.x0-0.7) > 1e-12 {
		t.Errorf("second detection %+v", out[1])
	}
	if got := suppress([]rawDetection{{score: 1}, {score: 0.9, box: box{0, 0, -1, 1}}}); len(got) != 0 {
		t.Errorf("boxes without area gave %+v", got)
	}
}

func TestDecodeDetections(t *testing.T) {
	boxes, scores := make([]float32, 12*posenet.Anchors), make([]float32, posenet.Anchors)
	for i := range scores {
		scores[i] = -1e9
	}
	grid := anchors()
	scores[2000], scores[7] = 0.1, float32(math.Inf(1))
	copy(boxes[12*2000:], []float32{22.4, -22.4, 44.8, 22.4, 0, 11.2, 112, 0, 0, 0, 0, 0})
	got := decodeDetections(boxes, scores, grid, 224)
	if len(got) != 2 || got[0].score <= got[1].score {
		t.Fatalf("%+v", got)
	}
	d, a := got[1], grid[2000]
	want := box{a.x + 0.1 - 0.1, a.y - 0.1 - 0.05, a.x + 0.1 + 0.1, a.y - 0.1 + 0.05}
	if math.Abs(d.box.x0-want.x0)+math.Abs(d.box.y0-want.y0)+math.Abs(d.box.x1-want.x1)+math.Abs(d.box.y1-want.y1) > 1e-6 {
		t.Errorf("box %+v, want %+v", d.box, want)
	}
	if d.keys[0].distance(point{a.x, a.y + 0.05}) > 1e-6 || d.keys[1].distance(point{a.x + 0.5, a.y}) > 1e-6 {
		t.Errorf("key points %+v", d.keys)
	}
}

// TestRefine: a peaked heat map pulls the point to its centre of mass inside
// the window; a faint one, or one outside the window, leaves it.
func TestRefine(t *testing.T) {
	const side = posenet.HeatmapSide
	flat := func() []float32 {
		m := make([]float32, side*side)
		for i := range m {
			m[i] = -60
		}
		return m
	}
	m := flat()
	m[20*side+31], m[20*side+32] = 60, 60 // both certain
	if x, y := refine(30.5/side, 21.2/side, m); math.Abs(x-31.5/side) > 1e-9 || math.Abs(y-20.0/side) > 1e-9 {
		t.Errorf("refined to %.3f,%.3f cells, want 31.5,20", x*side, y*side)
	}
	if x, y := refine(40.5/side, 21.2/side, m); x != 40.5/side || y != 21.2/side {
		t.Error("a peak outside the window moved the point")
	}
	m = flat()
	m[20*side+31] = -0.01 // just below one half
	if x, _ := refine(30.5/side, 20.5/side, m); x != 30.5/side {
		t.Error("a faint heat map moved the point")
	}
	for _, c := range [][2]float64{{-0.01, 0.5}, {0.5, 1.0}, {math.NaN(), 0.5}, {1e18, 0}} {
		if x, y := refine(c[0], c[1], m); (x != c[0] && !math.IsNaN(c[0])) || y != c[1] {
			t.Errorf("a point outside the map was moved: %v", c)
		}
	}
}

// TestDecodeLandmarks: crop pixels go to the picture through the square, world
// points turn with it.
func TestDecodeLandmarks(t *testing.T) {
	points, heat := make([]float32, 5*posenet.Points), make([]float32, posenet.Points*posenet.HeatmapSide*posenet.HeatmapSide)
	world := make([]float32, 3*posenet.Points)
	for i := range heat {
		heat[i] = -60
	}
	copy(points[5*landmark.LKnee:], []float32{192, 64, 25.6, 2, -2})
	copy(points[5*33:], []float32{128, 128, 0, 0, 0})
	copy(points[5*34:], []float32{128, 25.6, 0, 0, 0})
	copy(world[3*landmark.LKnee:], []float32{0.3, -0.1, 0.2})
	roi := ROI{CentreXPx: 500, CentreYPx: 300, SidePx: 400, RotationRad: math.Pi / 2}
	s := decodeLandmarks(points, []float32{0.75}, heat, world, roi, 256)
	k := s.marks[landmark.LKnee]
	// A quarter right and a quarter up in the square; the square is turned a
	// quarter clockwise: up becomes right, right becomes down.
	if math.Abs(k.XPx-600) > 1e-6 || math.Abs(k.YPx-400) > 1e-6 || math.Abs(k.ZPx-40) > 1e-4 {
		t.Errorf("landmark at %+v, want 600,400,40", k)
	}
	if math.Abs(k.Visibility-0.880797) > 1e-6 || math.Abs(k.Presence-0.119203) > 1e-6 {
		t.Errorf("visibility %v, presence %v", k.Visibility, k.Presence)
	}
	w := s.world[landmark.LKnee]
	if math.Abs(w[0]-0.1) > 1e-6 || math.Abs(w[1]-0.3) > 1e-6 || math.Abs(w[2]-0.2) > 1e-6 {
		t.Errorf("world point %v, want 0.1,0.3,0.2", w)
	}
	if next := roiFrom(s.centre, s.scale); math.Abs(next.SidePx-400) > 1e-3 || math.Abs(next.RotationRad-math.Pi/2) > 1e-6 || s.presence != 0.75 {
		t.Errorf("next square %+v, want the same one", next)
	}
}

// TestOneEuro compares with the recurrence worked by hand for three samples,
// and checks that a constant stays and a step is approached from one side.
func TestOneEuro(t *testing.T) {
	f := oneEuro{minCutoffHz: 1, beta: 0.5, speedCutoffHz: 1}
	alpha := func(cutoff, dt float64) float64 { tau := 1 / (2 * math.Pi * cutoff); return 1 / (1 + tau/dt) }
	if f.next(10, 0, 1) != 10 {
		t.Error("the first value is changed")
	}
	speed := alpha(1, 0.1) * (11.0 - 10) / 0.1
	v1 := 10 + alpha(1+0.5*speed, 0.1)*(11-10)
	if got := f.next(11, 0.1, 1); math.Abs(got-v1) > 1e-12 {
		t.Errorf("second value %v, want %v", got, v1)
	}
	speed += alpha(1, 0.2) * ((9.0-11)/0.2 - speed)
	v2 := v1 + alpha(1+0.5*math.Abs(speed), 0.2)*(9-v1)
	if got := f.next(9, 0.3, 1); math.Abs(got-v2) > 1e-12 {
		t.Errorf("third value %v, want %v", got, v2)
	}
	if got := f.next(1000, 0.3, 1); got != v2 {
		t.Error("a repeated time stamp changed the value")
	}
	g, last := oneEuro{minCutoffHz: 1, beta: 0, speedCutoffHz: 1}, 0.0
	g.next(0, 0, 1)
	for i := range 100 {
		v := g.next(1, float64(i+1)/30, 1)
		if v <= last || v >= 1 {
			t.Fatalf("step response %v after %v", v, last)
		}
		last = v
	}
}

func TestClothes(t *testing.T) {
	marks := func(d disc) (m [landmark.Num]landmark.Point) {
		for i := range m {
			x, y := fakePose(i)
			m[i].XPx, m[i].YPx = d.x+d.r*x, d.y+d.r*y
		}
		return m
	}
	a, b := disc{x: 80, y: 80, r: 40, clothes: 60}, disc{x: 200, y: 80, r: 40, clothes: 250}
	f := paint(0, 300, 160, []disc{a, b})
	ma, mb := marks(a), marks(b)
	ca, cb := describe(f, &ma), describe(f, &mb)
	if s := ca.similarity(ca); math.Abs(s-1) > 1e-9 {
		t.Errorf("a person is %v like themselves", s)
	}
	if s := ca.similarity(cb); s > unlike {
		t.Errorf("different clothes are %v alike", s)
	}
	off := marks(disc{x: 900, y: 80, r: 40})
	if c := describe(f, &off); c.known() || ca.similarity(c) < unlike || ca.similarity(c) > alikeEnough {
		t.Error("a torso outside the picture should say nothing")
	}
}

// fromPicture is the inverse of toPicture.
func (r ROI) fromPicture(p point) (u, v float64) {
	sin, cos := math.Sincos(r.RotationRad)
	x, y := p.x-r.CentreXPx, p.y-r.CentreYPx
	return (cos*x+sin*y)/r.SidePx + 0.5, (-sin*x+cos*y)/r.SidePx + 0.5
}
