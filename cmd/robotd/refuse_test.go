package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// clip stands still but for a wave of one arm, seconds long.
func clip(t *testing.T, desc *robot.Description, seconds float64) *motion.Clip {
	b := shape(t, desc)
	c := &motion.Clip{FPS: 50, JointNames: desc.JointNames(), BodyNames: []string{desc.RootBody}}
	n := int(seconds * 50)
	for k := range n + 1 {
		f := motion.NewFrame(len(desc.Joints), 1)
		copy(f.JointPosRad, b.StandRad)
		j := desc.JointIndex("l_shoulder_roll")
		f.JointPosRad[j] += 0.5 * (1 - math.Cos(2*math.Pi*float64(k)/float64(n)))
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, 0.28}, spatial.Identity()
		c.Frames = append(c.Frames, f)
	}
	c.Meta.Robot, c.Meta.RobotHash = desc.Name, desc.Hash
	return c
}

// playback is a bundle whose network always answers 0: it plays its clip.
func playback(t *testing.T, seconds float64, spoil func(b *bundle.Bundle)) string {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(desc)
	in, out := spec.Dim(), len(desc.Joints)
	norm := infer.Normalizer{Mean: make([]float32, in), InvStd: make([]float32, in), Clip: 10}
	for i := range norm.InvStd {
		norm.InvStd[i] = 1
	}
	net, err := infer.New(norm, []infer.Layer{{In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle.Bundle{Net: net, Eval: []byte(`{"episodes":40,"survival_rate":1}`), Clips: []*motion.Clip{clip(t, desc, seconds)}, Manifest: bundle.Manifest{
		Name: "playback", Robot: desc.Name, RobotHash: desc.Hash, JointNames: desc.JointNames(), PolicyRateHz: 50, Observation: text,
	}}
	for i := range desc.Joints {
		s := desc.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmPerRad: s.StiffnessNmPerRad, DampingNmSPerRad: s.DampingNmSPerRad, TorqueLimitNm: s.StallTorqueNm})
	}
	if spoil != nil {
		spoil(b)
	}
	name := filepath.Join(t.TempDir(), "playback.bundle")
	if err := b.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// Everything that is refused or fails before a servo gets torque.
func TestBadInput(t *testing.T) {
	whole := playback(t, 1, nil)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() }) // subtests outlive this function
	takenMaster, takenSlave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	taken, err := serialport.Open(takenSlave.Name(), 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close(); takenSlave.Close(); takenMaster.Close() })
	full := filepath.Join(dir, "full.mcap")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	poor := []byte(`{"episodes":40,"survival_rate":0.125}`)
	sim := []string{"--robot", "kata20", "--sim", "--for", "1s"}
	tests := []struct {
		name  string
		args  []string
		code  int
		words []string
	}{
		{"truncated bundle", append(sim, "--policy", put("cut.bundle", data[:len(data)/2])), fault.ExitRefused, []string{"cut.bundle", "truncated"}},
		{"no bundle", append(sim, "--policy", filepath.Join(dir, "none.bundle")), fault.ExitFailed, []string{"none.bundle", "no such file"}},
		{"other robot", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Manifest.Robot = "other9" })), fault.ExitRefused, []string{"other9", "kata20"}},
		{"changed robot", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Manifest.RobotHash = "0123" })), fault.ExitRefused, []string{"changed since training"}},
		{"motion that does not end standing", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Clips[0].Frames[50].JointPosRad[3] += 0.3 })), fault.ExitRefused, []string{"l_knee", "must start and end standing"}},
		{"observation of another kind", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Manifest.Observation = []byte(`{"version":7}`) })), fault.ExitRefused, []string{"version"}},
		{"never evaluated", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Eval = nil })), fault.ExitRefused, []string{"no eval.json", "--anyway"}},
		{"poor policy", append(sim, "--policy", playback(t, 1, func(b *bundle.Bundle) { b.Eval = poor })), fault.ExitRefused, []string{"12.5 %", "legal: 95 %", "--anyway"}},
		{"rate that does not fit", append(sim, "--policy", whole, "--rate", "70"), fault.ExitRefused, []string{"70 Hz", "multiples of 50 Hz"}},
		{"unknown robot", []string{"--robot", "nonesuch", "--sim"}, fault.ExitFailed, []string{"nonesuch", "kata20"}},
		{"unknown key", []string{"--config", put("key.yaml", []byte("robot: kata20\nsurprise_key: 1\n"))}, fault.ExitUsage, []string{"surprise_key", "line 2", "key.yaml"}},
		{"no configuration", []string{"--config", filepath.Join(dir, "none.yaml")}, fault.ExitFailed, []string{"none.yaml"}},
		{"unknown flag", []string{"--frobnicate"}, fault.ExitUsage, []string{"frobnicate"}},
		{"argument", []string{"dance"}, fault.ExitUsage, []string{"dance"}},
		{"nothing", nil, fault.ExitUsage, []string{"--robot"}},
		{"no bus", []string{"--robot", "kata20"}, fault.ExitUsage, []string{"--port"}},
		{"sim and port", append(sim, "--port", "/dev/null"), fault.ExitUsage, []string{"exclude"}},
		{"absent port", []string{"--robot", "kata20", "--port", "/dev/nonesuch"}, fault.ExitFailed, []string{"/dev/nonesuch", "no such device"}},
		{"silent port", []string{"--robot", "kata20", "--port", slave.Name()}, fault.ExitFailed, []string{slave.Name(), "none of 20 servos answers"}},
		{"taken port", []string{"--robot", "kata20", "--port", takenSlave.Name()}, fault.ExitFailed, []string{takenSlave.Name(), "taken by another process"}},
		{"disk full", append(sim, "--record", full), fault.ExitFailed, []string{"full.mcap", "disk is full"}},
		{"simulator fails", append(sim, "--sim-arg=--dead"), fault.ExitFailed, []string{"no physics today"}},
		{"broker that is no URL", append(sim, "--mqtt", "nowhere"), fault.ExitUsage, []string{"nowhere", "mqtt://"}},
		{"rate 5", append(sim, "--rate", "5"), fault.ExitUsage, []string{"rate_hz: 5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string(nil), tt.args...)
			if !strings.Contains(fmt.Sprint(args), "--config") {
				args = append(args, "--json")
			}
			d := launch(t, args...)
			d.exit(tt.code, time.Minute)
			for _, w := range tt.words {
				if !strings.Contains(d.out.String(), w) {
					t.Errorf("the message does not say %q", w)
				}
			}
			if _, err := os.Stat(filepath.Join(d.dir, "stats.json")); err == nil {
				t.Error("statistics of a run that never was")
			}
		})
	}
}

// --anyway lets a poor policy run, and says so.
func TestPoorPolicyAnyway(t *testing.T) {
	name := playback(t, 1, func(b *bundle.Bundle) { b.Eval = nil })
	d := launch(t, "--robot", "kata20", "--sim", "--for", "3s", "--policy", name, "--anyway")
	d.exit(fault.ExitDone, time.Minute)
	if s := d.stats(); s.Armed != 1 || !strings.Contains(strings.Join(s.Notes, "\n"), "no eval.json; --anyway") || !strings.Contains(d.out.String(), "running it anyway") {
		t.Errorf("armed %d times, notes %q", s.Armed, s.Notes)
	}
}
