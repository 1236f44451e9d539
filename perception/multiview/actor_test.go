package multiview

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// perform is a motion whose every joint is known; nothing is drawn.
func perform(t *testing.T, name string) *human.Motion {
	t.Helper()
	m, err := demonstrator.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// marks are the landmarks of a pose, as a perfect network would see them.
func marks(p *human.Pose) (m [landmark.Num]spatial.Vec3) {
	at := &p.Positions
	m[landmark.Nose] = at[human.Nose]
	x, y, z := p.Rotations[human.Head].Axes()
	m[landmark.LEar], m[landmark.REar] = at[human.Head].Add(y.Scale(0.07)), at[human.Head].Sub(y.Scale(0.07))
	for j := landmark.LEyeInner; j <= landmark.LEyeOuter; j++ {
		side := y.Scale(0.02 * float64(j))
		m[j], m[landmark.Mirror(j)] = m[landmark.Nose].Add(z.Scale(0.03)).Add(side), m[landmark.Nose].Add(z.Scale(0.03)).Sub(side)
	}
	m[landmark.LMouth], m[landmark.RMouth] = m[landmark.Nose].Sub(z.Scale(0.04)).Add(y.Scale(0.02)), m[landmark.Nose].Sub(z.Scale(0.04)).Sub(y.Scale(0.02))
	_ = x
	for side := range 2 {
		s, h := human.LShoulder+human.Joint(4*side), human.LHip+human.Joint(5*side)
		for k := range 3 {
			m[landmark.LShoulder+2*k+side] = at[s+human.Joint(k)]
		}
		ahead, _, _ := p.Rotations[s+3].Axes()
		m[landmark.LIndex+side], m[landmark.LPinky+side] = at[s+3].Add(ahead.Scale(0.03)), at[s+3].Sub(ahead.Scale(0.03))
		m[landmark.LThumb+side] = at[s+3].Add(ahead.Scale(0.04))
		for k := range 5 {
			m[landmark.LHip+2*k+side] = at[h+human.Joint(k)]
		}
	}
	return m
}

// around stands n cameras around the person, 3.6 m away and 1.3 m high, with phones'
// lenses.
func around(n int) (cams []camera.Camera) {
	for i := range n {
		yaw := []float64{0, 60, -60, 150, -120, 100, 30, -30}[i] * math.Pi / 180
		l := camera.Lens{WidthPx: 576, HeightPx: 720, FocalPx: [2]float64{1045, 1047}, CentrePx: [2]float64{280, 366},
			Distortion: camera.Distortion{-0.05, 0.13, 0.0006, -0.0004, 0}}
		place := spatial.FromYaw(yaw).Rotate(spatial.Vec3{3.6, 0, 1.3 + 0.1*float64(i)})
		cams = append(cams, camera.LookingAt(string(rune('A'+i)), l, place, spatial.Vec3{0, 0, 0.93}))
	}
	return cams
}

// shot is how one camera films.
type shot struct {
	fps, startS, endS float64 // of the person's time; endS 0: to the end
	noisePx           float64
}

// filmed is what a camera sees of a performance; its clock begins with its film.
func filmed(m *human.Motion, c camera.Camera, how shot, seed uint64) View {
	r := rand.New(rand.NewPCG(seed, 7))
	if how.fps == 0 {
		how.fps = 30
	}
	if how.endS == 0 {
		how.endS = m.Seconds()
	}
	clip := &landmark.Clip{WidthPx: c.WidthPx, HeightPx: c.HeightPx}
	for k := 0; ; k++ {
		at := how.startS + float64(k)/how.fps
		if at > how.endS {
			return View{Name: c.Name + ".mp4", Camera: c, Clip: clip}
		}
		pose := metrics.At(m, at)
		f := landmark.Frame{TimeS: float64(k) / how.fps, Found: true}
		for j, w := range marks(&pose) {
			px, _ := c.Project(w)
			f.Landmarks[j] = landmark.Point{XPx: px[0] + how.noisePx*r.NormFloat64(), YPx: px[1] + how.noisePx*r.NormFloat64(), Visibility: 0.95, Presence: 1}
		}
		clip.Frames = append(clip.Frames, f)
	}
}

// all films with every camera alike.
func all(m *human.Motion, cams []camera.Camera, how shot) (views []View) {
	for i, c := range cams {
		views = append(views, filmed(m, c, how, uint64(i)))
	}
	return views
}

// bumped is a camera that was turned after it was calibrated: the film is by the turned
// one, the calibration that of before.
func bumped(c camera.Camera, axis spatial.Vec3, deg float64) camera.Camera {
	turn := spatial.FromAxisAngle(axis, deg*math.Pi/180)
	c.Rotation, c.TranslationM = turn.Mul(c.Rotation), turn.Rotate(c.TranslationM)
	return c
}

// offM is the mean distance of the limbs' places from the truth, whose first frame is at
// atS of the first view's time.
func offM(f *Fused, m *human.Motion, atS float64) float64 {
	sum, n := 0.0, 0.0
	for i := range f.Frames {
		if !f.Frames[i].Found {
			continue
		}
		pose := metrics.At(m, f.Frames[i].TimeS-atS)
		want := marks(&pose)
		for _, j := range moving {
			sum, n = sum+f.Frames[i].WorldM[j].Sub(want[j]).Norm(), n+1
		}
	}
	return sum / n
}

func mustFuse(t *testing.T, views []View) *Fused {
	t.Helper()
	f, err := Fuse(views, Options{Up: spatial.Vec3{0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
