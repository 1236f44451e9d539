// Package shared is what the loop process and the gateway process have in common: one
// memory of fixed size, mapped by both ([Region]), with a [Desk] and a ring of samples.
//
// A Desk carries orders to the loop and its decisions back, conditions that only the
// gateway can see, and a heartbeat each way. Everything on it is an atomic word: whoever
// writes never waits, and neither side's death holds the other. In tests, and wherever
// both sides are one process, a Desk lies on the heap.
//
// The loop does not trust what stands there. It reads each word once, takes requests and
// conditions for what they can be and nothing else, and keeps what it must not be wrong
// about (its state, its counts) elsewhere.
//
// What is not here: deciding (packages mode and loop), processes (the commands). Each
// method says on which side it belongs; on its side any goroutine may call it.
package shared

import (
	"sync/atomic"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// Desk is the words between the two. The zero value is ready. It holds no pointer, so
// that it may lie in shared memory.
type Desk struct {
	// The gateway's.
	gateway  atomic.Uint64 // its heartbeat
	request  atomic.Uint32 // wants no answer
	told     atomic.Uint32 // conditions
	stop     atomic.Uint32
	insisted atomic.Uint32
	lease    atomic.Int64
	_        [32]byte

	// The loop process's.
	alive atomic.Uint64 // its heartbeat
	phase atomic.Uint32
	heard atomic.Uint32 // of the insistence
	cuts  atomic.Uint32 // past a loop that stood still
	vain  atomic.Uint32 // of those, how many did not go out
	_     [40]byte

	mail [mailboxSlots]slot
}

// Tellable are the conditions that the gateway may set.
func Tellable() mode.Conditions { return mode.Of(mode.LogLost, mode.LinkToBroker, mode.NameTaken) }

// Request asks the loop for a change of state and wants no answer (Ask does). Of several
// requests within one tick the strongest counts; an e-stop is never lost. Gateway.
func (d *Desk) Request(r mode.Request) {
	for {
		old := d.request.Load()
		if old >= uint32(r) || d.request.CompareAndSwap(old, uint32(r)) {
			return
		}
	}
}

// Tell sets or clears one of the [Tellable] conditions. Gateway.
func (d *Desk) Tell(c mode.Condition, on bool) {
	if on {
		d.told.Or(uint32(mode.Of(c)))
	} else {
		d.told.And(^uint32(mode.Of(c)))
	}
}

// Stop asks the loop to end once the robot carries no torque, which it asks for first.
// Gateway.
func (d *Desk) Stop() {
	d.stop.Store(1)
	d.Request(mode.Disarm)
}

// Insist asks for torque-off at once, of the loop and of the supervisor beside it.
// Gateway.
func (d *Desk) Insist() {
	d.Request(mode.EStop)
	d.insisted.Store(1)
}

// Lease says until when an operator is sure to be there, in monotonic ns: each of his
// heartbeats puts it off. 0: nobody has promised to be. The loop itself notices that it has
// passed, whatever has become of the gateway. Gateway.
func (d *Desk) Lease(untilNs int64) { d.lease.Store(untilNs) }

// LeaseEnd is that time. Loop.
func (d *Desk) LeaseEnd() int64 { return d.lease.Load() }

// BeatGateway is the gateway's sign of life.
func (d *Desk) BeatGateway() { d.gateway.Add(1) }

// Gateway is the gateway's heartbeat. Loop.
func (d *Desk) Gateway() uint64 { return d.gateway.Load() }

// Told are the conditions that the gateway has set. Loop.
func (d *Desk) Told() mode.Conditions { return mode.Conditions(d.told.Load()) & Tellable() }

// Stopped says that the loop is to end. Loop.
func (d *Desk) Stopped() bool { return d.stop.Load() != 0 }

// Insisted says that an operator insists. Loop.
func (d *Desk) Insisted() bool { return d.insisted.Load() != 0 }

// Hear says that whoever can cut has heard of the insistence. Loop.
func (d *Desk) Hear() { d.heard.Store(1) }

// Heard says that it did. Gateway.
func (d *Desk) Heard() bool { return d.heard.Load() != 0 }

// BeatLoop is the loop process's sign of life: of its supervisor and of its loop.
func (d *Desk) BeatLoop() { d.alive.Add(1) }

// Loop is the loop process's heartbeat. Gateway.
func (d *Desk) Loop() uint64 { return d.alive.Load() }

// Phase is how far the loop process is.
type Phase uint32

// The phases, in their order.
const (
	SettingUp Phase = iota // there is no torque yet that would be the loop's
	Flying                 // the loop and its supervisor run, and beat
	Over                   // the loop has ended
)

// Enter says how far the loop process is. What is over does not begin again. Loop.
func (d *Desk) Enter(p Phase) {
	if p == Flying {
		d.phase.CompareAndSwap(uint32(SettingUp), uint32(Flying))
		return
	}
	d.phase.Store(uint32(p))
}

// Phase is how far it is. Gateway.
func (d *Desk) Phase() Phase { return Phase(d.phase.Load()) }

// Cut counts a cut of torque past a loop that stood still; sent says that it went out.
// Loop.
func (d *Desk) Cut(sent bool) {
	if !sent {
		d.vain.Add(1)
	}
	d.cuts.Add(1)
}

// Cuts is how many there were, and how many of them did not go out. Gateway.
func (d *Desk) Cuts() (all, vain uint32) { return d.cuts.Load(), d.vain.Load() }
