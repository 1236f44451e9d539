// Package orders turns the signals of people, terminals and service managers into
// two orders: settle and end, and torque off at once.
//
// Whatever would end or stop the process by itself, and leave the robot standing
// there with torque on, settles it instead; see [Orders.Listen]. All methods may be
// called from any goroutine.
package orders

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Orders are what was ordered so far.
type Orders struct {
	ctx    context.Context // done at the first order
	cancel context.CancelFunc
	second chan struct{} // closed when somebody insists

	mu    sync.Mutex
	first os.Signal     // nil before the first
	hard  int           // orders that may be given twice on purpose
	next  chan struct{} // closed and replaced at every order
}

// New returns orders that nobody has given yet.
func New() *Orders {
	o := &Orders{second: make(chan struct{}), next: make(chan struct{})}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o
}

// Listen takes over the signals. What a dead reader or a terminal does to those
// that write to it (SIGPIPE, SIGTTOU, SIGTTIN) is ignored: the write fails, and
// that is all. A hangup that whoever started robotd had ignored (nohup) stays so.
func (o *Orders) Listen() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU, syscall.SIGTTIN)
	ends := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGTSTP}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	heard := make(chan os.Signal, 16)
	signal.Notify(heard, ends...)
	go func() { // ends with the process
		for s := range heard {
			o.Hear(s)
		}
	}()
}

// Hear takes one order. A hangup or a Ctrl-Z is never the second order: a
// terminal that goes away sends SIGHUP two or three times at once, and service
// managers send it right after SIGTERM; none of them means "now".
func (o *Orders) Hear(s os.Signal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == nil {
		o.first = s
	}
	if s != syscall.SIGHUP && s != syscall.SIGTSTP {
		if o.hard++; o.hard == 2 {
			close(o.second)
		}
	}
	close(o.next)
	o.next = make(chan struct{})
	o.cancel()
}

// Context is done at the first order: settle, then end.
func (o *Orders) Context() context.Context { return o.ctx }

// Insisted is closed when somebody insists: torque off at once.
func (o *Orders) Insisted() <-chan struct{} { return o.second }

// Cause is the first order in words.
func (o *Orders) Cause() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == nil {
		return ""
	}
	return o.first.String()
}

// Another is closed at the next order from now on.
func (o *Orders) Another() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.next
}
