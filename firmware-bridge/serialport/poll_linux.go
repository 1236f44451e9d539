package serialport

import (
	"time"

	"golang.org/x/sys/unix"
)

// poll waits for fds for d at most.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	return unix.Ppoll(fds, &ts, nil)
}
