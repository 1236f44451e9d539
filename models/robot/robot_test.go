package robot

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/servos"
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
		// Values that would switch a failsafe off, or be taken for others.
		{"cells: 3", "cells: -3", "cells: -3; legal: 0"},
		{"cells: 3", "cells: 4", "stop_v 9.9, nominal_v 12 with cells: 4; legal: 10 to 17.4 V"},
		{"cells: 3", "cells: 2", "cells: 2; legal: 5 to 8.7 V"},
		{"nominal_v: 12.0", "nominal_v: 15.0", "XM430-W350 takes 10 to 14.8 V"},
		{"cells: 3\n  nominal_v: 12.0\n  warn_v: 10.5\n  stop_v: 9.9", "nominal_v: 7.4\n  warn_v: 6.6\n  stop_v: 6.0", "nominal_v: 7.4; an XM430-W350 takes 10 to"},
		{"protocol: dynamixel2", "protocol: morse", `protocol "morse"; legal: dynamixel2`},
		{"  xm430-w350:\n", "  sg90:\n", `type "sg90" is not in the catalogue; legal: xm430-w350, xm430-w210`},
		{"model_number: 1020", "type: sg90", `type "sg90" is not in the catalogue`},
		{"model_number: 1020", "model_number: 1060", "model_number: 1060; legal: 1020, or leave it out"},
		{"stall_torque_nm: 4.1", "stall_torque_nm: 8.2", "stall_torque_nm: 8.2; legal: above 0, at most 4.51"},
		{"no_load_speed_rad_s: 4.82", "no_load_speed_rad_s: 9", "no_load_speed_rad_s: 9; legal: above 0, at most 5.3"},
		{"- name: body", "- name: a=b", "no = and no comma"},
		{"cells: 3", "cells: 3.5", "line 10: battery.cells: 3.5; legal: a whole number"},
		{"stop_v: 9.9", "stop_v: 1.0e-9", "stop_v 1e-09"},
		{"nominal_v: 12.0", "nominal_v: .inf", "battery.nominal_v: .inf; legal: a finite number"},
		{"stop_v: 9.9", "stop_v: .nan", "battery.stop_v: .nan; legal: a finite number"},
		{"stall_torque_nm: 4.1", "stall_torque_nm: .inf", "servo_types.xm430-w350.stall_torque_nm: .inf"},
		{"stall_torque_nm: 4.1", "stall_torque_nm: 1.0e+9", "stall_torque_nm: 1e+09; legal: above 0, at most 4.51"},
		{"no_load_speed_rad_s: 4.82", "no_load_speed_rad_s: .nan", "no_load_speed_rad_s: .nan"},
		{"stiffness_nm_rad: 18.9", "stiffness_nm_rad: 1.0e+30", "stiffness_nm_rad: 1e+30; legal"},
		{"damping_nms_rad: 0.85", "damping_nms_rad: -1", "damping_nms_rad: -1; legal: 0 to"},
		{"position_p_gain: 800", "position_p_gain: -800", "position_p_gain: -800; legal: 0 to 16383"},
		{"counts_per_turn: 4096", "counts_per_turn: 1", "counts_per_turn: 1; legal: 4096"},
		{"max_temp_c: 80", "max_temp_c: 1.0e+9", "max_temp_c: 1e+09; legal: 50 to 80"},
		{"max_temp_c: 80", "max_temp_c: .nan", "max_temp_c: .nan; legal: a finite number"},
		{", id: 3,", ", id: 3.7,", "joints.id: 3.7; legal: a whole number"},
		{"id: 3, sign: 1, offset_rad: 0", "id: 3, sign: 1, offset_rad: .nan", "offset_rad: .nan"},
		{"id: 3, sign: 1, offset_rad: 0", "id: 3, sign: 1, offset_rad: -.inf", "offset_rad: -.inf"},
		{"id: 3, sign: 1, offset_rad: 0", "id: 3, sign: 1, offset_rad: 7", "offset_rad 7; legal: -6.28 to 6.28"},
		{"id: 3, sign: 1", "id: 3, sign: .nan", "sign: .nan"},
		{"name: kata20", `name: "kata\e[2J\0"`, `name: "kata\x1b[2J\x00" holds a control character`},
		{"name: l_knee", `name: "l,knee"`, "no comma"},
		{"schema: 1", "schema: 1\n---\nschema: 1", "second document"},
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

// What robot.yaml leaves out comes from the catalogue, and what it names is the
// catalogue's: another entry makes another robot of the same text.
func TestServosComeFromTheCatalogue(t *testing.T) {
	text, err := os.ReadFile("../robots/kata20/robot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "servo_types:")
	_, joints, _ := strings.Cut(string(text), "joints:")
	load := func(servoTypes string, c servos.Catalogue) ServoType {
		t.Helper()
		d, _, err := parse([]byte(head+"servo_types:\n"+servoTypes+"\njoints:"+joints), c)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Servos(); len(got) != 20 || got[7] != d.ServoOf(7).Entry {
			t.Errorf("%d servos", len(got))
		}
		return d.ServoOf(0)
	}
	kata, err := Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	written, bare := kata.ServoOf(0), load("  xm430-w350: {}", servos.Shipped())
	// The file rounds what follows from its gain and data sheet to three digits.
	near := func(a, b float64) bool { return math.Abs(a-b) <= 0.005*math.Abs(b) }
	if !near(bare.StiffnessNmPerRad, written.StiffnessNmPerRad) || !near(bare.DampingNmSPerRad, written.DampingNmSPerRad) {
		t.Errorf("stiffness %g and damping %g from the catalogue, %g and %g in the file", bare.StiffnessNmPerRad, bare.DampingNmSPerRad, written.StiffnessNmPerRad, written.DampingNmSPerRad)
	}
	bare.StiffnessNmPerRad, bare.DampingNmSPerRad = written.StiffnessNmPerRad, written.DampingNmSPerRad
	if bare != written {
		t.Errorf("the catalogue says\n%+v, the file\n%+v", bare, written)
	}
	strong := servos.Shipped()
	strong[0].StallTorqueNm *= 2
	strong[0].StallCurrentA *= 3
	got := load("  xm430-w350: {}", strong)
	if got.StallTorqueNm != 2*bare.StallTorqueNm || math.Abs(got.StallCurrentA()-3*bare.StallCurrentA()) > 1e-12 || !near(got.StiffnessNmPerRad, 2*written.StiffnessNmPerRad) {
		t.Errorf("twice the torque at three times the current gives %g N m, %g A, %g N m/rad", got.StallTorqueNm, got.StallCurrentA(), got.StiffnessNmPerRad)
	}
	if got := load("  xm430-w350: {type: xm540-w270}", servos.Shipped()); got.ModelNumber != 1120 || got.StallTorqueNm != 10.6 {
		t.Errorf("a named type gives %+v", got)
	}
}

// One look at the file is enough: faults of every kind are told together, and none
// of what they print can drive a terminal.
func TestAllFaultsAtOnce(t *testing.T) {
	text, err := os.ReadFile("../robots/kata20/robot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bad := string(text)
	for _, r := range [][2]string{
		{"name: kata20", `name: "k\e[2J"`}, {"cells: 3", "cells: -3"}, {"max_temp_c: 80", "max_temp_c: .inf"},
		{", id: 3,", ", id: 3.7,"}, {"loop_rate_hz: 100", "loop_rate_hz: 75"}, {"name: l_knee", "nome: l_knee"},
	} {
		bad = strings.Replace(bad, r[0], r[1], 1)
	}
	_, _, err = parse([]byte(bad+"\n---\n"), servos.Shipped())
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"control character", "cells: -3", ".inf", "3.7", "whole multiple", "nome", "second document"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "\x1b") {
		t.Errorf("an escape is printed: %q", err)
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
