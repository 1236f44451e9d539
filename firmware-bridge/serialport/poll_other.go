//go:build !linux

package serialport

import (
	"time"

	"golang.org/x/sys/unix"
)

// poll waits for fds for d at most; less than a millisecond is rounded up to one.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	ms := d.Milliseconds()
	if ms == 0 && d > 0 {
		ms = 1
	}
	return unix.Poll(fds, int(ms))
}
