package servotool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// bootPause is how long a servo needs to go down; bootLook how often it is asked then,
	// and bootLimit how long.
	bootPause, bootLook, bootLimit = 100 * time.Millisecond, 50 * time.Millisecond, 3 * time.Second
)

// Reboot restarts a servo and waits until it answers again. It returns what the servo
// reported before and after. A servo under torque is refused: it would let go.
func Reboot(bus Bus, id uint8, wait func(time.Duration)) (before, after State, err error) {
	if before, err = bus.State(id); err != nil {
		return before, after, err
	}
	if before.Torque {
		return before, after, torqueless(bus, id, "a restart lets go of its load")
	}
	if err := bus.Reboot(id); err != nil && !errors.Is(err, ErrSilent) {
		return before, after, err
	}
	wait(bootPause)
	for waited := bootPause; ; waited += bootLook {
		if _, err := bus.Ping(id); err == nil {
			break
		} else if !errors.Is(err, ErrSilent) && !errors.Is(err, ErrDamaged) {
			return before, after, err
		}
		if waited >= bootLimit {
			return before, after, fmt.Errorf("servo %d has not answered for %v since it was told to restart: switch its power off and on", id, bootLimit)
		}
		wait(bootLook)
	}
	after, err = bus.State(id)
	return before, after, err
}

// Relaxed is what is known of one servo's torque after it was to go off.
type Relaxed struct {
	ID   uint8
	Baud int    // at which it answers; 0: it does not
	Off  bool   // it confirmed
	Why  string // it did not
}

// offTimes is how often torque-off goes out: once may be lost on the wire.
const offTimes = 3

// TorqueOff switches torque off on every servo of a bus at every rate, then asks each one
// that answers, and those expected. The error names those that did not confirm.
func TorqueOff(open Opener, rates []int, expected []uint8) ([]Relaxed, error) {
	for _, rate := range rates {
		err := at(open, rate, func(b Bus) error {
			for range offTimes {
				if err := b.TorqueOff(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var all []Relaxed
	for _, rate := range rates {
		if err := at(open, rate, func(b Bus) error {
			found, err := confirmed(b, rate, expected)
			all = append(all, found...)
			return err
		}); err != nil {
			return all, err
		}
	}
	for _, id := range expected {
		if !slices.ContainsFunc(all, func(r Relaxed) bool { return r.ID == id }) {
			all = append(all, Relaxed{ID: id, Why: "does not answer"})
		}
	}
	var not []string
	for _, r := range all {
		if !r.Off {
			not = append(not, fmt.Sprintf("servo %d %s", r.ID, r.Why))
		}
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("torque-off was sent, and nobody confirmed it: %w", silence(rates))
	case len(not) > 0:
		return all, fmt.Errorf("torque-off is not confirmed: %s; switch the servos' power off", strings.Join(not, ", "))
	}
	return all, nil
}

// confirmed asks everybody who answers at one rate for its torque. Expected ones are asked
// even if a scan does not find them: one that shares its id answers a scan damaged.
func confirmed(b Bus, rate int, expected []uint8) ([]Relaxed, error) {
	devices, err := b.Scan()
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSilent) {
		return nil, err
	}
	ids := []uint8{}
	for _, d := range devices {
		if !d.Sensor {
			ids = append(ids, d.ID)
		}
	}
	var out []Relaxed
	for _, id := range ids {
		out = append(out, relaxed(b, id, rate))
	}
	for _, id := range expected {
		if slices.Contains(ids, id) {
			continue
		}
		if r := relaxed(b, id, rate); r.Baud != 0 {
			out = append(out, r)
		}
	}
	return out, nil
}

func relaxed(b Bus, id uint8, rate int) Relaxed {
	on, err := b.TorqueOn(id)
	for n := 0; err == nil && on && n < offTimes; n++ {
		if err = b.TorqueOff(); err == nil {
			on, err = b.TorqueOn(id)
		}
	}
	switch {
	case errors.Is(err, ErrSilent):
		return Relaxed{ID: id, Why: "does not answer"}
	case err != nil:
		return Relaxed{ID: id, Baud: rate, Why: err.Error()}
	case on:
		return Relaxed{ID: id, Baud: rate, Why: "still has torque"}
	}
	return Relaxed{ID: id, Baud: rate, Off: true}
}

// Reading is one servo's state, or why there is none.
type Reading struct {
	ID uint8
	State
	Err error
}

// Look reads the states of servos.
func Look(bus Bus, ids []uint8) []Reading {
	out := make([]Reading, 0, len(ids))
	for _, id := range ids {
		s, err := bus.State(id)
		out = append(out, Reading{id, s, err})
	}
	return out
}
