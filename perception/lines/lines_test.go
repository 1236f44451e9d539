package lines

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// room is a made room before a made camera: edges along three directions at right
// angles, one of them upright, and clutter.
type room struct {
	up, right, away spatial.Vec3
	focalPx         float64
	w, h            int
}

func newRoom(pitch, roll, yaw, focalPx float64) room {
	up := spatial.Vec3{math.Sin(roll) * math.Cos(pitch), -math.Cos(roll) * math.Cos(pitch), -math.Sin(pitch)}
	right, away := axes(up)
	s, c := math.Sincos(yaw)
	return room{up, right.Scale(c).Add(away.Scale(s)), away.Scale(c).Sub(right.Scale(s)), focalPx, 640, 480}
}

// edge films a stick of lengthM from a point in the picture at a depth.
func (m *room) edge(r *rand.Rand, d spatial.Vec3) (Segment, bool) {
	z := 2 + 3*r.Float64()
	a := spatial.Vec3{(r.Float64() - 0.5) * float64(m.w) * z / m.focalPx, (r.Float64() - 0.5) * float64(m.h) * z / m.focalPx, z}
	b := a.Add(d.Scale(0.6 + r.Float64()))
	see := func(v spatial.Vec3) [2]float64 {
		return [2]float64{m.focalPx*v[0]/v[2] + float64(m.w)/2 + 0.3*r.NormFloat64(), m.focalPx*v[1]/v[2] + float64(m.h)/2 + 0.3*r.NormFloat64()}
	}
	s := Segment{see(a), see(b)}
	return s, b[2] > 1 && s.Length() > 30
}

func (m *room) film(seed uint64, each, clutter int) []Segment {
	r := rand.New(rand.NewPCG(seed, 3))
	var out []Segment
	for _, d := range []spatial.Vec3{m.up, m.right, m.away} {
		for n := 0; n < each; {
			if s, ok := m.edge(r, d); ok {
				out, n = append(out, s), n+1
			}
		}
	}
	for range clutter {
		x, y, a, l := r.Float64()*640, r.Float64()*480, r.Float64()*math.Pi, 30+60*r.Float64()
		out = append(out, Segment{[2]float64{x, y}, [2]float64{x + l*math.Cos(a), y + l*math.Sin(a)}})
	}
	return out
}

// Nothing explains the edges of a room better than the camera that filmed them.
func TestTheTrueCameraIsTheLikeliest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for seed := range uint64(20) {
		pitch, roll, yaw := 0.1+0.3*r.Float64(), 0.3*(r.Float64()-0.5), 0.2+0.4*r.Float64()
		focal := 400 + 400*r.Float64()
		m := newRoom(pitch, roll, yaw, focal)
		v := NewView(m.film(seed, 12, 30), m.w, m.h)
		value := func(focal, pitch, roll float64) float64 {
			n := newRoom(pitch, roll, yaw, focal)
			return v.Upright(focal, n.up) + v.Level(focal, n.up, v.Yaw(focal, n.up))
		}
		top := value(focal, pitch, roll)
		for _, d := range [][3]float64{{1, 0.03, 0}, {1, -0.03, 0}, {1, 0, 0.03}, {1, 0, -0.03}, {1.15, 0, 0}, {1 / 1.15, 0, 0},
			{1.15, math.Atan(1.15*math.Tan(pitch)) - pitch, 0}, {1 / 1.15, math.Atan(math.Tan(pitch)/1.15) - pitch, 0}} {
			if other := value(focal*d[0], pitch+d[1], roll+d[2]); other >= top-3 {
				t.Errorf("seed %d, focal x %.2f, pitch %+.3f, roll %+.3f: %.1f against %.1f of the true camera", seed, d[0], d[1], d[2], other, top)
			}
		}
	}
}

// A place without a straight edge, or with edges that lie anyhow, says nothing.
func TestClutterSaysNothing(t *testing.T) {
	if v := NewView(nil, 640, 480); v.Upright(500, spatial.Vec3{0, -1, 0}) != 0 || v.Level(500, spatial.Vec3{0, -1, 0}, 0) != 0 {
		t.Error("an empty place says something")
	}
	m := newRoom(0.2, 0, 0.3, 500)
	told := math.Inf(-1)
	for seed := range uint64(20) {
		v := NewView(m.film(seed, 0, 60), m.w, m.h)
		told = math.Max(told, v.Upright(500, m.up))
	}
	full := NewView(m.film(1, 12, 30), m.w, m.h).Upright(500, m.up)
	if told > 0 || full < 10 {
		t.Errorf("clutter tells %.1f, a room %.1f", told, full)
	}
}

// paint draws a white rectangle, turned by angle, on grey, with soft edges.
func paint(w, h int, cx, cy, halfW, halfH, angle float64) []byte {
	pix := make([]byte, 3*w*h)
	sin, cos := math.Sincos(angle)
	for y := range h {
		for x := range w {
			dx, dy := float64(x)+0.5-cx, float64(y)+0.5-cy
			a, b := math.Abs(dx*cos+dy*sin)-halfW, math.Abs(dy*cos-dx*sin)-halfH
			v := 80 + 120*math.Max(0, math.Min(1, 0.5-math.Max(a, b)))
			for c := range 3 {
				pix[3*(y*w+x)+c] = byte(v)
			}
		}
	}
	return pix
}

// The four sides of a rectangle are found where they are, at any angle, and in a
// large picture, too.
func TestFindsTheSidesOfARectangle(t *testing.T) {
	for _, k := range []int{1, 3} {
		for deg := 3.0; deg < 90; deg += 17 {
			rad := deg * math.Pi / 180
			s := float64(k)
			found := Find(paint(400*k, 300*k, 200*s, 150*s, 100*s, 60*s, rad), 400*k, 300*k, Box{})
			var off []float64
			for _, g := range found {
				a := math.Atan2(g.B[1]-g.A[1], g.B[0]-g.A[0]) - rad
				off = append(off, math.Abs(math.Remainder(a, math.Pi/2)))
				// Each side lies half a width or half a height from the middle.
				n := math.Abs((g.A[0]-200*s)*(g.B[1]-g.A[1])-(g.A[1]-150*s)*(g.B[0]-g.A[0])) / g.Length()
				if d := math.Min(math.Abs(n-100*s), math.Abs(n-60*s)); d > 0.7*s {
					t.Errorf("%g degrees, size %d: a side %.1f px from the middle", deg, k, n)
				}
			}
			if len(found) != 4 || slices.Max(off) > 0.3*math.Pi/180 {
				t.Errorf("%g degrees, size %d: %d sides, off by %v rad", deg, k, len(found), off)
			}
		}
	}
}

// Where the person is, no edge is looked for; a picture of one colour has none.
func TestThePersonIsLeftOut(t *testing.T) {
	var f landmark.Frame
	for i := range f.Landmarks {
		f.Landmarks[i].SetPx([2]float64{100 + 200*float64(i%2), 80 + 140*float64(i%3)/2})
	}
	if found := Find(paint(400, 300, 200, 150, 100, 60, 0.1), 400, 300, Around(&f)); len(found) > 0 {
		t.Errorf("%d edges on the person", len(found))
	}
	if found := Find(make([]byte, 3*400*300), 400, 300, Box{}); len(found) > 0 {
		t.Errorf("%d edges on nothing", len(found))
	}
	if found := Find(make([]byte, 3*2*2), 2, 2, Box{}); len(found) > 0 {
		t.Errorf("%d edges in four pixels", len(found))
	}
}

// A mirrored picture has the mirrored edges, and a camera's mirror image explains
// them as well as the camera did.
func TestMirroredLines(t *testing.T) {
	m := newRoom(0.2, 0.1, 0.3, 500)
	edges := m.film(7, 10, 10)
	var flipped []Segment
	for _, s := range edges {
		flipped = append(flipped, Segment{[2]float64{640 - s.A[0], s.A[1]}, [2]float64{640 - s.B[0], s.B[1]}})
	}
	up := m.up
	up[0] = -up[0]
	a, b := NewView(edges, 640, 480), NewView(flipped, 640, 480)
	if x, y := a.Upright(500, m.up), b.Upright(500, up); math.Abs(x-y) > 1e-9 {
		t.Errorf("%g and mirrored %g", x, y)
	}
	if x, y := a.Level(500, m.up, 0.3), b.Level(500, up, -0.3); math.Abs(x-y) > 1e-9 {
		t.Errorf("level: %g and mirrored %g", x, y)
	}
}
