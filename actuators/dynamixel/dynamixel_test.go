package dynamixel_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// bench is kata20 on an emulated bus in this process.
type bench struct {
	desc  *robot.Description
	plant *busemu.Ideal
	line  *busemu.Line
	wire  *gate
	drv   *dynamixel.Driver
}

// gate is a port that can be torn out.
type gate struct {
	*busemu.Wire
	gone bool
}

func (g *gate) Write(b []byte) (int, error) {
	if g.gone {
		return 0, io.ErrClosedPipe
	}
	return g.Wire.Write(b)
}

func (g *gate) Read(b []byte) (int, error) {
	if g.gone {
		return 0, io.ErrClosedPipe
	}
	return g.Wire.Read(b)
}

func newBench(t testing.TB, change func(*busemu.LineConfig), opt dynamixel.Options) *bench {
	t.Helper()
	return newBenchOf(t, unusual{line: change}, opt)
}

// unusual is what is not as on kata20; nil changes nothing.
type unusual struct {
	robot func(*robot.Description)
	plant func(*busemu.Ideal) busemu.Plant
	line  func(*busemu.LineConfig)
}

// newBenchOf is newBench of a robot that is not quite kata20.
func newBenchOf(t testing.TB, u unusual, opt dynamixel.Options) *bench {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	if u.robot != nil {
		u.robot(desc)
	}
	b := &bench{desc: desc, plant: busemu.NewIdeal(desc.Servos(), time.Millisecond)}
	c := busemu.LineConfig{HubID: dxl.ID(desc.IMU.ID), Seed: 1}
	for i, j := range desc.Joints {
		b.plant.Set(i, 0)
		c.Servos = append(c.Servos, busemu.ServoConfig{ID: dxl.ID(j.ID), Joint: i, Sign: j.Sign, OffsetRad: j.OffsetRad, Type: desc.ServoOf(i).Entry})
	}
	if u.line != nil {
		u.line(&c)
	}
	var plant busemu.Plant = b.plant
	if u.plant != nil {
		plant = u.plant(b.plant)
	}
	w, err := busemu.NewWorld(plant, c)
	if err != nil {
		t.Fatal(err)
	}
	b.line, w.Untimed = w.Lines[0], true
	b.wire = &gate{Wire: busemu.NewWire(b.line)}
	if b.drv, err = dynamixel.New(desc, "body", b.wire, opt); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) connect(t testing.TB) driver.Identity {
	t.Helper()
	id, err := b.drv.Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// energise connects, and switches torque on at the measured pose. It returns the
// state read and room for applied goals.
func (b *bench) energise(t testing.TB) (s *driver.State, applied []float64) {
	t.Helper()
	b.connect(t)
	s, applied = driver.NewState(len(b.desc.Joints)), make([]float64, len(b.desc.Joints))
	if err := b.drv.Read(s); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Write(applied, s.PosRad); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Torque(true); err != nil {
		t.Fatal(err)
	}
	return s, applied
}

func (b *bench) safePose() []float64 {
	q := make([]float64, len(b.desc.Joints))
	for i, j := range b.desc.Joints {
		q[i] = min(max(0.3*float64(1-2*(i%2)), j.MinRad+0.05), j.MaxRad-0.05)
	}
	return q
}

func TestConformsOnTheEmulatedBus(t *testing.T) {
	drivertest.Conform(t, func(t *testing.T) drivertest.Rig {
		b := newBench(t, nil, dynamixel.Options{})
		return drivertest.Rig{
			Driver: b.drv, Joints: len(b.desc.Joints), SafeRad: b.safePose(), ResolutionRad: math.Pi / 4096 * 1.01,
			Pass: func() { b.line.Advance(10 * time.Millisecond) }, Cut: func() { b.wire.gone = true },
		}
	})
}

func TestConnectConfiguresEveryServoOnce(t *testing.T) {
	b := newBench(t, func(c *busemu.LineConfig) { c.PowerOff = true }, dynamixel.Options{})
	id := b.connect(t)
	if !id.IMU || len(id.Servos) != 20 || id.Servos[8].Joint != "r_hip_pitch" || id.Servos[8].ID != 9 || id.Servos[8].Model != 1020 {
		t.Errorf("identity %+v", id)
	}
	if len(id.Changed) == 0 || id.Changed[0] != "servo power: off -> on" {
		t.Errorf("changed: %v", id.Changed)
	}
	// The knee's range, -0.05..2.3 rad, mirrored by sign -1, is the servo's own too.
	bus := dxl.NewBus(b.wire, dxl.Config{})
	lo, _ := dxl.Read(bus, 10, dxl.MinPosition)
	hi, _ := dxl.Read(bus, 10, dxl.MaxPosition)
	servo := b.desc.ServoOf(9).Entry
	if lo, hi := servo.Rad(int32(lo)), servo.Rad(int32(hi)); lo < -2.3 || lo > -2.298 || hi > 0.05 || hi < 0.048 {
		t.Errorf("position limits of servo 10: %g..%g rad", lo, hi)
	}
	for _, s := range id.Servos {
		delay, _ := dxl.Read(bus, dxl.ID(s.ID), dxl.ReturnDelay)
		gain, _ := dxl.Read(bus, dxl.ID(s.ID), dxl.PositionPGain)
		if delay != 0 || gain != 800 {
			t.Errorf("servo %d: return delay %d, gain %d", s.ID, delay, gain)
		}
	}
	again, err := dynamixel.New(b.desc, "body", b.wire, dynamixel.Options{KeepEEPROM: true})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := again.Connect(context.Background()); err != nil || len(id.Changed) != 0 {
		t.Errorf("second connect: changed %v, error %v", id.Changed, err)
	}
}

func TestConnectNamesEveryFault(t *testing.T) {
	b := newBench(t, func(c *busemu.LineConfig) { c.Servos = append(c.Servos[:3], c.Servos[4:]...) }, dynamixel.Options{})
	b.line.Inject(busemu.Fault{Kind: busemu.FaultSilence, ID: 17, P: 1})
	_, err := b.drv.Connect(context.Background())
	if err == nil {
		t.Fatal("connected without two servos")
	}
	for _, word := range []string{"servo 4 (l_knee) does not answer", "servo 17 (r_shoulder_pitch) does not answer"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error does not say %q:\n%v", word, err)
		}
	}
	b = newBenchOf(t, unusual{robot: func(d *robot.Description) {
		s := d.ServoOf(0)
		s.ModelNumber = 1060
		d.ServoTypes = map[string]robot.ServoType{d.Joints[0].Servo: s}
	}}, dynamixel.Options{})
	if _, err := b.drv.Connect(context.Background()); err == nil || !strings.Contains(err.Error(), "model number 1020; legal: 1060") {
		t.Errorf("wrong model: %v", err)
	}
	b = newBench(t, nil, dynamixel.Options{KeepEEPROM: true})
	if _, err := b.drv.Connect(context.Background()); err == nil || !strings.Contains(err.Error(), "lower position limit: is 0; legal: 1462") {
		t.Errorf("EEPROM kept: %v", err)
	}
	b = newBench(t, nil, dynamixel.Options{})
	b.line.Inject(busemu.Fault{Kind: busemu.FaultSilence, P: 1})
	if _, err := b.drv.Connect(context.Background()); err == nil || !strings.Contains(err.Error(), "hub 200 does not answer") && !strings.Contains(err.Error(), "none of 20 servos") {
		t.Errorf("silent bus: %v", err)
	}
}

// The driver and the bus take what counts mean from the type: kata20 with servos of
// another resolution and another zero moves to the same angles.
func TestOtherServosOtherCounts(t *testing.T) {
	other, _ := servos.Shipped().Named("xm430-w350")
	other.CountsPerTurn, other.ZeroCount = 16384, 8192
	run := func(change func(*robot.Description)) (counts dxl.PositionCount, s *driver.State, applied []float64) {
		b := newBenchOf(t, unusual{robot: change}, dynamixel.Options{})
		s, applied = b.energise(t)
		goal := b.safePose()
		if err := b.drv.Write(applied, goal); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			b.line.Advance(10 * time.Millisecond)
		}
		if err := b.drv.Read(s); err != nil {
			t.Fatal(err)
		}
		counts, err := dxl.Read(dxl.NewBus(b.wire, dxl.Config{}), 1, dxl.PresentPosition)
		if err != nil {
			t.Fatal(err)
		}
		return counts, s, applied
	}
	plainCounts, plain, _ := run(nil)
	finer, got, applied := run(func(d *robot.Description) {
		s := d.ServoTypes["xm430-w350"]
		s.Entry = other
		d.ServoTypes = map[string]robot.ServoType{"xm430-w350": s}
	})
	if plainCounts == 2048 || math.Abs(float64(finer-8192)-4*float64(plainCounts-2048)) > 12 {
		t.Errorf("servo 1 at %d of 16384 counts, %d of 4096", finer, plainCounts)
	}
	for j := range applied {
		if math.Abs(applied[j]-got.PosRad[j]) > other.RadPerCount() {
			t.Errorf("joint %d: at %g rad, asked for %g", j, got.PosRad[j], applied[j])
		}
		if math.Abs(plain.PosRad[j]-got.PosRad[j]) > 4e-3 {
			t.Errorf("joint %d: at %g rad with finer counts, at %g without", j, got.PosRad[j], plain.PosRad[j])
		}
	}
}

// A silent servo keeps its last angle, is named by Fresh, and does not take
// others with it; noise on the line never yields a wrong angle.
func TestReadUnderFaults(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	b.connect(t)
	s := driver.NewState(20)
	if err := b.drv.Read(s); err != nil {
		t.Fatal(err)
	}
	b.line.Inject(busemu.Fault{Kind: busemu.FaultSilence, ID: 5, P: 1})
	for range 3 { // the reader needs a tick to find out who is dead
		if err := b.drv.Read(s); !errors.Is(err, driver.ErrPartial) {
			t.Fatalf("Read with a silent servo: %v", err)
		}
	}
	for j, fresh := range s.Fresh {
		if fresh == (b.desc.Joints[j].ID == 5) {
			t.Errorf("joint %d (servo %d): fresh %v", j, b.desc.Joints[j].ID, fresh)
		}
	}
	b.line.ClearFaults()
	b.line.Inject(busemu.Fault{Kind: busemu.FaultCRC, P: 0.3})
	b.line.Inject(busemu.Fault{Kind: busemu.FaultNoise, P: 0.3})
	b.line.Inject(busemu.Fault{Kind: busemu.FaultDrop, P: 0.1})
	good := 0
	for range 500 {
		if b.drv.Read(s) == nil {
			good++
		}
		b.drv.IMU().Read(&s.Reading)
		for j, q := range s.PosRad {
			if math.Abs(q) > 2e-3 {
				t.Fatalf("joint %d read as %g, is 0", j, q)
			}
		}
		if g := s.GravityDir; math.Abs(g[2]+1) > 1e-3 {
			t.Fatalf("gravity read as %v", g)
		}
	}
	if good < 100 || good == 500 || s.Failures == 0 {
		t.Errorf("%d of 500 reads were good, %d failures counted", good, s.Failures)
	}
}

// Speed and current have the sign of the joint, not of the servo.
func TestMeasuredSpeedHasTheSignOfTheMotion(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	s, applied := b.energise(t)
	goal := b.safePose()
	_ = b.drv.Write(applied, goal)
	b.line.Advance(30 * time.Millisecond)
	_ = b.drv.Read(s)
	for j, q := range goal {
		if math.Abs(q) > 0.2 && s.VelRadPerS[j]*q <= 0 {
			t.Errorf("%s moves towards %.2f rad at %.2f rad/s", b.desc.Joints[j].Name, q, s.VelRadPerS[j])
		}
	}
}

func TestAlertIsSeenAtOnceAndNamedLater(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	b.connect(t)
	s := driver.NewState(20)
	b.line.Inject(busemu.Fault{Kind: busemu.FaultHeat, ID: 3, V: 90, P: 1})
	for range 5 {
		b.line.Advance(10 * time.Millisecond)
		_ = b.drv.Read(s)
	}
	if s.Alert[2] == 0 {
		t.Error("an overheated servo raised no alert")
	}
	for range 45 {
		_ = b.drv.Read(s)
	}
	if s.Alert[2] != uint8(dxl.HardwareHeat) || s.TempC[2] < 80 {
		t.Errorf("alert %#x at %g C", s.Alert[2], s.TempC[2])
	}
}

// tilted is an ideal robot whose trunk has an orientation of its own.
type tilted struct {
	*busemu.Ideal
	q spatial.Quat
}

func (p tilted) Sense(dst *busemu.Sense) {
	p.Ideal.Sense(dst)
	dst.IMU.WorldFromHub = p.q
	dst.IMU.GyroRadPerS = [3]float64{0.5, -0.25, 1}
}

func TestGravityDirectionInTheTrunkFrame(t *testing.T) {
	q := spatial.FromAxisAngle(spatial.Vec3{1, -2, 0.5}, 0.7)
	b := newBenchOf(t, unusual{plant: func(p *busemu.Ideal) busemu.Plant { return tilted{p, q} }}, dynamixel.Options{})
	b.connect(t)
	b.line.Advance(10 * time.Millisecond)
	s := driver.NewState(20)
	if err := b.drv.Read(s); err != nil || s.IMUFresh {
		t.Fatalf("read: %v; the driver of the servos must leave the sensor to its source", err)
	}
	sensor := b.drv.IMU()
	if sensor.Read(&s.Reading); !s.IMUFresh {
		t.Fatal("the exchange of the same tick brought no reading")
	}
	old := s.Reading
	sensor.Read(&s.Reading)
	if old.IMUFresh = false; s.Reading != old {
		t.Errorf("without an exchange between: %+v, want the old one, not fresh: %+v", s.Reading, old)
	}
	if want := spatial.GravityInBase(q); s.GravityDir.Sub(want).Norm() > 2e-3 {
		t.Errorf("gravity %v, want %v", s.GravityDir, want)
	}
	if s.GyroRadPerS.Sub(spatial.Vec3{0.5, -0.25, 1}).Norm() > 0.01 {
		t.Errorf("gyro %v", s.GyroRadPerS)
	}
}
