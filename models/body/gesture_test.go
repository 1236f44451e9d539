package body_test

import (
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
)

// What people are told of kata20's joints is what its model does; left and right agree but
// for their sides.
func TestGesture(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for j, name := range b.Desc.JointNames() {
		at[name] = b.Gesture(j)
		t.Logf("%-18s %s", name, at[name])
	}
	for name, want := range map[string]string{
		"l_hip_yaw": "it turns counter-clockwise, seen from above", "l_knee": "backward", "l_hip_pitch": "backward",
		"l_hip_roll": "to the robot's", "l_shoulder_yaw": "seen from above",
	} {
		if !strings.Contains(at[name], want) {
			t.Errorf("%s: %q, want %q", name, at[name], want)
		}
	}
	for left, words := range at {
		name, ok := strings.CutPrefix(left, "l_")
		if ok && at["r_"+name] != words {
			t.Errorf("%s: %q on the left, %q on the right", name, words, at["r_"+name])
		}
	}
}
