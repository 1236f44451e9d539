package serialport

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits for what comes in on a terminal. To ask a terminal whether there is
// something, by poll or by a read that finds nothing, waits until a worker thread of the
// kernel has handed on what arrived; that thread has no priority, and on a busy host takes
// any time to run, whatever timeout was given. So nothing here asks: an edge-triggered
// epoll is woken by bytes that were handed on, or by a timer of its own, and a read comes
// only where their number (TIOCINQ), which waits for nobody, is not zero.
type waiter struct {
	fd, ep, timer int
	hung          bool // the device said so, which it does once
	events        [3]unix.EpollEvent
}

// newWaiter waits for fd, or until there is something in the pipe wake.
func newWaiter(fd, wake int) (w *waiter, err error) {
	w = &waiter{fd: fd}
	if w.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return nil, errors.Join(err, unix.Close(w.ep))
	}
	for _, e := range [...]unix.EpollEvent{
		{Fd: int32(fd), Events: unix.EPOLLIN | unix.EPOLLET},
		{Fd: int32(w.timer), Events: unix.EPOLLIN | unix.EPOLLET},
		{Fd: int32(wake), Events: unix.EPOLLIN},
	} {
		if err := unix.EpollCtl(w.ep, unix.EPOLL_CTL_ADD, int(e.Fd), &e); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// input waits for bytes or a hang-up, for d at most; ready says that there may be some.
// ErrClosed is when wake ended it.
func (w *waiter) input(d time.Duration) (ready bool, err error) {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d, 1).Nanoseconds())}
	if err := unix.TimerfdSettime(w.timer, 0, &at, nil); err != nil {
		return false, err
	}
	n, err := unix.EpollWait(w.ep, w.events[:], -1)
	if err != nil && err != unix.EINTR {
		return false, err
	}
	for _, e := range w.events[:max(n, 0)] {
		switch int(e.Fd) {
		case w.fd:
			ready = true
			w.hung = w.hung || e.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0
		case w.timer:
		default:
			return false, ErrClosed
		}
	}
	return ready, nil
}

// empty reports that a read would find nothing.
func (w *waiter) empty() bool {
	if w.hung {
		return false // the read says what has become of the device
	}
	n, err := unix.IoctlGetInt(w.fd, unix.TIOCINQ)
	return err == nil && n == 0
}

func (w *waiter) close() error { return errors.Join(unix.Close(w.timer), unix.Close(w.ep)) }

// poll waits for fds for d at most.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	return unix.Ppoll(fds, &ts, nil)
}
