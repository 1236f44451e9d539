package serialport

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fifo gives this thread a real-time priority on one processor, or on any (-1); it skips
// where that is not permitted. The thread is not given back.
func fifo(t *testing.T, priority uint32, cpu int) {
	t.Helper()
	runtime.LockOSThread()
	if cpu >= 0 {
		var set unix.CPUSet
		set.Set(cpu)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			t.Errorf("processor %d: %v", cpu, err)
		}
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		t.Errorf("SCHED_FIFO %d: %v", priority, err)
	}
}

// permitted reports whether threads may have real-time priority.
func permitted() bool {
	ok := make(chan bool)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
		ok <- unix.SchedSetAttr(0, &attr, 0) == nil
	}()
	return <-ok
}

// A terminal hands bytes on by a thread of the kernel that has no priority. Where that
// gets no processor, what came is late; but a read of a thread with priority ends in its
// time, or a busy host would hold the loop up.
func TestReadsEndInTimeOnABusyHost(t *testing.T) {
	if !permitted() {
		t.Skip("real-time priority is not permitted here")
	}
	const busy, timeout = 150 * time.Millisecond, 5 * time.Millisecond
	master, p, _ := open(t)
	out, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = p.SetReadTimeout(timeout)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 4))
	waited, worst := 0, time.Duration(0)
	var all sync.WaitGroup
	var placed atomic.Int64
	end := time.Now().Add(busy)
	for cpu := range runtime.NumCPU() {
		all.Go(func() {
			fifo(t, 10, cpu)
			placed.Add(1)
			for time.Now().Before(end) {
			}
		})
	}
	all.Go(func() {
		fifo(t, 70, -1)
		for placed.Load() < int64(runtime.NumCPU()) && time.Now().Before(end) {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil) // the scheduler of Go gets no processor any more
		}
		buf := make([]byte, 64)
		for time.Now().Add(timeout).Before(end) {
			_ = out.Write(func(fd uintptr) bool { _, err = unix.Write(int(fd), []byte{1, 2, 3}); return true })
			began := time.Now()
			n, err := p.Read(buf)
			worst = max(worst, time.Since(began))
			if errors.Is(err, os.ErrDeadlineExceeded) {
				waited++
			} else if err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
	})
	all.Wait()
	if t.Failed() {
		return
	}
	if worst > timeout+busy/3 {
		t.Errorf("a read with a timeout of %v took %v while the processors were busy for %v", timeout, worst, busy)
	}
	if waited == 0 && worst < timeout {
		t.Skip("this kernel hands bytes on by itself: nothing was tested")
	}
}
