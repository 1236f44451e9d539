package serialport

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// writePatience is how long a Write waits for room. A full queue of the kernel holds
	// many packets: whoever still waits then is too late anyway.
	writePatience = 2 * time.Millisecond
	// shortPause is how long one waits who does not know for what: for room in a queue of
	// the kernel that is full, and after a line said it were ready, and was not, as another
	// program that reads it is woken by the same bytes.
	shortPause = 100 * time.Microsecond
	// drainPatience is how long what was written has for leaving before the device is
	// closed; the kernel would wait for half a minute.
	drainPatience = 50 * time.Millisecond
	drainLook     = time.Millisecond
	// closing is added to the number of operations in progress by Close.
	closing = -1 << 32
)

// SetReadTimeout bounds the following Reads.
func (p *Port) SetReadTimeout(d time.Duration) error {
	p.timeout = max(d, 0)
	return nil
}

// Read reads what has come, waiting for the first byte at most as long as the read
// timeout, whoever else reads the device; then it returns os.ErrDeadlineExceeded. Any
// other error means that the device is gone, and comes at once.
func (p *Port) Read(b []byte) (int, error) {
	if !p.enter() {
		return 0, ErrClosed
	}
	defer p.leave()
	end := time.Now().Add(p.timeout)
	for ready := false; ; {
		// Also after the time is over: a line on which another program has changed how
		// many bytes make it ready says nothing of those that are there.
		n, err := p.take(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		left := time.Until(end)
		switch {
		case left <= 0:
			return 0, os.ErrDeadlineExceeded
		case ready:
			ready, err = false, p.pause(left)
		default:
			ready, err = p.in.input(left)
		}
		if err != nil {
			return 0, err
		}
	}
}

// take reads what is there, perhaps nothing.
func (p *Port) take(b []byte) (int, error) {
	if p.in.empty() {
		return 0, nil
	}
	n, err := unix.Read(p.fd, b)
	switch {
	case n > 0:
		return n, nil
	case err == unix.EAGAIN || err == unix.EINTR || len(b) == 0:
		return 0, nil
	case err != nil:
		return 0, err
	}
	// No byte and no error is what a device says that hung up, and one on which another
	// program has set that reads need not wait for any.
	if p.hungUp() {
		return 0, ErrGone
	}
	return 0, nil
}

// Write hands all of b to the kernel. If that does not take it within writePatience, it
// returns ErrStuck and how much was taken.
func (p *Port) Write(b []byte) (int, error) {
	if !p.enter() {
		return 0, ErrClosed
	}
	defer p.leave()
	end := time.Now().Add(writePatience)
	sent := 0
	for sent < len(b) {
		n, err := unix.Write(p.fd, b[sent:])
		sent += max(n, 0)
		switch {
		case n > 0 || err == unix.EINTR:
			continue
		case err != nil && err != unix.EAGAIN:
			return sent, err
		}
		left := time.Until(end)
		if left <= 0 {
			_ = p.line.ResetOutputBuffer() // what would go out now is late
			return sent, ErrStuck
		}
		if err := p.pause(left); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// ResetInput throws away what was received and not read.
func (p *Port) ResetInput() error {
	if !p.enter() {
		return ErrClosed
	}
	defer p.leave()
	return p.line.ResetInputBuffer()
}

// pause waits for shortPause, or for left if that is less.
func (p *Port) pause(left time.Duration) error {
	fds := [1]unix.PollFd{{Fd: int32(p.wake[0]), Events: unix.POLLIN}}
	if _, err := poll(fds[:], min(left, shortPause)); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	if fds[0].Revents != 0 {
		return ErrClosed
	}
	return nil
}

func (p *Port) hungUp() bool {
	fds := [1]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	_, err := poll(fds[:], 0)
	return err == nil && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// enter begins an operation. It reports false once Close was called: the number of the
// descriptor may then be another file's.
func (p *Port) enter() bool {
	for {
		n := p.users.Load()
		if n < 0 {
			return false
		}
		if p.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *Port) leave() {
	if p.users.Add(-1) == closing {
		p.release()
	}
}

// Close closes the device when the operations in progress have ended, which it makes
// them do at once. What was written has drainPatience for leaving.
func (p *Port) Close() error {
	for {
		n := p.users.Load()
		if n < 0 {
			break
		}
		if !p.users.CompareAndSwap(n, n+closing) {
			continue
		}
		if n == 0 {
			p.release()
		} else {
			_, _ = unix.Write(p.wake[1], []byte{0})
		}
		break
	}
	<-p.released
	return p.err
}

// release closes the device; nobody uses it any more.
func (p *Port) release() {
	for end := time.Now().Add(drainPatience); time.Now().Before(end) && !p.hungUp(); time.Sleep(drainLook) {
		if left, err := unix.IoctlGetInt(p.fd, unix.TIOCOUTQ); err != nil || left == 0 {
			break
		}
	}
	_ = p.line.ResetOutputBuffer()
	p.err = errors.Join(p.in.close(), p.line.Close(), unix.Close(p.fd), unix.Close(p.wake[0]), unix.Close(p.wake[1]))
	close(p.released)
}
