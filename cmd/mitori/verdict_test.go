package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// carried is a demonstration whose person is carried 3 m away between the second and the third second, feet and all: no
// robot gets there.
func carried(t *testing.T) *human.Motion {
	t.Helper()
	d, err := demonstrator.Find("wave")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Perform(d, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range m.Frames {
		way := 3 * min(max(float64(k)/m.FPS-2, 0), 1)
		for j := range m.Frames[k].Positions {
			m.Frames[k].Positions[j] = m.Frames[k].Positions[j].Add(spatial.Vec3{way, 0, 0})
		}
	}
	return m
}

func saveMotion(t *testing.T, m *human.Motion, name string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// A motion that was not copied is not written, and it is said when, why, and which part would do; with --anyway it is,
// and check says it again.
func TestRetargetRefusesAnotherMotion(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets six times; leave out -short to run it")
	}
	in := saveMotion(t, carried(t), "carried.human.npz")
	out := filepath.Join(t.TempDir(), "x.motion.npz")
	code, said, errOut := command(t, "retarget", in, "--robot", "kata20", "-o", out)
	if code != fault.ExitRefused || !strings.Contains(errOut, "no longer the motion") || !strings.Contains(errOut, "--anyway") || strings.Contains(said, "written") {
		t.Errorf("exit %d\n%s\n%s", code, said, errOut)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused motion was written")
	}
	parts := regexp.MustCompile(`--from (\S+) --to ([0-9.]+s)`).FindAllStringSubmatch(errOut, -1)
	if len(parts) != 2 {
		t.Fatalf("parts that would work: %v, want the one before and the one after\n%s", parts, errOut)
	}
	for _, p := range parts {
		if code, _, errOut := command(t, "retarget", in, "--robot", "kata20", "-o", out, "--from", p[1], "--to", p[2]); code != fault.ExitDone {
			t.Errorf("the suggested %s exits %d: %s", p[0], code, errOut)
		}
	}
	if code, _, errOut := command(t, "retarget", in, "--robot", "kata20", "-o", out, "--anyway"); code != fault.ExitDone {
		t.Fatalf("--anyway exits %d: %s", code, errOut)
	}
	if _, said, _ := command(t, "check", out, "--robot", "kata20"); !strings.Contains(said, string(likeness.Lost)) || !strings.Contains(said, "leg lengths from where") {
		t.Errorf("check does not say again what retarget said:\n%s", said)
	}
	_, said, _ = command(t, "check", out, "--robot", "kata20", "--json")
	var v struct {
		Verdict  string
		Likeness likeness.Result
	}
	if err := json.Unmarshal([]byte(said), &v); err != nil || !strings.HasPrefix(v.Verdict, "feasible") || v.Likeness.Verdict != likeness.Lost {
		t.Errorf("%v: check --json: %q, %q", err, v.Verdict, v.Likeness.Verdict)
	}
}

// What the extraction refused is not retargeted, and its words say why; doubts are warnings; what no video was looked at
// for, or was found good, goes on in silence.
func TestRetargetAsksTheSource(t *testing.T) {
	still := func(verdict string, why ...string) (string, string) {
		d, err := demonstrator.Find("wave")
		if err != nil {
			t.Fatal(err)
		}
		m, err := demonstrator.Perform(d, demonstrator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m, err = m.Part(0, 1); err != nil {
			t.Fatal(err)
		}
		m.Meta.Verdict, m.Meta.Warnings = verdict, why
		return saveMotion(t, m, "still.human.npz"), filepath.Join(t.TempDir(), "still.motion.npz")
	}
	for _, c := range []struct {
		verdict, why, want string
		anyway             bool
		code               int
	}{
		{"refused", "the legs were not seen", "the legs were not seen", false, fault.ExitRefused},
		{"refused", "the legs were not seen", "warning: ", true, fault.ExitDone},
		{"doubtful", "the camera moved", "warning: ", false, fault.ExitDone},
		{"good", "the light was poor", "", false, fault.ExitDone},
		{"", "", "", false, fault.ExitDone},
	} {
		in, out := still(c.verdict, c.why)
		args := []string{"retarget", in, "--robot", "kata20", "-o", out}
		if c.anyway {
			args = append(args, "--anyway")
		}
		code, _, errOut := command(t, args...)
		said := strings.Contains(errOut, c.why) && c.why != ""
		if code != c.code || !strings.Contains(errOut, c.want) || said != (c.want != "") {
			t.Errorf("%q, anyway %v: exit %d: %q", c.verdict, c.anyway, code, errOut)
		}
		if _, err := os.Stat(out); (err == nil) != (code == fault.ExitDone) {
			t.Errorf("%q, anyway %v: exit %d, file: %v", c.verdict, c.anyway, code, err)
		}
	}
}

func TestRetargetWindow(t *testing.T) {
	in := saveMotion(t, carried(t), "c.human.npz")
	for _, args := range [][]string{{"--from", "5s", "--to", "2s"}, {"--from", "99s"}, {"--to", "-1s"}} {
		if code, _, errOut := command(t, append([]string{"retarget", in, "--robot", "kata20"}, args...)...); code != fault.ExitUsage || !strings.Contains(errOut, "lasts from") {
			t.Errorf("%v: exit %d: %s", args, code, errOut)
		}
	}
}
