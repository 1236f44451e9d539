package dynamixel

import (
	"errors"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// setting is a RAM register that decides how a servo obeys. A servo that restarts holds
// its factory value; so does one that nobody has configured.
type setting struct {
	name string
	addr int
	get  func(block []byte) int64 // from the register's first byte on
	want []int64                  // by joint
}

// The block that Prepare reads back: gains, watchdog, goals, profile.
const (
	setupAddr = int(dxl.PositionDGain)
	setupSize = int(dxl.RealtimeTick) - setupAddr
)

// setup is what Prepare sets and compares, and the writers that set it.
type setup struct {
	settings []setting
	writers  []*dxl.SyncWriter // one for each of the first settings
	duty     int               // of the settings, the one that limits torque
	back     *dxl.SyncReader
	amiss    bool // the next step writes
	unfit    driver.Unfit
}

// plan prepares the set-up of every servo.
func (d *Driver) plan(mode dxl.ReadMode) (err error) {
	d.setup = setup{}
	zero := func(int) int64 { return 0 }
	add := func(e error) { err = errors.Join(err, e) }
	add(ram(d, "position D gain", dxl.PositionDGain, zero))
	add(ram(d, "position I gain", dxl.PositionIGain, zero))
	add(ram(d, "position P gain", dxl.PositionPGain, func(j int) int64 { return int64(d.types[j].PositionPGain) }))
	add(ram(d, "feed-forward 2nd gain", dxl.FeedForward2Gain, zero))
	add(ram(d, "feed-forward 1st gain", dxl.FeedForward1Gain, zero))
	d.setup.duty = len(d.setup.settings)
	add(ram(d, "goal PWM", dxl.GoalPWM, func(j int) int64 { return int64(d.servo[j].FullDutyCount) }))
	add(ram(d, "profile acceleration", dxl.ProfileAccel, zero))
	add(ram(d, "profile velocity", dxl.ProfileVelocity, zero))
	span := int64(dxl.WatchdogFromSeconds(d.opt.Watchdog.Seconds()))
	d.setup.settings = append(d.setup.settings,
		settingOf(d, "bus watchdog", dxl.BusWatchdog, func(int) int64 { return span }))
	var e error
	d.setup.back, e = dxl.NewSyncReader(d.bus, d.ids, uint16(setupAddr), setupSize, mode)
	return errors.Join(err, e)
}

func settingOf[T dxl.Count](d *Driver, name string, r dxl.Reg[T], want func(j int) int64) setting {
	s := setting{name: name, addr: int(r.Addr()), get: func(b []byte) int64 { return int64(r.Get(b)) }}
	for j := range d.ids {
		s.want = append(s.want, want(j))
	}
	return s
}

// ram adds a register that Prepare sets.
func ram[T dxl.Count](d *Driver, name string, r dxl.Reg[T], want func(j int) int64) error {
	s := settingOf(d, name, r, want)
	w, err := dxl.NewSyncWriter(d.bus, d.ids, r.Addr(), r.Size())
	if err != nil {
		return err
	}
	for j := range d.ids {
		r.Put(w.Data(j), T(s.want[j]))
	}
	d.setup.settings, d.setup.writers = append(d.setup.settings, s), append(d.setup.writers, w)
	return nil
}

// Prepare implements driver.Driver. A step reads back, or writes what was found amiss.
func (d *Driver) Prepare() error {
	s := &d.setup
	if s.back == nil {
		return driver.ErrLinkLost
	}
	d.port.begin()
	defer d.port.end()
	if d.port.wasCut() {
		return driver.ErrCut
	}
	if s.amiss {
		s.amiss = false
		for _, w := range s.writers {
			_ = w.Write() // nobody answers; the next step sees what arrived
		}
		d.restartWatchdogs()
		return d.partial()
	}
	var goalsOnly bool
	if s.unfit, goalsOnly = d.readBack(); s.unfit.Joint == "" {
		return nil
	}
	s.amiss = !goalsOnly
	return d.partial()
}

// Limit implements driver.Driver: by the goal PWM, which every one of these servos has. In
// position mode no goal current limits them.
func (d *Driver) Limit(share []float64) error {
	if d.setup.back == nil {
		return driver.ErrLinkLost
	}
	d.port.begin()
	defer d.port.end()
	if d.port.wasCut() {
		return driver.ErrCut
	}
	return d.limit(func(j int) float64 { return share[j] })
}

// limit is Limit within an operation. What is no share is all of the torque.
func (d *Driver) limit(share func(j int) float64) error {
	w, want := d.setup.writers[d.setup.duty], d.setup.settings[d.setup.duty].want
	for j := range d.ids {
		part := share(j)
		if !(part >= 0 && part <= 1) {
			part = 1
		}
		count := d.servo[j].DutyCount(part)
		want[j] = int64(count)
		dxl.GoalPWM.Put(w.Data(j), dxl.PWMCount(count))
	}
	d.seen++
	if w.Write() != nil {
		d.failed++
		return d.partial()
	}
	return nil
}

// partial is ErrPartial, or ErrLinkLost where the port is gone.
func (d *Driver) partial() error {
	if d.port.gone() {
		return driver.ErrLinkLost
	}
	return driver.ErrPartial
}

// readBack compares what the servos hold with what they should: the settings, and the
// goals last sent. It tells the first difference, and whether only goals differ.
func (d *Driver) readBack() (u driver.Unfit, goalsOnly bool) {
	s := &d.setup
	d.seen++
	if s.back.Read() != nil {
		d.failed++
	}
	goalsOnly = true
	note := func(j int, name string, got, want int64) {
		if u.Joint == "" || goalsOnly {
			u = driver.Unfit{Joint: d.joints[j].Name, ID: uint8(d.ids[j]), Setting: name, Got: got, Want: want}
		}
	}
	for j := range d.ids {
		if s.back.Outcome(j) != dxl.Answered {
			note(j, "", 0, 0)
			continue
		}
		block := s.back.Data(j)
		for i := range s.settings {
			x := &s.settings[i]
			if got := x.get(block[x.addr-setupAddr:]); got != x.want[j] {
				note(j, x.name, got, x.want[j])
				goalsOnly = false
			}
		}
		if got := dxl.GoalPosition.Get(block[int(dxl.GoalPosition)-setupAddr:]); got != d.counts[j] && u.Joint == "" {
			note(j, "goal position", int64(got), int64(d.counts[j]))
		}
	}
	return u, goalsOnly
}

// restartWatchdogs makes the servos' own watchdogs run, tripped ones too: those take
// nothing but 0.
func (d *Driver) restartWatchdogs() {
	d.watchdog(0)
	d.watchdog(dxl.WatchdogFromSeconds(d.opt.Watchdog.Seconds()))
}

func (d *Driver) watchdog(v dxl.WatchdogCount) {
	for j := range d.ids {
		dxl.BusWatchdog.Put(d.watch.Data(j), v)
	}
	_ = d.watch.Write()
}

// Torque implements driver.Driver. It takes a few exchanges for all servos. Their bus
// watchdogs end with the torque that they watch over, so that whoever drives the servos
// next, or nobody, finds them as they were.
func (d *Driver) Torque(on bool) error {
	if d.torque == nil {
		return driver.ErrLinkLost
	}
	d.port.begin()
	defer d.port.end()
	if on && d.port.wasCut() {
		return driver.ErrCut
	}
	want := byte(0)
	if on {
		want = 1
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
	if err := d.confirm(on); err != nil {
		return err
	}
	if !on {
		d.watchdog(0)
		_ = d.limit(func(int) float64 { return 1 }) // the next program finds all of the torque; Prepare makes sure
		clear(d.stop)
	}
	d.heard = d.opt.Now()
	return nil
}

// confirm asks every servo for its torque.
func (d *Driver) confirm(on bool) error {
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

// TakeUp implements driver.Driver.
func (d *Driver) TakeUp(applied, goalsRad []float64) error {
	if d.setup.back == nil {
		return driver.ErrLinkLost
	}
	d.port.begin()
	defer d.port.end()
	if d.port.wasCut() {
		return driver.ErrCut
	}
	d.restartWatchdogs()
	_ = d.setup.writers[d.setup.duty].Write() // the latest Limit may be lost, and it is no sign of a reset
	if err := d.write(applied, goalsRad); err != nil {
		return err
	}
	// A rebooted servo lacks its settings: it is not taken up, and reports torque off.
	if unfit, _ := d.readBack(); unfit.Joint != "" {
		return d.partial()
	}
	for j, stopped := range d.stop {
		if stopped {
			d.wake[j].Data(0)[0] = 1
			_ = d.wake[j].Write()
		}
	}
	clear(d.stop)
	d.heard = d.opt.Now()
	return d.confirm(true)
}

// leaveTries is how often a watchdog is written 0 before that is given up.
const leaveTries = 3

// leave makes sure that no servo's bus watchdog stays armed: the next program would
// find goals refused half a second after it switched torque on.
func (d *Driver) leave() error {
	d.port.begin()
	defer d.port.end()
	for range leaveTries {
		_ = d.trips.Read()
		armed := 0
		for j := range d.ids {
			if d.trips.Outcome(j) != dxl.Answered || dxl.BusWatchdog.Get(d.trips.Data(j)) != 0 {
				armed++
			}
		}
		if armed == 0 {
			return nil
		}
		d.watchdog(0)
	}
	return errors.New("dynamixel: some servos may still have their bus watchdog (register 98) on; " +
		"switch their power off and on")
}

// Cut implements driver.Driver.
func (d *Driver) Cut() error {
	d.cutting.Lock()
	defer d.cutting.Unlock()
	return d.port.cut(d.off)
}

var errHangs = errors.New("dynamixel: the bus hangs; torque-off was sent and not confirmed")

// Halt implements driver.Driver.
func (d *Driver) Halt() error {
	if d.halted {
		return nil
	}
	d.halted = true
	if d.opt.LookOnly {
		return d.port.Close()
	}
	if d.port.busy.Load() { // another goroutine hangs in here, and was cut: closing ends it
		return errors.Join(d.Cut(), errHangs, d.port.Close())
	}
	var err error
	if d.torque != nil {
		if err = d.Torque(false); err == nil {
			err = d.leave()
		}
	}
	return errors.Join(err, d.port.Close())
}
