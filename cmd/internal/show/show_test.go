package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/doctor"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// fill gives every exported field of a value something of its own: numbers by count, texts by the field's name, two
// elements to each list.
func fill(v reflect.Value, name string, count *int) {
	*count++
	switch v.Kind() {
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(*count) / 7)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*count))
		if name == "Episodes" { // of which the other counts are parts
			v.SetInt(100_000)
		}
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(*count % 100))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprintf("<%s>", name))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, count)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), name, count)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), f.Name, count)
			}
		}
	}
}

func filled[T any]() *T {
	v, count := new(T), 0
	fill(reflect.ValueOf(v).Elem(), "", &count)
	return v
}

func text(print func(io.Writer)) string {
	var b bytes.Buffer
	print(&b)
	return b.String()
}

// Whatever is shown is whole lines without a trace of a format that does not fit its values, full or empty.
func TestTextsAreClean(t *testing.T) {
	results := map[string]func(io.Writer){
		"retarget":        func(w io.Writer) { Retarget(w, filled[retarget.Report](), "x.motion.npz") },
		"retarget, empty": func(w io.Writer) { Retarget(w, &retarget.Report{}, "") },
		"compared": Compared{Comparison: filled[metrics.Comparison](), Motion: filled[metrics.Plausibility](),
			Truth: filled[metrics.Plausibility]()}.Print,
		"checked":        Checked{Verdict: filled[feasible.Verdict](), Likeness: filled[likeness.Result]()}.Print,
		"checked, empty": Checked{Verdict: &feasible.Verdict{}}.Print,
		"eval":           func(w io.Writer) { Eval(w, "p.bundle", filled[eval.Report]()) },
		"eval, empty":    func(w io.Writer) { Eval(w, "p.bundle", &eval.Report{BaselinePlayback: &eval.Metrics{}}) },
		"demonstrations": Demonstrations(demonstrator.Motions()).Print,
		"doctor":         func(w io.Writer) { Doctor(w, []doctor.Finding{{Name: "a", Detail: "b", Fix: "c"}, {OK: true}}) },
	}
	for name, print := range results {
		said := text(print)
		if said == "" || !strings.HasSuffix(said, "\n") {
			t.Errorf("%s: %q is no line", name, said)
		}
		if m := regexp.MustCompile(`%!|NaN|Inf|0x[0-9a-f]{6}|&\{|\{<`).FindString(said); m != "" {
			t.Errorf("%s says %q:\n%s", name, m, said)
		}
	}
}

// Figures appear in the units that the words beside them promise.
func TestFiguresInTheirUnits(t *testing.T) {
	rep := &retarget.Report{Frames: 432, Seconds: 8.62, WorstSpeedShare: 0.755, FootSlidingSpeedMPerS: 0.0034, PenetrationDepthM: 0.00123,
		ContactPreservation: 0.9, DirectionErrorDeg: 6.24, Similarity: 0.98765, WorstBalanceM: -0.0042, UnbalancedShare: 0.25, Notes: []string{"slowed down"}}
	rep.Likeness.Findings = []likeness.Finding{{Severity: "changed", Text: "the heading"}}
	v := &feasible.Verdict{Verdict: feasible.Infeasible, Robot: "kata20", DurationS: 8.5, WorstMarginM: -0.0312, WorstMarginAtS: 2.25, OutsideShare: 0.125,
		OneFootShare: 0.5, Joints: []feasible.JointLoad{{Name: "l_knee", MinRad: -0.25, MaxRad: 1.5, PeakRadPerS: 3.25, PeakNm: 2.75, RMSNm: 0.5, TorqueShare: 0.8}},
		Seconds: []feasible.Second{{FromS: 3, TorqueShare: 0.5, SpeedShare: 0.25, BalanceMarginM: -0.012}}}
	ev := &eval.Report{Robot: "kata20", Physics: "MuJoCo 4", BaselinePlayback: &eval.Metrics{Episodes: 40, Survived: 4, JointMAERad: 0.022, MPJPELocalMm: 5.5}}
	ev.Episodes, ev.Survived, ev.StrictlyTracked, ev.JointMAERad, ev.MPJPELocalMm, ev.RootErrorCm, ev.FootSlipMPerS = 40, 39, 30, 0.031, 6.25, 1.5, 0.0035
	ev.TorqueAtLimit, ev.GuardChanged, ev.GuardCommands, ev.GuardMaxRad, ev.Stopped = 0.015, 7, 9000, 0.125, 2
	ev.Results = []eval.Episode{{Seed: 5, Fell: true, FallDirection: "forward", TimeS: 2.5, FallPhase: 0.3}, {Seed: 6, Stopped: "stalled", TimeS: 3.5}, {Seed: 7}}
	ev.Card = []eval.CardLine{{Name: "pushes", Text: "0.3 m/s", Metrics: eval.Metrics{Episodes: 20, Survived: 19}, BaselinePlayback: eval.Metrics{Episodes: 20, Survived: 7}}}
	for _, c := range []struct {
		what  string
		print func(io.Writer)
		says  []string
		not   []string
	}{
		{"retarget", func(w io.Writer) { Retarget(w, rep, "out.npz") }, []string{"432 frames, 8.62 s", "at 76 % of its limit", "3.4 mm/s", "1.23 mm", "90 %",
			"6.2 deg", "0.988", "-4.2 mm", "25.0 % of the frames", "slowed down", "changed      the heading", "written      out.npz"}, nil},
		{"retarget, refused", func(w io.Writer) { Retarget(w, rep, "") }, nil, []string{"written"}},
		{"check", Checked{Verdict: v}.Print, []string{"infeasible (kata20, 8.50 s)", "-31 mm inside the feet at worst (at 2.2 s)", "12.5 %", "50 %", "l_knee",
			"-0.25    1.50     3.25     2.75     0.50      80%", "3              50%     25%         -12"}, []string{"against the person"}},
		{"check of a known person", Checked{Verdict: v, Likeness: &likeness.Result{Verdict: likeness.Lost}}.Print,
			[]string{"against the person, when it was retargeted: " + string(likeness.Lost)}, nil},
		{"eval", func(w io.Writer) { Eval(w, "p.bundle", ev) }, []string{"p.bundle on kata20, MuJoCo 4", "39 of 40", "4 of 40", "30 of 40", "0.031 rad (plain playback 0.022)",
			"6.2 mm (5.5)", "1.5 cm", "3.5 mm/s", "1.5 % of the time at the limit", "7 of 9000 commands", "0.125 rad", "ended 2 of 40",
			"seed 5 fell forward after 2.50 s (30 % of the motion)", "seed 6 was stopped by robotd after 3.50 s: stalled", "19 of 20", "[7 of 20]"}, []string{"seed 7"}},
		{"doctor", func(w io.Writer) {
			Doctor(w, []doctor.Finding{{Name: "ffmpeg", Detail: "not found", Fix: "make deps"}, {Name: "robotd", Detail: "nowhere; run: make build", Fix: "make build"},
				{Name: "cores", OK: true, Detail: "2", Fix: "make build"}})
		}, []string{"MISSING  ffmpeg", "not found; run: make deps\n", "nowhere; run: make build\n", "ok       cores"}, []string{"build; run", "2; run"}},
	} {
		said := text(c.print)
		for _, want := range c.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s does not say %q:\n%s", c.what, want, said)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(said, bad) {
				t.Errorf("%s says %q:\n%s", c.what, bad, said)
			}
		}
	}
}

// The worst joint of a comparison is the one with the largest error, wherever it stands.
func TestWorstJoint(t *testing.T) {
	for worst := range 3 {
		c := &metrics.Comparison{Joints: []metrics.JointError{{Joint: "a", MPJPEMm: 10}, {Joint: "b", MPJPEMm: 20}, {Joint: "c", MPJPEMm: 15}}}
		c.Joints[worst].MPJPEMm = 42
		if said := text(Compared{Comparison: c, Motion: &metrics.Plausibility{}}.Print); !strings.Contains(said, c.Joints[worst].Joint+", 42 mm") {
			t.Errorf("joint %d is worst:\n%s", worst, said)
		}
	}
}

// An extraction is told as text and as JSON; where nothing was written neither says that something was.
func TestExtraction(t *testing.T) {
	e := &extract.Result{WallS: 3, TrackS: 2, SolveS: 0.5, Causal: &extract.Latency{LagFrames: 2, LagMs: 66.7, P50Ms: 12.34, P95Ms: 20}}
	e.Track.Stats = track.Stats{Frames: 180, Missed: 3}
	e.Verdict = verdict.Verdict{Grade: verdict.Doubtful, Warnings: []string{"the camera moves"}, Unseen: []human.Unseen{{Part: "legs", FromS: 1, ToS: 2.5}}}
	var o extract.Options
	o.Video = "clip.mp4"
	show := func(out, film string, asJSON bool) string {
		return text(func(w io.Writer) {
			if err := Extraction(w, e, o, out, film, asJSON); err != nil {
				t.Error(err)
			}
		})
	}
	for _, c := range []struct {
		out, film string
		says, not []string
	}{
		{"m.npz", "o.mp4", []string{"warning: the camera moves", "not seen: legs from 1.0 to 2.5 s: they stand still", "verdict: doubtful", "m.npz: 180 frames, 3 without the person", "causal: 2 frames (67 ms)",
			"12.3 ms (p50)", "o.mp4: overlay"}, nil},
		{"m.npz", "", []string{"m.npz: 180"}, []string{"overlay"}},
		{"", "", []string{"verdict: doubtful"}, []string{"180 frames", "overlay", "causal"}},
	} {
		said := show(c.out, c.film, false)
		for _, want := range c.says {
			if !strings.Contains(said, want) {
				t.Errorf("out %q: it does not say %q:\n%s", c.out, want, said)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(said, bad) {
				t.Errorf("out %q: it says %q:\n%s", c.out, bad, said)
			}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(show(c.out, c.film, true)), &got); err != nil {
			t.Fatal(err)
		}
		_, wrote := got["output"]
		_, filmed := got["overlay"]
		if got["video"] != "clip.mp4" || got["verdict"] != "doubtful" || got["frames"] != 180.0 || got["frames_missed"] != 3.0 || wrote != (c.out != "") || filmed != (c.film != "") {
			t.Errorf("out %q: %v", c.out, got)
		}
	}
}

// What is shown of a robot is what the robot is.
func TestRobotFacts(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	an, err := b.Humanoid()
	if err != nil {
		t.Fatal(err)
	}
	f := Facts(b, an)
	if math.Abs(f.MassKg-3.2) > 0.05 || f.HeightM < 0.4 || f.HeightM > 0.6 || f.LegM <= 0 || f.UpperM <= 0 || f.ForeM <= 0 || f.SoleM[0] <= f.SoleM[1] || len(f.Joints) != 20 {
		t.Errorf("%+v", f)
	}
	said := text(func(w io.Writer) { Robot(w, f) })
	for part, name := range f.Parts {
		if !strings.Contains(said, part) || !strings.Contains(said, name) {
			t.Errorf("%s (%s) is not shown", part, name)
		}
		if mirrored, ok := strings.CutPrefix(part, "left "); ok && f.Parts["right "+mirrored] == "" {
			t.Errorf("%s has no other side", part)
		}
	}
	for _, j := range f.Joints {
		if n := len(regexp.MustCompile(`(?m)^`+j.Name+` `).FindAllString(said, -1)); n != 1 {
			t.Errorf("joint %s is shown %d times", j.Name, n)
		}
	}
	an.Head = -1
	an.HasArms = false
	bare := Facts(b, an)
	if _, head := bare.Parts["head"]; head || bare.Parts["left forearm"] != "" || strings.Contains(text(func(w io.Writer) { Robot(w, bare) }), "forearm   ") {
		t.Errorf("a robot without head and arms has %v", bare.Parts)
	}
}

// A demonstration's JSON is what a person may choose by.
func TestDemonstrationsAsJSON(t *testing.T) {
	js, err := json.Marshal(Demonstrations(demonstrator.Motions()))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(js, &got); err != nil || len(got) != len(demonstrator.Motions()) {
		t.Fatalf("%v: %s", err, js)
	}
	for i, m := range demonstrator.Motions() {
		if len(got[i]) != 3 || got[i]["name"] != m.Name || got[i]["seconds"] != m.Seconds || got[i]["description"] != m.Description {
			t.Errorf("%v, want %s", got[i], m.Name)
		}
	}
}

func TestBundle(t *testing.T) {
	net, err := infer.New(infer.Normalizer{Mean: make([]float32, 3), InvStd: []float32{1, 1, 1}, Clip: 10},
		[]infer.Layer{{In: 3, Out: 2, W: make([]float32, 6), B: make([]float32, 2)}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle.Bundle{Net: net, Manifest: bundle.Manifest{Name: "wave", Robot: "kata20", JointNames: []string{"a", "b"}, PolicyRateHz: 50,
		Motions: []bundle.MotionInfo{{File: "motion-0.npz", Source: "clip.mp4", Seconds: 6}}, Training: bundle.Training{Method: "ppo", Seed: 7, ControlSteps: 1234}}}
	for _, signed := range []bool{false, true} {
		b.Signed = signed
		said := text(func(w io.Writer) { Bundle(w, "p.bundle", b) })
		for _, want := range []string{`p.bundle: policy "wave" for kata20 (2 joints), 50 Hz`, "3 inputs, 2 outputs, 1 layers", "ppo, seed 7, 1234 control steps", "motion-0.npz, 6.0 s, from clip.mp4"} {
			if !strings.Contains(said, want) {
				t.Errorf("it does not say %q:\n%s", want, said)
			}
		}
		if strings.Contains(said, "unsigned") == signed || strings.Contains(said, "not verified") != signed {
			t.Errorf("signed %v:\n%s", signed, said)
		}
	}
}

// In a pipe a line is worth a test of the policy or a quarter of the frames, not each step.
func TestProgressInAPipe(t *testing.T) {
	var out bytes.Buffer
	tell := Progress(cli.NewProgress(&out))
	for i := 1; i <= 100; i++ {
		tell(pipeline.Progress{Stage: "extract", Done: float64(i), Total: 100})
		tell(pipeline.Progress{Stage: "retarget", Done: 100, Total: 100})
	}
	if n := strings.Count(out.String(), "\n"); n != 4 || !strings.Contains(out.String(), "pose: frame 25 of 100") || !strings.Contains(out.String(), "frame 100 of 100") {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
	out.Reset()
	for i := 1; i <= 20; i++ {
		p := train.Point{Steps: int64(1000 * i), WallS: float64(i), Level: 0.5}
		if i == 10 {
			p.Eval = &rollout.Score{Episodes: 40, Survival: 0.975, JointErrRad: 0.031}
		}
		tell(pipeline.Progress{Stage: "train", Done: float64(i) / 20, Detail: p})
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
	for _, want := range []string{"50 %", "10000 control steps, 1000 a second, at most 10 s left", "randomisation 50 %", "survived 39 of 40", "0.031 rad"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q: %s", want, out.String())
		}
	}
}
