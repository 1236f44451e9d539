package flight

import (
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
)

// Process is the loop's process as the gateway holds it.
type Process interface {
	Kill()                 // at once, also where it stands still; more than once is no fault
	Gone() <-chan struct{} // closed when it has ended
}

// End is what the gateway knows of the end of the loop's process.
type End uint8

// The ends. Whether the process said how it ended is for whoever holds it to know.
const (
	ByItself End = iota
	Frozen       // killed: it showed no sign of life
	Deaf         // killed: it did not hear an operator who insists
)

// String says it in words.
func (e End) String() string {
	return [...]string{"it ended by itself", "it stood still as a whole and was killed", "it did not hear the e-stop and was killed"}[e]
}

// Tolerance is how long the gateway waits for the loop's process.
type Tolerance struct {
	Frozen time.Duration // without a sign of life
	Deaf   time.Duration // without having heard an operator who insists
}

// DefaultTolerance is for a loop that drives hardware.
func DefaultTolerance() Tolerance {
	return Tolerance{Frozen: 300 * time.Millisecond, Deaf: 150 * time.Millisecond}
}

const (
	// lookPeriod is how often the gateway looks at the loop's process, and shows itself.
	lookPeriod = 10 * time.Millisecond
	// passage is how long the process may be on its way into the loop, or out of it.
	passage = 10 * time.Second
)

// Attend is the gateway's half: it passes orders on, takes in samples, and stays until
// the loop's process is gone, which it kills when that shows no sign of life. The first
// order settles, who insists switches torque off; so does a panic. ended is called as
// soon as the process is gone, before the last samples are taken in: whoever must switch
// torque off waits for no disk.
func Attend(ord Orders, w *Watch, p Process, tolerance Tolerance, failed *crash.Net, ended func(End)) {
	failed.Arm(func() { w.Desk.Request(mode.EStop); w.Desk.Stop() })
	defer failed.Arm(nil)
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		defer failed.Caught("the watcher")
		w.run(over)
	}()
	failed.Start("the wait for orders", func() { obey(ord, w.Desk, w.Tell, over) })
	failed.Start("the heartbeat", func() { beat(w.Desk, over) })
	ended(watchOver(p, w.Desk, tolerance))
	close(over)
	<-watched
}

// beat shows the loop that the gateway is there. It is a goroutine of its own: a disk
// that holds the watcher up is no dead gateway.
func beat(desk *shared.Desk, over <-chan struct{}) {
	t := time.NewTicker(lookPeriod)
	defer t.Stop()
	for {
		desk.BeatGateway()
		select {
		case <-t.C:
		case <-over:
			return
		}
	}
}

// obey passes orders on to the loop until over is closed.
func obey(ord Orders, desk *shared.Desk, tell Teller, over <-chan struct{}) {
	select {
	case <-ord.Context().Done():
		desk.Stop()
		tell.Event("stopping (%s): settling the robot; once more to switch torque off at once", ord.Cause())
	case <-over:
		return
	}
	select {
	case <-ord.Insisted():
		desk.Insist() // the supervisor hears it where the loop does not
	case <-over:
	}
}

// watchOver stays until p is gone, and kills it if need be.
func watchOver(p Process, desk *shared.Desk, tolerance Tolerance) End {
	t := time.NewTicker(lookPeriod)
	defer t.Stop()
	a := Attention{Tolerance: tolerance}
	for last := time.Now(); ; {
		select {
		case <-p.Gone():
			return ByItself
		case <-t.C:
		}
		now := time.Now()
		end := a.Look(desk, now.Sub(last))
		last = now
		if end != ByItself {
			p.Kill()
			<-p.Gone()
			return end
		}
	}
}

// Attention is what the gateway has seen of the loop's process: a value of its Tolerance
// has seen nothing yet. It belongs to one goroutine.
type Attention struct {
	Tolerance
	beat  uint64
	phase shared.Phase
	still time.Duration // since it moved
	deaf  time.Duration // since an operator insisted
}

// Look judges the process; the last look was since ago. What is not ByItself is a reason
// to kill it.
func (a *Attention) Look(desk *shared.Desk, since time.Duration) End {
	since = min(since, 2*lookPeriod) // what is more, this process slept through
	beat, phase := desk.Loop(), desk.Phase()
	a.still += since
	if beat != a.beat || phase != a.phase {
		a.beat, a.phase, a.still = beat, phase, 0
	}
	limit := passage
	if phase == shared.Flying {
		limit = a.Frozen
	}
	if a.still >= limit {
		return Frozen
	}
	if !desk.Insisted() || desk.Heard() || phase == shared.Over {
		return ByItself
	}
	if a.deaf += since; a.deaf >= a.Deaf {
		return Deaf
	}
	return ByItself
}
