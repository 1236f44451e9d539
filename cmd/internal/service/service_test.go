package service

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listening is a service manager of the test.
func listening(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// heard is the next message, "" if there is none.
func heard(t *testing.T, l *net.UnixConn, wait time.Duration) string {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := l.Read(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func opened(t *testing.T, socket, usec, pid string) (*Manager, error) {
	t.Helper()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", usec)
	t.Setenv("WATCHDOG_PID", pid)
	m, err := Open()
	for _, v := range variables {
		if os.Getenv(v) != "" {
			t.Errorf("children see %s", v)
		}
	}
	t.Cleanup(m.Close)
	return m, err
}

// What is said arrives as the protocol wants it, at a path and at a name without one.
func TestWhatIsSaid(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@mitori-test-%d", os.Getpid())} {
		l := listening(t, name)
		m, err := opened(t, name, "", "")
		if err != nil {
			t.Fatal(err)
		}
		m.Ready()
		m.Does("hold\nREADY=0\x1b")
		m.Ends(3 * time.Second)
		m.Alive()
		for _, want := range []string{"READY=1\nWATCHDOG=1", "STATUS=hold READY=0 ", "STOPPING=1\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=3000000", "WATCHDOG=1"} {
			if got := heard(t, l, time.Second); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// Alive is who ends ticks. A loop that stands still is silence, however often it is looked at.
func TestAliveIsProved(t *testing.T) {
	l := listening(t, filepath.Join(t.TempDir(), "notify"))
	m, err := opened(t, l.LocalAddr().String(), "1000000", fmt.Sprint(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	n, looked := uint64(0), make(chan struct{}, 1)
	look, quit := make(chan time.Time), make(chan struct{})
	go m.watch(func() uint64 { looked <- struct{}{}; return n }, look, quit)
	<-looked
	for i, step := range []uint64{0, 1, 0, 0, 500, 1, 0} {
		n += step
		look <- time.Time{}
		<-looked
		look <- time.Time{} // what follows a look is done when the next is taken
		<-looked
		want := ""
		if step > 0 {
			want = "WATCHDOG=1"
		}
		if got := heard(t, l, map[bool]time.Duration{true: time.Second, false: time.Millisecond}[step > 0]); got != want {
			t.Errorf("look %d after %d ticks: %q, want %q", i, step, got, want)
		}
		if more := heard(t, l, time.Millisecond); more != "" {
			t.Errorf("look %d: %q too", i, more)
		}
	}
	close(quit)
}

// The real watch looks several times in the manager's time, and ends.
func TestWatch(t *testing.T) {
	l := listening(t, filepath.Join(t.TempDir(), "notify"))
	m, err := opened(t, l.LocalAddr().String(), "80000", "")
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	stop := m.Watch(func() uint64 { n++; return n })
	for range 5 {
		if got := heard(t, l, 10*time.Second); got != "WATCHDOG=1" {
			t.Fatalf("%q", got)
		}
	}
	stop()
	stop()
	for heard(t, l, time.Millisecond) != "" {
	}
	last := n
	if m.Alive(); heard(t, l, time.Second) != "WATCHDOG=1" || n != last {
		t.Errorf("%d looks after the end", n-last)
	}
}

// Where there is no manager, or one that wants no watchdog of this process, nothing is said; what is no address is refused.
func TestWithoutAManager(t *testing.T) {
	m, err := opened(t, "", "1000000", "")
	if m != nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	m.Ready()
	m.Does("x")
	m.Ends(0)
	m.Watch(nil)()
	l := listening(t, filepath.Join(t.TempDir(), "notify"))
	other, err := opened(t, l.LocalAddr().String(), "1000", "1")
	if err != nil {
		t.Fatal(err)
	}
	other.Watch(nil)() // would panic
	for _, c := range []struct{ socket, usec, says string }{
		{"relative", "", `"relative"; legal: an absolute path`}, {l.LocalAddr().String(), "soon", `WATCHDOG_USEC is "soon"`},
		{filepath.Join(t.TempDir(), "gone"), "", "no such file"},
	} {
		if _, err := opened(t, c.socket, c.usec, ""); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A manager that does not read holds nothing up.
func TestADeafManager(t *testing.T) {
	l := listening(t, filepath.Join(t.TempDir(), "notify"))
	m, err := opened(t, l.LocalAddr().String(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			m.Does(strings.Repeat("x", 3000))
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("held up")
	}
}
