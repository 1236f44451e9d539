package obs

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func toySpec() Spec {
	return Spec{Version: Version, JointNames: []string{"a", "b"}, PeriodS: 0.02, Frames: 3, AheadS: []float64{0.04},
		PhaseHarmonics: 2, SpeedScale: 0.1, GyroScale: 0.25,
		Action: ActionMap{ScaleRad: 0.25, MinRad: []float64{-1, -1}, MaxRad: []float64{1, 1}, MaxStepRad: []float64{0.08, 0.08}}}
}

// toyClip has joints in the other order: a = t, b = -2t, root rising by 0.1 m/s and turning by 1 rad/s.
func toyClip(fps float64, frames int) *motion.Clip {
	c := &motion.Clip{FPS: fps, JointNames: []string{"b", "a"}, BodyNames: []string{"root"}}
	for k := range frames {
		t := float64(k) / fps
		f := motion.NewFrame(2, 1)
		f.JointPosRad[0], f.JointPosRad[1] = -2*t, t
		f.JointVelRadPerS[0], f.JointVelRadPerS[1] = -2, 1
		f.BodyPosM[0] = spatial.Vec3{0, 0, 0.1 * t}
		f.BodyQuat[0] = spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, t)
		f.BodyAngVel[0] = spatial.Vec3{1, 0, 0}
		c.Frames = append(c.Frames, f)
	}
	return c
}

func TestReferenceIsResampledAndReordered(t *testing.T) {
	spec := toySpec()
	ref, err := NewReference(toyClip(30, 16), &spec) // 0.5 s
	if err != nil {
		t.Fatal(err)
	}
	if len(ref.Frames) != 26 {
		t.Fatalf("%d frames, want 26", len(ref.Frames))
	}
	for k := range ref.Frames {
		at, f := float64(k)*0.02, ref.At(k)
		if math.Abs(f.JointPosRad[0]-at) > 1e-12 || math.Abs(f.JointPosRad[1]+2*at) > 1e-12 || f.JointVelRadPerS[1] != -2 {
			t.Fatalf("frame %d: joints %v", k, f.JointPosRad)
		}
		want := spatial.Vec3{0, -math.Sin(at), -math.Cos(at)}
		if f.Gravity.Sub(want).Norm() > 1e-9 || math.Abs(f.RootAngVelRadPerS[0]-1) > 1e-9 {
			t.Fatalf("frame %d: gravity %v, want %v", k, f.Gravity, want)
		}
	}
	if ref.At(-3) != ref.At(0) || ref.At(99) != ref.At(25) || !ref.Resting(26) || ref.Resting(25) || ref.Phase(99) != 1 {
		t.Error("the ends of the reference do not hold")
	}
	spec.JointNames = []string{"a", "zz"}
	if _, err := NewReference(toyClip(30, 16), &spec); err == nil || !strings.Contains(err.Error(), `"zz"`) {
		t.Errorf("missing joint: %v", err)
	}
}

func TestObservationLayoutAndHistory(t *testing.T) {
	spec := toySpec()
	ref, _ := NewReference(toyClip(50, 26), &spec)
	b, err := NewBuilder(spec)
	if err != nil {
		t.Fatal(err)
	}
	b.Reset([]float64{0, 0})
	at := func(step int, bump float64) *Measurement {
		f := ref.At(step)
		return &Measurement{JointPosRad: []float64{f.JointPosRad[0] + bump, f.JointPosRad[1]}, JointVelRadPerS: []float64{1, -2 + bump},
			GyroRadPerS: [3]float64{4, 0, 0}, Gravity: [3]float64{0, 0, -1}}
	}
	dst := make([]float32, spec.Dim())
	near := func(i int, want float64) {
		t.Helper()
		if math.Abs(float64(dst[i])-want) > 1e-6 {
			t.Errorf("observation %d is %g, want %g", i, dst[i], want)
		}
	}
	b.Observe(dst, ref, 10, at(10, 0.5))
	for k := range 3 { // the first measurement fills the history
		near(10*k, 0.5)
		near(10*k+3, 0.05)
		near(10*k+4, 1)
		near(10*k+9, -1)
	}
	targets := make([]float64, 2)
	b.Target(targets, ref, 10, []float32{0.1, 4})
	// a: 0.2+0.025 lies more than a step from 0; b: -0.4+1 too.
	if targets[0] != 0.08 || targets[1] != 0.08 {
		t.Errorf("targets %v, want the largest step, 0.08", targets)
	}
	b.Observe(dst, ref, 11, at(11, 0.7))
	near(0, 0.7)
	near(10, 0.5)
	near(20, 0.5)
	near(30, (0.08-0.2)/0.25) // what was applied, in network units
	near(32, 0.22)            // reference pose
	near(34, 0.04)            // two steps ahead
	near(35, -0.08)
	near(36+1, -math.Sin(0.22))
	near(39, math.Sin(math.Pi*11/25))
	near(42, math.Cos(2*math.Pi*11/25))
	if spec.Dim() != 43 {
		t.Errorf("Dim = %d, want 43", spec.Dim())
	}
	// After the end the reference rests: its speed counts as zero.
	b.Observe(dst, ref, 26, at(26, 0))
	near(2, 0.1)
}

func TestTargetStaysWithinLimits(t *testing.T) {
	spec := toySpec()
	ref, _ := NewReference(toyClip(50, 26), &spec)
	b, _ := NewBuilder(spec)
	b.Reset([]float64{0.99, -0.99})
	dst := make([]float64, 2)
	b.Target(dst, ref, 0, []float32{100, float32(math.Inf(-1))})
	if dst[0] != 1 || dst[1] != -1 {
		t.Errorf("targets %v, want the limits", dst)
	}
	b.Target(dst, ref, 0, []float32{float32(math.NaN()), 0})
	if math.Abs(dst[0]-0.92) > 1e-12 {
		t.Errorf("NaN gives target %g, want one step towards the reference, 0.92", dst[0])
	}
}

func TestStateRestoresToTheBit(t *testing.T) {
	spec := toySpec()
	ref, _ := NewReference(toyClip(50, 26), &spec)
	one, _ := NewBuilder(spec)
	two, _ := NewBuilder(spec)
	m := &Measurement{JointPosRad: []float64{0.3, 0.1}, JointVelRadPerS: []float64{1, 2}}
	o1, o2, q := make([]float32, spec.Dim()), make([]float32, spec.Dim()), make([]float64, 2)
	one.Reset([]float64{0.1, 0.2})
	one.Observe(o1, ref, 0, m)
	one.Target(q, ref, 0, []float32{0.3, -0.2})
	s := make([]float64, one.StateLen())
	one.State(s)
	two.SetState(s)
	m.JointPosRad[0] = 0.7
	one.Observe(o1, ref, 1, m)
	two.Observe(o2, ref, 1, m)
	if !reflect.DeepEqual(o1, o2) || !reflect.DeepEqual(one.target, two.target) {
		t.Error("restored builder differs")
	}
}

func TestNoAllocation(t *testing.T) {
	spec := toySpec()
	ref, _ := NewReference(toyClip(50, 26), &spec)
	b, _ := NewBuilder(spec)
	m := &Measurement{JointPosRad: []float64{0.3, 0.1}, JointVelRadPerS: []float64{1, 2}}
	o, q, a := make([]float32, spec.Dim()), make([]float64, 2), make([]float32, 2)
	b.Reset(q)
	if n := testing.AllocsPerRun(50, func() { b.Observe(o, ref, 3, m); b.Target(q, ref, 3, a) }); n != 0 {
		t.Errorf("Observe and Target allocate %g times", n)
	}
}

func TestShippedRobotSpec(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultSpec(d)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.Dim() != 229 {
		t.Errorf("Dim = %d, want 229", s.Dim())
	}
	js, _ := json.Marshal(s)
	var back Spec
	if err := json.Unmarshal(js, &back); err != nil || !reflect.DeepEqual(s, back) {
		t.Errorf("JSON round trip: %v", err)
	}
	for name, spoil := range map[string]func(*Spec){
		"version": func(s *Spec) { s.Version = 7 }, "joints": func(s *Spec) { s.JointNames = nil },
		"period": func(s *Spec) { s.PeriodS = 0 }, "frames": func(s *Spec) { s.Frames = 0 },
		"ahead": func(s *Spec) { s.AheadS = []float64{math.NaN()} }, "limits": func(s *Spec) { s.Action.MinRad = s.Action.MaxRad },
		"scale": func(s *Spec) { s.Action.ScaleRad = 0 }, "gyro": func(s *Spec) { s.GyroScale = 0 },
	} {
		bad := DefaultSpec(d)
		spoil(&bad)
		if bad.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A slowed motion passes the same poses, later, and its speeds are those of its poses.
func TestSlowedReference(t *testing.T) {
	r := &Reference{}
	at := func(x float64) float64 { return math.Sin(x / 5) }
	const period = 0.02
	for k := range 41 {
		x := float64(k)
		r.Frames = append(r.Frames, RefFrame{JointPosRad: []float64{at(x)}, JointVelRadPerS: []float64{math.Cos(x/5) / 5 / period}, RootQuat: spatial.Identity()})
	}
	for _, share := range []float64{1, 0.7, 0.5} {
		s := r.Slowed(share)
		if want := int(math.Ceil(40/share-1e-9)) + 1; len(s.Frames) != want {
			t.Fatalf("%g: %d frames, want %d", share, len(s.Frames), want)
		}
		for k := range s.Frames {
			f := s.At(k)
			x := min(float64(k)*share, 40)
			if math.Abs(f.JointPosRad[0]-at(x)) > 0.006 {
				t.Errorf("%g, frame %d: %g rad, want %g", share, k, f.JointPosRad[0], at(x))
			}
			if k > 0 && k < len(s.Frames)-2 {
				v := (s.At(k + 1).JointPosRad[0] - s.At(k - 1).JointPosRad[0]) / (2 * period)
				if math.Abs(v-f.JointVelRadPerS[0]) > 0.35 {
					t.Errorf("%g, frame %d: %g rad/s, its poses move at %g", share, k, f.JointVelRadPerS[0], v)
				}
			}
		}
	}
}
