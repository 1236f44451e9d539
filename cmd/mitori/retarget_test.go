package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// command runs one command line and returns its exit code and both outputs.
func command(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, &o, &e)
	return code, o.String(), e.String()
}

// TestEveryDemonstrationIsRetargetedAndJudged sends the exact truth of every built-in demonstration through retarget
// and check: no limit broken, balanced, alike, and none of them infeasible.
func TestEveryDemonstrationIsRetargetedAndJudged(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets every demonstration; leave out -short to run it")
	}
	dir := t.TempDir()
	for _, m := range demonstrator.Motions() {
		h, err := demonstrator.Perform(m, demonstrator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		in, clip := filepath.Join(dir, m.Name+".human.npz"), filepath.Join(dir, m.Name+".motion.npz")
		if err := h.Save(in); err != nil {
			t.Fatal(err)
		}
		code, out, errOut := command(t, "retarget", in, "--robot", "kata20", "-o", clip, "--json")
		if code != fault.ExitDone {
			t.Fatalf("%s: retarget exits %d: %s", m.Name, code, errOut)
		}
		var rep struct {
			Frames               int     `json:"frames"`
			FPS                  float64 `json:"fps"`
			JointLimitViolations int     `json:"joint_limit_violations"`
			SpeedLimitViolations int     `json:"speed_limit_violations"`
			Similarity           float64 `json:"similarity"`
			Unbalanced           float64 `json:"unbalanced_fraction"`
			Stretch              float64 `json:"time_stretch"`
			Likeness             struct {
				Verdict string `json:"verdict"`
			} `json:"likeness"`
		}
		if err := json.Unmarshal([]byte(out), &rep); err != nil {
			t.Fatal(err)
		}
		if rep.Frames < 250 || rep.FPS <= 0 || rep.JointLimitViolations+rep.SpeedLimitViolations != 0 ||
			rep.Similarity < 0.97 || rep.Unbalanced != 0 || rep.Stretch > 1.1 || rep.Likeness.Verdict != "the motion" {
			t.Errorf("%s: %+v", m.Name, rep)
		}
		code, out, errOut = command(t, "check", clip, "--robot", "kata20", "--json")
		if code != fault.ExitDone {
			t.Errorf("%s: check exits %d: %s", m.Name, code, errOut)
		}
		var v struct {
			Verdict string
			Seconds []struct {
				FromS float64 `json:"from_s"`
			}
		}
		if err := json.Unmarshal([]byte(out), &v); err != nil || !strings.HasPrefix(v.Verdict, "feasible") || len(v.Seconds) < 6 {
			t.Errorf("%s: verdict %q, %d seconds, %v", m.Name, v.Verdict, len(v.Seconds), err)
		}
	}
}

// TestCheckRefusesWhatCannotBe gives a motion with an impossible joint speed exit code 3 and the reason in words.
func TestCheckRefusesWhatCannotBe(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	c := &motion.Clip{FPS: 50, JointNames: desc.JointNames(), BodyNames: []string{desc.RootBody}}
	knee := desc.JointIndex("l_knee")
	for k := 0; k < 50; k++ {
		f := motion.NewFrame(len(c.JointNames), 1)
		f.BodyPosM[0][2] = 0.297
		f.BodyQuat[0][0] = 1
		f.Contacts = [2]float64{1, 1}
		f.JointPosRad[knee] = float64(k%10) * 0.2
		c.Frames = append(c.Frames, f)
	}
	name := filepath.Join(t.TempDir(), "fast.motion.npz")
	if err := c.Save(name); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "check", name, "--robot", "kata20")
	if code != fault.ExitRefused || !strings.Contains(errOut, "l_knee") || !strings.Contains(errOut, name) || !strings.Contains(out, "infeasible") {
		t.Errorf("exit %d\n%s\n%s", code, out, errOut)
	}
}

func TestRobotShowNamesParts(t *testing.T) {
	code, out, errOut := command(t, "robot", "show", "kata20")
	if code != fault.ExitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, want := range []string{"3.20 kg", "left foot", "l_foot", "xm430-w350", "r_elbow"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

// TestMotionCommandsRefuseBadInput checks exit codes and words, and that nothing is written.
func TestMotionCommandsRefuseBadInput(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"noise.npz": "not a zip", "cut.bvh": "HIERARCHY\nROOT Hips\n{\n", "odd.bvh": "HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Xrotation } MOTION Frames: 2 Frame Time: 0.1\n1\n2\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{fault.ExitUsage, "--robot is missing", []string{"retarget", "x.human.npz"}},
		{fault.ExitFailed, "nonesuch", []string{"retarget", "x.human.npz", "--robot", "nonesuch"}},
		{fault.ExitFailed, "missing.human.npz", []string{"retarget", "missing.human.npz", "--robot", "kata20", "-o", "o.motion.npz"}},
		{fault.ExitRefused, "noise.npz", []string{"retarget", "noise.npz", "--robot", "kata20", "-o", "o.motion.npz"}},
		{fault.ExitUsage, "--robot is missing", []string{"check", "x.motion.npz"}},
		{fault.ExitRefused, "noise.npz", []string{"check", "noise.npz", "--robot", "kata20"}},
		{fault.ExitFailed, "nonesuch", []string{"robot", "show", "nonesuch"}},
		{fault.ExitUsage, "legal: *.bvh", []string{"import", "clip.fbx"}},
		{fault.ExitFailed, "missing.bvh", []string{"import", "missing.bvh", "-o", "o.human.npz"}},
		{fault.ExitRefused, "cut.bvh", []string{"import", "cut.bvh", "-o", "o.human.npz"}},
		{fault.ExitRefused, "no joint for", []string{"import", "odd.bvh", "-o", "o.human.npz"}},
	} {
		code, _, errOut := command(t, c.args...)
		if code != c.code || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d, want %d; %s (want %q)", c.args, code, c.code, errOut, c.want)
		}
	}
	if left, _ := filepath.Glob("o.*"); len(left) > 0 {
		t.Errorf("half-written: %v", left)
	}
}
