package servotool

import (
	"errors"
	"fmt"
)

// WhyMissing looks for a device that a robot's bus at rate lacks, at that rate and at the
// others. It returns what is the matter with it and what to do, or "" if it answers
// after all or nothing can be said.
func WhyMissing(open Opener, rate int, rates []int, id uint8) string {
	for _, r := range append([]int{rate}, rates...) {
		bus, port, err := open(r)
		if err != nil {
			return ""
		}
		_, err = bus.Ping(id)
		port.Close()
		switch {
		case r == rate && err == nil:
			return ""
		case r == rate && errors.Is(err, ErrDamaged):
			return fmt.Sprintf("answers of id %d come damaged, of others they do not: two devices share id %d; "+
				"unplug one of them and give it another id (mitori bus set-id)", id, id)
		case r != rate && err == nil:
			return fmt.Sprintf("id %d answers at %d bits/s, and the bus runs at %d: set the servo's baud rate", id, r,
				rate)
		}
	}
	return fmt.Sprintf("id %d answers at none of the usual bit rates: check its power and its cable", id)
}
