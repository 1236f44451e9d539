package dynamixel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// errLookOnly is what every write gets from a driver that was made to look.
var errLookOnly = errors.New("dynamixel: this driver looks and changes nothing")

// looks reports whether a packet asks and changes nothing.
func looks(packet []byte) bool {
	const instructionAt = 7 // after header, id and length
	if len(packet) <= instructionAt {
		return false
	}
	switch dxl.Instruction(packet[instructionAt]) {
	case dxl.InstPing, dxl.InstRead, dxl.InstSyncRead, dxl.InstFastSyncRead, dxl.InstBulkRead, dxl.InstFastBulkRead:
		return true
	}
	return false
}

// Survey implements driver.Surveyor; the driver must have been made with LookOnly.
func (d *Driver) Survey(ctx context.Context) (driver.Survey, error) {
	var s driver.Survey
	if !d.opt.LookOnly {
		return s, errors.New("dynamixel: a survey needs a driver that looks only")
	}
	d.port.begin()
	defer d.port.end()
	d.port.good = d.port.pass
	d.bus.SetMargin(max(patience, d.opt.Margin))
	d.surveyHub(&s)
	answered := 0
	for j := range d.ids {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		f := d.surveyServo(j)
		if s.Servos = append(s.Servos, f); f.Answers {
			answered++
		}
		if d.bus.PortError() != nil {
			return s, fmt.Errorf("dynamixel: %w: %w", driver.ErrLinkLost, d.bus.PortError())
		}
	}
	if answered == 0 {
		s.Faults = append(s.Faults, fmt.Sprintf("none of %d servos answers at %d bits/s; check servo power, the cable and the baud rate "+
			"(\"mitori bus scan\" tries them all)", len(d.ids), d.wired.Baud))
	}
	if err := d.prepare(); err != nil {
		return s, err
	}
	d.surveySetup(&s)
	return s, nil
}

// surveyHub looks at the sensor hub, if the robot has one.
func (d *Driver) surveyHub(s *driver.Survey) {
	if d.hub == nil {
		return
	}
	fault := func(format string, args ...any) {
		s.Faults = append(s.Faults, fmt.Sprintf("sensor hub %d ", d.hub.id)+fmt.Sprintf(format, args...))
	}
	found, err := d.bus.Ping(d.hub.id)
	if err != nil {
		fault("does not answer: %v", err)
		return
	}
	s.IMU = true
	d.hub.sized(found)
	power, err := dxl.Read(d.bus, d.hub.id, dxl.HubServoPower)
	if err != nil {
		fault("servo power: %v", err)
	} else if power == 0 {
		s.Changes = append(s.Changes, "sensor hub: servo power: off -> on")
		s.Faults = append(s.Faults, "the sensor hub has cut the servos' power: nothing can be said of them until it is on")
	}
}

// surveyServo looks at servo j.
func (d *Driver) surveyServo(j int) driver.Finding {
	id := d.ids[j]
	f := driver.Finding{Servo: driver.Servo{Joint: d.joints[j].Name, ID: uint8(id)}}
	found, err := d.bus.Ping(id)
	if err != nil {
		f.Faults = append(f.Faults, fmt.Sprintf("does not answer: %v", err))
		return f
	}
	f.Answers, f.Model, f.Firmware = true, found.Model, found.Firmware
	level, err := dxl.Read(d.bus, id, dxl.StatusReturnLevel)
	if err != nil {
		f.Faults = append(f.Faults, "answers pings and no reads: its status return level is 0 (robotd would make it 2), or answers are lost")
		return f
	}
	if level != statusAll {
		f.Changes = append(f.Changes, fmt.Sprintf("status return level %d -> %d", level, statusAll))
	}
	on, err := dxl.Read(d.bus, id, dxl.TorqueEnable)
	if f.Torque = on != 0; f.Torque {
		f.Faults = append(f.Faults, "carries torque: support the robot, then switch it off (robotd --release, or mitori bus torque-off)")
	}
	f.Faults = append(f.Faults, each(errors.Join(err, d.inspect(j, found)))...)
	if found.Model != uint16(d.types[j].ModelNumber) {
		return f // what its registers mean is not known
	}
	var would driver.Identity
	f.Faults = append(f.Faults, each(d.configure(j, &would))...)
	for _, c := range would.Changed {
		_, what, _ := strings.Cut(c, ": ")
		f.Changes = append(f.Changes, what)
	}
	return f
}

// surveySetup tells what the servos lack of what they hold in RAM while they move.
func (d *Driver) surveySetup(s *driver.Survey) {
	_ = d.setup.back.Read()
	for j := range d.ids {
		f := &s.Servos[j]
		if !f.Answers || d.setup.back.Outcome(j) != dxl.Answered || f.Model != uint16(d.types[j].ModelNumber) {
			continue
		}
		block := d.setup.back.Data(j)
		for i := range d.setup.settings {
			x := &d.setup.settings[i]
			if x.addr == int(dxl.BusWatchdog) {
				continue // it runs while there is torque, and at no other time
			}
			if got := x.get(block[x.addr-setupAddr:]); got != x.want[j] {
				f.Changes = append(f.Changes, fmt.Sprintf("%s %d -> %d when it is armed", x.name, got, x.want[j]))
			}
		}
	}
}

// each lists the faults that an error joins.
func each(err error) (all []string) {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

var _ driver.Surveyor = (*Driver)(nil)
