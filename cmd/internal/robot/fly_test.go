package robot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// standing saves a policy for kata20 that stands, after spoil has changed it.
func standing(t *testing.T, spoil func(*bundle.Bundle)) string {
	t.Helper()
	bound, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d := bound.Desc
	spec := obs.DefaultSpec(d)
	in, out := spec.Dim(), spec.Joints()
	norm := infer.Normalizer{Mean: make([]float32, in), InvStd: slices.Repeat([]float32{1}, in), Clip: 10}
	net, err := infer.New(norm, []infer.Layer{{In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	c := &motion.Clip{FPS: 50, JointNames: d.JointNames(), BodyNames: []string{d.RootBody}}
	for range 101 {
		f := motion.NewFrame(out, 1)
		copy(f.JointPosRad, bound.StandRad)
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, 0.28}, spatial.Identity()
		c.Frames = append(c.Frames, f)
	}
	b := &bundle.Bundle{Net: net, Eval: []byte(`{"episodes":40,"survival_rate":1}`), Clips: []*motion.Clip{c}, Manifest: bundle.Manifest{
		Name: "standing", Robot: d.Name, RobotHash: d.Hash, JointNames: d.JointNames(), PolicyRateHz: 50, Observation: text}}
	for i := range d.Joints {
		s := d.ServoOf(i)
		b.Manifest.Gains = append(b.Manifest.Gains, bundle.Gain{StiffnessNmPerRad: s.StiffnessNmPerRad, DampingNmSPerRad: s.DampingNmSPerRad, TorqueLimitNm: s.StallTorqueNm})
	}
	if spoil != nil {
		spoil(b)
	}
	name := filepath.Join(t.TempDir(), "standing.bundle")
	if err := b.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// loaded is a run that has read its files, and what it said.
func loaded(t *testing.T, o Options) (*run, *bytes.Buffer, error) {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	failed := &crash.Net{}
	said := &bytes.Buffer{}
	r := &run{o: o, tell: console.New(said, failed), failed: failed}
	err := r.load()
	return r, said, err
}

// What a policy must be to be flown, and what each fault of it costs.
func TestLoadPolicies(t *testing.T) {
	poor := func(b *bundle.Bundle) { b.Eval = []byte(`{"episodes":40,"survival_rate":0.5}`) }
	for _, c := range []struct {
		name   string
		policy string
		anyway bool
		rate   int
		code   int
		says   string
	}{
		{"good", standing(t, nil), false, 0, fault.ExitDone, ""},
		{"poor", standing(t, poor), false, 0, fault.ExitRefused, "--anyway"},
		{"poor, anyway", standing(t, poor), true, 0, fault.ExitDone, ""},
		{"of another robot", standing(t, func(b *bundle.Bundle) { b.Manifest.RobotHash = strings.Repeat("0", 64) }), false, 0, fault.ExitRefused, "standing.bundle"},
		{"too slow a loop", standing(t, nil), false, 30, fault.ExitRefused, "multiples of 50 Hz"},
		{"not there", filepath.Join(t.TempDir(), "x.bundle"), false, 0, fault.ExitFailed, "x.bundle"},
	} {
		r, _, err := loaded(t, Options{Config: Config{Robot: "kata20", Policy: c.policy, RateHz: c.rate}, Sim: true, Anyway: c.anyway})
		if fault.Code(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: exit %d, %v; want %d, %q", c.name, fault.Code(err), err, c.code, c.says)
		}
		if c.code != fault.ExitDone {
			continue
		}
		noted := strings.Contains(strings.Join(r.stats.Notes, "\n"), "--anyway")
		if r.stats.Policy != "standing.bundle" || len(r.stats.PolicyHash) != 64 || r.stats.Robot != "kata20" || !r.stats.Sim || noted != c.anyway {
			t.Errorf("%s: %+v", c.name, r.stats)
		}
		if !slices.Equal(r.cfg.StandRad, r.pol.StartRad()) || r.cfg.ControlEvery != 2 {
			t.Errorf("%s: stands at %v, decides every %d ticks", c.name, r.cfg.StandRad, r.cfg.ControlEvery)
		}
	}
}

// A baud rate of the configuration reaches every bus, and no other run's description.
func TestBaudIsTheRunsOwn(t *testing.T) {
	before, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d, err := describe(&Options{Config: Config{Robot: "kata20", Baud: 57600}})
	if err != nil || d.Buses[0].Baud != 57600 {
		t.Errorf("%v, %v", d.Buses, err)
	}
	again, err := describe(&Options{Config: Config{Robot: "kata20"}})
	if err != nil || again.Buses[0].Baud != before.Buses[0].Baud || before.Buses[0].Baud == 57600 {
		t.Errorf("the next run has %d baud, want %d", again.Buses[0].Baud, before.Buses[0].Baud)
	}
}

// The recording names policy and robot, never replaces an earlier one, and may be left out.
func TestRecordings(t *testing.T) {
	name := filepath.Join(t.TempDir(), "flight.mcap")
	for _, want := range []string{name, strings.TrimSuffix(name, ".mcap") + "-2.mcap"} {
		r, _, err := loaded(t, Options{Config: Config{Robot: "kata20", Policy: standing(t, nil), Record: name}, Sim: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.record(); err != nil {
			t.Fatal(err)
		}
		if err := r.rec.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := recorder.Open(want)
		if err != nil || r.stats.Recording != want || f.Facts["policy"] != "standing.bundle" || f.Facts["policy_hash"] != r.stats.PolicyHash ||
			!strings.Contains(f.Facts["failsafes"], `"tilt_rad":1,`) || f.Facts["robot"] != "kata20" || f.Facts["sim"] != "true" || f.Facts["version"] == "" || len(f.Joints) != 20 {
			t.Errorf("%s: %v, %+v", r.stats.Recording, err, f)
		}
	}
	r, _, err := loaded(t, Options{Config: Config{Robot: "kata20", Record: "none"}, Sim: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.record(); err != nil || r.rec != nil || r.stats.Recording != "" {
		t.Errorf("none: %v, %v", err, r.stats.Recording)
	}
}

// What the command line wants of the operator that it describes.
func TestMissions(t *testing.T) {
	for _, c := range []struct {
		name             string
		o                Options
		arms, plays      bool
		staysAfterFaults bool
	}{
		{"simulated", Options{Config: Config{Robot: "kata20", Arm: true, Policy: standing(t, nil)}, Sim: true, For: time.Minute}, true, true, false},
		{"without a policy", Options{Config: Config{Robot: "kata20", Arm: true}, Sim: true}, true, false, false},
		{"by hand", Options{Config: Config{Robot: "kata20", Policy: standing(t, nil)}, Sim: true}, false, false, false},
		{"after the servos were gone", Options{Config: Config{Robot: "kata20", Arm: true, Policy: standing(t, nil)}, Sim: true, Latched: true}, false, false, false},
	} {
		r, _, err := loaded(t, c.o)
		if err != nil {
			t.Fatal(err)
		}
		m := r.mission()
		if m.Reopen != m.Daemon || r.cfg.Latched != c.o.Latched || m.Arm != c.arms || m.Play != c.plays || m.Daemon != c.staysAfterFaults || m.For != c.o.For || m.Hold != holdSim {
			t.Errorf("%s: %+v", c.name, m)
		}
		if c.o.Policy != "" && (m.Clip < 2*time.Second || m.Clip > 2100*time.Millisecond) {
			t.Errorf("%s: a motion of 2 s takes %v", c.name, m.Clip)
		}
	}
}

// The robot's name on the link is the description's in small letters, unless it has one of its own.
func TestNameOnTheLink(t *testing.T) {
	for given, want := range map[string]string{"": "kata20", "kata-7": "kata-7"} {
		r := &run{desc: &robot.Description{Name: "KATA20"}, o: Options{Config: Config{MQTT: MQTTConfig{URL: "u", User: "a", PassFile: "p", Robot: given}}}}
		if c := r.operators(); c.Robot != want || c.URL != "u" || c.User != "a" || c.PassFile != "p" {
			t.Errorf("%q: %+v", given, c)
		}
	}
}

// How a run ends: what the statistics say, what a fault of ours says, what a refusal says; the file is written each time.
func TestConclusions(t *testing.T) {
	ended := record.Stats{Schema: record.StatsSchema, EndState: "disarmed", TorqueOff: true}
	for _, c := range []struct {
		name    string
		change  func(*record.Stats)
		refusal error
		code    int
		says    string
	}{
		{"well", func(*record.Stats) {}, nil, fault.ExitDone, ""},
		{"by a failsafe", func(s *record.Stats) { s.Cause = "falling" }, nil, fault.ExitFailed, "falling"},
		{"in a fault", func(s *record.Stats) { s.EndState = "fault" }, nil, fault.ExitFailed, "fault"},
		{"under torque", func(s *record.Stats) { s.TorqueOff = false }, nil, fault.ExitFailed, "torque-off"},
		{"never armed", func(*record.Stats) {}, errors.New("the trunk is not upright"), fault.ExitRefused, "not upright"},
	} {
		s := ended
		c.change(&s)
		r := &run{stats: &s, tell: console.New(&bytes.Buffer{}, &crash.Net{}), failed: &crash.Net{}}
		r.failed.Note("a test", "a fault\nof ours")
		r.o.Stats = filepath.Join(t.TempDir(), "stats.json")
		err := r.conclude(c.refusal)
		if fault.Code(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: exit %d, %v; want %d, %q", c.name, fault.Code(err), err, c.code, c.says)
		}
		got, err := record.LoadStats(r.o.Stats)
		if err != nil || !reflect.DeepEqual(got, &s) || len(s.Notes) != 1 || strings.Contains(s.Notes[0], "\n") || !strings.Contains(s.Notes[0], "a test") {
			t.Errorf("%s: %v, %+v", c.name, err, got)
		}
	}
	s := ended
	r := &run{stats: &s, tell: console.New(&bytes.Buffer{}, &crash.Net{}), failed: &crash.Net{}}
	r.o.Stats = filepath.Join(t.TempDir(), "nowhere", "stats.json")
	if err := os.WriteFile(filepath.Dir(r.o.Stats), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.conclude(nil); fault.Code(err) != fault.ExitFailed {
		t.Errorf("statistics that cannot be written: %v", err)
	}
}

// broken is a driver whose port has a fault to tell of.
type broken struct{ *drivertest.Fake }

func (broken) PortError() error { return errors.New("cable pulled") }

var _ driver.Driver = broken{}

// What went wrong on a port names the bus, where there are several.
func TestPortNotes(t *testing.T) {
	one := []multi.Bus{{Name: "body", Driver: broken{drivertest.NewFake(1)}, Joints: []int{0}}}
	two := []multi.Bus{{Name: "left", Driver: drivertest.NewFake(1), Joints: []int{0}}, {Name: "right", Driver: broken{drivertest.NewFake(1)}, Joints: []int{1}}}
	for _, c := range []struct {
		buses []multi.Bus
		want  string
	}{{one, "/dev/a: cable pulled"}, {two, "bus right: cable pulled"}} {
		d, err := multi.New(multi.Config{Joints: len(c.buses), Buses: c.buses})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := portNotes(d, "/dev/a"); len(n) != 1 || n[0] != c.want {
			t.Errorf("%q, want %q", n, c.want)
		}
		if err := d.Halt(); err != nil {
			t.Error(err)
		}
	}
}
