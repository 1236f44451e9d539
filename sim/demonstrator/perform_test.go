package demonstrator

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// people are the performances every property below must hold for.
func people(t *testing.T, check func(t *testing.T, m Motion, opt Options, p *human.Motion)) {
	t.Helper()
	for _, m := range Motions() {
		for name, opt := range map[string]Options{
			"as authored": {},
			"small":       {HeightM: 1.1, FPS: 60, Camera: Camera{AzimuthDeg: 35}},
			"tall, seed":  {HeightM: 2.0, FPS: 25, Seed: 7},
		} {
			t.Run(m.Name+"/"+name, func(t *testing.T) {
				p, err := Perform(m, opt)
				if err != nil {
					t.Fatal(err)
				}
				opt, _ = opt.withDefaults()
				check(t, m, opt, p)
			})
		}
	}
}

func TestSkeletonIsRigid(t *testing.T) {
	people(t, func(t *testing.T, m Motion, opt Options, p *human.Motion) {
		b := newBody(opt.HeightM)
		for i := range p.Frames {
			f := &p.Frames[i]
			for j := human.Joint(1); int(j) < human.NumJoints; j++ {
				up := j.Parent()
				want := f.Positions[up].Add(f.Rotations[up].Rotate(b.offset[j]))
				// 1e-9 m: a chain of six rotations in float64; a leg stretched
				// beyond its reach would show as millimetres.
				if d := want.Sub(f.Positions[j]).Norm(); d > 1e-9 {
					t.Fatalf("frame %d: %s is %.2g m off its place on %s", i, j, d, up)
				}
			}
		}
	})
}

func TestStandingFeetKeepStill(t *testing.T) {
	points := [...]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe}
	people(t, func(t *testing.T, m Motion, opt Options, p *human.Motion) {
		for c, j := range points {
			var held spatial.Vec3
			down := false
			for i := range p.Frames {
				f := &p.Frames[i]
				at := f.Positions[j]
				if at[2] < -1e-9 {
					t.Fatalf("frame %d: %s is %.2g m under the floor", i, j, -at[2])
				}
				if f.Contacts[c] == 0 {
					down = false
					continue
				}
				if !down {
					held, down = at, true
				}
				if d := at.Sub(held).Norm(); d > 1e-9 || at[2] > 1e-9 {
					t.Fatalf("frame %d: %s slid %.2g m, is %.2g m high while in contact", i, j, d, at[2])
				}
			}
			if !down {
				t.Errorf("%s ends off the floor", j)
			}
		}
	})
}

func TestStartsAndEndsQuietlyStanding(t *testing.T) {
	people(t, func(t *testing.T, m Motion, opt Options, p *human.Motion) {
		quiet := int(0.4 * opt.FPS)
		n := len(p.Frames)
		for j := range human.Joint(human.NumJoints) {
			for _, at := range [...][2]int{{0, quiet}, {n - 1 - quiet, n - 1}} {
				a, b := p.Frames[at[0]].Positions[j], p.Frames[at[1]].Positions[j]
				// The balance leans into the first move a little ahead of it, as
				// people do: up to 2 cm for a tall one.
				if d := a.Sub(b).Norm(); d > 0.02 {
					t.Errorf("%s moves %.1f mm between frames %d and %d", j, 1000*d, at[0], at[1])
				}
			}
			if tilt := p.Frames[0].Rotations[j].TiltRad(); tilt > rad(25) {
				t.Errorf("%s is tilted by %.0f degrees at the start", j, tilt*180/math.Pi)
			}
		}
		pelvis := p.Frames[0].Positions[human.Pelvis]
		if math.Hypot(pelvis[0], pelvis[1]) > 1e-12 {
			t.Errorf("the origin is not under the pelvis: %v", pelvis)
		}
		if yaw := p.Frames[0].Rotations[human.Pelvis].YawRad(); math.Abs(yaw+rad(opt.Camera.AzimuthDeg)) > 1e-9 {
			t.Errorf("camera at %g degrees sees a heading of %g rad", opt.Camera.AzimuthDeg, yaw)
		}
		if s := m.Seconds; s < 5 || s > 7 {
			t.Errorf("takes %g s; 5 to 7 are asked for", s)
		}
	})
}

// The pressure point of the moving body (from the accelerations of all its
// masses) must lie on the feet that carry it, or a person would fall over.
func TestWeightIsOverTheStanceFeet(t *testing.T) {
	people(t, func(t *testing.T, m Motion, opt Options, p *human.Motion) {
		soleM := 0.030 * opt.HeightM // half the width of a shoe
		worst := 0.0
		for i := 1; i < len(p.Frames)-1; i++ {
			c := [3]spatial.Vec3{}
			for k := range c {
				c[k] = centreOfMass(&p.Frames[i-1+k])
			}
			acc := c[0].Add(c[2]).Sub(c[1].Scale(2)).Scale(opt.FPS * opt.FPS)
			h := c[1][2] / (gravityMPerS2 + acc[2])
			zmp := [2]float64{c[1][0] - h*acc[0], c[1][1] - h*acc[1]}
			worst = math.Max(worst, outside(zmp, &p.Frames[i]))
		}
		if worst > soleM {
			t.Errorf("the pressure point leaves the feet's middle lines by %.0f mm; the shoes allow %.0f", 1000*worst, 1000*soleM)
		}
	})
}

// outside is the distance of a floor point from the hull of the middle lines of
// the standing feet: one line for one foot, a quadrangle for two.
func outside(zmp [2]float64, f *human.Pose) float64 {
	var hull [][2]float64
	for _, c := range [...]struct {
		contact human.Contact
		joint   human.Joint
	}{{human.LHeelContact, human.LHeel}, {human.LToeContact, human.LToe}, {human.RToeContact, human.RToe}, {human.RHeelContact, human.RHeel}} {
		if f.Contacts[c.contact] > 0 {
			hull = append(hull, [2]float64{f.Positions[c.joint][0], f.Positions[c.joint][1]})
		}
	}
	best, inside := math.Inf(1), len(hull) > 2
	for i, a := range hull {
		b := hull[(i+1)%len(hull)]
		dx, dy := b[0]-a[0], b[1]-a[1]
		px, py := zmp[0]-a[0], zmp[1]-a[1]
		if dx*py-dy*px > 0 { // hull runs clockwise seen from above
			inside = false
		}
		s := math.Max(0, math.Min(1, (px*dx+py*dy)/(dx*dx+dy*dy)))
		best = math.Min(best, math.Hypot(px-s*dx, py-s*dy))
	}
	if inside {
		return 0
	}
	return best
}

// Ranges of a healthy adult, degrees, generous by ten (Soucie et al. 2011), and
// speeds a 12 V XM430-class servo can follow: 4.8 rad/s without load.
func TestJointsStayHuman(t *testing.T) {
	people(t, func(t *testing.T, m Motion, opt Options, p *human.Motion) {
		for i := range p.Frames {
			f := &p.Frames[i]
			for side := range 2 {
				in := func(what string, from, to human.Joint, lo, hi float64) {
					rel := f.Rotations[joint(from, side)].Inv().Mul(f.Rotations[joint(to, side)])
					v := rel.Log()
					if deg := v[1] * 180 / math.Pi; deg < lo || deg > hi {
						t.Fatalf("frame %d: %s of side %d is at %.0f degrees; a person has %.0f to %.0f", i, what, side, deg, lo, hi)
					}
				}
				in("knee", human.LHip, human.LKnee, 2, 140)
				in("ankle", human.LKnee, human.LAnkle, -35, 50)
				in("hip", human.Pelvis, human.LHip, -125, 25)
				in("elbow", human.LShoulder, human.LElbow, -150, -2)
			}
			if i == 0 {
				continue
			}
			for j := human.Joint(1); int(j) < human.NumJoints; j++ {
				now := f.Rotations[j.Parent()].Inv().Mul(f.Rotations[j])
				was := p.Frames[i-1].Rotations[j.Parent()].Inv().Mul(p.Frames[i-1].Rotations[j])
				if w := now.Mul(was.Inv()).Log().Norm() * opt.FPS; w > 3.6 {
					t.Fatalf("frame %d: %s turns at %.1f rad/s", i, j, w)
				}
			}
		}
	})
}

func TestPerformanceIsAFunctionOfItsOptions(t *testing.T) {
	m := Motions()[0]
	get := func(o Options) *human.Motion {
		p, err := Perform(m, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if !reflect.DeepEqual(get(Options{Seed: 3}), get(Options{Seed: 3})) {
		t.Error("the same options give two performances")
	}
	if reflect.DeepEqual(get(Options{Seed: 3}), get(Options{Seed: 4})) {
		t.Error("the seed changes nothing")
	}
	// The motion does not depend on the frame rate: every second frame of 60 is
	// a frame of 30.
	a, b := get(Options{}), get(Options{FPS: 60})
	for i := range a.Frames {
		if a.Frames[i] != b.Frames[2*i] {
			t.Fatalf("frame %d differs at 60 frames per second", i)
		}
	}
	name := filepath.Join(t.TempDir(), "a.human.npz")
	if err := a.Save(name); err != nil {
		t.Fatal(err)
	}
	if back, err := human.Load(name); err != nil || !reflect.DeepEqual(a, back) {
		t.Errorf("truth does not survive its file: %v", err)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"height":     {HeightM: 3},
		"frames":     {FPS: 1000},
		"distance":   {Camera: Camera{DistanceM: -1}},
		"azimuth":    {Camera: Camera{AzimuthDeg: math.NaN()}},
		"field":      {Camera: Camera{FovDeg: 170}},
		"even":       {WidthPx: 541, HeightPx: 720},
		"width":      {HeightPx: 720},
		"shirt":      {Look: Look{Shirt: "red"}},
		"skin":       {Look: Look{Skin: "#12345"}},
		"background": {Look: Look{Background: "moon"}},
		"light":      {Look: Look{Light: 9}},
	} {
		if _, err := Perform(Motions()[0], o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := Find("hop"); err == nil || !strings.Contains(err.Error(), "side_step") {
		t.Errorf("unknown motion: %v", err)
	}
}

func TestBalanceSolvesItsEquation(t *testing.T) {
	push := func(tS float64) (float64, float64) { return 0.1 * minimumJerk(tS-1), 0.3 }
	const h = 0.9
	c := balance(4, h, push)
	for i := 1; i < len(c.x)-1; i++ {
		px, py := push(float64(i) * c.dtS)
		acc := (c.x[i-1] - 2*c.x[i] + c.x[i+1]) / (c.dtS * c.dtS)
		if got := c.x[i] - h/gravityMPerS2*acc; math.Abs(got-px) > 1e-9 {
			t.Fatalf("step %d: pressure point %g, want %g", i, got, px)
		}
		if math.Abs(c.y[i]-py) > 1e-9 {
			t.Fatalf("a constant pressure point moves the body: %g", c.y[i])
		}
	}
	// Long after the move the body has arrived.
	if x, _ := c.at(4); math.Abs(x-0.1) > 1e-4 {
		t.Errorf("ends at %g, want 0.1", x)
	}
}
