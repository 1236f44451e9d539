package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/render"
)

func TestDemonstrateListsItsMotions(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run(context.Background(), []string{"demonstrate", "--list", "--json"}, &out, &errOut); code != fault.ExitDone {
		t.Fatalf("exit code %d: %s", code, errOut.String())
	}
	var list []struct {
		Name, Description string
		Seconds           float64
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	named := map[string]bool{}
	for _, m := range list {
		named[m.Name] = true
		if m.Description == "" || m.Seconds < 5 || m.Seconds > 7 {
			t.Errorf("%+v", m)
		}
	}
	for _, want := range []string{"wave", "squat_arm_raise", "side_step", "one_leg_balance", "march"} {
		if !named[want] {
			t.Errorf("%s is not listed", want)
		}
	}
}

func TestDemonstrateRefusesAndWritesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for want, args := range map[string][]string{
		"legal: wave, squat_arm_raise": {"hop", "-o", "a.mp4"},
		"name a motion":                {},
		"-o":                           {"wave"},
		"accepts at most 1":            {"wave", "march", "-o", "a.mp4"},
		`unknown key "zoom"`:           {"wave", "-o", "a.mp4", "--camera", "zoom=2"},
		"legal: a number":              {"wave", "-o", "a.mp4", "--camera", "fov=wide"},
		`unknown key "hat"`:            {"wave", "-o", "a.mp4", "--look", "hat=#000000"},
		"#rrggbb":                      {"wave", "-o", "a.mp4", "--look", "shirt=red"},
		"0.8 to 2.3":                   {"wave", "-o", "a.mp4", "--height", "17"},
		"WIDTHxHEIGHT":                 {"wave", "-o", "a.mp4", "--size", "large"},
		"even numbers":                 {"wave", "-o", "a.mp4", "--size", "301x400"},
		"frames per second":            {"wave", "-o", "a.mp4", "--fps", "-3"},
	} {
		var out, errOut bytes.Buffer
		code := run(context.Background(), append([]string{"demonstrate"}, args...), &out, &errOut)
		if code != fault.ExitUsage || !strings.Contains(errOut.String(), want) {
			t.Errorf("%v: exit code %d, %q does not contain %q", args, code, errOut.String(), want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDemonstrateWritesClipAndTruth(t *testing.T) {
	if _, err := render.New("<mujoco/>", render.Options{}); errors.Is(err, render.ErrNotBuilt) {
		t.Skip(err)
	}
	name := filepath.Join(t.TempDir(), "clips", "wave.mp4")
	var out, errOut bytes.Buffer
	code := run(context.Background(), []string{"demonstrate", "wave", "-o", name, "--json", "--fps", "5", "--size", "96x128", "--height", "1.6"}, &out, &errOut)
	if code != fault.ExitDone {
		t.Fatalf("exit code %d: %s", code, errOut.String())
	}
	var done struct {
		Video, Truth string
		Frames       int
	}
	if err := json.Unmarshal(out.Bytes(), &done); err != nil || done.Video != name || done.Frames != 31 {
		t.Errorf("%v: %s", err, out.String())
	}
	m, err := human.Load(strings.TrimSuffix(name, ".mp4") + ".truth.human.npz")
	if err != nil || len(m.Frames) != 31 || m.Meta.SubjectHeightM != 1.6 || m.Meta.Source != "demonstrator:wave" {
		t.Errorf("truth: %v", err)
	}
	if st, err := os.Stat(name); err != nil || st.Size() < 1000 {
		t.Errorf("video: %v", err)
	}
}
