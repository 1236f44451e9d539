package robot

import (
	"context"

	"github.com/mitori-robotics/mitori/actuators/estop"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/gpioline"
)

// watchStop watches the stop contact, if one is configured, in the loop's own process:
// a gateway that is gone must not be in its way. The line is given back by free.
func (h *other) watchStop(l *loop.Loop) (free func(), err error) {
	g := &h.task.Options.GPIO
	if g.Chip == "" {
		return func() {}, nil
	}
	line, err := gpioline.Open(g.Chip, g.Line, g.openHigh())
	if err != nil {
		return nil, fault.Refuse("stop_gpio: %w; without its stop contact the robot is not driven", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.External(mode.EStopOpen, true) // until it was seen closed
	h.failed.Start("the stop contact", func() {
		defer close(done)
		estop.Watch(ctx, line, func(pressed bool, why error) {
			l.External(mode.EStopOpen, pressed)
			if why != nil {
				h.Event("warning: the stop contact cannot be read, which counts as pressed: %v", why)
			}
		})
	})
	return func() {
		cancel()
		<-done
		_ = line.Close()
	}, nil
}
