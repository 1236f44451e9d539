package robot

import (
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/service"
	"github.com/mitori-robotics/mitori/models/record"
)

// manager is a service manager, and what it hears next.
func manager(t *testing.T) (*service.Manager, func() string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", name)
	m, err := service.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); l.Close() })
	return m, func() string {
		buf := make([]byte, 4096)
		_ = l.SetReadDeadline(time.Now().Add(time.Second))
		n, _ := l.Read(buf)
		return string(buf[:n])
	}
}

// No service arms a robot by itself: it would after every restart.
func TestNoServiceArmsByItself(t *testing.T) {
	boss, _ := manager(t)
	for _, c := range []struct {
		boss     *service.Manager
		arm, sim bool
		refused  bool
	}{{boss, true, false, true}, {boss, false, false, false}, {boss, true, true, false}, {nil, true, false, false}} {
		r := &run{boss: c.boss, o: Options{Config: Config{Arm: c.arm}, Sim: c.sim}}
		if err := r.mayServe(); (err != nil) != c.refused || c.refused && fault.Code(err) != fault.ExitUsage {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The manager's own status line says how the robot is.
func TestTheManagerHearsTheState(t *testing.T) {
	boss, hears := manager(t)
	said := &bytes.Buffer{}
	tell := console.New(said, &crash.Net{})
	s := served{tell, boss}
	s.Status(record.Status{State: "hold", SupplyV: 11.94, MaxTempC: 41, Conditions: "warm"})
	s.Event("an event")
	if got := hears(); got != "STATUS=hold, torque on, 11.9 V, 41 C: warm" {
		t.Errorf("%q", got)
	}
	s.Status(record.Status{State: "disarmed", TorqueOff: true})
	if got := hears(); got != "STATUS=disarmed, torque off, 0.0 V, 0 C" {
		t.Errorf("%q", got)
	}
	if tell.Close(); !strings.Contains(said.String(), "an event") {
		t.Errorf("the console hears %q", said)
	}
}
