// Package dynamixel drives the joints of one robot over one DYNAMIXEL bus: it
// implements driver.Driver on firmware-bridge/dxl.
//
// A tick is three exchanges: a fast sync read of current, velocity and position
// of all servos, a read of the sensor hub, and a read of one servo's slow
// registers; then a sync write of the goals. Ids, counts, mounting signs and
// offsets of the robot description are applied here and nowhere else.
//
// What is not here: opening the port (serialport), limits on motion (guard).
// A Driver belongs to one goroutine. After Connect, Read and Write allocate
// nothing.
package dynamixel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// Options are choices that do not belong to the robot.
type Options struct {
	// Watchdog is how long a servo may hear nothing before it stops by itself;
	// 20 ms to 2.54 s, default 200 ms.
	Watchdog time.Duration
	// Now is the clock that tells how long the bus was silent; default time.Now.
	Now func() time.Time
	// Margin is added to the wire time of every exchange; default 4 ms.
	Margin time.Duration
	// KeepEEPROM forbids changing settings that outlive a power cycle; Connect
	// then refuses a servo whose settings do not fit.
	KeepEEPROM bool
}

// Driver is one robot on one bus.
type Driver struct {
	desc   *robot.Description
	port   *watched
	opt    Options
	bus    *dxl.Bus
	ids    []dxl.ID
	servo  []servos.Type // of the catalogue, by joint
	state  *dxl.StateReader
	raw    []dxl.State
	goals  *dxl.GoalWriter
	counts []dxl.PositionCount
	torque *dxl.SyncWriter
	check  *dxl.SyncReader
	guard  *dxl.SyncWriter // bus watchdog
	trips  *dxl.SyncReader // the same register
	trip   []*dxl.SyncReader
	status []*dxl.SyncReader
	health []*dxl.SyncReader
	hub    *dxl.SyncReader
	hubLen int // bytes of the hub's block; 0: no hub
	hubNow dxl.HubState
	on     []bool    // torque, as last read from each servo
	stop   []bool    // stopped by its own watchdog, likewise
	heard  time.Time // when servos were last spoken to
	slow   int       // slowBlocks * joint + block
	seen   uint64
	failed uint64
	halted bool
}

const (
	statusAddr = 64 // torque enable .. hardware error status
	statusSize = 7
)

// New returns the driver of desc behind port. It sends nothing.
func New(desc *robot.Description, port dxl.Port, opt Options) (*Driver, error) {
	if len(desc.Buses) != 1 {
		return nil, fmt.Errorf("dynamixel: %s has %d servo buses; this driver handles 1", desc.Name, len(desc.Buses))
	}
	if opt.Watchdog == 0 {
		opt.Watchdog = 200 * time.Millisecond
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Margin == 0 {
		opt.Margin = 4 * time.Millisecond
	}
	d := &Driver{desc: desc, port: &watched{Port: port}, opt: opt}
	for _, j := range desc.Joints {
		d.ids = append(d.ids, dxl.ID(j.ID))
	}
	d.servo = desc.Servos()
	d.raw = make([]dxl.State, len(d.ids))
	d.counts = make([]dxl.PositionCount, len(d.ids))
	d.on = make([]bool, len(d.ids))
	d.stop = make([]bool, len(d.ids))
	d.bus = dxl.NewBus(d.port, dxl.Config{Baud: desc.Buses[0].Baud, Margin: setupMargin, Retries: setupRetries})
	return d, nil
}

// Setting up is not in a hurry; a tick is.
const (
	setupMargin  = 50 * time.Millisecond
	setupRetries = 3
	// turnaround is how long a servo takes to answer when its return delay is 0,
	// as Connect makes it; measured figures are 50 us and below.
	turnaround = 100 * time.Microsecond
	probes     = 5
)

// readMode finds out, without haste, whether every servo knows fast sync read:
// it saves a third of the wire time, and not every firmware has it.
func (d *Driver) readMode() dxl.ReadMode {
	r, err := dxl.NewStateReader(d.bus, d.ids, dxl.Fast)
	if err != nil {
		return dxl.Plain
	}
	for range probes {
		if r.ReadInto(d.raw) == nil {
			return dxl.Fast
		}
	}
	return dxl.Plain
}

// prepare allocates everything that the real-time path needs.
func (d *Driver) prepare() (err error) {
	mode := d.readMode()
	d.bus = dxl.NewBus(d.port, dxl.Config{Baud: d.desc.Buses[0].Baud, Margin: d.opt.Margin, ReturnDelay: turnaround})
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	d.state, e = dxl.NewStateReader(d.bus, d.ids, mode)
	keep(e)
	d.goals, e = dxl.NewGoalWriter(d.bus, d.ids)
	keep(e)
	d.torque, e = dxl.NewSyncWriter(d.bus, d.ids, dxl.TorqueEnable.Addr(), dxl.TorqueEnable.Size())
	keep(e)
	d.check, e = dxl.NewSyncReader(d.bus, d.ids, dxl.TorqueEnable.Addr(), dxl.TorqueEnable.Size(), mode)
	keep(e)
	d.guard, e = dxl.NewSyncWriter(d.bus, d.ids, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size())
	keep(e)
	if d.hubLen > 0 {
		d.hub, e = dxl.NewSyncReader(d.bus, []dxl.ID{dxl.ID(d.desc.IMU.ID)}, dxl.HubBlockAddr, d.hubLen, dxl.Plain)
		keep(e)
	}
	d.trips, e = dxl.NewSyncReader(d.bus, d.ids, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size(), mode)
	keep(e)
	d.status, d.health, d.trip = nil, nil, nil
	for _, id := range d.ids {
		s, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, statusAddr, statusSize, dxl.Plain)
		keep(e)
		h, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, dxl.HealthAddr, dxl.HealthSize, dxl.Plain)
		keep(e)
		w, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size(), dxl.Plain)
		keep(e)
		d.status, d.health, d.trip = append(d.status, s), append(d.health, h), append(d.trip, w)
	}
	return err
}

// Write implements driver.Driver.
func (d *Driver) Write(applied, goalsRad []float64) error {
	if len(goalsRad) != len(d.ids) || len(applied) != len(d.ids) {
		panic("dynamixel: goals of another size")
	}
	for _, q := range goalsRad {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return driver.ErrNotFinite
		}
	}
	for j, q := range goalsRad {
		jt := &d.desc.Joints[j]
		lo, hi := d.countLimits(j)
		c := min(max(d.servo[j].PositionCount((q-jt.OffsetRad)*jt.Sign), lo), hi)
		d.counts[j] = dxl.PositionCount(c)
		applied[j] = jt.Sign*d.servo[j].Rad(c) + jt.OffsetRad
	}
	d.seen++
	if d.goals.Write(d.counts) != nil {
		d.failed++
		return driver.ErrLinkLost
	}
	return nil
}

// countLimits is the joint's range in counts of its servo, rounded inward.
func (d *Driver) countLimits(j int) (lo, hi int32) {
	jt, servo := &d.desc.Joints[j], &d.servo[j]
	a, b := (jt.MinRad-jt.OffsetRad)*jt.Sign, (jt.MaxRad-jt.OffsetRad)*jt.Sign
	a, b = min(a, b), max(a, b)
	lo, hi = servo.PositionCount(a), servo.PositionCount(b)
	if servo.Rad(lo) < a {
		lo++
	}
	if servo.Rad(hi) > b {
		hi--
	}
	return max(lo, 0), min(hi, int32(servo.CountsPerTurn-1))
}

// Torque implements driver.Driver. It takes two exchanges for all servos.
func (d *Driver) Torque(on bool) error {
	if d.torque == nil {
		return driver.ErrLinkLost
	}
	want := byte(0)
	if on {
		want = 1
		// A tripped watchdog refuses goals until it is cleared.
		d.watchdog(0)
		d.watchdog(dxl.WatchdogFromSeconds(d.opt.Watchdog.Seconds()))
		clear(d.stop)
		d.heard = d.opt.Now()
	}
	for j := range d.ids {
		d.torque.Data(j)[0] = want
	}
	if d.torque.Write() != nil {
		return driver.ErrLinkLost
	}
	if !on { // once more: nobody answers a sync write, and this one matters
		_ = d.torque.Write()
	}
	_ = d.check.Read()
	if d.port.gone() {
		return driver.ErrLinkLost
	}
	confirmed := true
	for j := range d.ids {
		if d.check.Outcome(j) == dxl.Answered {
			d.on[j] = d.check.Data(j)[0] != 0
		}
		confirmed = confirmed && d.check.Outcome(j) == dxl.Answered && d.on[j] == on
	}
	if !confirmed {
		return driver.ErrPartial
	}
	return nil
}

func (d *Driver) watchdog(v dxl.WatchdogCount) {
	for j := range d.ids {
		dxl.BusWatchdog.Put(d.guard.Data(j), v)
	}
	_ = d.guard.Write()
}

// Halt implements driver.Driver.
func (d *Driver) Halt() error {
	if d.halted {
		return nil
	}
	d.halted = true
	var err error
	if d.torque != nil {
		err = d.Torque(false)
	}
	return errors.Join(err, d.port.Close())
}

// PortError is the last failure of the port itself, or nil: what lies behind a
// lost link.
func (d *Driver) PortError() error { return d.port.err }

// Counters returns the bus counts of joint j's servo.
func (d *Driver) Counters(j int) dxl.Counters { return d.bus.Counters(d.ids[j]) }

var _ driver.Driver = (*Driver)(nil)

// Connect implements driver.Driver; see connect.go.
func (d *Driver) Connect(ctx context.Context) (driver.Identity, error) { return d.connect(ctx) }
