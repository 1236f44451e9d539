package trace

import (
	"errors"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// Asked is what was asked of the loop in one tick, by its source.
type Asked struct {
	Link    uint8        // by operators, who wait for an answer: bit r is mode.Request r
	Program mode.Request // by this program (its mission, signals, a panic): the strongest; also every e-stop
}

// Answer is what came of asking a driver for something.
type Answer uint8

// The answers.
const (
	NotAsked  Answer = iota
	Confirmed        // by all servos
	Failed           // some servo did not answer, or nothing was sent
	Lost             // the link to the servos is gone
)

// AnswerOf is the answer that an error of a driver stands for.
func AnswerOf(err error) Answer {
	switch {
	case err == nil:
		return Confirmed
	case errors.Is(err, driver.ErrLinkLost):
		return Lost
	}
	return Failed
}

// Err is an error of a driver that stands for the answer.
func (a Answer) Err() error {
	switch a {
	case Confirmed:
		return nil
	case Lost:
		return driver.ErrLinkLost
	}
	return driver.ErrPartial
}

// Calls is what one tick asked of the driver, in the order of the calls.
type Calls struct {
	Read, TakeUp, TorqueOff, Write, Prepare, TorqueOn Answer
}

// Act is what came of asking the controller in one tick; the zero value: it was not asked.
type Act struct {
	Asked    bool
	Failed   bool // it returned an error
	Usable   bool // finite goals, and in time
	Standing bool
}
