package busemu

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// bench is a bus with n servos, ids 1..n, and a hub, reached without a terminal.
type bench struct {
	plant *Ideal
	line  *Line
	bus   *dxl.Bus
	port  dxl.Port // the pseudo-terminal, if served
	ids   []dxl.ID
}

// xm430 is the type of servo that the benches have.
func xm430() servos.Type { return servos.Shipped()[0] }

// motors are n of them.
func motors(n int) []servos.Type { return slices.Repeat([]servos.Type{xm430()}, n) }

// hubReader reads the sensor hub's block.
type hubReader struct{ *dxl.SyncReader }

func newHubReader(t testing.TB, bus *dxl.Bus) hubReader {
	t.Helper()
	r, err := dxl.NewSyncReader(bus, []dxl.ID{dxl.HubID}, dxl.HubBlockAddr, dxl.HubBlockSize, dxl.Plain)
	must(t, err)
	return hubReader{r}
}

func (h hubReader) Read(s *dxl.HubState) error {
	err := h.SyncReader.Read()
	if err == nil {
		dxl.DecodeHub(s, h.Data(0))
	}
	return err
}

func newBench(t testing.TB, n int, change func(*LineConfig)) *bench {
	t.Helper()
	b := &bench{plant: NewIdeal(motors(n), time.Millisecond)}
	c := LineConfig{HubID: dxl.HubID, Seed: 1}
	for i := range n {
		sign := 1.0
		if i%2 == 1 {
			sign = -1
		}
		c.Servos = append(c.Servos, ServoConfig{ID: dxl.ID(i + 1), Joint: i, Sign: sign, OffsetRad: 0.01 * float64(i), Type: xm430()})
		b.ids = append(b.ids, dxl.ID(i+1))
	}
	if change != nil {
		change(&c)
	}
	w, err := NewWorld(b.plant, c)
	if err != nil {
		t.Fatal(err)
	}
	b.line = w.Lines[0]
	b.bus = dxl.NewBus(NewWire(b.line), dxl.Config{Baud: 3_000_000, Margin: time.Millisecond})
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T dxl.Count](t testing.TB, b *bench, id dxl.ID, r dxl.Reg[T]) T {
	t.Helper()
	v, err := dxl.Read(b.bus, id, r)
	must(t, err)
	return v
}

// wantCode checks that err is a refusal with the code.
func wantCode(t testing.TB, what string, err error, code dxl.Code) {
	t.Helper()
	var se *dxl.StatusError
	if code == dxl.CodeOK {
		if err != nil {
			t.Errorf("%s: %v, want ok", what, err)
		}
	} else if !errors.As(err, &se) || se.Code != code {
		t.Errorf("%s: %v, want refusal %d", what, err, code)
	}
}

func TestPingAndScan(t *testing.T) {
	b := newBench(t, 20, nil)
	f, err := b.bus.Ping(7)
	must(t, err)
	if f.Model != xm430().ModelNumber || f.Firmware != 48 {
		t.Errorf("servo 7: %+v", f)
	}
	found, err := b.bus.Scan()
	must(t, err)
	if len(found) != 21 || found[0].ID != 1 || found[20].ID != dxl.HubID || found[20].Model != dxl.HubModel {
		t.Errorf("scan: %+v", found)
	}
	if _, err := b.bus.Ping(99); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("ping of nobody: %v, want ErrLinkLost", err)
	}
}

// TestWriteRules is the table of what a servo accepts.
func TestWriteRules(t *testing.T) {
	type op struct {
		what   string
		torque byte
		addr   uint16
		data   []byte
		code   dxl.Code
	}
	for _, c := range []op{
		{"led", 0, 65, []byte{1}, dxl.CodeOK},
		{"led out of range", 0, 65, []byte{2}, dxl.CodeDataRange},
		{"model number", 0, 0, []byte{1, 2}, dxl.CodeAccess},
		{"present position", 0, 132, []byte{0, 0, 0, 0}, dxl.CodeAccess},
		{"hole", 0, 14, []byte{0}, dxl.CodeAccess},
		{"beyond the table", 0, 700, []byte{0}, dxl.CodeAccess},
		{"EEPROM, torque off", 0, 9, []byte{0}, dxl.CodeOK},
		{"EEPROM, torque on", 1, 9, []byte{0}, dxl.CodeAccess},
		{"half a goal", 1, 116, []byte{0, 8}, dxl.CodeDataLength},
		{"second half of a goal", 1, 118, []byte{0, 0}, dxl.CodeAccess},
		{"goal", 1, 116, []byte{0, 8, 0, 0}, dxl.CodeOK},
		{"goal beyond 4095", 1, 116, []byte{0, 16, 0, 0}, dxl.CodeDataLimit},
		{"negative goal", 1, 116, []byte{0xFF, 0xFF, 0xFF, 0xFF}, dxl.CodeDataLimit},
		{"profile and goal at once", 1, 108, []byte{5, 0, 0, 0, 9, 0, 0, 0, 0, 8, 0, 0}, dxl.CodeOK},
		{"operating mode 2", 0, 11, []byte{2}, dxl.CodeDataRange},
		{"goal PWM", 1, 100, []byte{0, 4}, dxl.CodeDataRange},
		{"indirect address of EEPROM", 0, 168, []byte{7, 0}, dxl.CodeDataRange},
		{"watchdog below 0", 0, 98, []byte{0xFE}, dxl.CodeDataRange},
		{"baud 8", 0, 8, []byte{8}, dxl.CodeDataRange},
	} {
		b := newBench(t, 1, nil)
		must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, c.torque))
		wantCode(t, c.what, b.bus.WriteBytes(1, c.addr, c.data), c.code)
	}
	// A write that one register refuses changes none.
	b := newBench(t, 1, nil)
	wantCode(t, "mixed", b.bus.WriteBytes(1, 64, []byte{0, 2}), dxl.CodeDataRange)
	wantCode(t, "mixed", b.bus.WriteBytes(1, 64, []byte{1, 2}), dxl.CodeDataRange)
	if get(t, b, 1, dxl.TorqueEnable) != 0 {
		t.Error("a refused write switched the torque on")
	}
	wantCode(t, "read beyond the table", b.bus.ReadBytes(1, 660, make([]byte, 4)), dxl.CodeAccess)
}

func TestGoalMovesJoint(t *testing.T) {
	b := newBench(t, 3, nil)
	w, err := dxl.NewGoalWriter(b.bus, b.ids)
	must(t, err)
	r, err := dxl.NewStateReader(b.bus, b.ids, dxl.Fast)
	must(t, err)
	for _, id := range b.ids {
		must(t, dxl.Write(b.bus, id, dxl.TorqueEnable, 1))
	}
	goals := make([]dxl.PositionCount, 3)
	want := []float64{0.5, -0.25, 0.1}
	for i, q := range want {
		s := b.line.servos[i]
		goals[i] = s.counts(s.cfg.Sign * (q - s.cfg.OffsetRad))
	}
	must(t, w.Write(goals))
	b.line.Advance(10 * time.Millisecond)
	states := make([]dxl.State, 3)
	must(t, r.ReadInto(states))
	if states[0].Velocity < 50 || states[1].Velocity < 50 {
		t.Errorf("moving off: %+v", states[:2]) // servo 2 is reversed: its counts rise as the joint falls
	}
	b.line.Advance(time.Second)
	must(t, r.ReadInto(states))
	for i := range want {
		if got := b.plant.joints[i].PosRad; math.Abs(got-want[i]) > 1e-3 {
			t.Errorf("joint %d at %.4f rad, want %.4f", i, got, want[i])
		}
		if d := states[i].Position - goals[i]; d < -1 || d > 1 {
			t.Errorf("servo %d reads %d, goal %d", i, states[i].Position, goals[i])
		}
	}
}

func TestTorqueOffDoesNotMove(t *testing.T) {
	b := newBench(t, 1, nil)
	must(t, dxl.Write(b.bus, 1, dxl.GoalPosition, 3000))
	b.line.Advance(time.Second)
	if q := b.plant.joints[0].PosRad; q != 0 {
		t.Errorf("joint moved to %g with torque off", q)
	}
}

func TestProfileVelocity(t *testing.T) {
	b := newBench(t, 1, nil)
	must(t, dxl.Write(b.bus, 1, dxl.ProfileVelocity, 20)) // 0.48 rad/s
	must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, 1))
	must(t, dxl.Write(b.bus, 1, dxl.GoalPosition, 2048+652))
	b.line.Advance(time.Second)
	want := 20 * 0.229 * 2 * math.Pi / 60
	if q := b.plant.joints[0].PosRad; math.Abs(q-want) > 0.15 {
		t.Errorf("after 1 s at %.3f rad/s the joint is at %.3f rad", want, q)
	}
}

func TestBusWatchdog(t *testing.T) {
	b := newBench(t, 2, nil)
	must(t, dxl.Write(b.bus, 1, dxl.BusWatchdog, 5)) // 100 ms
	b.line.Advance(time.Second)
	if v := get(t, b, 1, dxl.BusWatchdog); v != 5 {
		t.Fatalf("tripped with torque off: %d", v)
	}
	must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, 1))
	must(t, dxl.Write(b.bus, 1, dxl.GoalPosition, 3000))
	for range 10 { // any instruction to it keeps it alive
		b.line.Advance(90 * time.Millisecond)
		get(t, b, 1, dxl.LED)
	}
	wantCode(t, "goal in time", dxl.Write(b.bus, 1, dxl.GoalPosition, 2048), dxl.CodeOK)
	b.line.Advance(50 * time.Millisecond)
	get(t, b, 2, dxl.LED) // talk to somebody else does not
	b.line.Advance(60 * time.Millisecond)
	q := b.plant.joints[0].PosRad
	wantCode(t, "goal after the trip", dxl.Write(b.bus, 1, dxl.GoalPosition, 3000), dxl.CodeDataRange)
	if v := get(t, b, 1, dxl.BusWatchdog); v != -1 {
		t.Errorf("watchdog reads %d, want -1", v)
	}
	if get(t, b, 1, dxl.TorqueEnable) != 1 {
		t.Error("torque is off: the servo must hold")
	}
	b.line.Advance(time.Second)
	if d := b.plant.joints[0].PosRad - q; math.Abs(d) > 0.05 {
		t.Errorf("moved %.3f rad after the trip", d)
	}
	wantCode(t, "new watchdog before clearing", dxl.Write(b.bus, 1, dxl.BusWatchdog, 5), dxl.CodeDataRange)
	must(t, dxl.Write(b.bus, 1, dxl.BusWatchdog, 0))
	wantCode(t, "goal after clearing", dxl.Write(b.bus, 1, dxl.GoalPosition, 3000), dxl.CodeOK)
}

func TestRebootAndShutdown(t *testing.T) {
	b := newBench(t, 1, nil)
	must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, 1))
	f, err := ParseFault("heat:id=1,v=95")
	must(t, err)
	b.line.Inject(f)
	b.line.Advance(10 * time.Millisecond)
	b.line.ClearFaults()
	_, err = dxl.Read(b.bus, 1, dxl.LED)
	must(t, err) // the alert bit is not an error
	if b.bus.Counters(1).Alerts == 0 {
		t.Error("no alert counted")
	}
	if e := get(t, b, 1, dxl.HardwareStatus); e != dxl.HardwareHeat {
		t.Errorf("hardware status %v", e)
	}
	if get(t, b, 1, dxl.TorqueEnable) != 0 {
		t.Error("torque stays on at 95 degrees")
	}
	wantCode(t, "torque after shutdown", dxl.Write(b.bus, 1, dxl.TorqueEnable, 1), dxl.CodeResultFail)
	b.line.servos[0].tempC = 30
	must(t, b.bus.Reboot(1))
	if _, err := b.bus.Ping(1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("ping while booting: %v", err)
	}
	b.line.Advance(bootTime)
	wantCode(t, "torque after reboot", dxl.Write(b.bus, 1, dxl.TorqueEnable, 1), dxl.CodeOK)
}

func TestStatusReturnLevel(t *testing.T) {
	b := newBench(t, 1, nil)
	must(t, dxl.Write(b.bus, 1, dxl.StatusReturnLevel, 1)) // still answered
	if err := dxl.Write(b.bus, 1, dxl.LED, 1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("write at level 1: %v, want silence", err)
	}
	if get(t, b, 1, dxl.LED) != 1 {
		t.Error("the silent write was not carried out")
	}
}

func TestSetID(t *testing.T) {
	b := newBench(t, 2, nil)
	must(t, dxl.Write(b.bus, 2, dxl.DeviceID, 42))
	if _, err := b.bus.Ping(42); err != nil {
		t.Error(err)
	}
	must(t, dxl.Write(b.bus, 42, dxl.DeviceID, 1)) // now two share an id
	if _, err := b.bus.Scan(); !errors.Is(err, dxl.ErrBadData) {
		t.Errorf("scan with two devices on one id: %v, want ErrBadData", err)
	}
}

func TestHub(t *testing.T) {
	b := newBench(t, 2, func(c *LineConfig) { c.PowerOff = true })
	if _, err := b.bus.Ping(1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("unpowered servo answers: %v", err)
	}
	must(t, dxl.Write(b.bus, dxl.HubID, dxl.HubServoPower, 1))
	b.line.Advance(bootTime)
	_, err := b.bus.Ping(1)
	must(t, err)
	r := newHubReader(t, b.bus)
	var s, later dxl.HubState
	must(t, r.Read(&s))
	b.line.Advance(10 * time.Millisecond)
	must(t, r.Read(&later))
	if !s.PowerOn || math.Abs(s.BusV-12) > 1e-3 || math.Abs(s.AccelMPerS2[2]-9.80665) > 1e-3 || s.WorldFromHub != [4]float64{1, 0, 0, 0} {
		t.Errorf("hub reads %+v", s)
	}
	if later.Sample == s.Sample {
		t.Error("the sample counter stands still")
	}
	wantCode(t, "write of the gyro", b.bus.WriteBytes(dxl.HubID, 32, []byte{1, 2}), dxl.CodeAccess)
	wantCode(t, "reboot of the hub", b.bus.Reboot(dxl.HubID), dxl.CodeInstruction)
	must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, 1))
	must(t, dxl.Write(b.bus, dxl.HubID, dxl.HubServoPower, 0))
	if b.line.TorqueOn() != 0 {
		t.Error("torque survives the power switch")
	}
}

func TestLinesAllocateNothing(t *testing.T) {
	b := newBench(t, 20, nil)
	w, err := dxl.NewGoalWriter(b.bus, b.ids)
	must(t, err)
	r, err := dxl.NewStateReader(b.bus, b.ids, dxl.Fast)
	must(t, err)
	plain, err := dxl.NewStateReader(b.bus, b.ids, dxl.Plain)
	must(t, err)
	h := newHubReader(t, b.bus)
	goals, states, hub := make([]dxl.PositionCount, 20), make([]dxl.State, 20), dxl.HubState{}
	for i := range goals {
		goals[i] = 2100
	}
	for _, silent := range []bool{false, true} { // with and without errors
		if silent {
			b.line.Inject(Fault{Kind: FaultSilence, ID: 5, P: 1})
			b.line.Inject(Fault{Kind: FaultCRC, P: 0.3})
		}
		if n := testing.AllocsPerRun(100, func() {
			_ = w.Write(goals)
			b.line.Advance(10 * time.Millisecond)
			_ = r.ReadInto(states)
			_ = plain.ReadInto(states)
			_ = h.Read(&hub)
		}); n != 0 {
			t.Errorf("silent %v: %v allocations per tick, want 0", silent, n)
		}
	}
}

// What a servo reports is told in its own type's units: a stalled motor shows its
// stall current, heats alike, and shuts down at its own limits.
func TestReportsFollowTheType(t *testing.T) {
	for _, servo := range servos.Shipped() {
		s := newServo(ServoConfig{ID: 1, Sign: 1, Type: servo}, newTable(servo), 0)
		s.measure(time.Second, Joint{TorqueNm: servo.StallTorqueNm}, 1, servo.AtV, 1e-3)
		if a := servo.Ampere(int16(reg(s, dxl.PresentCurrent))); math.Abs(a-servo.StallCurrentA) > servo.APerCount {
			t.Errorf("%s: %g A at stall, want %g", servo.Name, a, servo.StallCurrentA)
		}
		if v := reg(s, dxl.PresentPWM); int(v) != servo.FullDutyCount {
			t.Errorf("%s: duty %d at full duty", servo.Name, v)
		}
		if e := reg(s, dxl.HardwareStatus); e != 0 {
			t.Errorf("%s: %s at its own voltage", servo.Name, e)
		}
		s.tempC = servo.MaxTempC + 1.5
		s.measure(time.Second, Joint{}, 0, servo.MaxV+3, 1e-3)
		if e := reg(s, dxl.HardwareStatus); e != dxl.HardwareHeat|dxl.HardwareVoltage {
			t.Errorf("%s: %s when too hot at too much voltage", servo.Name, e)
		}
		if m := reg(s, dxl.ModelNumber); m != servo.ModelNumber {
			t.Errorf("%s: model %d", servo.Name, m)
		}
	}
}

// An ideal plant of mixed motors turns each at its own speed with its own torque.
func TestIdealMotorsFollowTheirTypes(t *testing.T) {
	mixed := []servos.Type{xm430(), xm430()}
	mixed[1].StallTorqueNm, mixed[1].NoLoadRadPerS = 2*mixed[1].StallTorqueNm, 3*mixed[1].NoLoadRadPerS
	p := NewIdeal(mixed, time.Millisecond)
	drives := []Drive{{On: true, Duty: 0.5, MaxDuty: 1}, {On: true, Duty: 0.5, MaxDuty: 1}}
	p.Advance(1000, drives)
	s := Sense{Joints: make([]Joint, 2)}
	p.Sense(&s)
	if a, b := s.Joints[0].PosRad, s.Joints[1].PosRad; !(a > 2) || math.Abs(b-3*a) > 1e-9 {
		t.Errorf("at half duty for a second: %g and %g rad", a, b)
	}
}
