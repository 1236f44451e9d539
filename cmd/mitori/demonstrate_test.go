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
	"github.com/mitori-robotics/mitori/sim/demonstrator"
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
		"stand, pass":                  {"wave", "-o", "a.mp4", "--second", "does=sing"},
		`unknown key "dose"`:           {"wave", "-o", "a.mp4", "--second", "dose=stand"},
		"table, pillar":                {"wave", "-o", "a.mp4", "--prop", "sofa"},
		`unknown key "roll"`:           {"wave", "-o", "a.mp4", "--move", "roll=3"},
		"0, 90, 180, 270":              {"wave", "-o", "a.mp4", "--picture", "rotate=30"},
		"a whole number":               {"wave", "-o", "a.mp4", "--picture", "crf=30.5"},
		"exclude each other":           {"wave", "-o", "a.mp4", "--motion", "b.bvh"},
		"times of --motion":            {"wave", "-o", "a.mp4", "--from", "1s"},
		"--seed varies built-in":       {"-o", "a.mp4", "--motion", "b.bvh", "--seed", "2"},
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

// Any motion file is filmed: the truth is the demonstrator's own, the scene's file lies beside it.
func TestDemonstrateFilmsAnyMotion(t *testing.T) {
	if _, err := render.New("<mujoco/>", render.Options{}); errors.Is(err, render.ErrNotBuilt) {
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	m, err := demonstrator.Find("march")
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{HeightM: 1.5})
	if err != nil {
		t.Fatal(err)
	}
	if err := person.Save("mine.human.npz"); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := run(context.Background(), []string{"demonstrate", "--motion", "mine.human.npz", "--from", "1s", "--to", "3s", "-o", "a.mp4", "--json",
		"--fps", "5", "--size", "96x128", "--height", "1.8", "--second", "does=stand", "--picture", "bottom=0.4"}, &out, &errOut)
	if code != fault.ExitDone {
		t.Fatalf("exit code %d: %s", code, errOut.String())
	}
	truth, err := human.Load("a.truth.human.npz")
	if err != nil || len(truth.Frames) != 11 || truth.Meta.SubjectHeightM != 1.8 || truth.Meta.Source != "demonstrator:demonstrator:march" {
		t.Errorf("truth: %v", err)
	}
	take, err := demonstrator.LoadTake("a.truth.scene.npz")
	if err != nil || len(take.Pictures) != 11 || take.Pictures[0].Visible[human.LAnkle] || !take.Pictures[0].Visible[human.Head] {
		t.Errorf("scene: %v", err)
	}
	if _, err := human.Load("a.second.human.npz"); err != nil {
		t.Error(err)
	}
	for want, args := range map[string][]string{
		"no part of a motion": {"--motion", "mine.human.npz", "--from", "50s", "-o", "b.mp4"},
		"overwritten":         {"--motion", "mine.human.npz", "-o", "mine.human.npz"},
		"no such file":        {"--motion", "yours.human.npz", "-o", "b.mp4"},
	} {
		out.Reset()
		errOut.Reset()
		if code := run(context.Background(), append([]string{"demonstrate"}, args...), &out, &errOut); code == fault.ExitDone || !strings.Contains(errOut.String(), want) {
			t.Errorf("%v: exit code %d, %q does not contain %q", args, code, errOut.String(), want)
		}
	}
}
