// Package gpioline reads one input of a Linux GPIO chip, through the kernel's character
// device: a stop contact's. The pull resistor is set so that a wire that is broken reads as
// an open contact.
//
// What is not here: what an open contact means (actuators/estop). A Contact may be used
// from any goroutine.
package gpioline

import "errors"

// ErrNotHere: this system has no GPIO character devices.
var ErrNotHere = errors.New("gpioline: this system has no GPIO character devices")
