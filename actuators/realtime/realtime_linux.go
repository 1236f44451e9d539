package realtime

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Enter locks the calling goroutine to its thread, gives the thread the
// real-time priority 1..99 (below the kernel's interrupt threads: 70 to 80) and
// locks the process's memory. It returns, in words, what was not permitted. The
// returned function undoes the locking of the thread.
func Enter(priority int) (notes []string, leave func()) {
	runtime.LockOSThread()
	attr := &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: uint32(priority),
		// Threads that the runtime starts from this one must not inherit it.
		Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		notes = append(notes, fmt.Sprintf("no real-time priority (%v): lateness will be 10 to 50 times higher under load; "+
			"run with CAP_SYS_NICE or raise RLIMIT_RTPRIO to %d", err, priority))
	}
	if err := lockMemory(); err != nil {
		notes = append(notes, fmt.Sprintf("memory not locked (%v): a page fault may delay a tick; run with CAP_IPC_LOCK", err))
	}
	return notes, func() {
		normal := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
		if unix.SchedSetAttr(0, normal, 0) == nil {
			runtime.UnlockOSThread() // otherwise the thread ends with its goroutine
		}
	}
}

// lockMemory keeps pages in RAM once touched. With a finite limit and no
// capability a later mapping would fail and end the process, so it is not tried.
func lockMemory() error {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &lim); err != nil {
		return err
	}
	if os.Geteuid() != 0 && lim.Cur != math.MaxUint64 {
		return fmt.Errorf("limit of %d bytes", lim.Cur)
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// totalMemory is how many bytes this process may hope for: the machine's, or those of
// the control group where that has fewer; 0 if nothing can be read.
func totalMemory() uint64 {
	var info unix.Sysinfo_t
	var total uint64
	if unix.Sysinfo(&info) == nil {
		total = uint64(info.Totalram) * uint64(info.Unit) //nolint:unconvert // 32 bits on some machines
	}
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max") // "max" where there is none
	if group, e := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && e == nil && group > 0 {
		total = min(total, group)
	}
	return total
}

// NowNs reads the monotonic clock.
func NowNs() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		panic("realtime: no monotonic clock")
	}
	return ts.Nano()
}

// SleepUntil blocks until the monotonic clock reads ns. Unlike a relative sleep
// it does not drift, and unlike the runtime's timers it does not round up to a
// millisecond.
func SleepUntil(ns int64) {
	ts := unix.NsecToTimespec(ns)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}
