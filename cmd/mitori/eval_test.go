package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// standingBundle writes a bundle whose motion is to stand for a second and whose
// network says nothing.
func standingBundle(t *testing.T, edit func(*bundle.Bundle)) string {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(d)
	js, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	clip := &motion.Clip{FPS: 50, JointNames: d.JointNames(), BodyNames: []string{d.RootBody}}
	stand := []float64{0, 0, -.35, .7, -.35, 0, 0, 0, -.35, .7, -.35, 0, .1, .15, 0, -.3, .1, -.15, 0, -.3}
	for range 51 {
		f := motion.NewFrame(20, 1)
		copy(f.JointPosRad, stand)
		f.BodyPosM[0], f.BodyQuat[0], f.Contacts = spatial.Vec3{0, 0, 0.2837}, spatial.Identity(), [2]float64{1, 1}
		clip.Frames = append(clip.Frames, f)
	}
	in, out := spec.Dim(), spec.Joints()
	net, err := infer.New(infer.Normalizer{Mean: make([]float32, in), InvStd: make([]float32, in), Clip: 5},
		[]infer.Layer{{In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle.Bundle{Net: net, Clips: []*motion.Clip{clip}, Manifest: bundle.Manifest{
		Name: "stand", Robot: d.Name, RobotHash: d.Hash, JointNames: d.JointNames(), PolicyRateHz: d.PolicyRateHz, Observation: js, Tool: "test"}}
	for i := range d.Joints {
		s := d.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmPerRad: s.StiffnessNmPerRad, DampingNmSPerRad: s.DampingNmSPerRad, TorqueLimitNm: s.StallTorqueNm})
	}
	if edit != nil {
		edit(b)
	}
	name := filepath.Join(t.TempDir(), "stand.bundle")
	if err := b.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

func physics(t *testing.T) {
	t.Helper()
	if _, err := mujoco.Load("", nil, nil); errors.Is(err, mujoco.ErrNotBuilt) {
		t.Skip("this test binary has no physics (build tag mujoco)")
	}
}

func TestEval(t *testing.T) {
	physics(t)
	name := standingBundle(t, nil)
	dir := t.TempDir()
	args := []string{"eval", name, "--episodes", "4", "-o", filepath.Join(dir, "eval.json")}
	if _, err := exec.LookPath("ffmpeg"); err == nil {
		args = append(args, "--video", filepath.Join(dir, "eval.mp4"))
	}
	var out, errOut bytes.Buffer
	if code := run(context.Background(), args, &out, &errOut); code != fault.ExitDone {
		t.Fatalf("exit %d: %s", code, &errOut)
	}
	for _, want := range []string{"survived 4 of 4 (100 %, 95 % interval 39.8 to 100 %)", "plain playback: survived 4 of 4", "strictly tracked: ", "(plain playback 0.0", "robustness", "clean", "elliptic cone", "rule: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output does not contain %q:\n%s", want, &out)
		}
	}
	js, err := os.ReadFile(filepath.Join(dir, "eval.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Episodes int     `json:"episodes"`
		Survival float64 `json:"survival_rate"`
		Baseline float64 `json:"baseline_playback_survival_rate"`
	}
	if err := json.Unmarshal(js, &r); err != nil || r.Episodes != 4 || r.Survival != r.Baseline {
		t.Errorf("eval.json: %+v (%v)", r, err)
	}
	if len(args) > 6 {
		if st, err := os.Stat(filepath.Join(dir, "eval.mp4")); err != nil || st.Size() < 1000 {
			t.Errorf("video: %v", err)
		}
	}
}

func TestEvalRefusals(t *testing.T) {
	good := standingBundle(t, nil)
	other := standingBundle(t, func(b *bundle.Bundle) { b.Manifest.RobotHash = "0123" })
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.bundle")
	if err := os.WriteFile(cut, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"eval"}, fault.ExitUsage, "arg"},
		{[]string{"eval", good, "--episodes", "0"}, fault.ExitUsage, "--episodes 0"},
		{[]string{"eval", good, "--clip", "3"}, fault.ExitUsage, "--clip 3"},
		{[]string{"eval", "nowhere.bundle"}, fault.ExitFailed, "nowhere.bundle"},
		{[]string{"eval", cut}, fault.ExitRefused, "cut.bundle"},
		{[]string{"eval", other}, fault.ExitRefused, "another robot"},
		{[]string{"eval", good, "--robot", "karl"}, fault.ExitFailed, "kata20"},
	} {
		var out, errOut bytes.Buffer
		if code := run(context.Background(), c.args, &out, &errOut); code != c.code || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("%v: exit %d, %q; want %d with %q", c.args, code, errOut.String(), c.code, c.want)
		}
	}
}
