package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func TestCompareCommand(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, startS, up float64) string {
		m := &human.Motion{FPS: 30, Frames: make([]human.Pose, 10)}
		m.Meta.StartS = startS
		for i := range m.Frames {
			for j := range human.NumJoints {
				m.Frames[i].Positions[j] = spatial.Vec3{0.1 * float64(j), 0.02 * float64(i), up}
				m.Frames[i].Rotations[j] = spatial.Identity()
			}
		}
		file := filepath.Join(dir, name+".human.npz")
		if err := m.Save(file); err != nil {
			t.Fatal(err)
		}
		return file
	}
	a, b, later := save("a", 0, 0.52), save("b", 0, 0.50), save("later", 60, 0.5)

	code, out, errOut := mitori(t, "compare", a, b, "--json")
	var got struct {
		Comparison struct {
			MPJPEMm float64 `json:"mpjpe_mm"`
			HeightM float64 `json:"root_height_mean_m"`
			Joints  []any   `json:"joints"`
		} `json:"comparison"`
		Motion, Truth struct {
			Frames int `json:"frames"`
		}
	}
	if err := json.Unmarshal([]byte(out), &got); code != fault.ExitDone || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errOut)
	}
	if c := got.Comparison; c.MPJPEMm > 1e-6 || c.HeightM < 0.019 || c.HeightM > 0.021 || len(c.Joints) != human.NumJoints || got.Truth.Frames != 10 {
		t.Errorf("%+v", got)
	}
	if code, out, _ := mitori(t, "compare", a, b); code != fault.ExitDone || !strings.Contains(out, "height 0.020") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for want, args := range map[string][]string{
		"do not overlap": {a, later},
		"missing.human":  {a, filepath.Join(dir, "missing.human.npz")},
	} {
		if code, _, errOut := mitori(t, append([]string{"compare"}, args...)...); code != fault.ExitFailed || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
	if code, _, _ := mitori(t, "compare", a); code != fault.ExitUsage {
		t.Errorf("one argument: exit %d", code)
	}
}
