package flight

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
)

// Commands answers operators with the loop's own decision: what was done, or what
// stood in the way when the loop decided. Nothing is predicted. The zero value with
// Failed set answers that robotd is starting, until Start. Any goroutine may use it.
type Commands struct {
	// Failed catches what goes wrong while an answer is waited for.
	Failed *crash.Net
	// Leases is where operators who ask for a lease get it. Its rule is set before Start.
	Leases lease.Desk
	// Exchange, if set before Start, exchanges the policy for another one; it calls reply
	// once, and does not wait.
	Exchange func(name string, reply func(did string, refused error))
	// Checks, if set before Start, says in words which arming checks fail.
	Checks func(failing mode.Checks) string

	desk    atomic.Pointer[shared.Desk]
	away    atomic.Bool   // there was a loop, and there will be
	outside atomic.Uint32 // mode.Conditions of the command link, kept for the loop that starts later
}

// Patience is how long the loop has for its decision. A tick takes milliseconds; a
// loop that needs longer is stuck in its bus, and the operator is told so.
const Patience = 2 * time.Second

// lookEvery is how often an answer is looked for.
const lookEvery = 2 * time.Millisecond

var (
	errStarting = errors.New("robotd is starting")
	errAway     = errors.New("the servos are gone, and robotd waits for them to come back")
)

// request returns what a verb asks for.
func request(verb string) (mode.Request, bool) {
	switch verb {
	case "estop":
		return mode.EStop, true
	case "arm":
		return mode.Arm, true
	case "disarm", "settle":
		return mode.Disarm, true
	case "hold":
		return mode.HoldPose, true
	case "stop":
		return mode.StopMotion, true
	case "start":
		return mode.Activate, true
	case "reset":
		return mode.Reset, true
	}
	return mode.NoRequest, false
}

// Verbs are the commands that exist.
func Verbs() []string {
	return append([]string{"arm", "disarm", "estop", "hold", "reset", "settle", "start", "stop", verbPolicy}, lease.Verbs()...)
}

// verbPolicy exchanges the policy.
const verbPolicy = "policy"

// Take is Obey for operators of whom there may be several: it obeys who may command now,
// and keeps the loop informed of how long that one is sure to be there.
func (c *Commands) Take(o lease.Order, reply func(did string, refused error)) {
	ruling, err := c.Leases.Admit(o)
	if err != nil {
		reply("", err)
		return
	}
	desk := c.desk.Load()
	if ruling.Tell && desk != nil {
		desk.Lease(ruling.UntilNs)
	}
	switch {
	case o.Verb == verbPolicy && c.Exchange != nil:
		c.Exchange(o.Arg, reply)
	case !ruling.Only:
		c.Obey(o.Verb, reply)
	case desk == nil:
		reply("", errStarting)
	case ruling.UntilNs == 0:
		reply("the lease is free", nil)
	default:
		reply("the lease is "+o.Issuer+"'s", nil)
	}
}

// Start connects operators to a loop's desk, which then shows what was told before.
func (c *Commands) Start(desk *shared.Desk) {
	c.desk.Store(desk)
	for _, o := range []mode.Condition{mode.LinkToBroker, mode.NameTaken} {
		desk.Tell(o, mode.Conditions(c.outside.Load()).Has(o))
	}
}

// Away is for the time until the next Start, in which no loop is there: operators are told so.
func (c *Commands) Away() {
	c.away.Store(true)
	c.desk.Store(nil)
}

// Reachable tells the loop whether operators can be reached.
func (c *Commands) Reachable(yes bool) { c.tell(mode.LinkToBroker, !yes) }

// Alone tells the loop whether this is the only robot of its name.
func (c *Commands) Alone(yes bool) { c.tell(mode.NameTaken, !yes) }

func (c *Commands) tell(o mode.Condition, on bool) {
	if on {
		c.outside.Or(uint32(mode.Of(o)))
	} else {
		c.outside.And(^uint32(mode.Of(o)))
	}
	if desk := c.desk.Load(); desk != nil {
		desk.Tell(o, on)
	}
}

// Obey hands a command to the loop and returns at once. Reply is called once, with what
// the loop did, or with the reason why it did not; from another goroutine, but for a
// command that never reached the loop.
func (c *Commands) Obey(verb string, reply func(did string, refused error)) {
	r, ok := request(verb)
	if !ok {
		reply("", fmt.Errorf("unknown verb %q; legal: %v", verb, Verbs()))
		return
	}
	desk := c.desk.Load()
	if desk == nil && c.away.Load() {
		reply("", errAway)
		return
	}
	if desk == nil {
		reply("", errStarting)
		return
	}
	ticket, err := desk.Ask(r)
	if err != nil {
		reply("", err)
		return
	}
	c.Failed.Start("an answer to an operator", func() { reply(c.await(ticket)) })
}

// await waits for the loop's decision, for Patience at most.
func (c *Commands) await(ticket shared.Ticket) (did string, refused error) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		if d, ok := ticket.Poll(); ok {
			return c.answer(d)
		}
		select {
		case <-look.C:
		case <-late.C:
			d, err := ticket.Withdraw()
			if err != nil {
				return "", fmt.Errorf("%w (waited %v)", err, Patience)
			}
			return c.answer(d)
		}
	}
}

// answer is a decision in words: the state that it led to, or why it was refused.
func (c *Commands) answer(d mode.Decision) (did string, refused error) {
	switch {
	case !d.Refused && d.Why == mode.NoReason:
		return d.State.String(), nil
	case !d.Refused:
		return fmt.Sprintf("%s: %s", d.State, d.Why), nil
	case d.Failing != 0 && c.Checks != nil:
		return "", fmt.Errorf("%s: %s", d.Why, c.Checks(d.Failing))
	case d.Failing != 0:
		return "", fmt.Errorf("%s: %s", d.Why, d.Failing)
	}
	return "", errors.New(d.Why.String())
}
