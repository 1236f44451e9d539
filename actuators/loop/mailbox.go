package loop

import (
	"errors"
	"sync/atomic"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
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
// pending, answer by the loop before it is answered; the atomic word orders both.
type slot struct {
	word    atomic.Uint32
	request mode.Request
	answer  mode.Decision
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

// Ask hands a request to the loop. It may be called from any goroutine and never
// waits. An e-stop is also requested the way that is never full and never
// withdrawn: whoever asks for it may lose the answer, not the stop.
func (l *Loop) Ask(r mode.Request) (Ticket, error) {
	if r == mode.EStop {
		l.Request(r)
	}
	for i := range l.mail {
		s := &l.mail[i]
		if s.word.CompareAndSwap(slotFree, slotClaimed) {
			s.request = r
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
	d = t.slot.answer
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
	d, _ := t.Poll() // the only word left
	return d, nil
}

// takeMail marks what is pending as this tick's and returns the strongest request
// of the tick: of the commands and of those that want no answer.
func (l *Loop) takeMail() mode.Request {
	strongest := mode.Request(l.request.Swap(uint32(mode.NoRequest)))
	l.asked = trace.Asked{Program: strongest}
	for i := range l.mail {
		if s := &l.mail[i]; s.word.CompareAndSwap(slotPending, slotTaken) {
			strongest = max(strongest, s.request)
			l.asked.Link |= 1 << s.request
		}
	}
	return strongest
}

// answerMail gives this tick's decision to whoever asked for it, and a refusal to
// those whose request a stronger one replaced.
func (l *Loop) answerMail(asked mode.Request, d mode.Decision) {
	for i := range l.mail {
		s := &l.mail[i]
		if w := s.word.Load(); w != slotTaken && w != slotAbandoned {
			continue
		}
		s.answer = d
		if s.request != asked {
			s.answer = mode.Decision{State: d.State, Why: mode.Requested(asked), Refused: true}
		}
		if !s.word.CompareAndSwap(slotTaken, slotAnswered) {
			s.word.Store(slotFree) // nobody waits
		}
	}
}
