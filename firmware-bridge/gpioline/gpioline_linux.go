package gpioline

import (
	"fmt"

	gpio "github.com/warthog618/go-gpiocdev"
)

// Contact is an open line.
type Contact struct {
	line     *gpio.Line
	openHigh bool
}

// Open takes a line of a chip ("gpiochip0") as an input. openHigh says that it reads high
// while the contact is open, as one does that is wired to ground.
func Open(chip string, line int, openHigh bool) (*Contact, error) {
	pull := gpio.WithPullDown
	if openHigh {
		pull = gpio.WithPullUp
	}
	l, err := gpio.RequestLine(chip, line, gpio.AsInput, pull, gpio.WithConsumer("robotd stop"))
	if err != nil {
		return nil, fmt.Errorf("gpioline: line %d of %s: %w", line, chip, err)
	}
	return &Contact{line: l, openHigh: openHigh}, nil
}

// Closed reports whether the contact is closed.
func (c *Contact) Closed() (bool, error) {
	v, err := c.line.Value()
	if err != nil {
		return false, fmt.Errorf("gpioline: %w", err)
	}
	return (v != 0) != c.openHigh, nil
}

// Close gives the line back.
func (c *Contact) Close() error { return c.line.Close() }
