package dynamixel

import (
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Read implements driver.Driver.
func (d *Driver) Read(dst *driver.State) error {
	if len(dst.PosRad) != len(d.ids) {
		panic("dynamixel: state of another size")
	}
	d.lookForStops()
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
	d.heard = d.opt.Now()
	dst.Transactions, dst.Failures = d.seen, d.failed
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

// readHub reports whether the bus still answers in time.
func (d *Driver) readHub() bool {
	if d.hub == nil {
		return true
	}
	d.seen++
	if !d.hub.exchange() {
		d.failed++
		return false
	}
	return true
}

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
// error, or the watchdog, in turn.
func (d *Driver) readSlow(dst *driver.State) {
	j, block := d.slow/slowBlocks, d.slow%slowBlocks
	d.slow = (d.slow + 1) % (slowBlocks * len(d.ids))
	d.seen++
	switch block {
	case 0:
		if d.health[j].Read() != nil {
			d.failed++
			return
		}
		b := d.health[j].Data(0)
		dst.BusV[j] = dxl.InputVoltage.Get(b).V()
		dst.TempC[j] = float64(dxl.Temperature.Get(b[dxl.Temperature-dxl.HealthAddr:]))
	case 1:
		if d.status[j].Read() != nil {
			d.failed++
			return
		}
		b := d.status[j].Data(0)
		d.on[j] = dxl.TorqueEnable.Get(b) != 0
		dst.Alert[j] = uint8(dxl.HardwareStatus.Get(b[dxl.HardwareStatus-statusAddr:]))
	default:
		if d.trip[j].Read() != nil {
			d.failed++
			return
		}
		d.stop[j] = dxl.BusWatchdog.Get(d.trip[j].Data(0)) < 0
	}
}
