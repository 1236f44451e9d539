package robot

import (
	"context"
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// emulatedDeadline is for emulated buses, which share a busy machine: none of them hangs.
const emulatedDeadline = 500 * time.Millisecond

// connect opens the ports and finds every servo.
func connect(ctx context.Context, desc *robot.Description, o *Options, tell *console.Console) (*multi.Driver, error) {
	ports, err := buses.ParsePorts(desc, o.Port)
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	opt := buses.Options{
		Note: func(n string) { tell.Event("note: %s", n) },
		Prepare: func() func() {
			_, leave := realtime.Enter(flight.Priority) // what is not permitted the loop's own thread tells
			return leave
		},
	}
	if o.forgiving() {
		opt.Margin, opt.Deadline = limits.EmulatedMargin, emulatedDeadline
	}
	drv, err := buses.Open(desc, ports, opt)
	if err != nil {
		return nil, err
	}
	id, err := drv.Connect(ctx)
	if err != nil {
		_ = drv.Halt()
		return nil, fmt.Errorf("%s: %w", o.Port, err)
	}
	tell.Event("%d servos on %s, sensor hub %v, %d settings changed", len(id.Servos), o.Port, id.IMU, len(id.Changed))
	return drv, nil
}

// portNotes says what went wrong on the ports, for the statistics.
func portNotes(drv *multi.Driver, port string) (notes []string) {
	faults := drv.Faults()
	for _, f := range faults {
		if len(faults) > 1 {
			port = "bus " + f.Bus
		}
		if f.Port != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", port, f.Port))
		}
		if f.Late > 0 {
			notes = append(notes, fmt.Sprintf("bus %s was not done in time %d times", f.Bus, f.Late))
		}
	}
	return notes
}
