package robot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/actuators/settings"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// emulatedDeadline is for emulated buses, which share a busy machine: none of them hangs.
const emulatedDeadline = 500 * time.Millisecond

// events hears what happens.
type events interface {
	Event(format string, args ...any)
}

// busOptions are what a run asks of its buses.
func busOptions(o *Options, note func(string)) buses.Options {
	opt := buses.Options{
		Release: o.Release, Watchdog: settings.Watchdog(o.Failsafes), Margin: o.margin(), KeepEEPROM: o.KeepEEPROM, Note: note,
		Prepare: func() func() {
			_, leave := realtime.Enter(flight.Priority) // what is not permitted the loop's own thread tells
			return leave
		},
	}
	if o.forgiving() {
		opt.Deadline = emulatedDeadline
	}
	return opt
}

// connect opens the ports and finds every servo.
func connect(ctx context.Context, desc *robot.Description, o *Options, tell events) (*multi.Driver, error) {
	ports, err := buses.ParsePorts(desc, o.Port)
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	drv, err := buses.Open(desc, ports, busOptions(o, func(n string) { tell.Event("note: %s", n) }))
	if err != nil {
		return nil, err
	}
	id, err := drv.Connect(ctx)
	if err != nil {
		_ = drv.Halt() // touches no torque before Connect has succeeded
		why := fmt.Errorf("%s: %w", o.Port, err)
		if errors.Is(err, driver.ErrEnergised) {
			return nil, fault.Refuse("%w", why) // and nothing more is sent to such a robot
		}
		why = errors.Join(why, missing(ctx, desc, ports, err))
		if errors.Is(err, driver.ErrUnfit) {
			return nil, fault.Refuse("%w", why)
		}
		return nil, why
	}
	tell.Event("%d servos on %s, sensor hub %v, %d settings changed", len(id.Servos), o.Port, id.IMU, len(id.Changed))
	for _, what := range byServo(id.Changed) {
		tell.Event("changed: %s", what)
	}
	return drv, nil
}

// asked is how many servos that do not answer are looked for elsewhere: it takes a
// second each.
const asked = 3

// missing looks for servos that a failed connection names as silent, and says what is the
// matter with them. The ports are free again.
func missing(ctx context.Context, desc *robot.Description, ports buses.Ports, failed error) error {
	var found []error
	looked := 0
	for _, j := range desc.Joints {
		silent := strings.Contains(failed.Error(), fmt.Sprintf("servo %d (%s) does not answer", j.ID, j.Name))
		if !silent || looked == asked || ctx.Err() != nil {
			continue
		}
		looked++
		bus := desc.BusNamed(j.Bus)
		open, rates, err := buses.Look(bus.Protocol, ports[bus.Name], func(string) {})
		if err != nil {
			continue
		}
		if why := servotool.WhyMissing(open, bus.Baud, rates, uint8(j.ID)); why != "" {
			found = append(found, errors.New(why))
		}
	}
	return errors.Join(found...)
}

// byServo joins neighbouring changes of one servo ("servo 9: what") to one line.
func byServo(changes []string) (lines []string) {
	last := ""
	for _, c := range changes {
		who, what, ok := strings.Cut(c, ": ")
		if n := len(lines); ok && n > 0 && who == last {
			lines[n-1] += ", " + what
			continue
		}
		lines, last = append(lines, c), who
	}
	return lines
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
