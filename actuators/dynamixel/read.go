package dynamixel

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Read implements driver.Driver.
func (d *Driver) Read(dst *driver.State) error {
	if len(dst.PosRad) != len(d.ids) {
		panic("dynamixel: state of another size")
	}
	d.port.begin()
	defer d.port.end()
	d.lookForStops()
	d.asked = d.opt.Now()
	d.seen++
	err := d.state.ReadInto(d.raw)
	fresh := 0
	for j := range d.raw {
		r := &d.raw[j]
		ok := r.Outcome == dxl.Answered
		dst.Fresh[j] = ok
		if !ok {
			continue
		}
		fresh++
		d.fastAt[j] = d.asked
		jt := &d.joints[j]
		dst.PosRad[j] = jt.Sign*d.servo[j].Rad(int32(r.Position)) + jt.OffsetRad
		dst.VelRadPerS[j] = jt.Sign * d.servo[j].RadPerS(int32(r.Velocity))
		dst.CurrentA[j] = jt.Sign * d.servo[j].Ampere(int16(r.Current))
		if r.Alert && dst.Alert[j] == 0 {
			dst.Alert[j] = unnamedAlert
		}
	}
	if err != nil {
		d.failed++
	}
	if fresh > 0 { // a silent bus is not worth two more timeouts in this tick
		if d.readHub() {
			d.readSlow(dst)
		}
	}
	copy(dst.TorqueOn, d.on)
	copy(dst.Stopped, d.stop)
	dst.Unfit = d.setup.unfit
	d.heard = d.opt.Now()
	for j := range d.ids {
		dst.AgeS[j], dst.SlowAgeS[j] = d.age(d.fastAt[j]), 0
		for _, at := range d.slowAt[j] {
			dst.SlowAgeS[j] = max(dst.SlowAgeS[j], d.age(at))
		}
	}
	dst.Transactions, dst.Failures, dst.Asides, dst.AsideFailures = d.seen, d.failed, d.asides, d.asideFailed
	switch {
	case d.port.gone():
		return driver.ErrLinkLost
	case fresh < len(d.raw):
		return driver.ErrPartial
	}
	return nil
}

// unnamedAlert stands for "the alert bit was set" until the register that
// names the error has been read. Bit 7 of Hardware Error Status is unused.
const unnamedAlert = 0x80

// age is how long ago at was when the latest Read ended, in seconds; +Inf: never.
func (d *Driver) age(at time.Time) float64 {
	if at.IsZero() {
		return math.Inf(1)
	}
	return d.heard.Sub(at).Seconds()
}

// aside counts an exchange of hub or slow registers; it reports whether it was answered.
func (d *Driver) aside(err error) bool {
	d.seen++
	d.asides++
	if err != nil {
		d.failed++
		d.asideFailed++
	}
	return err == nil
}

// readHub reports whether the bus still answers in time.
func (d *Driver) readHub() bool { return d.hub == nil || d.aside(d.hub.exchange()) }

// lookForStops asks every servo whether its watchdog has stopped it, where this
// host was silent for nearly that long.
func (d *Driver) lookForStops() {
	if d.heard.IsZero() || d.opt.Now().Sub(d.heard) < d.opt.Watchdog*3/4 {
		return
	}
	d.seen++
	if d.trips.Read() != nil {
		d.failed++
	}
	for j := range d.ids {
		if d.trips.Outcome(j) == dxl.Answered {
			d.stop[j] = dxl.BusWatchdog.Get(d.trips.Data(j)) < 0
		}
	}
}

const slowBlocks = 3

// readSlow refreshes one block of one joint: supply and temperature, torque and
// error, or the watchdog, in turn. One that does not answer is asked once more in the next
// tick: otherwise a single damaged answer would make the block a whole round older.
func (d *Driver) readSlow(dst *driver.State) {
	j, block := d.slow/slowBlocks, d.slow%slowBlocks
	r := [slowBlocks]*dxl.SyncReader{d.health[j], d.status[j], d.trip[j]}[block]
	answered := d.aside(r.Read())
	if d.again = !answered && !d.again; d.again {
		return
	}
	d.slow = (d.slow + 1) % (slowBlocks * len(d.ids))
	if !answered {
		return
	}
	d.slowAt[j][block] = d.asked
	switch b := r.Data(0); block {
	case 0:
		dst.BusV[j] = dxl.InputVoltage.Get(b).V()
		dst.TempC[j] = float64(dxl.Temperature.Get(b[dxl.Temperature-dxl.HealthAddr:]))
	case 1:
		d.on[j] = dxl.TorqueEnable.Get(b) != 0
		dst.Alert[j] = uint8(dxl.HardwareStatus.Get(b[dxl.HardwareStatus-statusAddr:]))
	default:
		d.stop[j] = dxl.BusWatchdog.Get(b) < 0
	}
}
