package main

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// A service manager hears that robotd is ready when its loop begins, that ticks end, how the robot is, and that robotd
// is about to end.
func TestUnderAServiceManager(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", fmt.Sprint((400 * time.Millisecond).Microseconds()))
	d := launch(t, "--robot", "kata20", "--sim")
	var heard []string
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			_ = l.SetReadDeadline(time.Now().Add(time.Minute))
			n, err := l.Read(buf)
			if err != nil {
				t.Fatalf("never %q: %v, only %q", want, err, heard)
			}
			heard = append(heard, string(buf[:n]))
			if strings.HasPrefix(heard[len(heard)-1], want) {
				return
			}
		}
	}
	hear("READY=1\n")
	if len(heard) != 1 {
		t.Errorf("before it is ready: %q", heard)
	}
	hear("WATCHDOG=1")
	hear("STATUS=hold, torque on, ")
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1\n")
	if !slices.ContainsFunc(heard, func(s string) bool { return strings.HasPrefix(s, "STATUS=settle, torque on, ") }) {
		t.Errorf("no word of how it settles: %q", heard)
	}
	d.exit(fault.ExitDone, time.Minute)
}
