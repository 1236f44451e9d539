package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/record"
)

func sample() *Data {
	s := &record.Summary{
		Video: "clip.mp4", Robot: "kata20", Seed: 1, Frames: 180,
		Extract:  record.Extract{FPS: 91.2, Runtime: "onnxruntime", Model: "full", VideoFPS: 30, Seconds: 6},
		Truth:    &record.Truth{JointAngleDeg: 6.1, MPJPEmm: 41, RootCm: 3.3},
		Retarget: record.Retarget{FPS: 4100, Frames: 400, Seconds: 8, DirectionErrorDeg: 4, Verdict: "the motion, changed", HeadingErrorDeg: 23.4, Reasons: []string{"9.3-10.9 s: the person has turned"}, Notes: []string{"slowed down 1.4 times"}},
		Check:    record.Check{Verdict: "feasible with a balancing policy", Reasons: []string{"balance margin falls to -4 mm at 3.1 s <script>", "b", "c", "d", "the fifth finding"}},
		Train:    record.Train{WallS: 48, ControlSteps: 412000, StepsPerS: 9100, Method: "residual PPO"},
		Eval: record.Eval{Episodes: 40, Survived: 39, SurvivalRate: 0.975, SurvivalCI95: [2]float64{0.868, 0.999}, JointMAERad: 0.031, MPJPELocalMm: 6.2,
			BaselineSurvived: 4, BaselineSurvival: 0.1, BaselineCI95: [2]float64{0.028, 0.237}, BaselineJointMAERad: 0.022, BaselineMPJPEMm: 5.1, Rule: "the torso stays up",
			Card: []record.CardLine{{Name: "clean", Episodes: 20, Survived: 20, SurvivalRate: 1, JointMAERad: 0.03, Text: "as described", BaselineSurvived: 7, BaselineJointMAERad: 0.019},
				{Name: "pushes", Episodes: 20, Survived: 19, SurvivalRate: 0.95, JointMAERad: 0.04}}},
		Robotd:  record.Robotd{Ticks: 1200, RateHz: 100, LatenessUs: record.Spread{P99: 88}, EndState: "disarmed", TorqueOff: true},
		Machine: record.Machine{Cores: 2, CPU: "x", OS: "linux", BLASCore: "SkylakeX", Versions: map[string]string{"MuJoCo": "4.0.0"}},
		StageS:  map[string]float64{"extract": 3, "train": 48}, TotalS: 60,
	}
	even := 0.27
	s.Feet = record.Feet{Person: &gait.Figures{LegM: 0.86, Left: gait.Foot{Lifts: make([]gait.Lift, 2), HeightM: 0.098, HeightLegs: 0.114},
		Right: gait.Foot{Lifts: make([]gait.Lift, 3), HeightM: 0.027, HeightLegs: 0.031}, Symmetry: &even}, Findings: []string{"The right foot is hardly raised."}}
	d := &Data{Summary: s, Headline: "A person squats", Doing: "kata20 does it", Stages: []string{"extract", "train"}}
	for _, n := range []string{"l_knee", "r_knee", "l_elbow"} {
		j := JointTrack{Name: n, PeakNm: 2, RMSNm: 0.6, LimitNm: 4.1}
		for i := range 300 {
			t := float64(i) / 50
			j.TimeS = append(j.TimeS, t)
			j.RefRad = append(j.RefRad, math.Sin(t))
			j.ActualRad = append(j.ActualRad, math.Sin(t-0.1))
		}
		d.Joints = append(d.Joints, j)
	}
	for i := range 12 {
		d.Learning = append(d.Learning, LearnPoint{float64(i) * 4e4, rate.Rate{Hits: 3 * i, Trials: 40}, 0.03 + 0.1*math.Exp(-float64(i)/3)})
	}
	return d
}

func TestPageIsSelfContained(t *testing.T) {
	dir := t.TempDir()
	d := sample()
	d.Video = filepath.Join(dir, "side_by_side.mp4")
	if err := os.WriteFile(d.Video, []byte("not really a video"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.Sheet = []byte("png")
	name := filepath.Join(dir, "report.html")
	if err := d.Save(name); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(name)
	html := string(b)
	if m := regexp.MustCompile(`(?i)(src|href)="?(https?:)?//[^"]*|url\(http`).FindString(html); m != "" {
		t.Errorf("the page refers to the outside: %s", m)
	}
	for _, want := range []string{"A person squats", "39 of 40", "97.5 %, 95 % interval 86.8 to 99.9 %", "4 of 40", "20 of 20", "100 %, 95 % interval 83.2 to 100 %",
		"plain playback 7 of 20", "The right foot is hardly raised.", "2 x 98 mm, 11 %", "3 x 27 mm, 3 %", "0.27", "plain playback 0.022", "plain playback 0.019", "33 of 40 (82.5 %, 95 % interval 67.2 to 92.7 %)", "data:video/mp4;base64,", "left knee", "feasible with a balancing policy", "&lt;script&gt;", "everything that was found (5)", "the fifth finding", "slowed down 1.4 times", "MuJoCo 4.0.0", "the motion, changed", "23° off", "9.3-10.9 s: the person has turned", "412 k"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "NaN") {
		t.Error("the page holds a filtered or undefined value")
	}
	if out := os.Getenv("MITORI_KEEP_REPORT"); out != "" {
		if err := os.WriteFile(out, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSummaryHasThePromisedFields(t *testing.T) {
	name := filepath.Join(t.TempDir(), "summary.json")
	if err := sample().Summary.Save(name); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(name)
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(`video robot frames extract.fps extract.frames_missed retarget.fps retarget.joint_limit_violations retarget.verdict retarget.heading_error_deg retarget.path_error_legs
		check.verdict train.wall_s train.control_steps eval.episodes eval.survived eval.survival_rate eval.survival_ci95 eval.joint_mae_rad
		eval.baseline_playback_joint_mae_rad eval.baseline_playback_survival_ci95 eval.mpjpe_local_mm
		eval.baseline_playback_survival_rate robotd.ticks robotd.missed_ticks machine stage_wall_s.extract`) {
		var v any = m
		for _, k := range strings.Split(path, ".") {
			o, ok := v.(map[string]any)
			if !ok || o[k] == nil {
				t.Errorf("summary.json has no %s", path)
				break
			}
			v = o[k]
		}
	}
}

func TestPlotHandlesHardCases(t *testing.T) {
	for name, p := range map[string]Plot{
		"empty":    {},
		"constant": {Series: []Series{{X: []float64{0, 1}, Y: []float64{3, 3}}}},
		"gaps":     {Series: []Series{{X: []float64{0, 1, 2}, Y: []float64{1, math.NaN(), 2}}}},
		"large":    {Series: []Series{{X: []float64{0, 4e6}, Y: []float64{-1e5, 2e6}}}},
	} {
		svg := string(p.SVG())
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", name, svg)
		}
	}
}
