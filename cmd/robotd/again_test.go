package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// emulated is an emulated robot that is there without robotd: its process and its device.
func emulated(t *testing.T) (c *exec.Cmd, port string) {
	t.Helper()
	c = exec.Command(filepath.Join(bin(t), "mitori"), "bus", "emulate", "--robot", "kata20")
	stdin, err := c.StdinPipe() // it ends with it
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = c.Process.Kill(); _ = c.Wait() })
	var first struct{ Port string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &first) != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return c, first.Port
}

// emulatedBehind is one whose device has another name, as an adapter has in /dev/serial/by-id.
func emulatedBehind(t *testing.T, link string) *exec.Cmd {
	t.Helper()
	c, port := emulated(t)
	_ = os.Remove(link)
	if err := os.Symlink(port, link); err != nil {
		t.Fatal(err)
	}
	return c
}

// daemonOn is a robotd that waits for an operator, on a port that is no simulator's own.
func daemonOn(t *testing.T, link string) *daemon {
	t.Helper()
	d := launch(t, "--robot", "kata20", "--port", link, "--mqtt", "embedded")
	d.says("20 servos on")
	return d
}

// The adapter is pulled, and plugged in again under the same name: robotd goes on with it, disarmed, in a fault that
// somebody must reset.
func TestTheAdapterComesBack(t *testing.T) {
	dir := bin(t)
	link := filepath.Join(dir, "servo-bus")
	first := emulatedBehind(t, link)
	d := daemonOn(t, link)
	op := d.operator()
	if ack := op.send("reset"); ack.Accepted {
		t.Errorf("a reset without a fault: %+v", ack)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.says("the servos are gone; waiting for them on " + link)
	if ack := op.send("arm"); ack.Accepted || !strings.Contains(ack.Reason, "the servos are gone") {
		t.Errorf("arm without servos: %+v", ack)
	}
	emulatedBehind(t, link)
	d.says("is there again")
	d.says("in a fault until somebody resets it")
	if ack := op.send("arm"); ack.Accepted || !strings.Contains(ack.Reason, "fault") {
		t.Errorf("arm before a reset: %+v", ack)
	}
	if ack := op.send("reset"); !ack.Accepted || !strings.Contains(ack.Did, "disarmed") {
		t.Errorf("reset: %+v", ack)
	}
	d.says("fault -> disarmed")
	d.signal(syscall.SIGTERM)
	d.exit(fault.ExitDone, time.Minute)
	if s := d.stats(); s.Reconnects != 1 || !s.TorqueOff || s.EndState != "disarmed" {
		t.Errorf("%d reconnects, torque off %v, %s", s.Reconnects, s.TorqueOff, s.EndState)
	}
}

// What comes back under torque is left alone, as at the start: robotd ends, and no service manager starts it again.
func TestWhatComesBackUnderTorqueIsLeftAlone(t *testing.T) {
	dir := bin(t)
	link, other := filepath.Join(dir, "servo-bus"), filepath.Join(dir, "other-bus")
	emulatedBehind(t, other)
	port, err := serialport.Open(other, 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	bus := dxl.NewBus(port, dxl.Config{Baud: 3_000_000, Retries: 10, Margin: 100 * time.Millisecond})
	if err := dxl.Write(bus, 7, dxl.TorqueEnable, 1); err != nil {
		t.Fatal(err)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	first := emulatedBehind(t, link)
	d := daemonOn(t, link)
	energised, err := os.Readlink(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.says("the servos are gone")
	if err := os.Symlink(energised, link); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitRefused, time.Minute)
	if text := d.out.String(); !strings.Contains(text, "--release") {
		t.Error("nobody is told what to do")
	}
}
