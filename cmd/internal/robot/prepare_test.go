package robot

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/models/robot"
)

func TestShapeOfTheShippedRobot(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Shape(desc)
	if err != nil {
		t.Fatal(err)
	}
	settle, legs := limits.SettleRad(desc, b), 0
	for j, leg := range b.Leg {
		name := desc.Joints[j].Name
		want := strings.Contains(name, "hip") || strings.Contains(name, "knee") || strings.Contains(name, "ankle")
		if leg != want {
			t.Errorf("%s: leg %v", name, leg)
		}
		if leg {
			legs++
		}
	}
	k, h, a := desc.JointIndex("l_knee"), desc.JointIndex("l_hip_pitch"), desc.JointIndex("l_ankle_pitch")
	if legs != 12 || settle[k] < 2*b.StandRad[k] || math.Abs(settle[h]+settle[k]+settle[a]) > 1e-9 {
		t.Errorf("%d leg joints; settle pose: hip %.2f, knee %.2f, ankle %.2f rad", legs, settle[h], settle[k], settle[a])
	}
}
