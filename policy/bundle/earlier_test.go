package bundle

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/policy/obs"
)

// Bundles of earlier versions stay readable, their golden pairs still hold, and their evaluation is still asked. 1-0 is
// from before the manifest listed the terms of the observation, with a real eval.json from before robotd's guard was
// part of it; its ONNX was encoded by hand.
func TestEarlierBundlesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		terms    bool
		episodes int
		survived float64
	}{"schema1-0": {false, 3, 1}, "schema1-1": {true, 40, 0.975}} {
		b, err := Load("testdata/" + name + ".bundle")
		if err != nil {
			t.Fatal(err)
		}
		m := &b.Manifest
		if m.Schema != 1 || m.Name != "fixture" || m.Robot != "kata20" || len(m.RobotHash) != 64 || len(m.JointNames) != 20 || m.PolicyRateHz != 50 ||
			m.Training != (Training{Method: "ppo", Seed: 7, ControlSteps: 1234}) || m.Versions["mujoco"] != "4.0.0" || (m.Terms != nil) != c.terms {
			t.Errorf("%s: %+v", name, m)
		}
		for j, g := range m.Gains {
			if g.StiffnessNmPerRad != float64(10+j) || g.DampingNmSPerRad != 0.5 || g.TorqueLimitNm != 4.1 {
				t.Errorf("%s: gains of joint %d: %+v", name, j, g)
			}
		}
		var spec obs.Spec
		if err := json.Unmarshal(m.Observation, &spec); err != nil || spec.Validate() != nil || spec.Dim() != b.Net.In() || spec.Joints() != b.Net.Out() {
			t.Errorf("%s: the observation is %d -> %d, the network %d -> %d (%v)", name, spec.Dim(), spec.Joints(), b.Net.In(), b.Net.Out(), err)
		}
		if len(b.Clips) != 1 || len(b.Clips[0].Frames) != 5 || math.Abs(b.Clips[0].Frames[2].JointPosRad[7]-0.027) > 1e-12 {
			t.Errorf("%s: %d motions", name, len(b.Clips))
		}
		var e struct {
			Episodes int     `json:"episodes"`
			Survival float64 `json:"survival_rate"`
		}
		if err := json.Unmarshal(b.Eval, &e); err != nil || e.Episodes != c.episodes || e.Survival != c.survived {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if err := b.CheckGate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Both were made for a robot whose description has changed since, or may: that is said, not run over.
func TestEarlierBundleOfAnotherRobot(t *testing.T) {
	b, err := Load("testdata/schema1-0.bundle")
	if err != nil {
		t.Fatal(err)
	}
	_, d := sample(t)
	other := *d
	other.Hash = "0123"
	if err := b.CheckRobot(&other); !errors.Is(err, ErrOtherRobot) {
		t.Errorf("%v", err)
	}
}
