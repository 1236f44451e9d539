package multi_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// level is a sensor that lies still.
type level struct{ n uint16 }

func (l *level) Read(dst *imu.Reading) {
	l.n++
	*dst = imu.Reading{GravityDir: [3]float64{0, 0, -1}, IMUFresh: true, IMUSample: l.n}
}

// gate is a fake whose operations wait while it is shut.
type gate struct {
	*drivertest.Fake
	shut chan struct{} // nil or closed: open
}

func (g *gate) Read(dst *driver.State) error {
	if c := g.shut; c != nil {
		<-c
	}
	return g.Fake.Read(dst)
}

func (g *gate) PortError() error {
	if g.Gone {
		return errors.New("the plug is out")
	}
	return nil
}

// pair is a robot of five joints: 0, 2 and 4 on the left bus, 3 and 1 on the right.
type pair struct {
	*multi.Driver
	left, right *gate
}

func newPair(t *testing.T, deadline time.Duration) *pair {
	t.Helper()
	running := goleak.IgnoreCurrent()
	p := &pair{left: &gate{Fake: drivertest.NewFake(3)}, right: &gate{Fake: drivertest.NewFake(2)}}
	var err error
	p.Driver, err = multi.New(multi.Config{Joints: 5, Deadline: deadline, Buses: []multi.Bus{
		{Name: "left", Driver: p.left, Joints: []int{0, 2, 4}},
		{Name: "right", Driver: p.right, Joints: []int{3, 1}, IMU: &level{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Halt()
		goleak.VerifyNone(t, running)
	})
	return p
}

func (p *pair) connect(t *testing.T) *driver.State {
	t.Helper()
	id, err := p.Connect(context.Background())
	if err != nil || len(id.Servos) != 5 || id.Servos[1].ID != 2 || id.Servos[3].ID != 1 || id.Servos[4].ID != 3 {
		t.Fatalf("%+v, %v", id, err)
	}
	return driver.NewState(5)
}

// patient is a deadline that no fake misses, whatever else the machine does.
const patient = 30 * time.Second

func TestConforms(t *testing.T) {
	t.Run("two buses", func(t *testing.T) {
		drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
			p := newPair(t, patient)
			return drivertest.Rig{Driver: p, Joints: 5, SafeRad: []float64{0.3, -0.2, 0, 0.1, 1}, ResolutionRad: 1e-9,
				Pass: func() {}, Cut: func() { p.left.Gone, p.right.Gone = true, true }}
		})
	})
	t.Run("one bus", func(t *testing.T) {
		drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
			f := drivertest.NewFake(3)
			d, err := multi.New(multi.Config{Joints: 3, Buses: []multi.Bus{{Name: "body", Driver: f, Joints: []int{2, 0, 1}}}})
			if err != nil {
				t.Fatal(err)
			}
			return drivertest.Rig{Driver: d, Joints: 3, SafeRad: []float64{0.3, -0.2, 0}, ResolutionRad: 1e-9,
				Pass: func() {}, Cut: func() { f.Gone = true }}
		})
	})
	t.Run("two emulated buses", func(t *testing.T) {
		drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
			running := goleak.IgnoreCurrent()
			d, world, desc := emulated(t)
			t.Cleanup(func() {
				_ = d.Halt()
				goleak.VerifyNone(t, running)
			})
			safe := make([]float64, len(desc.Joints))
			for i, j := range desc.Joints {
				safe[i] = min(max(0.3*float64(1-2*(i%2)), j.MinRad+0.05), j.MaxRad-0.05)
			}
			return drivertest.Rig{Driver: d, Joints: len(desc.Joints), SafeRad: safe, ResolutionRad: 1e-3,
				Pass: func() { world.Advance(10 * time.Millisecond) }}
		})
	})
}

// emulated is kata20 with its legs on one bus, arms and hub on another, whose ids are
// partly the same. Both lines are one world's, so the buses take turns.
func emulated(t *testing.T) (*multi.Driver, *busemu.World, *robot.Description) {
	t.Helper()
	kata, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	desc := *kata
	desc.Buses = []robot.Bus{{Name: "legs", Protocol: "dynamixel2", Baud: 3_000_000}, {Name: "arms", Protocol: "dynamixel2", Baud: 1_000_000}}
	desc.IMU.Bus = "arms"
	desc.Joints = append([]robot.Joint(nil), kata.Joints...)
	for i := range desc.Joints {
		if desc.Joints[i].Bus = "legs"; i >= 12 {
			desc.Joints[i].Bus, desc.Joints[i].ID = "arms", i-11
		}
	}
	lines, err := busemu.ForRobot(&desc)
	if err != nil {
		t.Fatal(err)
	}
	world, err := busemu.NewWorld(busemu.NewIdeal(desc.Servos(), time.Millisecond), lines...)
	if err != nil {
		t.Fatal(err)
	}
	world.Untimed = true
	cfg := multi.Config{Joints: len(desc.Joints), Deadline: patient}
	turns := make(chan struct{}, 1)
	for i, b := range desc.Buses {
		d, err := dynamixel.New(&desc, b.Name, &oneAtATime{busemu.NewWire(world.Lines[i]), turns}, dynamixel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Buses = append(cfg.Buses, multi.Bus{Name: b.Name, Driver: d, Joints: desc.JointsOn(b.Name), IMU: d.IMU()})
	}
	d, err := multi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d, world, &desc
}

// oneAtATime lets one goroutine into the world at a time.
type oneAtATime struct {
	*busemu.Wire
	turns chan struct{}
}

func (o *oneAtATime) Write(b []byte) (int, error) {
	o.turns <- struct{}{}
	defer func() { <-o.turns }()
	return o.Wire.Write(b)
}

// Every joint's goal reaches its own servo, and every servo's angle its own joint.
func TestJointsKeepTheirPlaces(t *testing.T) {
	p := newPair(t, patient)
	s := p.connect(t)
	p.left.PosRad, p.right.PosRad = []float64{0, 0.2, 0.4}, []float64{0.3, 0.1}
	if err := p.Read(s); err != nil {
		t.Fatal(err)
	}
	applied := make([]float64, 5)
	if err := p.Write(applied, []float64{1, 1.1, 1.2, 1.3, 9}); err != nil {
		t.Fatal(err)
	}
	for j, q := range s.PosRad {
		if math.Abs(q-0.1*float64(j)) > 1e-12 {
			t.Errorf("joint %d at %g", j, q)
		}
	}
	if g := p.left.GoalRad; g[0] != 1 || g[1] != 1.2 || g[2] != p.left.RangeRad {
		t.Errorf("goals of the left bus: %v", g)
	}
	if g := p.right.GoalRad; g[0] != 1.3 || g[1] != 1.1 {
		t.Errorf("goals of the right bus: %v", g)
	}
	if applied[4] != p.left.RangeRad || applied[1] != 1.1 {
		t.Errorf("applied %v", applied)
	}
	if !s.IMUFresh || s.IMUSample != 1 || s.Transactions != 2 {
		t.Errorf("sensor %+v, %d transactions", s.Reading, s.Transactions)
	}
}

// What is lost of several buses is told bus by bus, and the rest obeys.
func TestOneBusLost(t *testing.T) {
	p := newPair(t, patient)
	s := p.connect(t)
	p.right.Gone = true
	if err := p.Read(s); !errors.Is(err, driver.ErrPartial) {
		t.Errorf("Read: %v, want ErrPartial", err)
	}
	for j, fresh := range s.Fresh {
		if fresh != (j%2 == 0) {
			t.Errorf("joint %d: fresh %v", j, fresh)
		}
	}
	applied := make([]float64, 5)
	if err := p.Write(applied, []float64{1, 1, 1, 1, 1}); !errors.Is(err, driver.ErrPartial) || p.left.GoalRad[2] != 1 || applied[3] != 0 || applied[4] != 1 {
		t.Errorf("Write: %v, applied %v, left goals %v", err, applied, p.left.GoalRad)
	}
	if err := p.Torque(false); !errors.Is(err, driver.ErrPartial) {
		t.Errorf("Torque(false): %v; it is not confirmed", err)
	}
	f := p.Faults()
	if f[0] != (multi.Fault{Bus: "left"}) || f[1].Bus != "right" || !errors.Is(f[1].Err, driver.ErrLinkLost) && !errors.Is(f[1].Err, driver.ErrPartial) || f[1].Port == nil {
		t.Errorf("faults %+v", f)
	}
	p.left.Gone = true
	if err := p.Read(s); !errors.Is(err, driver.ErrLinkLost) {
		t.Errorf("Read with both gone: %v", err)
	}
}

// A bus that hangs holds nobody up beyond the deadline, takes no goal late, and does a
// torque-off that it was told of meanwhile before anything else.
func TestOneBusHangs(t *testing.T) {
	p := newPair(t, 50*time.Millisecond)
	s := p.connect(t)
	applied := make([]float64, 5)
	if err := errors.Join(p.Write(applied, []float64{0, 0, 0, 0, 0}), p.Torque(true)); err != nil {
		t.Fatal(err)
	}
	block := make(chan struct{})
	p.right.shut = block
	for range 3 {
		if err := p.Read(s); !errors.Is(err, driver.ErrPartial) {
			t.Fatalf("Read: %v, want ErrPartial", err)
		}
		if s.Fresh[1] || s.Fresh[3] || s.IMUFresh {
			t.Errorf("of a bus that hangs: fresh %v, sensor %v", s.Fresh, s.IMUFresh)
		}
	}
	if err := p.Write(applied, []float64{1, 1, 1, 1, 1}); !errors.Is(err, driver.ErrPartial) || applied[0] != 1 || applied[3] != 0 {
		t.Errorf("Write: %v, applied %v", err, applied)
	}
	if f := p.Faults(); f[0].Late != 0 || f[1].Late != 4 || f[1].Err == nil || !strings.Contains(f[1].Err.Error(), "in time") {
		t.Errorf("faults %+v", f)
	}
	if err := p.Torque(false); !errors.Is(err, driver.ErrPartial) || p.left.TorqueOn {
		t.Errorf("Torque(false): %v, left torque %v", err, p.left.TorqueOn)
	}
	close(block)
	for p.Read(s) != nil { // until it has come back
	}
	if s.TorqueOn[1] || s.TorqueOn[3] || p.right.GoalRad[0] != 0 {
		t.Errorf("after it came back: torque %v, goals %v", s.TorqueOn, p.right.GoalRad)
	}
	if s.Failures < 5 {
		t.Errorf("%d failures counted", s.Failures)
	}
}

// meeting is a fake whose Read ends only when another's has begun.
type meeting struct {
	*drivertest.Fake
	begun, other chan struct{}
}

func (m meeting) Read(dst *driver.State) error {
	close(m.begun)
	<-m.other
	return m.Fake.Read(dst)
}

// Buses work at the same time: in sequence neither of these would end.
func TestBusesWorkAtTheSameTime(t *testing.T) {
	l, r := make(chan struct{}), make(chan struct{})
	d, err := multi.New(multi.Config{Joints: 2, Deadline: patient, Buses: []multi.Bus{
		{Name: "left", Driver: meeting{drivertest.NewFake(1), l, r}, Joints: []int{1}},
		{Name: "right", Driver: meeting{drivertest.NewFake(1), r, l}, Joints: []int{0}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Read(driver.NewState(2)), d.Halt()); err != nil {
		t.Error(err)
	}
}

func TestRefusesBadConfigurations(t *testing.T) {
	f := drivertest.NewFake(1)
	bus := func(name string, s imu.Source, joints ...int) multi.Bus {
		return multi.Bus{Name: name, Driver: f, Joints: joints, IMU: s}
	}
	for _, c := range []struct {
		joints int
		buses  []multi.Bus
		want   string
	}{
		{1, nil, "no bus"},
		{2, []multi.Bus{bus("a", nil, 0)}, "joint 1 is on no bus"},
		{1, []multi.Bus{bus("a", nil, 0), bus("b", nil, 0)}, `joint 0 is on bus "a" and on bus "b"`},
		{1, []multi.Bus{bus("a", nil, 3)}, "joint 3; legal: 0 to 0"},
		{2, []multi.Bus{bus("a", &level{}, 0), bus("b", &level{}, 1)}, "both bring an inertial sensor"},
	} {
		if _, err := multi.New(multi.Config{Joints: c.joints, Buses: c.buses}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.buses, err, c.want)
		}
	}
}

// A bus that cannot be connected is named, and the goroutines of none begin.
func TestConnectNamesTheBus(t *testing.T) {
	d, world, _ := emulated(t)
	if err := world.Inject(busemu.Fault{Bus: "legs", Kind: busemu.FaultSilence, ID: 4, P: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := d.Connect(context.Background())
	if err == nil || !strings.Contains(err.Error(), `bus "legs"`) || !strings.Contains(err.Error(), "l_knee") {
		t.Errorf("Connect: %v", err)
	}
	if err := d.Halt(); err != nil && !strings.Contains(err.Error(), "legs") {
		t.Error(err)
	}
}

// Each bus is told the shares of its own joints.
func TestLimitReachesItsJoints(t *testing.T) {
	p := newPair(t, patient)
	p.connect(t)
	if err := p.Limit([]float64{0.1, 0.2, 0.3, 0.4, 0.5}); err != nil {
		t.Fatal(err)
	}
	if l, r := p.left.Share, p.right.Share; !slices.Equal(l, []float64{0.1, 0.3, 0.5}) || !slices.Equal(r, []float64{0.4, 0.2}) {
		t.Errorf("left %v, right %v", l, r)
	}
	p.right.Gone = true
	if err := p.Limit(make([]float64, 5)); !errors.Is(err, driver.ErrPartial) {
		t.Errorf("with one bus gone: %v", err)
	}
}
