package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// loop is the process that owns the buses.
func (d *daemon) loop() int {
	d.t.Helper()
	m := regexp.MustCompile(`loop: process (\d+)`).FindStringSubmatch(d.out.String())
	if m == nil {
		d.t.Fatal("nobody told of the loop's process")
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		d.t.Fatal(err)
	}
	return pid
}

func send(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// gone waits until a process has ended, or is only waited for by its parent.
func gone(t *testing.T, pid int, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, rest, ok := strings.Cut(string(text), ") "); err != nil || ok && rest[0] == 'Z' {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d did not end within %v: %s", pid, within, text)
		}
	}
}

// torqueOff waits for the instants at which the robot lost its torque, in the eyes of the
// emulated servos.
func torqueOff(t *testing.T, file string, within time.Duration) (at []time.Time) {
	t.Helper()
	for end := time.Now().Add(within); len(at) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("torque never went off")
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.FieldsSeq(string(text)) {
			ns, err := strconv.ParseInt(line, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Unix(0, ns))
		}
	}
	return at
}

// slack is what a crowded machine adds to any time.
const slack = 1500 * time.Millisecond

// Either process may die or freeze at any instant, in hold and while a policy plays:
// torque goes off in the tabled time, once; nobody who wakes up later energises anything;
// the recording opens. With --sim the limits on silence are 1 s and 1.5 s.
func TestEitherProcessMayDieOrFreeze(t *testing.T) {
	for _, c := range []struct {
		name    string
		gateway bool // is hit, else the loop
		hit     syscall.Signal
		tabled  time.Duration
		code    int // of robotd; -1: it was killed
		cause   string
	}{
		{"loop killed", false, syscall.SIGKILL, time.Second, fault.ExitFailed, "loop-lost"},
		{"loop frozen", false, syscall.SIGSTOP, 2500 * time.Millisecond, fault.ExitFailed, "loop-lost"},
		{"gateway killed", true, syscall.SIGKILL, 5 * time.Second, -1, ""},
		{"gateway frozen", true, syscall.SIGSTOP, 5 * time.Second, fault.ExitFailed, "gateway-lost"},
	} {
		for _, plays := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plays %v", c.name, plays), func(t *testing.T) {
				off := filepath.Join(t.TempDir(), "off")
				args := []string{"--robot", "kata20", "--sim", "--sim-arg=--off=" + off}
				if plays {
					args = append(args, "--policy", playback(t, 20, nil), "--hold", "200ms")
				}
				d := launch(t, args...)
				if d.says("arming -> hold"); plays {
					d.says("hold -> active")
				}
				loop, victim := d.loop(), d.cmd.Process.Pid
				if !c.gateway {
					victim = loop
				}
				hit := time.Now()
				send(t, victim, c.hit)
				took := torqueOff(t, off, 30*time.Second)[0].Sub(hit)
				t.Logf("torque off after %v", took)
				if took > c.tabled+slack {
					t.Errorf("torque went off after %v, tabled is %v", took, c.tabled)
				}
				gone(t, loop, 10*time.Second)
				if c.gateway && c.hit == syscall.SIGSTOP {
					send(t, victim, syscall.SIGCONT)
				}
				d.exit(c.code, 20*time.Second)
				if n := len(torqueOff(t, off, time.Second)); n != 1 {
					t.Errorf("torque went off %d times: somebody had switched it on again", n)
				}
				f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
				if err != nil || len(f.Ticks) == 0 || f.Truncated != (c.code == -1) {
					t.Fatalf("recording: %v, cut off: %v", err, f != nil && f.Truncated)
				}
				if c.code == -1 {
					return
				}
				if end := d.stats().Transitions; end[len(end)-1].Why != c.cause && end[len(end)-2].Why != c.cause {
					t.Errorf("changes %+v", end)
				}
				if s := d.stats(); s.Cause != c.cause || !s.TorqueOff || s.Truth == nil || s.Truth.TorqueOn != 0 {
					t.Errorf("cause %q, torque off %v, truth %+v", s.Cause, s.TorqueOff, s.Truth)
				}
				if s := d.stats(); s.Armed != 1 || s.Ticks < 100 || s.BusUs.P50 == 0 || s.MinSupplyV == 0 || s.MaxTempC == 0 {
					t.Errorf("the loop's counts are lost: %+v", s)
				}
			})
		}
	}
}

// The whole robot computer stands still, and goes on: nobody accuses the other, and the
// robot settles.
func TestBothAreFrozenAndGoOn(t *testing.T) {
	off := filepath.Join(t.TempDir(), "off")
	d := launch(t, "--robot", "kata20", "--sim", "--sim-arg=--off="+off)
	d.says("arming -> hold")
	loop := d.loop()
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		send(t, d.cmd.Process.Pid, s)
		send(t, loop, s)
		time.Sleep(3 * time.Second) // the stall
	}
	d.exit(fault.ExitFailed, 30*time.Second)
	s := d.stats()
	own := s.Cause == "loop-overrun" || s.Cause == "monitoring-stale" // what a gap of the loop's own leads to
	if !own || states(s) != "arming hold settle disarmed" || !s.TorqueOff || s.Truth.TorqueOn != 0 {
		t.Errorf("cause %q, states %q, torque off %v", s.Cause, states(s), s.TorqueOff)
	}
	if n := len(torqueOff(t, off, time.Second)); n != 1 {
		t.Errorf("torque went off %d times", n)
	}
}

// A loop's process that is frozen hears no e-stop: who insists has torque off all the
// same, and does not wait until it counts as frozen.
func TestSecondCtrlCPastAFrozenLoop(t *testing.T) {
	off := filepath.Join(t.TempDir(), "off")
	d := launch(t, "--robot", "kata20", "--sim", "--sim-arg=--off="+off)
	d.says("arming -> hold")
	began := time.Now()
	send(t, d.loop(), syscall.SIGSTOP)
	for range 2 {
		send(t, d.cmd.Process.Pid, syscall.SIGINT)
		time.Sleep(20 * time.Millisecond) // two orders, not one
	}
	took := torqueOff(t, off, 30*time.Second)[0].Sub(began)
	t.Logf("torque off after %v", took)
	if took > time.Second+slack {
		t.Errorf("torque went off after %v", took)
	}
	d.exit(fault.ExitFailed, 20*time.Second)
	if s := d.stats(); s.Cause != "loop-lost" || !s.TorqueOff {
		t.Errorf("cause %q, torque off %v", s.Cause, s.TorqueOff)
	}
}

// Signals of terminals and service managers are the gateway's business: the loop goes on.
func TestTheLoopHearsNoSignals(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim")
	d.says("arming -> hold")
	own, err := syscall.Getpgid(d.loop())
	if group, e := syscall.Getpgid(d.cmd.Process.Pid); err != nil || e != nil || own == group {
		t.Errorf("the loop is in the gateway's process group (%v, %v)", err, e)
	}
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGPIPE} {
		send(t, d.loop(), s)
	}
	send(t, d.cmd.Process.Pid, syscall.SIGINT)
	d.exit(fault.ExitDone, 30*time.Second)
	if s := d.stats(); states(s) != "arming hold settle disarmed" || s.Cause != "" {
		t.Errorf("states %q, cause %q", states(s), s.Cause)
	}
}
