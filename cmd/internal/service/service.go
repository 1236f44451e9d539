// Package service tells a service manager how robotd is: ready, alive, what it does, about to end. It speaks the
// notification protocol of systemd (sd_notify(3)): datagrams to the socket that $NOTIFY_SOCKET names.
//
// Being alive is proved, not claimed: [Manager.Watch] passes on that ticks of the control loop have ended since it last
// looked, and says nothing where none has. The files for systemd and udev lie in packaging/.
//
// What is not here: what ends robotd (package orders). A nil [Manager] says nothing, so that callers need not ask whether
// there is one. Any goroutine may use it; nothing here waits for whoever listens.
package service

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Manager is whoever started this process and wants to hear of it.
type Manager struct {
	line     *net.UnixConn
	watchdog time.Duration // it wants to hear that often that we are alive; 0: not at all
}

// variables are what a service manager sets for this process alone.
var variables = [...]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}

// patience is how long one message may take.
const patience = 50 * time.Millisecond

// Open returns the service manager that started this process, nil where none did. The variables that name it are taken
// away, so that no child speaks for this process.
func Open() (*Manager, error) {
	env := map[string]string{}
	for _, v := range variables {
		env[v] = os.Getenv(v)
		_ = os.Unsetenv(v)
	}
	name := env["NOTIFY_SOCKET"]
	if name == "" {
		return nil, nil
	}
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil, fmt.Errorf("service: NOTIFY_SOCKET is %q; legal: an absolute path, or @name", name)
	}
	line, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("service: NOTIFY_SOCKET: %w", err)
	}
	m := &Manager{line: line}
	if pid := env["WATCHDOG_PID"]; pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return m, nil
	}
	if text := env["WATCHDOG_USEC"]; text != "" {
		us, err := strconv.ParseInt(text, 10, 64)
		if err != nil || us <= 0 {
			line.Close()
			return nil, fmt.Errorf("service: WATCHDOG_USEC is %q; legal: a whole number above 0", text)
		}
		m.watchdog = time.Duration(us) * time.Microsecond
	}
	return m, nil
}

// say sends lines of one message. A manager that does not listen is no reason to do anything else.
func (m *Manager) say(lines ...string) {
	if m == nil {
		return
	}
	_ = m.line.SetWriteDeadline(time.Now().Add(patience))
	_, _ = m.line.Write([]byte(strings.Join(lines, "\n")))
}

// Ready says that robotd does what it is for.
func (m *Manager) Ready() { m.say("READY=1", "WATCHDOG=1") }

// Does says in words what robotd does.
func (m *Manager) Does(what string) {
	m.say("STATUS=" + strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, what))
}

// Ends says that robotd is about to end, and that this may take so long.
func (m *Manager) Ends(within time.Duration) {
	m.say("STOPPING=1", "WATCHDOG=1", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", within.Microseconds()))
}

// Alive says that something has got on that Watch does not see.
func (m *Manager) Alive() { m.say("WATCHDOG=1") }

// looks is how often in the time of a watchdog the ticks are looked at.
const looks = 4

// Watch tells of ticks: how many have ended. Stop must be called; it returns when nothing is told any more.
func (m *Manager) Watch(ticks func() uint64) (stop func()) {
	if m == nil || m.watchdog == 0 {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	look := time.NewTicker(m.watchdog / looks)
	go func() {
		defer close(done)
		defer look.Stop()
		m.watch(ticks, look.C, quit)
	}()
	return sync.OnceFunc(func() { close(quit); <-done })
}

func (m *Manager) watch(ticks func() uint64, look <-chan time.Time, quit <-chan struct{}) {
	last := ticks()
	for {
		select {
		case <-quit:
			return
		case <-look:
			if now := ticks(); now != last {
				last = now
				m.Alive()
			}
		}
	}
}

// Close ends the line.
func (m *Manager) Close() {
	if m != nil {
		m.line.Close()
	}
}
