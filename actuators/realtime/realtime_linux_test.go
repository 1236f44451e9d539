package realtime

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What Enter does not say is missing is there, what it says is missing is not, and leaving puts the thread back.
func TestEnterSaysWhatIsMissing(t *testing.T) {
	const priority = 70
	done := make(chan struct{})
	go func() {
		defer close(done)
		notes, leave := Enter(priority)
		runtime.LockOSThread() // leave unlocks once: the thread stays for the last look
		all := strings.Join(notes, "\n")
		if attr := scheduling(t); (attr.Policy == unix.SCHED_FIFO && attr.Priority == priority) == strings.Contains(all, "no real-time priority") {
			t.Errorf("policy %d, priority %d, and the notes say %q", attr.Policy, attr.Priority, all)
		}
		if lockedPages(t) == strings.Contains(all, "memory not locked") {
			t.Errorf("memory locked: %v, and the notes say %q", lockedPages(t), all)
		}
		leave()
		if attr := scheduling(t); attr.Policy != unix.SCHED_NORMAL {
			t.Errorf("after leaving the thread's policy is %d, want %d", attr.Policy, unix.SCHED_NORMAL)
		}
	}()
	<-done
}

func scheduling(t *testing.T) *unix.SchedAttr {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Errorf("no scheduling attributes: %v", err)
		return &unix.SchedAttr{}
	}
	return attr
}

func lockedPages(t *testing.T) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Error(err)
	}
	return regexp.MustCompile(`VmLck:\s+[1-9]`).Match(status)
}
