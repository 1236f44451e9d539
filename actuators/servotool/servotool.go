// Package servotool looks at servos and sets them up, one bus at a time and whatever
// its protocol: who is there, what their registers hold, another id or bit rate, a
// restart, torque off everywhere.
//
// What is not here: opening ports and choosing protocols (cmd), registers (the Bus of
// each protocol), and driving (package driver). Everything here belongs to one
// goroutine and may take seconds.
package servotool

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Device is what one device says about itself.
type Device struct {
	ID       uint8
	Model    uint16
	Name     string // of the model, as its maker writes it
	Firmware uint8
	Alert    bool // it signals a hardware error
	Sensor   bool // it moves nothing
}

// Bus is one servo bus as the tools need it. Errors wrap ErrSilent where nobody
// answered and the port is well, ErrDamaged where what came was unusable.
type Bus interface {
	// Scan finds every device. What was found comes beside the error.
	Scan() ([]Device, error)
	Ping(id uint8) (Device, error)
	SetID(from, to uint8) error
	TorqueOn(id uint8) (bool, error)
	// PositionRad is the servo's own angle from its zero, without sign and offset of any
	// robot.
	PositionRad(id uint8) (float64, error)

	// Rates lists the bit rates that servos of this protocol can be set to.
	Rates() []int
	SetRate(id uint8, baud int) error
	// Reboot restarts a servo, whose torque goes off and whose errors are forgotten.
	Reboot(id uint8) error
	// TorqueOff tells everybody at once; nobody answers.
	TorqueOff() error
	State(id uint8) (State, error)

	// Registers lists what a device like d holds, in order of address.
	Registers(d Device) ([]Register, error)
	ReadRegister(id uint8, r Register) (int64, error)
	WriteRegister(id uint8, r Register, count int64) error
	// Commissioned lists what a servo like d must hold before a robot may use it.
	Commissioned(d Device) ([]Setting, error)
}

// State is what one servo reports, in its own sense of rotation.
type State struct {
	PosRad, VelRadPerS, CurrentA float64
	TempC, BusV                  float64
	Torque                       bool
	Errors                       uint8  // bits
	ErrorNames                   string // of the bits; empty: none
}

// The errors that callers branch on.
var (
	ErrSilent  = errors.New("nothing answered")
	ErrDamaged = errors.New("answers were damaged")
	// ErrRefused is wrapped by what would be unsafe: a taken id, a servo under torque.
	ErrRefused = errors.New("refused")
)

// refusal is a message that wraps ErrRefused without saying so.
type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == ErrRefused }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// Opener opens the bus at one bit rate.
type Opener func(baud int) (Bus, io.Closer, error)

// Found is a device and the bit rate at which it answers.
type Found struct {
	Device
	Baud int
}

// Scan finds the devices at each of the rates. Damage counts only where others answer:
// noise at a wrong rate looks like it. The error is ErrSilent if nobody answered at any.
func Scan(open Opener, rates []int) ([]Found, error) {
	var all []Found
	var faults []error
	for _, rate := range rates {
		found, err := scanAt(open, rate)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return all, err
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("at %d bits/s: %w", rate, err))
		}
		all = append(all, found...)
	}
	if len(all) == 0 && len(faults) == 0 {
		return nil, silence(rates)
	}
	return all, errors.Join(faults...)
}

func scanAt(open Opener, rate int) ([]Found, error) {
	bus, port, err := open(rate)
	if err != nil {
		return nil, err
	}
	defer port.Close()
	devices, err := bus.Scan()
	var found []Found
	for _, d := range devices {
		found = append(found, Found{d, rate})
	}
	return found, err
}

// Ping asks one device who it is, at the first of the rates at which it answers.
func Ping(open Opener, rates []int, id uint8) (Found, error) {
	for _, rate := range rates {
		bus, port, err := open(rate)
		if err != nil {
			return Found{}, err
		}
		d, err := bus.Ping(id)
		port.Close()
		if err == nil {
			return Found{d, rate}, nil
		}
		if !errors.Is(err, ErrSilent) {
			return Found{}, err
		}
	}
	return Found{}, fmt.Errorf("device %d: %w", id, silence(rates))
}

func silence(rates []int) error {
	return fmt.Errorf("%w at %s bits/s; check that the servos have power (a red LED flashes once), that the cable sits at both ends, "+
		"that no other program drives the bus, and the baud rate (--baud)", ErrSilent, strings.Trim(fmt.Sprint(rates),
		"[]"))
}

// SetID changes an id only if exactly one device has the old one, nobody has the new
// one, and the device does not hold a robot up at this moment.
func SetID(bus Bus, from, to uint8) error {
	if _, err := bus.Ping(from); err != nil {
		return err
	}
	if d, err := bus.Ping(to); err == nil {
		return refuse("id %d belongs to a %s already; two devices with one id cannot be told apart", to, d.Name)
	} else if !errors.Is(err, ErrSilent) {
		return fmt.Errorf("id %d is not free: %w", to, err)
	}
	on, err := bus.TorqueOn(from)
	if err != nil {
		return err
	}
	if on {
		return refuse("the torque of servo %d is on; disarm the robot first", from)
	}
	return changed(bus, from, to, bus.SetID(from, to))
}

// changed says what is true after a change that was answered by err: a servo that is
// set to answer only what is read changes its id and says nothing.
func changed(bus Bus, from, to uint8, err error) error {
	if err != nil && !errors.Is(err, ErrSilent) {
		return err
	}
	_, now := bus.Ping(to)
	if now == nil {
		return nil
	}
	if _, before := bus.Ping(from); before == nil {
		return errors.Join(fmt.Errorf("the servo still has id %d: it did not take the change", from), err)
	}
	return fmt.Errorf("neither id %d nor id %d answers after the change; look for the servo with \"mitori bus scan\": %w", from, to, now)
}
