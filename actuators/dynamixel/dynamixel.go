// Package dynamixel drives those joints of a robot that hang on one DYNAMIXEL bus: it
// implements driver.Driver on firmware-bridge/dxl. The sensor hub, where it hangs on
// the same bus, is an imu.Source of its own that travels with the driver.
//
// A tick is three exchanges: a fast sync read of current, velocity and position
// of all servos, a read of the sensor hub, and a read of one servo's slow
// registers; then a sync write of the goals. Ids, mounting signs and offsets of the
// robot description are applied here, counts as the catalogue (models/servos) says.
//
// What is not here: opening the port (serialport), limits on motion (guard), several
// buses (multi). A Driver and its Hub belong to one goroutine, but for Cut (port.go). After Connect, Read and Write allocate
// nothing.
package dynamixel

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

const (
	// DefaultWatchdog is how long a servo may hear nothing before it stops by itself.
	DefaultWatchdog = 200 * time.Millisecond
	// DefaultMargin is how long an answer may take beyond its time on the wire.
	DefaultMargin = 4 * time.Millisecond
)

// Options are choices that do not belong to the robot.
type Options struct {
	// Watchdog is how long a servo may hear nothing before it stops by itself;
	// 20 ms to 2.54 s, default DefaultWatchdog.
	Watchdog time.Duration
	// Now is the clock of the line: deadlines, ages, how long the bus was silent; default
	// time.Now.
	Now func() time.Time
	// Margin is added to the wire time of every exchange; default DefaultMargin.
	Margin time.Duration
	// Release lets Connect switch the torque off that servos carry when it finds them.
	// Somebody must support the robot; without it such a robot is refused.
	Release bool
	// KeepPower forbids feeding servos that the hub has cut off: Connect then refuses with
	// driver.ErrUnpowered.
	KeepPower bool
	// KeepEEPROM forbids changing settings that outlive a power cycle; Connect
	// then refuses a servo whose settings do not fit.
	KeepEEPROM bool
	// LookOnly makes a driver that changes nothing: see Survey. It lets no packet that
	// writes through, whoever sends it.
	LookOnly bool
}

// Driver is the joints of one bus.
type Driver struct {
	wired  robot.Bus
	joints []robot.Joint
	types  []robot.ServoType
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
	wake   []*dxl.SyncWriter // torque of one servo
	setup  setup
	watch  *dxl.SyncWriter // sets the servos' own bus watchdogs
	trips  *dxl.SyncReader // the same register
	trip   []*dxl.SyncReader
	status []*dxl.SyncReader
	health []*dxl.SyncReader
	hub    *Hub                    // nil: none on this bus
	on     []bool                  // torque, as last read from each servo
	stop   []bool                  // stopped by its own watchdog, likewise
	heard  time.Time               // when servos were last spoken to
	slow   int                     // slowBlocks * joint + block
	again  bool                    // slow has been asked for in vain, once
	asked  time.Time               // when the present Read began
	fastAt []time.Time             // when what was last read of a joint's state was asked for
	slowAt [][slowBlocks]time.Time // of its slow registers, likewise

	seen, failed        uint64 // exchanges
	asides, asideFailed uint64 // of those, reads of the hub and of slow registers

	cutting sync.Mutex // one cut at a time
	off     []byte     // packet that switches torque off everywhere
	halted  bool
}

const (
	statusAddr = 64 // torque enable .. hardware error status
	statusSize = 7
)

// New returns the driver of the joints that desc has on bus, which is behind port. It
// sends nothing.
func New(desc *robot.Description, bus string, port dxl.Port, opt Options) (*Driver, error) {
	on := desc.JointsOn(bus)
	if len(on) == 0 {
		return nil, fmt.Errorf("dynamixel: %s has no joint on bus %q", desc.Name, bus)
	}
	if opt.Watchdog == 0 {
		opt.Watchdog = DefaultWatchdog
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Margin == 0 {
		opt.Margin = DefaultMargin
	}
	d := &Driver{wired: desc.BusNamed(bus), port: &watched{Port: port, lookOnly: opt.LookOnly}, opt: opt}
	for _, j := range on {
		d.joints, d.types = append(d.joints, desc.Joints[j]), append(d.types, desc.ServoOf(j))
		d.ids = append(d.ids, dxl.ID(desc.Joints[j].ID))
		d.servo = append(d.servo, desc.ServoOf(j).Entry)
	}
	if desc.IMU.Bus == bus {
		d.hub = &Hub{id: dxl.ID(desc.IMU.ID)}
	}
	torqueOff := []byte{byte(dxl.TorqueEnable), byte(dxl.TorqueEnable.Addr() >> 8), 0}
	d.off = dxl.Append(nil, &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstWrite, Params: torqueOff})
	d.raw = make([]dxl.State, len(d.ids))
	d.counts = make([]dxl.PositionCount, len(d.ids))
	d.on = make([]bool, len(d.ids))
	d.stop = make([]bool, len(d.ids))
	d.fastAt, d.slowAt = make([]time.Time, len(d.ids)), make([][slowBlocks]time.Time, len(d.ids))
	d.bus = dxl.NewBus(d.port, dxl.Config{Baud: d.wired.Baud, Margin: setupMargin, Retries: setupRetries, Now: opt.Now})
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
	d.bus = dxl.NewBus(d.port, dxl.Config{Baud: d.wired.Baud, Margin: d.opt.Margin, ReturnDelay: turnaround, Now: d.opt.Now})
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
	d.watch, e = dxl.NewSyncWriter(d.bus, d.ids, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size())
	keep(e)
	if d.hub != nil {
		d.hub.size = max(d.hub.size, 1) // one that was surveyed and did not answer
		d.hub.block, e = dxl.NewSyncReader(d.bus, []dxl.ID{d.hub.id}, dxl.HubBlockAddr, d.hub.size, dxl.Plain)
		keep(e)
	}
	d.trips, e = dxl.NewSyncReader(d.bus, d.ids, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size(), mode)
	keep(e)
	keep(d.plan(mode))
	d.status, d.health, d.trip, d.wake = nil, nil, nil, nil
	for _, id := range d.ids {
		s, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, statusAddr, statusSize, dxl.Plain)
		keep(e)
		h, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, dxl.HealthAddr, dxl.HealthSize, dxl.Plain)
		keep(e)
		w, e := dxl.NewSyncReader(d.bus, []dxl.ID{id}, dxl.BusWatchdog.Addr(), dxl.BusWatchdog.Size(), dxl.Plain)
		keep(e)
		t, e := dxl.NewSyncWriter(d.bus, []dxl.ID{id}, dxl.TorqueEnable.Addr(), dxl.TorqueEnable.Size())
		keep(e)
		d.status, d.health, d.trip, d.wake = append(d.status, s), append(d.health, h), append(d.trip, w), append(d.wake, t)
	}
	return err
}

// Write implements driver.Driver.
func (d *Driver) Write(applied, goalsRad []float64) error {
	if len(goalsRad) != len(d.ids) || len(applied) != len(d.ids) {
		panic("dynamixel: goals of another size")
	}
	d.port.begin()
	defer d.port.end()
	return d.write(applied, goalsRad)
}

// write is Write within an operation.
func (d *Driver) write(applied, goalsRad []float64) error {
	for _, q := range goalsRad {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return driver.ErrNotFinite
		}
	}
	if d.port.wasCut() {
		return driver.ErrCut
	}
	for j, q := range goalsRad {
		jt := &d.joints[j]
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
	jt, servo := &d.joints[j], &d.servo[j]
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

// PortError is the last failure of the port itself, or nil: what lies behind a
// lost link.
func (d *Driver) PortError() error { return d.port.err }

var _ driver.Driver = (*Driver)(nil)

// Connect implements driver.Driver; see connect.go.
func (d *Driver) Connect(ctx context.Context) (driver.Identity, error) {
	if d.opt.LookOnly {
		return driver.Identity{}, errLookOnly
	}
	d.port.begin()
	defer d.port.end()
	d.port.good = d.port.pass
	return d.connect(ctx)
}
