// Package estop watches a stop contact that is wired to this computer: normally closed, so
// that a press, a broken wire and a plug that was pulled look the same. What cannot be read
// counts as pressed.
//
// Pressed it is at the first open reading; released only after it has been closed for
// [ReleaseAfter] without a break, since contacts bounce.
//
// What is not here: how a line is read (firmware-bridge/gpioline), and what a press leads to
// (the failsafe table: estop-open). A Contact belongs to one goroutine.
package estop

import (
	"context"
	"time"
)

// ReleaseAfter is how long the contact must be closed before it counts as released.
const ReleaseAfter = 50 * time.Millisecond

// Every is how often the contact is looked at.
const Every = 2 * time.Millisecond

// Line reads one contact.
type Line interface {
	// Closed reports whether the contact is closed. An error says that nobody knows.
	Closed() (bool, error)
}

// Contact judges what a line says. The zero value is pressed.
type Contact struct {
	closed time.Duration // for so long
	free   bool
}

// Step takes in one reading, since after the one before, and reports whether the contact
// counts as pressed.
func (c *Contact) Step(closed bool, err error, since time.Duration) (pressed bool) {
	switch {
	case err != nil || !closed:
		c.closed, c.free = 0, false
	case c.free:
	default:
		c.closed += min(max(since, 0), Every) // a pause in looking is no proof
		c.free = c.closed >= ReleaseAfter
	}
	return !c.free
}

// Watch looks at the line until ctx is done, and tells set whether it counts as pressed: at
// once, and at every change; why it cannot be read comes with it.
func Watch(ctx context.Context, line Line, set func(pressed bool, why error)) {
	var c Contact
	t := time.NewTicker(Every)
	defer t.Stop()
	told, last := false, time.Now()
	set(true, nil)
	pressed := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		closed, err := line.Closed()
		is := c.Step(closed, err, now.Sub(last))
		last = now
		if is != pressed || (err != nil) != told {
			set(is, err)
		}
		pressed, told = is, err != nil
	}
}
