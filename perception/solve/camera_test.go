package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/lines"
)

// roomEdges are the edges of a room as a camera films them: upright ones, and level
// ones along two directions at right angles, turned by yaw; and some that lie anyhow.
func roomEdges(c camera, yaw float64, seed uint64) (out []lines.Segment) {
	r := rand.New(rand.NewPCG(seed, 9))
	w, h := float64(c.widthPx), float64(c.heightPx)
	right, down, away := c.axes()
	s, k := math.Sincos(yaw)
	for _, d := range []spatial.Vec3{{0, 0, 1}, {k, s, 0}, {-s, k, 0}} {
		d = spatial.Vec3{right.Dot(d), down.Dot(d), away.Dot(d)}
		for n := 0; n < 12; {
			z := 3 + 2*r.Float64()
			a := spatial.Vec3{(r.Float64() - 0.5) * w * z / c.focalPx, (r.Float64() - 0.5) * h * z / c.focalPx, z}
			b := a.Add(d.Scale(0.5 + r.Float64()))
			var g lines.Segment
			for i, v := range []spatial.Vec3{a, b} {
				at := [2]float64{c.focalPx*v[0]/v[2] + w/2 + 0.3*r.NormFloat64(), c.focalPx*v[1]/v[2] + h/2 + 0.3*r.NormFloat64()}
				if i == 0 {
					g.A = at
				} else {
					g.B = at
				}
			}
			if b[2] > 1.5 && g.Length() > 0.06*math.Max(w, h) {
				out, n = append(out, g), n+1
			}
		}
	}
	for range 20 {
		x, y, a, l := r.Float64()*w, r.Float64()*h, r.Float64()*math.Pi, 0.1*h
		out = append(out, lines.Segment{A: [2]float64{x, y}, B: [2]float64{x + l*math.Cos(a), y + l*math.Sin(a)}})
	}
	return out
}

// someCamera is one that people film with: it looks at the person from 0.5 to 2 m.
func someCamera(r *rand.Rand) camera {
	c := camera{distanceM: 2.5 + 2*r.Float64(), heightM: 0.5 + 1.5*r.Float64(), widthPx: 540, heightPx: 960}
	c.pitchRad = math.Atan((c.heightM-0.9)/c.distanceM) + 0.05*r.NormFloat64()
	c.rollRad = 0.08 * r.NormFloat64()
	c.focalPx = 960 * (0.7 + 0.6*r.Float64())
	return c
}

func tiltOff(e *eye, c camera) float64 {
	return math.Acos(math.Min(1, e.up.Dot(c.upInCamera()))) * 180 / math.Pi
}

// seen is what findCamera makes of a clip.
func seen(in *landmark.Clip, o Options) eye {
	o.HeightM = 1.68
	o, _ = o.complete(in.WidthPx, in.HeightPx)
	return findCamera(in.Frames, estimateUp(in.Frames), in.WidthPx, in.HeightPx, &o)
}

// A room tells what camera films it, whatever the person says; without it the
// focal length is that of usual cameras, and the interval says how little is known.
func TestARoomTellsTheCamera(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	within, without := 0, 0
	const cameras = 12
	for k := range uint64(cameras) {
		c := someCamera(r)
		in, _ := film(stepper(), c, 4, 15, typical, k)
		e := seen(in, Options{Scene: lines.NewView(roomEdges(c, 0.2+0.5*r.Float64(), k), c.widthPx, c.heightPx)})
		if off := tiltOff(&e, c); off > 1.5 || off > 4*e.doubtRad*180/math.Pi+0.3 {
			t.Errorf("camera %d %+v: up is %.1f degrees off, said to be within %.1f", k, c, off, e.doubtRad*180/math.Pi)
		}
		if ratio := e.focalPx / c.focalPx; math.Abs(math.Log(ratio)) > 0.12 || e.source != FocalEstimated {
			t.Errorf("camera %d %+v: focal length x %.2f, %s", k, c, ratio, e.source)
		}
		if e.lowPx <= c.focalPx && c.focalPx <= e.highPx {
			within++
		}
		e = seen(in, Options{})
		if e.source != FocalAssumed || e.highPx < 1.7*e.lowPx {
			t.Errorf("camera %d without a room: focal length %.0f to %.0f px, %s", k, e.lowPx, e.highPx, e.source)
		}
		if r := e.focalPx / 960; r < 0.65 || r > 1.35 {
			t.Errorf("camera %d without a room: a focal length of %.2f of the longer side is not usual", k, r)
		}
		if e.lowPx <= c.focalPx && c.focalPx <= e.highPx {
			without++
		}
		if off := tiltOff(&e, c); off > 3*e.doubtRad*180/math.Pi {
			t.Errorf("camera %d without a room: up is %.1f degrees off, said to be within %.1f", k, off, e.doubtRad*180/math.Pi)
		}
	}
	// Nine in ten is what the interval promises.
	if within < cameras*2/3 || without < cameras*3/4 {
		t.Errorf("the true focal length lies within the interval %d times with a room, %d without, of %d", within, without, cameras)
	}
}

// What is given is taken as it is, and what is written in the file nearly so.
func TestKnownCameras(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for k := range uint64(6) {
		c := someCamera(r)
		in, _ := film(stepper(), c, 4, 15, typical, k)
		pitch := c.pitchRad
		e := seen(in, Options{FocalPx: c.focalPx, PitchRad: &pitch})
		if off := tiltOff(&e, c); e.focalPx != c.focalPx || e.source != FocalGiven || math.Abs(attitudeOf(e.up).pitch-pitch) > 1e-9 || off > 4 {
			t.Errorf("camera %d: focal length %g of %g, %s, pitch %g of %g, up %.1f degrees off", k, e.focalPx, c.focalPx, e.source, attitudeOf(e.up).pitch, pitch, off)
		}
		e = seen(in, Options{FovRad: 2 * math.Atan(480/c.focalPx)})
		if math.Abs(e.focalPx/c.focalPx-1) > 1e-9 || e.source != FocalGiven || e.lowPx != e.highPx {
			t.Errorf("camera %d: field of view: focal length %g of %g, %s", k, e.focalPx, c.focalPx, e.source)
		}
		up := c.upInCamera()
		if e = seen(in, Options{UpInCamera: &up}); e.up != up || e.doubtRad != 0 {
			t.Errorf("camera %d: up %v of %v", k, e.up, up)
		}
		e = seen(in, Options{FocalPx: c.focalPx, CameraHeightM: c.heightM})
		if off := math.Abs(attitudeOf(e.up).pitch-pitch) * 180 / math.Pi; off > 3 {
			t.Errorf("camera %d: known to be %.2f m high: pitch %.1f degrees off", k, c.heightM, off)
		}
		// Said to stand half a metre higher, it must look down more.
		if higher := seen(in, Options{FocalPx: c.focalPx, CameraHeightM: c.heightM + 0.5}); attitudeOf(higher.up).pitch < attitudeOf(e.up).pitch+0.05 {
			t.Errorf("camera %d: pitch %.3f, half a metre higher %.3f", k, attitudeOf(e.up).pitch, attitudeOf(higher.up).pitch)
		}
		e = seen(in, Options{FocalPx: 1.1 * c.focalPx, FocalFromFile: true})
		if ratio := e.focalPx / c.focalPx; math.Abs(math.Log(ratio)) > 0.2 || e.source != FocalFile || e.lowPx > c.focalPx*1.1 || e.highPx < c.focalPx {
			t.Errorf("camera %d: by the file: focal length x %.2f (%.0f to %.0f), %s", k, ratio, e.lowPx, e.highPx, e.source)
		}
	}
}

// A mirrored clip is filmed by the mirrored camera.
func TestMirroredCamera(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for k := range uint64(4) {
		c := someCamera(r)
		in, _ := film(stepper(), c, 4, 15, typical, k)
		edges := roomEdges(c, 0.4, k)
		var flipped []lines.Segment
		for _, s := range edges {
			w := float64(c.widthPx)
			flipped = append(flipped, lines.Segment{A: [2]float64{w - s.A[0], s.A[1]}, B: [2]float64{w - s.B[0], s.B[1]}})
		}
		for _, scene := range [][2][]lines.Segment{{edges, flipped}, {nil, nil}} {
			a := seen(in, Options{Scene: lines.NewView(scene[0], c.widthPx, c.heightPx)})
			b := seen(mirrored(in), Options{Scene: lines.NewView(scene[1], c.widthPx, c.heightPx)})
			b.up[0] = -b.up[0]
			if off := math.Acos(math.Min(1, a.up.Dot(b.up))) * 180 / math.Pi; off > 0.2 || math.Abs(math.Log(a.focalPx/b.focalPx)) > 0.02 {
				t.Errorf("camera %d, %d edges: up %v, mirrored %v; focal length %.0f and %.0f", k, len(scene[0]), a.up, b.up, a.focalPx, b.focalPx)
			}
		}
	}
}

// From one metre higher the feet are seen from higher.
func TestFeetTellFromHowHighTheyAreSeen(t *testing.T) {
	a := stepper()
	last := math.Inf(-1)
	for _, h := range []float64{0.5, 1.0, 1.5, 2.0} {
		c := defaultCamera()
		c.heightM, c.pitchRad = h, math.Atan((h-0.9)/c.distanceM)
		in, _ := film(a, c, 4, 15, typical, 1)
		v := seeFeet(in.Frames, in.WidthPx, in.HeightPx, a.heightM)
		if !v.seen || v.depression < last+0.05 {
			t.Errorf("from %g m: %.3f rad, from lower %.3f", h, v.depression, last)
		}
		last = v.depression
	}
	for i := range []int{0} { // feet that are nowhere say nothing
		f := landmark.Frame{TimeS: float64(i)}
		if v := seeFeet([]landmark.Frame{f, f, f}, 100, 100, 1.7); v.seen {
			t.Error("feet of nobody are seen")
		}
	}
}

// What the causal form learns of the camera is eased in: the person stays where they
// are, though a longer lens sees them farther off.
func TestCausalEasesTheCameraIn(t *testing.T) {
	if testing.Short() {
		t.Skip("solves five seconds picture by picture; leave out -short to run it")
	}
	cam := defaultCamera()
	cam.focalPx, cam.heightM, cam.pitchRad, cam.distanceM = 900, 1.6, 0.15, 4.5
	in, _ := film(balancer(), cam, 5, 15, typical, 3)
	c := causal(t, in, CausalOptions{Options: Options{HeightM: 1.8, FPS: 15}, LagFrames: 2})
	first := pushAll(c, in.Frames[:30])
	before := c.Report()
	c.See(lines.NewView(roomEdges(cam, 0.4, 1), in.WidthPx, in.HeightPx))
	m := motionOf(t, 15, append(first, pushAll(c, in.Frames[30:])...))
	after := c.Report()
	off := func(r *Report) float64 { return math.Abs(math.Log(r.FocalPx / cam.focalPx)) }
	if off(before) < 0.15 || off(after) > off(before)/2 || after.FocalSource != FocalEstimated {
		t.Errorf("focal length %.0f px, with the room %.0f (%s), true %.0f", before.FocalPx, after.FocalPx, after.FocalSource, cam.focalPx)
	}
	tilt := func(r *Report) float64 {
		return math.Acos(math.Min(1, r.UpInCamera.Dot(cam.upInCamera()))) * 180 / math.Pi
	}
	if tilt(after) > 2 {
		t.Errorf("up is %.1f degrees off, before %.1f", tilt(after), tilt(before))
	}
	for i := 1; i < len(m.Frames); i++ {
		if d := m.Frames[i].Positions[0].Sub(m.Frames[i-1].Positions[0]).Norm(); d > 0.05 {
			t.Errorf("at %.2f s the person jumps by %.3f m", m.Meta.StartS+float64(i)/15, d)
		}
	}
}

// Where nothing tells the camera, it is a usual one, and said to be assumed.
func TestNothingTellsTheCamera(t *testing.T) {
	e := evidence{longPx: 1000}
	c := e.find(0)
	if c.focalPx < 750 || c.focalPx > 1050 || c.lowPx > 650 || c.highPx < 1300 || c.source != FocalAssumed {
		t.Errorf("%+v", c)
	}
	if c.up.Dot(levelUp) < 0.999 || c.doubtRad < 0.05 {
		t.Errorf("up %v, known to %.3f rad", c.up, c.doubtRad)
	}
}
