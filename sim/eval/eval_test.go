//go:build mujoco && cgo

package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

const (
	rootHeightM = 0.2837
	lHipPitch   = 2
	lKnee       = 3
	lAnkle      = 4
	rHipPitch   = 8
	rKnee       = 9
	rAnkle      = 10
)

var standRad = []float64{0, 0, -.35, .7, -.35, 0, 0, 0, -.35, .7, -.35, 0, .1, .15, 0, -.3, .1, -.15, 0, -.3}

// test makes a test of a motion in which joints move by amount(second) from
// standing while the reference's root stays where it is.
func test(t *testing.T, seconds float64, move func(q []float64, s float64)) Test {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d := b.Desc
	spec := obs.DefaultSpec(d)
	c := &motion.Clip{FPS: 50, JointNames: d.JointNames(), BodyNames: []string{d.RootBody}}
	for k := range int(seconds*50) + 1 {
		f := motion.NewFrame(20, 1)
		copy(f.JointPosRad, standRad)
		if move != nil {
			move(f.JointPosRad, float64(k)/50)
		}
		f.BodyPosM[0], f.BodyQuat[0], f.Contacts = spatial.Vec3{0, 0, rootHeightM}, spatial.Identity(), [2]float64{1, 1}
		c.Frames = append(c.Frames, f)
	}
	ref, err := obs.NewReference(c, &spec)
	if err != nil {
		t.Fatal(err)
	}
	return Test{Robot: b, Spec: spec, Refs: []*obs.Reference{ref}, Episodes: 6, CardEpisodes: 2}
}

// topple leans the robot over its toes.
func topple(q []float64, s float64) {
	a := math.Min(0.5, 0.5*s)
	q[lAnkle] += a
	q[rAnkle] += a
}

func run(t *testing.T, ts Test, f Factory) *Report {
	t.Helper()
	r, err := Run(t.Context(), ts, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStandingIsSurvived(t *testing.T) {
	ts := test(t, 1.5, nil)
	r := run(t, ts, Playback)
	if r.Card[0].Name != "clean" || r.Card[0].SurvivalRate != 1 || r.Card[0].StrictRate != 1 {
		t.Errorf("clean standing: %+v; want all survived and strict", r.Card[0].Metrics)
	}
	c := r.Card[0].Metrics
	if c.JointMAERad > 0.03 || c.RootErrorCm > 1 || c.MPJPELocalMm > 8 || c.TiltDeg > 3 {
		t.Errorf("clean standing is tracked badly: %+v", c)
	}
	if c.ContactAgreement < 0.9 || c.TorqueRMSNm <= 0 || c.TorqueRMSNm > 1 || c.FootSlipMPerS > 0.05 {
		t.Errorf("clean standing: %+v", c)
	}
	if len(r.Results) != 6 || r.Episodes != 6 || len(r.Card) != len(Card()) || r.Card[1].Episodes != 2 {
		t.Errorf("%d results, %d card lines", len(r.Results), len(r.Card))
	}
	if r.BaselinePlaybackSurvivalRate != r.SurvivalRate {
		t.Errorf("playback against itself: %g and %g", r.SurvivalRate, r.BaselinePlaybackSurvivalRate)
	}
	within(t, r)
	for i, e := range r.Results {
		if e.Seed != DefaultSeed+uint64(i) {
			t.Errorf("episode %d has seed %d", i, e.Seed)
		}
		if late := e.Dynamics.DelayS > 0.01; late != (i%2 == 1) {
			t.Errorf("episode %d has %g s of delay; want it in every second", i, e.Dynamics.DelayS)
		}
		if f := e.Dynamics.Friction; f < 0.5 || f > 1.2 {
			t.Errorf("episode %d has friction %g", i, f)
		}
	}
}

func TestToppleIsAFall(t *testing.T) {
	ts := test(t, 3, topple)
	r := run(t, ts, Playback)
	if r.SurvivalRate != 0 || r.StrictRate != 0 || r.MeanTimeToFallS == nil {
		t.Fatalf("toppling robot: survival %g, strict %g", r.SurvivalRate, r.StrictRate)
	}
	if *r.MeanTimeToFallS < 0.3 || *r.MeanTimeToFallS > 3 {
		t.Errorf("mean time to fall %g s", *r.MeanTimeToFallS)
	}
	// The joints follow well while the robot leans: in the root's frame the bodies
	// are where they belong.
	if m := r.BaselinePlayback; m.MPJPELocalMm > 20 || m.TiltMaxDeg < 30 {
		t.Errorf("bodies are off by %.1f mm in the root frame while the robot tilts by up to %.0f degrees", m.MPJPELocalMm, m.TiltMaxDeg)
	}
	n := 0
	for _, k := range r.FallPhases {
		n += k
	}
	if n != 6 || r.FallDirections["forward"]+r.FallDirections["backward"] < 4 {
		t.Errorf("falls by phase %v, by direction %v", r.FallPhases, r.FallDirections)
	}
	for _, e := range r.Results {
		if want := e.TimeS / 3; math.Abs(e.FallPhase-want) > 0.01 {
			t.Errorf("fall at %g s has phase %g; want %g", e.TimeS, e.FallPhase, want)
		}
	}
}

// The same test gives the same bytes, on any number of threads.
func TestReportIsReproducible(t *testing.T) {
	ts := test(t, 1, topple)
	var want bytes.Buffer
	ts.Threads = 1
	if err := run(t, ts, Playback).Encode(&want); err != nil {
		t.Fatal(err)
	}
	ts.Threads = 2
	var got bytes.Buffer
	if err := run(t, ts, Playback).Encode(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Error("two threads give another report than one")
	}
	// An episode does not depend on how many others are played.
	ts.Episodes = 3
	few := run(t, ts, Playback)
	var all Report
	if err := json.Unmarshal(want.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	for i, e := range few.Results {
		if e != all.Results[i] {
			t.Errorf("episode %d differs: %+v, %+v", i, e, all.Results[i])
		}
	}
}

// silent is a network whose every output is 0.
func silent(in, out int) (*infer.Net, error) {
	n := infer.Normalizer{Mean: make([]float32, in), InvStd: make([]float32, in), Clip: 5}
	return infer.New(n, []infer.Layer{{In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}})
}

// A network that says nothing is the playback, so both paths command alike.
func TestSilentPolicyIsPlayback(t *testing.T) {
	ts := test(t, 1, topple)
	in, out := ts.Spec.Dim(), ts.Spec.Joints()
	net, err := silent(in, out)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Policy(ts.Spec, net)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, ts, f)
	if r.JointMAERad != r.BaselinePlayback.JointMAERad || r.SurvivalRate != r.BaselinePlaybackSurvivalRate {
		t.Errorf("silent policy %+v; playback %+v", r.Metrics, *r.BaselinePlayback)
	}
	// Two of twenty targets move by 10 mrad a period, from the second period on.
	if got, want := r.BaselinePlayback.ActionRate, 2.0/20*1e-4; math.Abs(got-want) > 0.05*want {
		t.Errorf("the playback's action rate is %g rad^2; want %g", got, want)
	}
}

// catcher leans against the topple it senses: a controller that looks does better
// than playback, and the report says so.
type catcher struct{ spec obs.Spec }

func (c catcher) Forward(dst, x []float32, count int) {
	n, dim := c.spec.Joints(), c.spec.Dim()
	clear(dst)
	for w := range count {
		now := x[w*dim+2*n:] // the newest measurement's gyro and gravity
		pitchRate, ahead := float64(now[1])/c.spec.GyroScale, float64(now[3])
		pose := x[w*dim+c.spec.Frames*(2*n+6)+n:] // of the reference
		// Gravity ahead in the root frame means leaning forward: push the toes down,
		// whatever the reference wants of the ankles.
		for _, j := range []int{lAnkle, rAnkle} {
			target := standRad[j] + 1.2*ahead + 0.15*pitchRate
			dst[w*n+j] = float32((target - float64(pose[j])) / c.spec.Action.ScaleRad)
		}
	}
}

func TestBetterControllerGetsBetterReport(t *testing.T) {
	ts := test(t, 2, topple)
	r := run(t, ts, func(int) Actor { return catcher{ts.Spec} })
	if r.SurvivalRate <= r.BaselinePlaybackSurvivalRate {
		t.Errorf("survival %g; playback %g", r.SurvivalRate, r.BaselinePlaybackSurvivalRate)
	}
}

func TestRecord(t *testing.T) {
	ts := test(t, 2, topple)
	rec, err := Record(t.Context(), ts, 0, Card()[0], Playback, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.QPos) != 126 || !rec.Fell || rec.FallS <= 0 {
		t.Errorf("%d frames, fell %v at %g s; want 126, a fall", len(rec.QPos), rec.Fell, rec.FallS)
	}
	letGo := flightConfig(ts.Robot, ts.Spec.PeriodS).Thresholds.TiltRad // comes before the fall by tilt
	fallen := func(q []float64) bool {
		return q[2] < 0.6*rootHeightM || spatial.Quat(q[3:7]).TiltRad() > letGo
	}
	if k := int(math.Round(rec.FallS / rec.PeriodS)); fallen(rec.QPos[k-1]) || !fallen(rec.QPos[k]) {
		t.Errorf("fall reported in frame %d, but it is not the first one that breaks the rule", k)
	}
	if z := rec.QPos[125][2]; z > 0.2 {
		t.Errorf("the recording stops at the fall (root at %.2f m at its end)", z)
	}
	ref, err := ReferenceQPos(ts, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(ref.QPos) != 101 || ref.QPos[0][2] != rootHeightM || math.Abs(ref.QPos[100][7+lAnkle]-0.15) > 1e-9 {
		t.Errorf("reference of %d frames ends at %v", len(ref.QPos), ref.QPos[len(ref.QPos)-1])
	}
}

func TestSaveHoldsTheFields(t *testing.T) {
	ts := test(t, 1, nil)
	ts.CardEpisodes = -1
	name := filepath.Join(t.TempDir(), "eval.json")
	r := run(t, ts, Playback)
	if err := r.Save(name); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Encode(&b); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"survival_rate", "episodes", "joint_mae_rad", "mpjpe_local_mm", "baseline_playback_survival_rate", "rule", "results"} {
		if _, ok := m[f]; !ok {
			t.Errorf("eval.json has no %s", f)
		}
	}
}

func TestRefusesWhatDoesNotFit(t *testing.T) {
	for want, edit := range map[string]func(*Test){
		"no robot":            func(t *Test) { t.Robot = nil },
		"episodes":            func(t *Test) { t.Episodes = -1 },
		"no reference motion": func(t *Test) { t.Refs = nil },
		"period":              func(t *Test) { t.Spec.PeriodS = 0.04 },
		`"l_hip_yaw" for`: func(t *Test) {
			d := *t.Robot.Desc
			d.Joints = append(d.Joints[1:2:2], d.Joints[1:]...)
			t.Robot = &body.Body{Desc: &d}
		},
	} {
		ts := test(t, 1, nil)
		edit(&ts)
		if _, err := Run(t.Context(), ts, Playback); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	ts := test(t, 1, nil)
	net, err := silent(3, 20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Policy(ts.Spec, net); err == nil || !strings.Contains(err.Error(), "maps 3 numbers") {
		t.Errorf("wrong network: %v", err)
	}
}
