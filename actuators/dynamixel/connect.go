package dynamixel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

const (
	// powerUp is how long servos need after the hub feeds them.
	powerUp = 600 * time.Millisecond
	// patience is the margin of exchanges before the loop runs, when nothing is in a
	// hurry and a busy machine must not look like a missing servo.
	patience = 50 * time.Millisecond
)

// connect finds and configures the hub and every servo, collecting all faults. It looks
// at all of them before it writes to any: a robot that carries torque may be standing.
func (d *Driver) connect(ctx context.Context) (driver.Identity, error) {
	var id driver.Identity
	d.bus.SetMargin(max(patience, d.opt.Margin))
	defer d.bus.SetMargin(d.opt.Margin)
	faults := d.connectHub(ctx, &id)
	if err := errors.Join(faults...); errors.Is(err, driver.ErrUnpowered) {
		return id, fmt.Errorf("dynamixel: %w", err) // nobody to look for
	}
	on, more, err := d.find(ctx, &id)
	if err != nil {
		return id, err
	}
	faults = append(faults, more...)
	if d.opt.Release {
		faults = append(faults, d.release(on, &id)...)
	} else if err := d.energised(on); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return id, fmt.Errorf("dynamixel: %w", errors.Join(faults...))
	}
	for j := range d.ids {
		if err := d.configure(j, &id); err != nil {
			faults = append(faults, fmt.Errorf("servo %d (%s): %w", d.ids[j], d.joints[j].Name, err))
		}
	}
	if len(faults) > 0 {
		return id, fmt.Errorf("dynamixel: %w", errors.Join(faults...))
	}
	return id, d.prepare()
}

// find looks for every servo and at what it holds; on lists those with torque. The error
// says that there is nobody to talk to.
func (d *Driver) find(ctx context.Context, id *driver.Identity) (on []int, faults []error, err error) {
	silent := 0
	for j := range d.ids {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		found, err := d.bus.Ping(d.ids[j])
		if err != nil {
			if d.bus.PortError() != nil {
				return nil, nil, fmt.Errorf("dynamixel: %w: %w", driver.ErrLinkLost, d.bus.PortError())
			}
			silent++
			faults = append(faults, fmt.Errorf("servo %d (%s) does not answer: %w", d.ids[j], d.joints[j].Name, err))
			if silent == len(d.ids) {
				break
			}
			continue
		}
		s := driver.Servo{Joint: d.joints[j].Name, ID: uint8(found.ID), Model: found.Model, Firmware: found.Firmware}
		id.Servos = append(id.Servos, s)
		torque, err := d.listen(j, id)
		if err == nil {
			err = d.inspect(j, found)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("servo %d (%s): %w", d.ids[j], s.Joint, err))
		}
		if torque != 0 {
			on = append(on, j)
		}
	}
	if silent == len(d.ids) {
		return nil, nil, fmt.Errorf("dynamixel: none of %d servos answers at %d bits/s; check servo power, the cable and the baud rate (\"mitori bus scan\" tries them all)",
			len(d.ids), d.wired.Baud)
	}
	return on, faults, nil
}

// listen reads a servo's torque. One that was told to answer pings alone is told to
// answer everything first, which nobody acknowledges.
func (d *Driver) listen(j int, id *driver.Identity) (torque uint8, err error) {
	s := d.ids[j]
	level, err := dxl.Read(d.bus, s, dxl.StatusReturnLevel)
	if err != nil || level != statusAll {
		w, err := dxl.NewSyncWriter(d.bus, []dxl.ID{s}, dxl.StatusReturnLevel.Addr(), dxl.StatusReturnLevel.Size())
		if err != nil {
			return 0, err
		}
		w.Data(0)[0] = statusAll
		_ = w.Write() // the next read shows whether it arrived
		id.Changed = append(id.Changed, fmt.Sprintf("servo %d: status return level %d -> %d", s, level, statusAll))
	}
	return dxl.Read(d.bus, s, dxl.TorqueEnable)
}

// statusAll makes servos answer writes too.
const statusAll = 2

// release switches off the torque of the servos that carry it, as fast as may be.
func (d *Driver) release(on []int, id *driver.Identity) (faults []error) {
	for _, j := range on {
		if err := dxl.Write(d.bus, d.ids[j], dxl.TorqueEnable, 0); err != nil {
			faults = append(faults, fmt.Errorf("servo %d (%s): torque off: %w", d.ids[j], d.joints[j].Name, err))
			continue
		}
		id.Changed = append(id.Changed, fmt.Sprintf("servo %d: torque on -> off", d.ids[j]))
	}
	return faults
}

// connectHub finds the sensor hub, if the robot has one, and lets it feed the
// servos.
func (d *Driver) connectHub(ctx context.Context, id *driver.Identity) []error {
	if d.hub == nil {
		return nil
	}
	hub := d.hub.id
	found, err := d.bus.Ping(hub)
	if err != nil {
		return []error{fmt.Errorf("sensor hub %d does not answer: %w", hub, err)}
	}
	id.IMU = true
	power, err := dxl.Read(d.bus, hub, dxl.HubServoPower)
	if err == nil && power == 0 && d.opt.KeepPower {
		return []error{fmt.Errorf("sensor hub %d: %w", hub, driver.ErrUnpowered)}
	}
	if err == nil && power == 0 {
		err = dxl.Write(d.bus, hub, dxl.HubServoPower, 1)
		id.Changed = append(id.Changed, "servo power: off -> on")
		select {
		case <-time.After(powerUp):
		case <-ctx.Done():
			return []error{ctx.Err()}
		}
	}
	if err != nil {
		return []error{fmt.Errorf("sensor hub %d: servo power: %w", hub, err)}
	}
	d.hub.sized(found)
	return nil
}

// configure brings one servo into the state that the loop relies on. EEPROM is
// written only where it differs: it wears out. What RAM holds is set when torque is
// about to go on; see Prepare.
func (d *Driver) configure(j int, id *driver.Identity) error {
	s := d.ids[j]
	lo, hi := d.countLimits(j)
	var faults []error
	note := func(what string, e error) {
		if e != nil {
			faults = append(faults, fmt.Errorf("%s: %w", what, e))
		} else if what != "" {
			id.Changed = append(id.Changed, fmt.Sprintf("servo %d: %s", s, what))
		}
	}
	note(eeprom(d, s, "operating mode", dxl.OperatingMode, dxl.ModePosition))
	note(eeprom(d, s, "return delay", dxl.ReturnDelay, 0))
	note(eeprom(d, s, "drive mode", dxl.DriveMode, 0))
	note(eeprom(d, s, "lower position limit", dxl.MinPosition, dxl.PositionCount(lo)))
	note(eeprom(d, s, "upper position limit", dxl.MaxPosition, dxl.PositionCount(hi)))
	if len(faults) > 0 || d.opt.LookOnly {
		return errors.Join(faults...)
	}
	return dxl.Write(d.bus, s, dxl.BusWatchdog, 0)
}

// eeprom makes a register hold v; it returns what changed (or would, where the driver only
// looks), or "" when it held v.
func eeprom[T dxl.Count](d *Driver, s dxl.ID, name string, r dxl.Reg[T], v T) (string, error) {
	was, err := dxl.Read(d.bus, s, r)
	if err != nil {
		return name, err
	}
	if was == v {
		return "", nil
	}
	what := fmt.Sprintf("%s %d -> %d", name, was, v)
	if d.opt.LookOnly {
		return what, nil
	}
	if d.opt.KeepEEPROM {
		fault := fmt.Errorf("is %d; legal: %d, and EEPROM may not be changed", was, v)
		return strings.TrimSpace(name), told{fault, driver.ErrUnfit}
	}
	return what, dxl.Write(d.bus, s, r, v)
}
