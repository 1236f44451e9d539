package replay

import (
	"errors"
	"math"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// recorded is a controller that answers as the one of the recording did.
type recorded struct{ bus *bus }

var errRecorded = errors.New("replay: the controller failed, or was not asked, in the recording")

// Enter implements loop.Controller.
func (c recorded) Enter([]float64) {}

// Stop implements loop.Controller.
func (c recorded) Stop() {}

// Phase implements loop.Controller.
func (c recorded) Phase() float64 { return c.bus.t.Phase }

// Act implements loop.Controller.
func (c recorded) Act(dst []float64, _ *sensed.Robot, _ bool) (standing bool, err error) {
	t := c.bus.t
	c.bus.nowNs += nanoseconds(t.ActUs)
	switch {
	case t.Act.Failed || !t.Act.Asked:
		return t.Act.Standing, errRecorded
	case t.Act.Usable:
		copy(dst, t.WantRad)
	default: // what it was is not recorded, since the loop did not use it
		for j := range dst {
			dst[j] = math.NaN()
		}
	}
	return t.Act.Standing, nil
}

// timed is a controller that decides anew, and takes as long as in the recording.
type timed struct {
	loop.Controller
	bus *bus
}

// Act implements loop.Controller.
func (c timed) Act(dst []float64, s *sensed.Robot, play bool) (standing bool, err error) {
	standing, err = c.Controller.Act(dst, s, play)
	c.bus.nowNs += nanoseconds(c.bus.t.ActUs)
	return standing, err
}
