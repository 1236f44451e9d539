package servotool

import (
	"errors"
	"fmt"
	"slices"
)

// at opens the bus at one rate, does one thing and closes it.
func at(open Opener, rate int, work func(Bus) error) error {
	bus, port, err := open(rate)
	if err != nil {
		return err
	}
	defer port.Close()
	return work(bus)
}

// answersAt lists at which of the rates id answers. Noise at a wrong rate is nothing.
func answersAt(open Opener, rates []int, id uint8) (found []int, err error) {
	for _, rate := range rates {
		e := at(open, rate, func(b Bus) error { _, err := b.Ping(id); return err })
		switch {
		case e == nil:
			found = append(found, rate)
		case !errors.Is(e, ErrSilent) && !errors.Is(e, ErrDamaged):
			return nil, e
		}
	}
	return found, nil
}

// SetRate gives a servo another bit rate: it is looked for at rates, and must answer at
// exactly one. It returns that one. Whether the servo took the change is found by asking
// at the new rate; the error says what is true.
func SetRate(open Opener, rates []int, id uint8, to int) (from int, err error) {
	var legal []int
	// First, whether this port can be set to the new rate at all.
	if err := at(open, to, func(b Bus) error { legal = b.Rates(); return nil }); err != nil {
		return 0, err
	}
	if !slices.Contains(legal, to) {
		return 0, refuse("%d bits/s; legal: %v", to, legal)
	}
	all := slices.Clone(rates)
	if !slices.Contains(all, to) {
		all = append(all, to) // two servos of one id and rate cannot be told apart afterwards
	}
	found, err := answersAt(open, all, id)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, fmt.Errorf("device %d: %w", id, silence(rates))
	case len(found) > 1:
		return 0, refuse("id %d answers at %v bits/s: those are two servos; connect one of them alone", id, found)
	case found[0] == to:
		return to, nil
	}
	from = found[0]
	var sent error
	err = at(open, from, func(b Bus) error {
		if err := torqueless(b, id, "the bit rate takes no writes under torque"); err != nil {
			return err
		}
		if sent = b.SetRate(id, to); sent != nil && !errors.Is(sent, ErrSilent) && !errors.Is(sent, ErrDamaged) {
			return sent
		}
		return nil
	})
	if err != nil {
		return from, err
	}
	return from, rateIs(open, all, id, from, to, sent)
}

// rateIs says what is true after a change of rate that was answered by sent.
func rateIs(open Opener, rates []int, id uint8, from, to int, sent error) error {
	found, err := answersAt(open, append([]int{to, from}, rates...), id)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return errors.Join(fmt.Errorf("servo %d answers neither at %d bits/s nor at any other rate after the change: "+
			"switch its power off and on, then look for it with \"mitori bus scan\"", id, to), sent)
	case found[0] == to:
		return nil
	case found[0] == from:
		return errors.Join(fmt.Errorf("servo %d still answers at %d bits/s: it did not take the change", id, from),
			sent)
	}
	return errors.Join(fmt.Errorf("servo %d answers at %d bits/s after the change, not at %d", id, found[0], to), sent)
}
