// Package multi makes one driver.Driver of all that moves and senses in a robot: one
// driver for each servo bus, and the inertial sensor that travels with one of them.
//
// With one bus it calls that bus's driver on the caller's goroutine and adds nothing.
// With several, each bus has a goroutine of its own from Connect to Halt, because a bus
// is a file that blocks: they are read and written at the same time, and a tick takes as
// long as the slowest bus, not as the sum.
//
// Deadline: an exchange that is not over after Config.Deadline is not waited for. The
// joints of that bus are then not fresh, in this tick and until its driver comes back;
// the other buses go on. A goal is never sent late: a bus that is still busy takes none.
// Torque-off for a busy bus waits for it, and is done first when it comes back. What
// became of each bus is told by Faults.
//
// One lost bus of several is a partial failure, driver.ErrPartial, since the rest still
// obeys; driver.ErrLinkLost is when all are lost.
//
// What is not here: any protocol, opening of ports, limits on motion (guard). A Driver
// belongs to one goroutine, but for Cut. Its real-time path allocates nothing; the one-slot channels
// between it and its own goroutines are the only ones that a tick touches, and none is
// waited for beyond the deadline.
package multi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/imu"
)

// Bus is one servo bus.
type Bus struct {
	Name   string
	Driver driver.Driver
	Joints []int      // canonical index of each joint of Driver, in its order
	IMU    imu.Source // the sensor that travels with Driver; nil: none
}

// Config is a robot as its buses see it.
type Config struct {
	Joints   int // of the robot
	Buses    []Bus
	Deadline time.Duration // of a Read or Write; 0: 20 ms
	// Prepare is called on the goroutine of each bus before it works, to give its thread
	// the priority of the loop, and the function that it returns at the end; nil: nothing.
	Prepare func() (leave func())
}

const (
	defaultDeadline = 20 * time.Millisecond
	// patience is how long torque and the end are waited for: they matter more than time.
	patience = time.Second
	// cutPatience is how long Cut waits to be told what came of it.
	cutPatience = 100 * time.Millisecond
)

// Driver is all buses of a robot.
type Driver struct {
	cfg     Config
	members []*member
	timer   *time.Timer // nil while nothing runs beside the caller
	read    time.Time   // when the latest Read ended
	halted  bool
}

// New returns the composite of cfg's buses. It sends nothing. Every joint of the robot
// must be on exactly one bus, and at most one bus may bring a sensor.
func New(cfg Config) (*Driver, error) {
	if len(cfg.Buses) == 0 {
		return nil, errors.New("multi: no bus")
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	owner := make([]string, cfg.Joints)
	sensor := ""
	d := &Driver{cfg: cfg}
	for _, b := range cfg.Buses {
		for _, j := range b.Joints {
			if j < 0 || j >= cfg.Joints {
				return nil, fmt.Errorf("multi: bus %q: joint %d; legal: 0 to %d", b.Name, j, cfg.Joints-1)
			}
			if owner[j] != "" {
				return nil, fmt.Errorf("multi: joint %d is on bus %q and on bus %q", j, owner[j], b.Name)
			}
			owner[j] = b.Name
		}
		if b.IMU != nil {
			if sensor != "" {
				return nil, fmt.Errorf("multi: bus %q and bus %q both bring an inertial sensor", sensor, b.Name)
			}
			sensor = b.Name
		}
		d.members = append(d.members, newMember(b))
	}
	for j, name := range owner {
		if name == "" {
			return nil, fmt.Errorf("multi: joint %d is on no bus", j)
		}
	}
	return d, nil
}

// Connect implements driver.Driver: one bus after the other, first the one with the
// sensor, whose hub may feed the servos of all.
func (d *Driver) Connect(ctx context.Context) (driver.Identity, error) {
	id := driver.Identity{Servos: make([]driver.Servo, d.cfg.Joints)}
	var faults []error // of all buses: people mend them together
	for _, withSensor := range []bool{true, false} {
		for _, m := range d.members {
			if (m.bus.IMU != nil) != withSensor {
				continue
			}
			if d.timer != nil && !m.free() { // connected before
				faults = append(faults, d.name(m, errLate))
				continue
			}
			found, err := m.bus.Driver.Connect(ctx)
			if err != nil {
				faults = append(faults, d.name(m, err))
				continue
			}
			for k, j := range m.bus.Joints {
				id.Servos[j] = found.Servos[k]
			}
			id.IMU = id.IMU || found.IMU
			id.Changed = append(id.Changed, found.Changed...)
		}
	}
	if len(faults) > 0 {
		return id, errors.Join(faults...)
	}
	if len(d.members) > 1 && d.timer == nil {
		d.timer = time.NewTimer(time.Hour)
		for _, m := range d.members {
			go m.work(d.cfg.Prepare)
		}
	}
	return id, nil
}

// name says on which bus err happened, where there are several.
func (d *Driver) name(m *member, err error) error {
	if err == nil || len(d.members) == 1 {
		return err
	}
	return fmt.Errorf("bus %q: %w", m.bus.Name, err)
}

// Read implements driver.Driver.
func (d *Driver) Read(dst *driver.State) error {
	if dst.Joints() != d.cfg.Joints {
		panic("multi: state of another size")
	}
	d.all(opRead, d.cfg.Deadline)
	now := time.Now()
	sinceS := now.Sub(d.read).Seconds()
	d.read = now
	dst.Transactions, dst.Failures, dst.Asides, dst.AsideFailures = 0, 0, 0, 0
	dst.Unfit = driver.Unfit{}
	for _, m := range d.members {
		m.give(dst, sinceS)
	}
	return d.verdict()
}

// Write implements driver.Driver.
func (d *Driver) Write(applied, goalsRad []float64) error { return d.send(opWrite, applied, goalsRad) }

// TakeUp implements driver.Driver.
func (d *Driver) TakeUp(applied, goalsRad []float64) error {
	return d.send(opTakeUp, applied, goalsRad)
}

// Limit implements driver.Driver.
func (d *Driver) Limit(share []float64) error {
	if len(share) != d.cfg.Joints {
		panic("multi: shares of another size")
	}
	for _, m := range d.members {
		if !m.free() {
			continue
		}
		for k, j := range m.bus.Joints {
			m.share[k] = share[j]
		}
	}
	d.all(opLimit, d.cfg.Deadline)
	return d.verdict()
}

// Prepare implements driver.Driver.
func (d *Driver) Prepare() error {
	d.all(opPrepare, d.cfg.Deadline)
	return d.verdict()
}

// send hands every bus its goals and has it do with them what is asked.
func (d *Driver) send(what op, applied, goalsRad []float64) error {
	if len(goalsRad) != d.cfg.Joints || len(applied) != d.cfg.Joints {
		panic("multi: goals of another size")
	}
	for _, q := range goalsRad {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return driver.ErrNotFinite
		}
	}
	for _, m := range d.members {
		m.take(goalsRad)
	}
	d.all(what, d.cfg.Deadline)
	for _, m := range d.members {
		m.tell(applied)
	}
	return d.verdict()
}

// Torque implements driver.Driver.
func (d *Driver) Torque(on bool) error {
	if on {
		d.all(opTorqueOn, patience)
		return d.verdict()
	}
	for _, m := range d.members {
		m.off.Store(true) // a busy bus does it first when it comes back
	}
	d.all(opTorqueOff, patience)
	return d.verdict()
}

// Cut implements driver.Driver: on all buses at once, so that none waits for one that
// hangs.
func (d *Driver) Cut() error {
	errs := make(chan error, len(d.members))
	for _, m := range d.members {
		go func() { errs <- d.name(m, m.bus.Driver.Cut()) }()
	}
	late := time.NewTimer(cutPatience)
	defer late.Stop()
	var all []error
	for range d.members {
		select {
		case err := <-errs:
			all = append(all, err)
		case <-late.C:
			return errors.Join(append(all, errLate)...)
		}
	}
	return errors.Join(all...)
}

// Halt implements driver.Driver. A bus that does not come back keeps its goroutine and
// its port, which is said; if it ever does, torque goes off and the port is released.
func (d *Driver) Halt() error {
	if d.halted {
		return nil
	}
	d.halted = true
	if d.timer == nil {
		d.all(opHalt, 0)
	} else {
		d.dismiss()
	}
	var errs []error
	for _, m := range d.members {
		errs = append(errs, d.name(m, m.err))
	}
	return errors.Join(errs...)
}

// all has every bus do one thing, and waits for those that are done in time. Each
// member's err then says what became of it.
func (d *Driver) all(what op, wait time.Duration) {
	if d.timer == nil { // one bus, or none connected: nothing to wait for
		for _, m := range d.members {
			m.do(what)
			m.err = m.result
		}
		return
	}
	for _, m := range d.members {
		m.err = errLate
		if m.asked = m.free() && !d.halted; m.asked {
			m.busy = true
			m.ask <- what
		}
	}
	d.timer.Reset(wait)
	over := false
	for _, m := range d.members {
		if !m.asked {
			m.late++
			continue
		}
		if !over {
			select {
			case <-m.done:
				m.busy = false
			case <-d.timer.C:
				over = true
			}
		}
		if m.free() {
			m.err = m.result
		} else {
			m.late++
		}
	}
	d.timer.Stop()
}

// dismiss halts every bus on its own goroutine and ends that.
func (d *Driver) dismiss() {
	for _, m := range d.members {
		select {
		case m.ask <- opHalt:
		default: // cannot be: a slot is empty as soon as its operation has begun
		}
		close(m.ask)
	}
	d.timer.Reset(patience)
	over := false
	for _, m := range d.members {
		m.err = errLate
		if !over {
			select {
			case <-m.ended:
			case <-d.timer.C:
				over = true
			}
		}
		select {
		case <-m.ended:
			m.err = m.result
		default:
		}
	}
	d.timer.Stop()
}

// verdict sums up what became of the buses.
func (d *Driver) verdict() error {
	lost, failed := 0, 0
	for _, m := range d.members {
		if m.err == nil {
			continue
		}
		failed++
		if errors.Is(m.err, driver.ErrLinkLost) {
			lost++
		}
	}
	switch {
	case failed == 0:
		return nil
	case lost == len(d.members):
		return driver.ErrLinkLost
	}
	return driver.ErrPartial
}

// Fault is what one bus has to tell.
type Fault struct {
	Bus  string
	Err  error  // of its latest operation
	Port error  // the last failure of its port itself: what lies behind a lost link
	Late uint64 // operations that were not over in time
}

// Faults tells, bus by bus in the order of the configuration, what is wrong. It
// allocates.
func (d *Driver) Faults() []Fault {
	faults := make([]Fault, len(d.members))
	for i, m := range d.members {
		faults[i] = Fault{Bus: m.bus.Name, Err: m.err, Late: m.late}
		if p, ok := m.bus.Driver.(interface{ PortError() error }); ok && (m.free() || m.isOver()) {
			faults[i].Port = p.PortError()
		}
	}
	return faults
}

var _ driver.Driver = (*Driver)(nil)
