package robot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShippedRobotsLoad(t *testing.T) {
	for _, name := range Names() {
		d, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Name != name || len(d.Joints) == 0 || len(d.Hash) != 64 {
			t.Errorf("%s: %d joints, hash %q", d.Name, len(d.Joints), d.Hash)
		}
		for i, j := range d.Joints {
			if d.JointIndex(j.Name) != i || !strings.Contains(d.MJCF, `joint name="`+j.Name+`"`) {
				t.Errorf("%s: joint %s is not in the MJCF or found at another index", name, j.Name)
			}
		}
	}
}

func TestKata20HasTwentyServos(t *testing.T) {
	d, err := Load("kata20")
	if err != nil || len(d.Joints) != 20 {
		t.Fatalf("%v: %d joints", err, len(d.Joints))
	}
}

func TestFaultsAreNamed(t *testing.T) {
	good, err := Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../robots/kata20/robot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"schema: 1", "schema: 2", "schema: 2 is unknown"},
		{"battery:", "surprise_key: 1\nbattery:", "surprise_key"},
		{", id: 3,", ",", "l_hip_pitch"},
		{", id: 3,", ",", "id: missing"},
		{", id: 3,", ", id: 4,", "belongs to"},
		{", id: 3,", ", id: 200,", `belongs to "imu"`},
		{", id: 3,", ", id: 253,", "0 to 252"},
		{"sign: 1, offset_rad: 0, min_rad: -0.9", "sign: 2, offset_rad: 0, min_rad: -0.9", "sign 2"},
		{"min_rad: -1.9, ", "", "min_rad and max_rad"},
		{"servo: xm430-w350, bus: body, id: 7", "servo: sg90, bus: body, id: 7", `servo "sg90"; legal: xm430-w350`},
		{"loop_rate_hz: 100", "loop_rate_hz: 75", "whole multiple"},
		{"model: scene.xml", "model: ../../etc/passwd", "same folder"},
		{"model: scene.xml", "model: absent.xml", "absent.xml"},
	} {
		bad := strings.Replace(string(text), c.old, c.new, 1)
		if bad == string(text) {
			t.Fatalf("%q is not in robot.yaml", c.old)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "robot.yaml"), []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "scene.xml"), []byte(good.MJCF), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%q -> %q: error %v does not say %q", c.old, c.new, err, c.want)
		}
	}
}

func TestUnknownRobotNamesTheLegalOnes(t *testing.T) {
	for _, name := range []string{"nonesuch", "./nonesuch.yaml"} {
		_, err := Load(name)
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "kata20") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
