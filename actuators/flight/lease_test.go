package flight

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// pass lets d go by on the loop's clock, which the lease has too.
func (b *bench) pass(d time.Duration) {
	for range int(d / (10 * time.Millisecond)) {
		b.desk.BeatGateway()
		b.l.Tick(loop.Instant{Tick: b.tick, MonoNs: b.tick * 1e7})
		b.tick++
	}
}

// order gives a command and lets the loop answer it.
func (b *bench) order(issuer, verb string, ask time.Duration) (did string, err error) {
	type answer struct {
		did string
		err error
	}
	answers := make(chan answer, 1)
	b.cmd.Take(lease.Order{Issuer: issuer, Verb: verb, Ask: ask}, func(d string, e error) { answers <- answer{d, e} })
	b.pass(10 * time.Millisecond)
	a := <-answers
	return a.did, a.err
}

// An operator with a lease is the only one who is obeyed, stops apart; falls he silent, the
// robot settles by itself, and is somebody else's.
func TestOperatorsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cmd.Leases.Now = func() int64 { return b.tick * 1e7 }
		must := func(did string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%q, %v", did, err)
			}
		}
		b.pass(time.Second)
		must(b.order("ann", "arm", 500*time.Millisecond))
		for range 10 { // the ramp, with a heartbeat
			b.pass(200 * time.Millisecond)
			must(b.order("ann", "lease", 0))
		}
		if b.l.Mode() != mode.Hold {
			t.Fatalf("in %v", b.l.Mode())
		}
		if _, err := b.order("bob", "disarm", 0); err == nil || !strings.Contains(err.Error(), "ann holds the lease") {
			t.Errorf("another's disarm: %v", err)
		}
		if did, err := b.order("bob", "lease", time.Second); err == nil {
			t.Errorf("another's lease: %v", did)
		}
		must(b.order("bob", "stop", 0))
		b.pass(600 * time.Millisecond)
		if b.l.Mode() != mode.Hold || b.cmd.Leases.Holder() != "" {
			t.Errorf("after the lease was lost: %v, held by %q", b.l.Mode(), b.cmd.Leases.Holder())
		}
		must(b.order("ann", "lease", 0)) // he is back
		for range 30 {                   // for longer than the robot would wait
			b.pass(200 * time.Millisecond)
			must(b.order("ann", "lease", 0))
		}
		if b.l.Mode() != mode.Hold {
			t.Fatalf("in %v with a heartbeat", b.l.Mode())
		}
		b.pass(5600 * time.Millisecond)
		if b.l.Mode() != mode.Settle || b.l.Result().FirstCause != mode.Caused(mode.LeaseExpired) {
			t.Errorf("5 s after the lease was lost: %v because of %v", b.l.Mode(), b.l.Result().FirstCause)
		}
		b.pass(4 * time.Second)
		must(b.order("bob", "arm", 0))
		b.pass(10 * time.Second)
		if b.l.Mode() != mode.Hold {
			t.Errorf("another arms without a lease: in %v", b.l.Mode())
		}
		must(b.order("eve", "estop", 0))
	})
}
