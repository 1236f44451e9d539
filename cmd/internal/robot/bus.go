package robot

import (
	"context"
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/robot"
)

// servos is a driver that can say what happened to its port.
type servos interface {
	driver.Driver
	PortError() error
}

// connect opens the port and finds every servo.
func connect(ctx context.Context, desc *robot.Description, o *Options, tell *console.Console) (servos, error) {
	p, err := serialport.Open(o.Port, desc.Buses[0].Baud)
	if err != nil {
		return nil, err
	}
	for _, n := range p.Notes() {
		tell.Event("note: %s", n)
	}
	var opt dynamixel.Options
	if o.forgiving() {
		opt.Margin = limits.EmulatedMargin
	}
	drv, err := dynamixel.New(desc, p, opt)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	id, err := drv.Connect(ctx)
	if err != nil {
		_ = drv.Halt()
		return nil, fmt.Errorf("%s: %w", o.Port, err)
	}
	tell.Event("%d servos on %s, sensor hub %v, %d settings changed", len(id.Servos), o.Port, id.IMU, len(id.Changed))
	return drv, nil
}
