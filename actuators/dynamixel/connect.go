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

// connect finds and configures the hub and every servo, collecting all faults.
func (d *Driver) connect(ctx context.Context) (driver.Identity, error) {
	var id driver.Identity
	d.bus.SetMargin(max(patience, d.opt.Margin))
	defer d.bus.SetMargin(d.opt.Margin)
	faults := d.connectHub(ctx, &id)
	silent := 0
	for j := range d.ids {
		if err := ctx.Err(); err != nil {
			return id, err
		}
		found, err := d.bus.Ping(d.ids[j])
		if err != nil {
			if d.bus.PortError() != nil {
				return id, fmt.Errorf("dynamixel: %w: %w", driver.ErrLinkLost, d.bus.PortError())
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
		if err := d.configure(j, found, &id); err != nil {
			faults = append(faults, fmt.Errorf("servo %d (%s): %w", d.ids[j], s.Joint, err))
		}
	}
	if silent == len(d.ids) {
		return id, fmt.Errorf("dynamixel: none of %d servos answers at %d bits/s; check servo power, the cable and the baud rate (\"mitori bus scan\" tries them all)",
			len(d.ids), d.wired.Baud)
	}
	if len(faults) > 0 {
		return id, fmt.Errorf("dynamixel: %w", errors.Join(faults...))
	}
	return id, d.prepare()
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
	d.hub.size = dxl.HubBlockSize
	if found.Firmware < dxl.HubFirmwareExtended {
		d.hub.size = int(dxl.HubIMUControl) - dxl.HubBlockAddr + 1
	}
	return nil
}

// configure brings one servo into the state that the loop relies on. EEPROM is
// written only where it differs: it wears out.
func (d *Driver) configure(j int, found dxl.Found, id *driver.Identity) error {
	want := uint16(d.types[j].ModelNumber)
	if found.Model != want {
		return fmt.Errorf("model number %d; legal: %d (%s); a servo of another type or a swapped id", found.Model, want, d.joints[j].Servo)
	}
	s := d.ids[j]
	if err := dxl.Write(d.bus, s, dxl.TorqueEnable, 0); err != nil {
		return fmt.Errorf("torque off: %w", err)
	}
	hw, err := dxl.Read(d.bus, s, dxl.HardwareStatus)
	if err != nil {
		return err
	}
	if hw != 0 {
		return fmt.Errorf("hardware error %s; remove the cause, then reboot the servo", hw)
	}
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
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	for _, w := range []error{
		dxl.Write(d.bus, s, dxl.StatusReturnLevel, 2),
		dxl.Write(d.bus, s, dxl.BusWatchdog, 0),
		dxl.Write(d.bus, s, dxl.PositionPGain, dxl.GainCount(d.types[j].PositionPGain)),
		dxl.Write(d.bus, s, dxl.PositionIGain, 0),
		dxl.Write(d.bus, s, dxl.PositionDGain, 0),
		dxl.Write(d.bus, s, dxl.ProfileAccel, 0),
		dxl.Write(d.bus, s, dxl.ProfileVelocity, 0),
	} {
		if w != nil {
			faults = append(faults, w)
		}
	}
	return errors.Join(faults...)
}

// eeprom makes a register hold v; it returns what changed, or "" when it held v.
func eeprom[T dxl.Count](d *Driver, s dxl.ID, name string, r dxl.Reg[T], v T) (string, error) {
	was, err := dxl.Read(d.bus, s, r)
	if err != nil {
		return name, err
	}
	if was == v {
		return "", nil
	}
	what := fmt.Sprintf("%s %d -> %d", name, was, v)
	if d.opt.KeepEEPROM {
		return strings.TrimSpace(name), fmt.Errorf("is %d; legal: %d, and EEPROM may not be changed", was, v)
	}
	return what, dxl.Write(d.bus, s, r, v)
}
