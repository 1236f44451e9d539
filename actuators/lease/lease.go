// Package lease decides who may command a robot. An operator may ask for a lease: from
// then on nobody else's commands are taken, and he must be heard of again and again. When
// he falls silent the lease is lost, and the robot stops by itself: the control loop has
// the time at which that happens (loop.Lease), and needs nobody to tell it.
//
// Anybody may stop the robot at any time: stop and estop are never refused here.
//
// What is not here: who somebody is (an issuer's name is what he says; the broker's
// accounts decide who may say anything), and what losing a lease leads to (the failsafe
// table, package mode). The zero Desk is ready for use by any goroutine.
package lease

import (
	"fmt"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/realtime"
)

// Rule says who needs a lease.
type Rule uint8

// The rules. With Optional, whoever asks for a lease is bound by it, and so are others
// while he has it.
const (
	Optional Rule = iota
	Required      // to arm and to start a motion
	Off
)

// Rules are the names of the rules in a configuration; empty: optional.
func Rules() []string { return []string{"required", "optional", "off"} }

// ParseRule reads the name of a rule.
func ParseRule(name string) (Rule, bool) {
	switch name {
	case "", "optional":
		return Optional, true
	case "required":
		return Required, true
	case "off":
		return Off, true
	}
	return 0, false
}

// Bounds of what may be asked for. The lower one leaves time for three heartbeats at the
// rate to which an issuer's commands are limited.
const (
	Shortest = 300 * time.Millisecond
	Longest  = 30 * time.Second
)

// The verbs that are about the lease alone.
const (
	VerbTake    = "lease"   // take it, or renew it: the heartbeat
	VerbRelease = "release" // give it back
)

// Verbs lists them.
func Verbs() []string { return []string{VerbTake, VerbRelease} }

// Desk keeps the lease. Its fields are set before its first use.
type Desk struct {
	Rule Rule
	Now  func() int64 // monotonic ns, the loop's clock; nil: realtime.NowNs

	mu     sync.Mutex
	holder string
	span   time.Duration
	until  int64 // 0: nobody has it
}

// Order is what somebody wants.
type Order struct {
	Issuer string
	Verb   string
	Ask    time.Duration // the lease that he asks for; 0: none
}

// Ruling is what is to be done before an order that is taken is carried out.
type Ruling struct {
	Tell    bool  // the loop is to be told:
	UntilNs int64 // when the lease ends; 0: there is none
	Only    bool  // the order was about the lease alone, and is carried out
}

// Admit rules on an order; the error says in words why it is not taken.
func (d *Desk) Admit(o Order) (Ruling, error) {
	if o.Verb == "stop" || o.Verb == "estop" {
		return Ruling{}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	mine, alive := d.holder == o.Issuer && d.until != 0, d.until != 0 && now < d.until
	only := o.Verb == VerbTake || o.Verb == VerbRelease
	switch {
	case alive && !mine:
		return Ruling{}, fmt.Errorf("%s holds the lease for another %.1f s; of others only stop and estop are taken",
			d.holder, time.Duration(d.until-now).Seconds())
	case d.Rule == Off && (only || o.Ask != 0):
		return Ruling{}, fmt.Errorf("operator leases are switched off on this robot (mqtt.lease)")
	case o.Ask != 0 && (o.Ask < Shortest || o.Ask > Longest):
		return Ruling{}, fmt.Errorf("lease_s is %g; legal: %g to %g", o.Ask.Seconds(), Shortest.Seconds(), Longest.Seconds())
	case o.Ask != 0 && o.Verb != "arm" && o.Verb != "start" && o.Verb != VerbTake:
		return Ruling{}, fmt.Errorf("%s takes no lease_s; legal: with arm, start and %s", o.Verb, VerbTake)
	}
	switch {
	case o.Verb == VerbRelease && !mine:
		return Ruling{}, fmt.Errorf("the lease is not yours to release")
	case o.Verb == VerbRelease:
		d.until = 0
		return Ruling{Tell: true, Only: true}, nil
	case o.Verb == VerbTake && o.Ask == 0 && !mine:
		return Ruling{}, fmt.Errorf("lease_s is missing: for how long; legal: %g to %g", Shortest.Seconds(), Longest.Seconds())
	case d.Rule == Required && o.Ask == 0 && !(mine && alive) && (o.Verb == "arm" || o.Verb == "start"):
		return Ruling{}, fmt.Errorf("this robot is only driven with a lease (mqtt.lease: required): give lease_s, %g to %g",
			Shortest.Seconds(), Longest.Seconds())
	}
	return d.grant(o, now, mine, alive, only), nil
}

// grant gives or renews the lease where the order asks for it. Who arms without one is not
// bound by what somebody else had lost before.
func (d *Desk) grant(o Order, now int64, mine, alive, only bool) Ruling {
	switch {
	case o.Ask != 0:
		d.holder, d.span = o.Issuer, o.Ask
	case mine && (alive || only): // any command of the holder's is a sign of life
	case o.Verb == "arm" && d.until != 0:
		d.until = 0
		return Ruling{Tell: true}
	default:
		return Ruling{}
	}
	d.until = now + int64(d.span)
	return Ruling{Tell: true, UntilNs: d.until, Only: only}
}

// Holder is who holds the lease now; "": nobody.
func (d *Desk) Holder() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == 0 || d.now() >= d.until {
		return ""
	}
	return d.holder
}

func (d *Desk) now() int64 {
	if d.Now != nil {
		return d.Now()
	}
	return realtime.NowNs()
}
