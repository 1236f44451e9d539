package robot

import (
	"fmt"
	"os"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// How often servos that are gone are looked for, and for how long. A battery is changed in that time; a service manager
// goes on after it.
const (
	lookEvery = time.Second
	lookFor   = 10 * time.Minute
)

// again waits for servos that are gone, an adapter that was pulled or a supply that was switched off, and flies with
// them as if robotd had been started anew: with all checks, and in a fault that somebody must reset. A robot that
// carries torque or does not fit is refused as at the start. An order ends the wait; the latest flight was then the
// last.
func (r *run) again(latest *flown) (*flown, error) {
	r.commands.Away()
	r.o.Latched, r.cfg.Latched = true, true
	r.tell.Event("the servos are gone; waiting for them on %s", r.o.Port)
	r.boss.Does("waiting for the servos on " + r.o.Port)
	said, notes := "", r.stats.Notes
	for begun := time.Now(); ; {
		if !r.rest(lookEvery) {
			return latest, nil
		}
		r.boss.Alive()
		r.stats.Notes = notes
		err := r.thereAgain()
		if err == nil {
			r.stats.Reconnects++
			r.tell.Event("%s is there again; looking at the servos", r.o.Port)
			var f *flown
			if f, err = r.fly(); err == nil {
				return f, nil
			}
			r.stats.Reconnects--
		}
		if fault.Code(err) != fault.ExitFailed {
			return latest, err
		}
		if text := err.Error(); text != said {
			said = text
			r.tell.Event("%s; trying again", text)
		}
		if time.Since(begun) > lookFor {
			return latest, fmt.Errorf("the servos did not come back within %v: %w", lookFor, err)
		}
	}
}

// thereAgain says why a port is not there.
func (r *run) thereAgain() error {
	ports, err := buses.ParsePorts(r.desc, r.o.Port)
	if err != nil {
		return err
	}
	for _, device := range ports {
		if _, err := os.Stat(device); err != nil {
			return err
		}
	}
	return nil
}

// rest waits; false: somebody ordered the end.
func (r *run) rest(d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-r.ord.Context().Done():
		return false
	case <-late.C:
		return true
	}
}
