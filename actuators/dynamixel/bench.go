package dynamixel

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// Bench is a bus as the tools see it: no robot, no loop, no haste.
type Bench struct {
	bus   *dxl.Bus
	types map[dxl.ID]servos.Type // of the servos asked for their position
}

// benchRetries is how often a failed exchange is repeated.
const benchRetries = 2

// NewBench returns the bus behind port, whose line runs at baud bits/s.
func NewBench(port dxl.Port, baud int) *Bench {
	bus := dxl.NewBus(port, dxl.Config{Baud: baud, Retries: benchRetries, Margin: patience})
	return &Bench{bus, map[dxl.ID]servos.Type{}}
}

// Scan implements servotool.Bus.
func (b *Bench) Scan() ([]servotool.Device, error) {
	found, err := b.bus.Scan()
	var out []servotool.Device
	for _, d := range found {
		out = append(out, device(d))
	}
	return out, b.tell(err)
}

func device(d dxl.Found) servotool.Device {
	name := "unknown model"
	if t, ok := servos.Shipped().Model(servos.Dynamixel2, d.Model); ok {
		name = t.Title
	} else if d.Model == dxl.HubModel {
		name = "sensor hub"
	}
	return servotool.Device{
		ID: uint8(d.ID), Model: d.Model, Name: name, Firmware: d.Firmware, Alert: d.Alert, Sensor: d.Model == dxl.HubModel,
	}
}

// Ping implements servotool.Bus.
func (b *Bench) Ping(id uint8) (servotool.Device, error) {
	d, err := b.bus.Ping(dxl.ID(id))
	return device(d), b.tell(err)
}

// SetID implements servotool.Bus.
func (b *Bench) SetID(from, to uint8) error {
	return b.tell(dxl.Write(b.bus, dxl.ID(from), dxl.DeviceID, to))
}

// TorqueOn implements servotool.Bus.
func (b *Bench) TorqueOn(id uint8) (bool, error) {
	on, err := dxl.Read(b.bus, dxl.ID(id), dxl.TorqueEnable)
	return on != 0, b.tell(err)
}

// PositionRad implements servotool.Bus.
func (b *Bench) PositionRad(id uint8) (float64, error) {
	t, err := b.servo(id)
	if err != nil {
		return 0, err
	}
	p, err := dxl.Read(b.bus, dxl.ID(id), dxl.PresentPosition)
	return t.Rad(int32(p)), b.tell(err)
}

// servo is the type of a servo, which is asked for it once.
func (b *Bench) servo(id uint8) (servos.Type, error) {
	if t, ok := b.types[dxl.ID(id)]; ok {
		return t, nil
	}
	d, err := b.Ping(id)
	if err != nil {
		return servos.Type{}, err
	}
	t, err := typeOf(d)
	if err == nil {
		b.types[dxl.ID(id)] = t
	}
	return t, err
}

// State implements servotool.Bus.
func (b *Bench) State(id uint8) (servotool.State, error) {
	t, err := b.servo(id)
	if err != nil {
		return servotool.State{}, err
	}
	var status [statusSize]byte
	var now [int(dxl.HealthAddr) + dxl.HealthSize - dxl.StateAddr]byte // from the current to the temperature
	err = b.bus.ReadBytes(dxl.ID(id), statusAddr, status[:])
	if err == nil {
		err = b.bus.ReadBytes(dxl.ID(id), dxl.StateAddr, now[:])
	}
	if err != nil {
		return servotool.State{}, b.tell(err)
	}
	s := servotool.State{
		PosRad:     t.Rad(int32(dxl.PresentPosition.Get(now[dxl.PresentPosition-dxl.StateAddr:]))),
		VelRadPerS: t.RadPerS(int32(dxl.PresentVelocity.Get(now[dxl.PresentVelocity-dxl.StateAddr:]))),
		CurrentA:   t.Ampere(int16(dxl.PresentCurrent.Get(now[dxl.PresentCurrent-dxl.StateAddr:]))),
		TempC:      float64(dxl.Temperature.Get(now[dxl.Temperature-dxl.StateAddr:])),
		BusV:       dxl.InputVoltage.Get(now[dxl.InputVoltage-dxl.StateAddr:]).V(),
		Torque:     dxl.TorqueEnable.Get(status[:]) != 0,
		Errors:     uint8(dxl.HardwareStatus.Get(status[dxl.HardwareStatus-statusAddr:])),
	}
	if s.Errors != 0 {
		s.ErrorNames = dxl.HardwareError(s.Errors).String()
	}
	return s, nil
}

// Rates implements servotool.Bus.
func (b *Bench) Rates() (all []int) {
	for c := dxl.BaudCode(0); c.Rate() != 0; c++ {
		all = append(all, c.Rate())
	}
	return all
}

// SetRate implements servotool.Bus.
func (b *Bench) SetRate(id uint8, baud int) error {
	code, ok := dxl.BaudFromRate(baud)
	if !ok {
		return fmt.Errorf("dynamixel: %d bits/s; legal: %v", baud, b.Rates())
	}
	return b.tell(dxl.Write(b.bus, dxl.ID(id), dxl.BaudRate, code))
}

// Reboot implements servotool.Bus.
func (b *Bench) Reboot(id uint8) error { return b.tell(b.bus.Reboot(dxl.ID(id))) }

// TorqueOff implements servotool.Bus.
func (b *Bench) TorqueOff() error {
	return b.tell(b.bus.Broadcast(dxl.TorqueEnable.Addr(), []byte{0}))
}

// tell says what an error of the bus means to a tool. A port that failed is neither
// silence nor damage.
func (b *Bench) tell(err error) error {
	switch {
	case errors.Is(err, dxl.ErrBadData):
		return told{err, servotool.ErrDamaged}
	case errors.Is(err, dxl.ErrLinkLost) && b.bus.PortError() == nil:
		return told{err, servotool.ErrSilent}
	}
	return err
}

// told is an error with a meaning for whoever branches on it, which its words need not
// repeat.
type told struct {
	error
	meaning error
}

func (t told) Unwrap() []error { return []error{t.error, t.meaning} }

var _ servotool.Bus = (*Bench)(nil)
