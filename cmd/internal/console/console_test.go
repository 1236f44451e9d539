package console

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/models/record"
)

// stuck is a reader that stopped reading.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) { <-s.release; return len(b), nil }

// Nothing said to a reader who does not read blocks or grows without bound, and
// what was lost is counted and told when he reads again.
func TestConsoleDropsAndCounts(t *testing.T) {
	var failed crash.Net
	held := stuck{make(chan struct{})}
	tell := New(held, &failed)
	tell.JSONTo(held, &failed)
	const n = 10 * sinkLines
	for range n {
		tell.Event("line")
		tell.Status(record.Status{})
	}
	if lost := tell.Lost(); lost < 2*n-2*(sinkLines+1) || lost > 2*n {
		t.Errorf("%d of %d lines lost with a queue of %d", lost, 2*n, sinkLines)
	}
	close(held.release)
	until(t, "the queue is empty", func() bool { return len(tell.err.lines) == 0 })
	before := tell.told
	tell.Event("line")
	if tell.told == before {
		t.Error("nobody is told of what was lost")
	}
	tell.Close()
}

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
