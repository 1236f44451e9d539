package flight

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
)

// rescuePause is how long a line that could not be opened or did not answer is left alone.
const rescuePause = 50 * time.Millisecond

// Rescue switches torque off on a robot whose loop is gone in the middle of something. It
// opens the buses, sends torque-off to everybody at once, then finds every servo, switches
// off what is still on and has each confirm; and again until all have, or ctx ends. The
// drivers that open returns must release torque when they connect, and feed nobody: servos
// without power have no torque, and whoever cut them off meant it.
//
// The line may hold half a packet and answers that nobody waits for: [driver.Driver]'s Cut
// sends often enough to come through, and connecting asks again.
func Rescue(ctx context.Context, open func() (driver.Driver, error)) error {
	for {
		err := rescueOnce(ctx, open)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(rescuePause):
		case <-ctx.Done():
			return fmt.Errorf("torque-off is not confirmed: %w", err)
		}
	}
}

func rescueOnce(ctx context.Context, open func() (driver.Driver, error)) error {
	drv, err := open()
	if err != nil {
		return err
	}
	err = drv.Cut()
	switch _, e := drv.Connect(ctx); {
	case errors.Is(e, driver.ErrUnpowered):
		return drv.Halt()
	case e != nil:
		return errors.Join(err, e, drv.Halt())
	}
	return drv.Halt() // confirms torque-off, and leaves the servos' watchdogs off
}
