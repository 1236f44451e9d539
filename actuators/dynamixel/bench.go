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
	return servotool.Device{ID: uint8(d.ID), Model: d.Model, Name: name, Firmware: d.Firmware, Alert: d.Alert}
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

// PositionRad implements servotool.Bus. It asks the servo for its type first, once.
func (b *Bench) PositionRad(id uint8) (float64, error) {
	t, ok := b.types[dxl.ID(id)]
	if !ok {
		d, err := b.bus.Ping(dxl.ID(id))
		if err != nil {
			return 0, b.tell(err)
		}
		c := servos.Shipped()
		if t, ok = c.Model(servos.Dynamixel2, d.Model); !ok {
			return 0, fmt.Errorf("dynamixel: servo %d: model %d is not in the catalogue; legal: %s", id, d.Model, c.Names())
		}
		b.types[dxl.ID(id)] = t
	}
	p, err := dxl.Read(b.bus, dxl.ID(id), dxl.PresentPosition)
	return t.Rad(int32(p)), b.tell(err)
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
