//go:build !linux

package serialport

import (
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits for what comes in on a terminal.
type waiter struct{ fds [2]unix.PollFd }

// newWaiter waits for fd, or until there is something in the pipe wake.
func newWaiter(fd, wake int) (*waiter, error) {
	return &waiter{[2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}}, nil
}

// input waits for bytes or a hang-up, for d at most; ready says that there may be some.
// ErrClosed is when wake ended it.
func (w *waiter) input(d time.Duration) (ready bool, err error) {
	n, err := poll(w.fds[:], d)
	switch {
	case err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, err
	case w.fds[1].Revents != 0:
		return false, ErrClosed
	}
	return n > 0, nil
}

// empty reports that a read would find nothing; it cannot tell.
func (w *waiter) empty() bool { return false }

func (w *waiter) close() error { return nil }

// poll waits for fds for d at most; less than a millisecond is rounded up to one.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	ms := d.Milliseconds()
	if ms == 0 && d > 0 {
		ms = 1
	}
	return unix.Poll(fds, int(ms))
}
