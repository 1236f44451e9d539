package dxl

import (
	"errors"
	"fmt"
)

var (
	// ErrLinkLost: nobody answered within the deadline, or the port itself failed.
	ErrLinkLost = errors.New("link lost")
	// ErrBadData: something answered, but damaged (checksum, framing, truncation) or
	// not what was asked (another id, another length).
	ErrBadData = errors.New("bad data")
)

// StatusError is a device's refusal.
type StatusError struct {
	ID    ID
	Code  Code
	Alert bool // the device also signals a hardware error: read Hardware Error Status
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("device %d answered: %s (error %d)", e.ID, e.Code, byte(e.Code))
	if e.Alert {
		s += "; it also signals a hardware error: read register 70, then reboot it"
	}
	return s
}

// Outcome is what became of one device in one exchange.
type Outcome uint8

const (
	// Answered: the data is fresh.
	Answered Outcome = iota
	// Silent: no answer came in time.
	Silent
	// Damaged: an answer came and was unusable.
	Damaged
	// Refused: the device answered with an error.
	Refused
)

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case Answered:
		return "answered"
	case Silent:
		return "silent"
	case Damaged:
		return "damaged"
	case Refused:
		return "refused"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Counters count the exchanges with one device since the Bus was made.
type Counters struct {
	Answered, Silent, Damaged, Refused uint64
	Alerts                             uint64 // answers with the alert bit
}

// Errors is the number of exchanges that did not give fresh data.
func (c Counters) Errors() uint64 { return c.Silent + c.Damaged + c.Refused }

func (c *Counters) add(o Outcome, alert bool) {
	switch o {
	case Answered:
		c.Answered++
	case Silent:
		c.Silent++
	case Damaged:
		c.Damaged++
	case Refused:
		c.Refused++
	}
	if alert {
		c.Alerts++
	}
}
