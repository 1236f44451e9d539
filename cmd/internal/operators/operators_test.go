package operators

import (
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/orders"
)

// A broker that does not answer holds the end of robotd for a moment only, and
// not at all once somebody insists.
func TestBrokerThatHangsDoesNotDelayTheEnd(t *testing.T) {
	stopped := false
	c := &Link{stop: func() { stopped = true }, done: make(chan struct{})} // Run never returns
	ord := orders.New()
	ended := make(chan struct{})
	go func() { c.Close(ord.Another()); close(ended) }()
	until(t, "the second order ends it", func() bool {
		ord.Hear(syscall.SIGTERM)
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if !stopped {
		t.Error("the link was not asked to end")
	}
	c = &Link{stop: func() {}, done: make(chan struct{})}
	ended = make(chan struct{})
	go func() { c.Close(orders.New().Another()); close(ended) }()
	until(t, "the deadline ends it", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
}

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
