package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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

// Prometheus finds the robot on a socket, and nothing there once robotd has ended.
func TestMetricsOfAFlight(t *testing.T) {
	dir := t.TempDir()
	socket, file := filepath.Join(dir, "m.sock"), filepath.Join(dir, "robotd.yaml")
	if err := os.WriteFile(file, []byte("robot: kata20\nmetrics: unix:"+socket+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := launch(t, "--config", file, "--sim", "--for", "4s")
	d.says("arming -> hold")
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	res, err := client.Get("http://robot/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`robotd_state{state="hold"} 1`, `robotd_info{robot="kata20",`, "robotd_torque_off 0\n", "robotd_armed_total 1\n",
		`robotd_joint_temperature_celsius{joint="l_knee",id="`, "robotd_recorder_lost_ticks_total 0\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	d.exit(fault.ExitDone, time.Minute)
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is left behind")
	}
}
