package commission_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/commission"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const rate = 3_000_000

var rates = []int{57600, 1_000_000, 2_000_000, rate}

// bench is a line to which a person connects servos, and that person.
type bench struct {
	t    *testing.T
	desc *robot.Description
	line *busemu.World // what is connected; nil: nothing
	said strings.Builder
	acts []act // what the person does at each question, in order
	n    int
}

// act is what a person does when asked: connects something, and types.
type act struct {
	connect *busemu.World
	typed   string
}

func newBench(t *testing.T, acts ...act) *bench {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, desc: d, acts: acts}
}

// fresh is a line with servos as they leave the factory, but for what change says.
func fresh(t *testing.T, n int, change func(i int, c *busemu.ServoConfig)) *busemu.World {
	t.Helper()
	typ, _ := servos.Shipped().Named("xm430-w350")
	var c busemu.LineConfig
	var motors []servos.Type
	for i := range n {
		s := busemu.ServoConfig{ID: 1, Joint: i, Sign: 1, Type: typ, ReturnDelay: 250, Baud: 1}
		if change != nil {
			change(i, &s)
		}
		c.Servos, motors = append(c.Servos, s), append(motors, s.Type)
	}
	w, err := busemu.NewWorld(busemu.NewIdeal(motors, time.Millisecond), c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (b *bench) open(baud int) (servotool.Bus, io.Closer, error) {
	if b.line == nil {
		b.line = fresh(b.t, 0+1, func(_ int, c *busemu.ServoConfig) { c.Baud = 7 }) // nobody hears
	}
	b.line.Lines[0].Rate = baud
	return dynamixel.NewBench(busemu.NewWire(b.line.Lines[0]), baud), io.NopCloser(nil), nil
}

func (b *bench) walk() *commission.Walk {
	return &commission.Walk{
		Open: b.open, Rates: rates, Robot: b.desc, Bus: "body",
		Ask: func(text string) (string, error) {
			fmt.Fprintln(&b.said, text)
			if b.n == len(b.acts) {
				return "", io.EOF
			}
			a := b.acts[b.n]
			if b.n++; a.connect != nil {
				b.line = a.connect
			}
			return a.typed, nil
		},
		Tell: func(f string, args ...any) { fmt.Fprintf(&b.said, f+"\n", args...) },
		Wait: func(d time.Duration) { b.line.Advance(d) },
	}
}

// register reads a servo past the walk.
func register[T dxl.Count](t *testing.T, w *busemu.World, baud int, id dxl.ID, r dxl.Reg[T]) T {
	t.Helper()
	w.Lines[0].Rate = baud
	v, err := dxl.Read(dxl.NewBus(busemu.NewWire(w.Lines[0]), dxl.Config{Baud: baud, Margin: time.Second}), id, r)
	if err != nil {
		t.Error(err)
	}
	return v
}

func put[T dxl.Count](w *busemu.World, baud int, id dxl.ID, r dxl.Reg[T], v T) {
	w.Lines[0].Rate = baud
	_ = dxl.Write(dxl.NewBus(busemu.NewWire(w.Lines[0]), dxl.Config{Baud: baud, Margin: time.Second}), id, r, v)
}

// Twenty fresh servos, each with another rate, id and history, become the robot's.
func TestFreshServosBecomeTheRobots(t *testing.T) {
	b := newBench(t, act{})
	var lines []*busemu.World
	for n := range 20 {
		codes := []dxl.BaudCode{1, 3, 4, 5}
		w := fresh(t, 1, func(_ int, c *busemu.ServoConfig) { c.ID, c.Baud = dxl.ID(1+n*7%40), codes[n%4] })
		id, baud := dxl.ID(1+n*7%40), codes[n%4].Rate()
		switch n % 5 {
		case 1:
			put(w, baud, id, dxl.HomingOffset, 700)
			put(w, baud, id, dxl.Shutdown, 0)
		case 2:
			put(w, baud, id, dxl.TorqueEnable, 1)
		case 3:
			put(w, baud, id, dxl.StatusReturnLevel, 0)
		case 4:
			put(w, baud, id, dxl.DriveMode, 1)
			put(w, baud, id, dxl.OperatingMode, dxl.ModeExtendedPosition)
		}
		lines = append(lines, w)
		b.acts = append(b.acts, act{connect: w, typed: "use"})
	}
	all, err := b.walk().Run()
	if err != nil || len(all) != 20 {
		t.Fatalf("%v\n%s", err, b.said.String())
	}
	for j, r := range all {
		id := dxl.ID(b.desc.Joints[j].ID)
		w := lines[j]
		if !r.Done || register(t, w, rate, id, dxl.ReturnDelay) != 0 || register(t, w, rate, id, dxl.StatusReturnLevel) != 2 ||
			register(t, w, rate, id, dxl.HomingOffset) != 0 || register(t, w, rate, id, dxl.Shutdown) != 52 ||
			register(t, w, rate, id, dxl.OperatingMode) != dxl.ModePosition || register(t, w, rate, id, dxl.DriveMode) != 0 ||
			register(t, w, rate, id, dxl.TorqueEnable) != 0 {
			t.Errorf("%+v", r)
		}
	}
	if !strings.Contains(b.said.String(), "connect only the next servo: l_hip_yaw (id 1, XM430-W350)") {
		t.Error(b.said.String())
	}
}

// What cannot be the next servo is refused by what it is, nothing is written, and the walk
// asks again.
func TestWhatIsNotTheNextServo(t *testing.T) {
	other := func(_ int, c *busemu.ServoConfig) { c.Type, _ = servos.Shipped().Named("xm430-w210") }
	old := func(_ int, c *busemu.ServoConfig) { c.Type.Factory.Firmware = 37 }
	distinct := func(i int, c *busemu.ServoConfig) { c.ID = dxl.ID(1 + i) }
	rated := func(i int, c *busemu.ServoConfig) { c.Baud = dxl.BaudCode(1 + 2*i) }
	elsewhere := func(_ int, c *busemu.ServoConfig) { c.ID, c.Baud = 5, 5 }
	for what, c := range map[string]struct {
		line  *busemu.World
		words string
	}{
		"another model":      {fresh(t, 1, other), "it is an XM430-W210 (model 1030), and l_hip_yaw needs an XM430-W350 (model 1020)"},
		"old firmware":       {fresh(t, 1, old), "its firmware is 37, needed 38 or newer"},
		"two servos":         {fresh(t, 2, distinct), "2 servos are on the line (XM430-W350 with id 1 at 57600 bits/s, XM430-W350 with id 2"},
		"two rates":          {fresh(t, 2, rated), "2 servos are on the line"},
		"two of one id":      {fresh(t, 2, nil), "two servos with the same id"},
		"nothing":            {fresh(t, 1, func(_ int, c *busemu.ServoConfig) { c.Baud = 7 }), "nobody answers"},
		"one that is set up": {fresh(t, 1, elsewhere), "this servo has the id and the rate of l_ankle_pitch"},
	} {
		t.Run(what, func(t *testing.T) {
			before := c.line.Lines[0].Memory()
			good := fresh(t, 1, nil)
			b := newBench(t, act{}, act{connect: c.line})
			b.acts = append(b.acts, act{connect: good}, act{typed: "quit"})
			all, err := b.walk().Run()
			if !strings.Contains(b.said.String(), c.words) {
				t.Errorf("it does not say %q:\n%s", c.words, b.said.String())
			}
			if fmt.Sprint(before) != fmt.Sprint(c.line.Lines[0].Memory()) {
				t.Error("something was written")
			}
			if err == nil || !strings.Contains(err.Error(), "19 of 20 joints are not set up; go on with --from l_hip_roll") || !all[0].Done {
				t.Errorf("%v, first %+v", err, all[0])
			}
		})
	}
}

// A walk that is begun again leaves what is right as it is, and goes on where it ended.
func TestResume(t *testing.T) {
	done := fresh(t, 3, func(i int, c *busemu.ServoConfig) { c.ID, c.Baud, c.ReturnDelay = dxl.ID(1+i), 5, 0 })
	put(done, rate, 3, dxl.HomingOffset, 5) // not right after all
	before := fmt.Sprint(done.Lines[0].Memory())
	third := fresh(t, 1, func(_ int, c *busemu.ServoConfig) { c.ID, c.Baud = 3, 5 })
	b := newBench(t, act{connect: done}, act{connect: third}, act{typed: "skip"}, act{typed: "quit"})
	all, err := b.walk().Run()
	if err == nil || !all[0].Done || len(all[0].Changed) > 0 || !all[1].Done || !all[2].Done || len(all[2].Changed) == 0 || all[3].Done {
		t.Errorf("%v\n%+v\n%s", err, all[:5], b.said.String())
	}
	for _, want := range []string{"l_hip_yaw: id 1 is right already", "l_hip_pitch: id 3 is there and not right yet: Homing Offset is 5"} {
		if !strings.Contains(b.said.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if !strings.Contains(err.Error(), "17 of 20 joints are not set up; go on with --from l_knee") || before != fmt.Sprint(done.Lines[0].Memory()) {
		t.Errorf("%v", err)
	}
	w := newBench(t, act{}, act{typed: "quit"}).walk()
	w.From = "r_elbow"
	if all, err := w.Run(); len(all) != 1 || err == nil {
		t.Errorf("%+v, %v", all, err)
	}
	w.From = "tail"
	if _, err := w.Run(); !errors.Is(err, servotool.ErrRefused) || !strings.Contains(err.Error(), "l_hip_yaw") {
		t.Error(err)
	}
}

// A servo with a latched error is restarted; one that keeps it is refused.
func TestErrors(t *testing.T) {
	w := fresh(t, 1, nil)
	w.Lines[0].Inject(busemu.Fault{Kind: busemu.FaultHeat, V: 85, ID: 1, P: 1, For: time.Second})
	w.Advance(500 * time.Millisecond)
	b := newBench(t, act{}, act{connect: w}, act{typed: "quit"})
	if all, _ := b.walk().Run(); all[0].Done || !strings.Contains(b.said.String(), "overheating, also after a restart") {
		t.Errorf("%+v\n%s", all[0], b.said.String())
	}
}

// forgetful is a bus whose servo loses what it was given when its rate changes.
type forgetful struct {
	servotool.Bus
	baud int
}

func (f forgetful) ReadRegister(id uint8, r servotool.Register) (int64, error) {
	v, err := f.Bus.ReadRegister(id, r)
	if f.baud == rate && r.Name == "Return Delay Time" {
		v = 250
	}
	return v, err
}

// What was set is asked for at the end, at the new rate.
func TestVerified(t *testing.T) {
	b := newBench(t, act{}, act{connect: fresh(t, 1, nil)}, act{typed: "quit"})
	w := b.walk()
	w.Open = func(baud int) (servotool.Bus, io.Closer, error) {
		bus, c, err := b.open(baud)
		return forgetful{bus, baud}, c, err
	}
	if all, _ := w.Run(); all[0].Done || !strings.Contains(b.said.String(), "after all was set: Return Delay Time is 250 (500 us), needed 0 (0 us)") {
		t.Errorf("%+v\n%s", all[0], b.said.String())
	}
}
