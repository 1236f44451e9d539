package obs_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// outsider builds observations and targets from docs/formats/bundle.md alone: from
// the JSON of a manifest and the arrays of a motion file, with its own arithmetic.
type outsider struct {
	spec struct {
		PeriodS float64   `json:"period_s"`
		Frames  int       `json:"frames"`
		AheadS  []float64 `json:"ahead_s"`
		Phase   int       `json:"phase_harmonics"`
		Speed   float64   `json:"speed_scale"`
		Gyro    float64   `json:"gyro_scale"`
		Action  struct {
			Scale float64   `json:"scale_rad"`
			Min   []float64 `json:"min_rad"`
			Max   []float64 `json:"max_rad"`
			Step  []float64 `json:"max_step_rad"`
		} `json:"action"`
	}
	q, qd   [][]float64  // reference by step
	gravity [][3]float64 // likewise
	history [][]float64  // newest first
	action  []float64
	target  []float64
}

func newOutsider(t *testing.T, specJSON []byte, a npz.Archive) *outsider {
	o := &outsider{}
	if err := json.Unmarshal(specJSON, &o.spec); err != nil {
		t.Fatal(err)
	}
	n := len(o.spec.Action.Min)
	q, qd, quat, bodies := a["joint_pos"].Data, a["joint_vel"].Data, a["body_quat_w"].Data, a["body_quat_w"].Shape[1]
	if steps := a["joint_pos"].Shape[0]; a["fps"].Data[0] != 1/o.spec.PeriodS || steps < 2 {
		t.Fatalf("%d frames at %g a second", steps, a["fps"].Data[0])
	}
	for k := range a["joint_pos"].Shape[0] {
		o.q, o.qd = append(o.q, q[k*n:(k+1)*n]), append(o.qd, qd[k*n:(k+1)*n])
		w, x, y, z := quat[4*k*bodies], quat[4*k*bodies+1], quat[4*k*bodies+2], quat[4*k*bodies+3]
		// Minus the third row of the rotation matrix: down, in the root's axes.
		o.gravity = append(o.gravity, [3]float64{-2 * (x*z - w*y), -2 * (y*z + w*x), -(1 - 2*(x*x+y*y))})
	}
	o.action = make([]float64, n)
	return o
}

func (o *outsider) ref(step int) int { return max(0, min(step, len(o.q)-1)) }

func (o *outsider) observe(step int, q, qd []float64, gyro, gravity [3]float64) []float64 {
	k := o.ref(step)
	var frame []float64
	for j := range q {
		frame = append(frame, q[j]-o.q[k][j])
	}
	for j := range q {
		speed := o.qd[k][j]
		if step < 0 || step > len(o.q)-1 {
			speed = 0
		}
		frame = append(frame, o.spec.Speed*(qd[j]-speed))
	}
	for _, w := range gyro {
		frame = append(frame, o.spec.Gyro*w)
	}
	frame = append(frame, gravity[:]...)
	if o.history == nil {
		for range o.spec.Frames {
			o.history = append(o.history, frame)
		}
	}
	o.history = append([][]float64{frame}, o.history[:o.spec.Frames-1]...)
	var out []float64
	for _, f := range o.history {
		out = append(out, f...)
	}
	out = append(out, o.action...)
	out = append(out, o.q[k]...)
	for _, a := range o.spec.AheadS {
		next := o.ref(step + int(math.Round(a/o.spec.PeriodS)))
		for j := range q {
			out = append(out, o.q[next][j]-o.q[k][j])
		}
	}
	out = append(out, o.gravity[k][:]...)
	phase := math.Max(0, math.Min(1, float64(step)/float64(len(o.q)-1)))
	for h := 1; h <= o.spec.Phase; h++ {
		out = append(out, math.Sin(math.Pi*float64(h)*phase), math.Cos(math.Pi*float64(h)*phase))
	}
	return out
}

func (o *outsider) act(step int, output []float32) []float64 {
	k, a := o.ref(step), o.spec.Action
	out := make([]float64, len(output))
	for j, v := range output {
		t := o.q[k][j] + a.Scale*float64(v)
		t = math.Max(o.target[j]-a.Step[j], math.Min(o.target[j]+a.Step[j], t))
		t = math.Max(a.Min[j], math.Min(a.Max[j], t))
		o.action[j] = (t - o.q[k][j]) / a.Scale
		out[j] = t
	}
	o.target = out
	return out
}

// The page on bundles is enough to run one: an independent reading of it gives
// the observations and targets of this package, before the start, through the
// motion and beyond its end.
func TestThePageIsEnough(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(d)
	js, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	clip := randomClip(rng, d)
	ref, err := obs.NewReference(clip, &spec)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "m.motion.npz")
	if err := clip.Save(name); err != nil {
		t.Fatal(err)
	}
	archive, err := npz.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := obs.NewBuilder(spec)
	if err != nil {
		t.Fatal(err)
	}
	o := newOutsider(t, js, archive)
	start := append([]float64(nil), clip.Frames[0].JointPosRad...)
	b.Reset(start)
	o.target = start
	got, target, output := make([]float32, spec.Dim()), make([]float64, 20), make([]float32, 20)
	for step := -3; step < len(clip.Frames)+10; step++ {
		m := obs.Measurement{JointPosRad: normals(rng, 20), JointVelRadPerS: normals(rng, 20),
			GyroRadPerS: [3]float64(normals(rng, 3)), Gravity: [3]float64(normals(rng, 3))}
		b.Observe(got, ref, step, &m)
		want := o.observe(step, m.JointPosRad, m.JointVelRadPerS, m.GyroRadPerS, m.Gravity)
		if len(want) != len(got) {
			t.Fatalf("%d numbers; want %d", len(want), len(got))
		}
		for i := range want {
			if math.Abs(float64(got[i])-want[i]) > 1e-6 {
				t.Fatalf("step %d, number %d: %g by the page, %g", step, i, want[i], got[i])
			}
		}
		for j := range output {
			output[j] = float32(2 * rng.NormFloat64())
		}
		b.Target(target, ref, step, output)
		for j, v := range o.act(step, output) {
			if math.Abs(v-target[j]) > 1e-9 {
				t.Fatalf("step %d, joint %d: target %g by the page, %g", step, j, v, target[j])
			}
		}
	}
}

func normals(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func randomClip(rng *rand.Rand, d *robot.Description) *motion.Clip {
	c := &motion.Clip{FPS: 50, JointNames: d.JointNames(), BodyNames: []string{"root", "other"}}
	for range 40 {
		f := motion.NewFrame(len(d.Joints), 2)
		for j := range d.Joints {
			f.JointPosRad[j], f.JointVelRadPerS[j] = 0.5*rng.NormFloat64(), rng.NormFloat64()
		}
		for b := range f.BodyQuat {
			f.BodyQuat[b] = spatial.Quat(normals(rng, 4)).Normalize()
		}
		c.Frames = append(c.Frames, f)
	}
	return c
}

// The list of terms has every number of the observation once, and the page
// explains every name.
func TestTermsCoverTheObservation(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/formats/bundle.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(d)
	at := 0
	for _, term := range spec.Terms() {
		if term.At != at {
			t.Errorf("%s begins at %d; want %d", term.Name, term.At, at)
		}
		at += term.Size
		if base := regexp.MustCompile(`\[.*`).ReplaceAllString(term.Name, ""); !strings.Contains(string(page), "`"+base) {
			t.Errorf("docs/formats/bundle.md does not explain %q", base)
		}
	}
	if at != spec.Dim() {
		t.Errorf("terms of %d numbers; the observation has %d", at, spec.Dim())
	}
}
