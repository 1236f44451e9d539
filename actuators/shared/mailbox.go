package shared

import (
	"errors"
	"math/bits"
	"sync/atomic"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// The mailbox is how people's commands reach the loop and how its own decision
// comes back: slots that were there before the first tick, each handed to and fro
// by one atomic word. The loop looks into them once a tick and never waits; who
// asked looks for the answer as often as he likes.
//
// A slot goes free -> claimed -> pending (asked) -> taken (by a tick) -> answered
// -> free. Who loses patience withdraws what is pending, so that no command is
// obeyed after its sender was told that it is not; what a tick has taken already
// is abandoned, and the loop frees the slot.

// mailboxSlots is how many commands may wait for an answer at once.
const mailboxSlots = 16

const (
	slotFree uint32 = iota
	slotClaimed
	slotPending
	slotTaken
	slotAnswered
	slotAbandoned
)

// slot carries one command. request is written by who claimed it before it is
// pending, answer by the loop before it is answered; the first word orders both.
type slot struct {
	word    atomic.Uint32
	request atomic.Uint32
	answer  atomic.Uint64
}

// The answers that are not the loop's.
var (
	// ErrBusy: too many commands wait for an answer; the loop heard nothing of
	// this one, unless it was an e-stop, which is passed on all the same.
	ErrBusy = errors.New("loop: too many commands wait for an answer")
	// ErrNoAnswer: no tick took the command in time. It was withdrawn and will not
	// be obeyed, unless it was an e-stop.
	ErrNoAnswer = errors.New("loop: no answer from the control loop; the command was withdrawn")
	// ErrUnknown: a tick took the command and did not end in time. Whether it is
	// obeyed shows in the robot's state.
	ErrUnknown = errors.New("loop: the control loop took the command and did not answer in time")
)

// Ticket is a command that waits for the loop's decision. It belongs to one
// goroutine, which ends it with an answer from Poll or with Withdraw.
type Ticket struct{ slot *slot }

// Ask hands a request to the loop and never waits. An e-stop is also requested the way
// that is never full and never withdrawn: whoever asks for it may lose the answer, not
// the stop. Gateway.
func (d *Desk) Ask(r mode.Request) (Ticket, error) {
	if r == mode.EStop {
		d.Request(r)
	}
	for i := range d.mail {
		s := &d.mail[i]
		if s.word.CompareAndSwap(slotFree, slotClaimed) {
			s.request.Store(uint32(r))
			s.word.Store(slotPending)
			return Ticket{s}, nil
		}
	}
	return Ticket{}, ErrBusy
}

// Poll returns the loop's decision once it is there, and ends the ticket.
func (t Ticket) Poll() (d mode.Decision, answered bool) {
	if t.slot.word.Load() != slotAnswered {
		return mode.Decision{}, false
	}
	d = unpack(t.slot.answer.Load())
	t.slot.word.Store(slotFree)
	return d, true
}

// Withdraw ends a ticket whose answer is not waited for any longer: with the
// decision, if it has come meanwhile, or with [ErrNoAnswer] or [ErrUnknown].
func (t Ticket) Withdraw() (mode.Decision, error) {
	switch {
	case t.slot.word.CompareAndSwap(slotPending, slotFree):
		return mode.Decision{}, ErrNoAnswer
	case t.slot.word.CompareAndSwap(slotTaken, slotAbandoned):
		return mode.Decision{}, ErrUnknown
	}
	if d, ok := t.Poll(); ok {
		return d, nil
	}
	return mode.Decision{}, ErrUnknown // a damaged slot
}

// Take marks what is pending as this tick's. It returns the strongest request that wants
// no answer, and which requests do: bit r stands for request r. Loop.
func (d *Desk) Take() (plain mode.Request, waiting uint8) {
	plain = legal(d.request.Swap(uint32(mode.NoRequest)))
	for i := range d.mail {
		if s := &d.mail[i]; s.word.CompareAndSwap(slotPending, slotTaken) {
			waiting |= 1 << legal(s.request.Load())
		}
	}
	return plain, waiting
}

// Strongest is the strongest of both.
func Strongest(plain mode.Request, waiting uint8) mode.Request {
	if waiting == 0 {
		return plain
	}
	return max(plain, mode.Request(bits.Len8(waiting)-1))
}

// legal is a request that exists, or none.
func legal(word uint32) mode.Request {
	if word > uint32(mode.EStop) {
		return mode.NoRequest
	}
	return mode.Request(word)
}

// Answer gives this tick's decision to whoever asked for it, and a refusal to
// those whose request a stronger one replaced. Loop.
func (d *Desk) Answer(asked mode.Request, did mode.Decision) {
	for i := range d.mail {
		s := &d.mail[i]
		if w := s.word.Load(); w != slotTaken && w != slotAbandoned {
			continue
		}
		answer := did
		if legal(s.request.Load()) != asked {
			answer = mode.Decision{State: did.State, Why: mode.Requested(asked), Refused: true}
		}
		s.answer.Store(pack(answer))
		if !s.word.CompareAndSwap(slotTaken, slotAnswered) {
			s.word.Store(slotFree) // nobody waits
		}
	}
}

// pack makes one word of a decision: state, refusal, reason, failing checks from the
// lowest bits up.
func pack(d mode.Decision) uint64 {
	w := uint64(d.State) | uint64(d.Why)<<16 | uint64(d.Failing)<<32
	if d.Refused {
		w |= 1 << 8
	}
	return w
}

func unpack(w uint64) mode.Decision {
	return mode.Decision{State: mode.State(w), Refused: w>>8&1 == 1, Why: mode.Reason(w >> 16), Failing: mode.Checks(w >> 32)}
}
