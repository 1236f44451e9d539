package preflight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// bench is kata20 on an emulated bus on which time stands still unless somebody lets it pass.
type bench struct {
	t     *testing.T
	desc  *robot.Description
	cfg   loop.Config
	plant *busemu.Ideal
	line  *busemu.Line
}

func newBench(t *testing.T, change func(*busemu.LineConfig), faults ...string) *bench {
	t.Helper()
	bound, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, desc: bound.Desc, cfg: limits.Derive(bound.Desc, limits.ShapeOf(bound), 100, 1)}
	lines, err := busemu.ForRobot(b.desc)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&lines[0])
	}
	b.plant = busemu.NewIdeal(b.desc.Servos(), 2*time.Millisecond)
	w, err := busemu.NewWorld(b.plant, lines...)
	if err != nil {
		t.Fatal(err)
	}
	b.line = w.Lines[0]
	for _, text := range faults {
		f, err := busemu.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		b.line.Inject(f)
	}
	w.Advance(10 * time.Millisecond)
	return b
}

func (b *bench) raw() *dxl.Bus {
	return dxl.NewBus(busemu.NewWire(b.line), dxl.Config{Baud: 3_000_000, Margin: time.Second})
}

func (b *bench) driver() *multi.Driver {
	b.t.Helper()
	servos, err := dynamixel.New(b.desc, "body", busemu.NewWire(b.line), dynamixel.Options{LookOnly: true})
	if err != nil {
		b.t.Fatal(err)
	}
	m, err := multi.New(multi.Config{Joints: 20, Buses: []multi.Bus{{Name: "body", Driver: servos, Joints: b.desc.JointsOn("body"), IMU: servos.IMU()}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// look makes a report, with time standing still.
func (b *bench) look() *preflight.Report {
	b.t.Helper()
	drv := b.driver()
	r, err := preflight.Look(context.Background(), b.desc, &b.cfg, drv, func() {})
	if err == nil {
		err = drv.Halt()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func TestHealthyRobotIsReady(t *testing.T) {
	b := newBench(t, nil)
	b.plant.Set(3, 0.5)
	b.line.Advance(10 * time.Millisecond)
	r := b.look()
	if !r.Ready || len(r.Faults) > 0 || len(r.Joints) != 20 {
		t.Fatalf("%+v", r)
	}
	j := r.Joints[3]
	if j.Joint != "l_knee" || j.ModelName != "XM430-W350" || j.PosRad == nil || *j.PosRad < 0.49 || *j.PosDeg < 28 || *j.BusV != 12 || *j.TempC != 25 || !j.InRange {
		t.Errorf("%+v", j)
	}
	for _, c := range r.Checks {
		if c.State == preflight.Fails {
			t.Errorf("%+v", c)
		}
	}
	var text bytes.Buffer
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"l_knee", "+28.", "ready: it could be armed", "12.00 V, legal from 10.50", "at 25 C, legal below 60", "would change: lower position limit 0 -> "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// Whatever is wrong with a robot is told joint by joint, and the robot is not ready.
func TestWhatIsWrongIsTold(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func(b *bench)
		fault string
		joint int // whose fault it is; -1: no joint's
		words string
		check string // arming check that fails with it; empty: none
	}{
		"silent":      {fault: "silence:id=9", joint: 8, words: "does not answer", check: "joint positions fresh"},
		"homing":      {spoil: reg(13, dxl.HomingOffset, 700), joint: 12, words: "homing offset is 700; legal: 0"},
		"torque":      {spoil: reg(5, dxl.TorqueEnable, 1), joint: 4, words: "carries torque", check: "torque off before arming"},
		"level":       {spoil: reg(6, dxl.StatusReturnLevel, 0), joint: 5, words: "status return level is 0"},
		"outside":     {spoil: func(b *bench) { b.plant.Set(3, -0.5) }, joint: -1, words: "servo 4 (l_knee) is at -0.50 rad, legal -0.05 to 2.30", check: "encoders inside limits"},
		"warm":        {fault: "heat:id=3,v=65", joint: -1, words: "servo 3 (l_hip_pitch) is at 65 C", check: "temperatures"},
		"hot":         {fault: "heat:id=3,v=85", joint: 2, words: "hardware error overheating", check: "servo errors"},
		"low supply":  {fault: "brownout:v=10", joint: -1, words: "10.00 V, limit 10.50 V", check: "supply voltage"},
		"hub":         {fault: "silence:id=200", joint: -1, words: "sensor hub 200 does not answer"},
		"all":         {fault: "silence", joint: 0, words: "does not answer", check: "servos connected"},
		"other servo": {spoil: nil, joint: 9, words: "model number 1030 (XM430-W210); legal: 1020"},
	} {
		t.Run(what, func(t *testing.T) {
			var faults []string
			if c.fault != "" {
				faults = append(faults, c.fault)
			}
			b := newBench(t, func(l *busemu.LineConfig) {
				if what == "other servo" {
					other := l.Servos[9].Type
					other.Name, other.ModelNumber = "xm430-w210", 1030
					l.Servos[9].Type = other
				}
			}, faults...)
			if c.spoil != nil {
				c.spoil(b)
				b.line.Advance(10 * time.Millisecond)
			}
			before := b.line.Memory()
			r := b.look()
			if after := b.line.Memory(); !reflect.DeepEqual(before, after) {
				t.Error("looking changed what the devices hold")
			}
			if r.Ready {
				t.Error("ready")
			}
			all := strings.Join(r.Faults, "\n")
			if c.joint >= 0 {
				all = strings.Join(r.Joints[c.joint].Faults, "\n")
			}
			for _, k := range r.Checks {
				if k.State == preflight.Fails && k.Name == c.check {
					all += "\n" + k.Name + ": " + k.Detail
				}
			}
			if !strings.Contains(all, c.words) || !strings.Contains(all, c.check) {
				t.Errorf("%q does not say %q and %q; %+v", all, c.words, c.check, r.Checks)
			}
			var text bytes.Buffer
			if err := r.Print(&text); err != nil || !strings.Contains(text.String(), c.words) || !strings.Contains(text.String(), "NOT ready") {
				t.Errorf("%v; the text does not say %q:\n%s", err, c.words, text.String())
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

// A look that takes long, on a machine that is busy, judges as one that does not.
func TestASlowLook(t *testing.T) {
	b := newBench(t, nil)
	now := time.Unix(0, 0)
	servos, err := dynamixel.New(b.desc, "body", busemu.NewWire(b.line), dynamixel.Options{LookOnly: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	m, err := multi.New(multi.Config{Joints: 20, Buses: []multi.Bus{{Name: "body", Driver: servos, Joints: b.desc.JointsOn("body"), IMU: servos.IMU()}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := preflight.Look(context.Background(), b.desc, &b.cfg, m, func() { now = now.Add(time.Second) })
	if err != nil || !r.Ready {
		t.Errorf("%v, %+v", err, r.Checks)
	}
}

func reg[T dxl.Count](id dxl.ID, r dxl.Reg[T], v T) func(*bench) {
	return func(b *bench) { _ = dxl.Write(b.raw(), id, r, v) }
}

// A driver that looks lets nothing through that writes, whoever asks for it, on a robot
// that needs every change: torque on, other gains, limits, delays.
func TestLookingChangesNothing(t *testing.T) {
	b := newBench(t, func(c *busemu.LineConfig) {
		for i := range c.Servos {
			c.Servos[i].ReturnDelay = 250
		}
	})
	for id := dxl.ID(1); id <= 20; id++ {
		reg(id, dxl.PositionPGain, 77)(b)
		reg(id, dxl.BusWatchdog, 100)(b)
		reg(id, dxl.StatusReturnLevel, 1)(b)
		reg(id, dxl.TorqueEnable, 1)(b)
	}
	before := b.line.Memory()
	r := b.look()
	if n := len(r.Joints[0].Changes); n < 5 {
		t.Errorf("%d changes; nothing is tested: %v", n, r.Joints[0].Changes)
	}
	drv, q, applied := b.driver(), make([]float64, 20), make([]float64, 20)
	if _, err := drv.Survey(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := drv.Connect(context.Background()); err == nil {
		t.Error("it connects")
	}
	for what, f := range map[string]func() error{
		"write": func() error { return drv.Write(applied, q) }, "prepare": drv.Prepare, "take up": func() error { return drv.TakeUp(applied, q) },
		"torque on": func() error { return drv.Torque(true) }, "torque off": func() error { return drv.Torque(false) }, "cut": drv.Cut,
	} {
		if f() == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := drv.Halt(); err != nil {
		t.Error(err)
	}
	if after := b.line.Memory(); !reflect.DeepEqual(before, after) {
		t.Error("something was changed")
	}
	var _ driver.Surveyor = drv
}
