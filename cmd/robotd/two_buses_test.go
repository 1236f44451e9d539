package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// twoBuses writes kata20 with its legs and the hub on one bus, its arms on another at
// another rate with ids of its own from 1, and returns the folder.
func twoBuses(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"robot.yaml", "scene.xml"} {
		text, err := os.ReadFile(filepath.Join("../../models/robots/kata20", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "robot.yaml" {
			text = regexp.MustCompile(`(?s)  - name: body\n.*?imu:\n  bus: body`).ReplaceAll(text, []byte(
				"  - {name: legs, protocol: dynamixel2, baud: 3000000}\n  - {name: arms, protocol: dynamixel2, baud: 1000000}\nimu:\n  bus: legs"))
			text = regexp.MustCompile(`bus: body, id: \d+`).ReplaceAllFunc(text, func(m []byte) []byte {
				var id int
				if _, err := fmt.Sscanf(string(m), "bus: body, id: %d", &id); err != nil {
					t.Fatal(err)
				}
				if id <= 12 {
					return fmt.Appendf(nil, "bus: legs, id: %d", id)
				}
				return fmt.Appendf(nil, "bus: arms, id: %d", id-12)
			})
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A robot on two buses is armed, moved and settled like any other: the goals of both
// reach the plant.
func TestTwoBuses(t *testing.T) {
	dir := twoBuses(t)
	desc, err := robot.Load(dir)
	if err != nil || len(desc.Buses) != 2 || len(desc.JointsOn("arms")) != 8 {
		t.Fatalf("%v: %+v", err, desc)
	}
	d := launch(t, "--robot", dir, "--sim", "--arm", "--for", "4s", "--sim-arg=--joints="+filepath.Join(dir, "joints.json"))
	d.exit(fault.ExitDone, time.Minute)
	s := d.stats()
	if states(s) != "arming hold settle disarmed" || !s.TorqueOff || s.Servos != 20 || s.Truth == nil || s.Truth.TorqueOn != 0 {
		t.Errorf("states %q, torque off %v, %d servos, truth %+v", states(s), s.TorqueOff, s.Servos, s.Truth)
	}
	if out := d.out.String(); !strings.Contains(out, "arms=/dev/") || !strings.Contains(out, "legs=/dev/") {
		t.Error("the ports are not named")
	}
	var at []float64
	text, err := os.ReadFile(filepath.Join(dir, "joints.json"))
	if err != nil || json.Unmarshal(text, &at) != nil || len(at) != 20 {
		t.Fatalf("%s, %v", text, err)
	}
	settleRad := limits.SettleRad(desc, shape(t, desc))
	moved := map[string]float64{}
	for j, q := range at {
		if math.Abs(q-settleRad[j]) > 0.02 {
			t.Errorf("%s stands at %.3f rad, the settle pose is %.3f", desc.Joints[j].Name, q, settleRad[j])
		}
		moved[desc.Joints[j].Bus] = max(moved[desc.Joints[j].Bus], math.Abs(q))
	}
	if moved["legs"] < 0.1 || moved["arms"] < 0.1 {
		t.Errorf("the joints of a bus have not moved: %v", moved)
	}
}
