package orders

import (
	"syscall"
	"testing"
)

func TestOrders(t *testing.T) {
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	for _, c := range []struct {
		given  []syscall.Signal
		second bool
	}{
		{[]syscall.Signal{syscall.SIGINT}, false},
		{[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, true},
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGQUIT}, true},
		{[]syscall.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP}, false},
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}, false},
		{[]syscall.Signal{syscall.SIGTSTP, syscall.SIGTSTP}, false},
		{[]syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGINT, syscall.SIGINT}, true},
	} {
		o := New()
		for _, s := range c.given {
			another := o.Another()
			if closed(another) {
				t.Fatal("an order that nobody gave")
			}
			o.Hear(s)
			if !closed(another) || o.Context().Err() == nil {
				t.Errorf("%v: %v was not heard", c.given, s)
			}
		}
		if closed(o.Insisted()) != c.second || o.Cause() != c.given[0].String() {
			t.Errorf("%v: second %v, cause %q", c.given, closed(o.Insisted()), o.Cause())
		}
	}
}
