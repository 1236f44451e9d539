package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/record"
)

// programs builds robotd as it ships and a mitori without physics, once. The emulator's
// own truth is what these tests believe, and it must survive the terminal as well.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "robotd-test-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	build := exec.Command("go", "build", "-o", dir, ".", "../mitori")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w: %s", err, out)
	}
	return dir, err
})

// builtDir is what TestMain removes at the end.
var builtDir string

// shipped starts the shipped robotd on a physics-free bus, writing to console.
func shipped(t *testing.T, console *os.File, args ...string) *daemon {
	t.Helper()
	if testing.Short() {
		t.Skip("runs in real time for seconds")
	}
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: t.TempDir(), out: &said{}, ended: make(chan error, 1)}
	d.cmd = exec.Command(filepath.Join(bin, "robotd"), append([]string{"--robot", "kata20", "--sim", "--mqtt", "off",
		"--stats", "stats.json", "--record", "flight.mcap", "--sim-arg=--plant=ideal", "--sim-arg=--truth=truth.json"}, args...)...)
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr = d.dir, console, console
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	return d
}

// flying waits until the recording says that the robot is in that state: these
// tests take away what robotd says.
func (d *daemon) flying(state string) {
	d.t.Helper()
	d.recorded(state, func(ticks []*recorder.Tick) bool { return ticks[len(ticks)-1].Mode == state })
}

// recorded waits until the ticks recorded so far, of which there is one at least,
// satisfy yes; what says what is waited for.
func (d *daemon) recorded(what string, yes func([]*recorder.Tick) bool) {
	d.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		select {
		case err := <-d.ended:
			why := "without statistics"
			if s, e := record.LoadStats(filepath.Join(d.dir, "stats.json")); e == nil {
				why = fmt.Sprintf("%s, cause %q, %d of %d ticks missed, %q", states(s), s.Cause, s.MissedTicks, s.Ticks+s.MissedTicks, s.Notes)
			}
			d.t.Fatalf("robotd ended (%v) before it was %s: %s", err, what, why)
		default:
		}
		f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
		if err == nil && len(f.Ticks) > 0 && yes(f.Ticks) {
			return
		}
	}
	d.t.Fatalf("robotd was never %s", what)
}

// safe checks the end: by itself, in time, and no servo with torque in the eyes
// of the emulator.
func (d *daemon) safe(code int, within time.Duration) *record.Stats {
	d.t.Helper()
	d.exit(code, within)
	var truth struct {
		TorqueOn *int `json:"torque_on"`
	}
	name := filepath.Join(d.dir, "truth.json")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(name)
		if err == nil && json.Unmarshal(text, &truth) == nil && truth.TorqueOn != nil {
			break
		}
		if time.Now().After(end) {
			d.t.Fatal("the emulator left no truth")
		}
	}
	if *truth.TorqueOn != 0 {
		d.t.Errorf("%d servos have torque", *truth.TorqueOn)
	}
	f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
	if err != nil || f.Truncated {
		d.t.Errorf("the recording was not closed: %v", err)
	}
	return d.stats()
}

func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// pipe is a console; the reader's end is the test's.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

const (
	settled = "arming hold settle disarmed"
	played  = "arming hold active settle disarmed"
)

// Whatever a terminal, a reader or a service manager does ends with torque off,
// in hold and while a motion plays.
func TestEveryWayOutEndsWithoutTorque(t *testing.T) {
	signals := func(s ...syscall.Signal) func(*daemon, *os.File) {
		return func(d *daemon, _ *os.File) {
			for _, s := range s {
				d.signal(s)
			}
		}
	}
	ways := []struct {
		name string
		do   func(d *daemon, reader *os.File)
	}{
		{"hangup", signals(syscall.SIGHUP)},
		{"hangup twice, as terminals do", signals(syscall.SIGHUP, syscall.SIGHUP)},
		{"TERM and HUP, as service managers do", signals(syscall.SIGTERM, syscall.SIGHUP)},
		{"quit", signals(syscall.SIGQUIT)},
		{"Ctrl-Z", signals(syscall.SIGTSTP)},
		{"reader dies first, then Ctrl-C", func(d *daemon, r *os.File) { r.Close(); d.signal(syscall.SIGINT) }},
	}
	for _, state := range []string{"hold", "active"} {
		for _, way := range ways {
			t.Run(state+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				r, w := pipe(t)
				args, want := []string{}, settled
				if state == "active" {
					args, want = []string{"--policy", playback(t, 4, nil), "--hold", "200ms"}, played
				}
				d := shipped(t, w, args...)
				w.Close()
				d.flying(state)
				way.do(d, r)
				if s := d.safe(fault.ExitDone, 40*time.Second); states(s) != want || !s.TorqueOff {
					t.Errorf("states %q, want %q; torque off %v", states(s), want, s.TorqueOff)
				}
			})
		}
	}
}

// robotd goes on for its whole time when its reader goes (| head -3) and when
// it stops reading (| less), and keeps recording.
func TestNobodyReads(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		t.Run(fmt.Sprintf("stuck %v", stuck), func(t *testing.T) {
			t.Parallel()
			r, w := pipe(t)
			d := shipped(t, w, "--json", "--for", "6s")
			if stuck {
				if !fill(t, w) {
					t.Skip("no pipe could be filled here")
				}
			} else {
				r.Close()
			}
			w.Close()
			s := d.safe(fault.ExitDone, 40*time.Second)
			if states(s) != settled || s.Cause != "" || s.Dropped != 0 {
				t.Errorf("states %q, cause %q, %d ticks not recorded", states(s), s.Cause, s.Dropped)
			}
			if !stuck && !strings.Contains(strings.Join(s.Notes, "\n"), "nobody read them") {
				t.Errorf("the notes do not tell of the dropped lines: %q", s.Notes)
			}
		})
	}
}

// fill writes into a pipe until nothing goes in any more.
func fill(t *testing.T, w *os.File) bool {
	t.Helper()
	fd, err := syscall.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	// F_SETFL acts on the pipe's one description, robotd's too: set back below.
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 4096)
	for {
		if _, err = syscall.Write(fd, chunk); err != nil {
			break
		}
	}
	return syscall.SetNonblock(fd, false) == nil && err == syscall.EAGAIN
}

// The second Ctrl-C works while nobody reads.
func TestSecondCtrlCWithAStuckReader(t *testing.T) {
	_, w := pipe(t)
	d := shipped(t, w, "--json")
	if !fill(t, w) {
		t.Skip("no pipe could be filled here")
	}
	d.flying("hold")
	d.signal(syscall.SIGINT)
	d.flying("settle")
	d.signal(syscall.SIGQUIT)
	if s := d.safe(fault.ExitFailed, 20*time.Second); s.EndState != "fault" || s.Cause != "request estop" || !s.TorqueOff {
		t.Errorf("%s because of %q, torque off %v", s.EndState, s.Cause, s.TorqueOff)
	}
}

// A real terminal that is closed: the kernel hangs up on robotd's session.
func TestTerminalCloses(t *testing.T) {
	if testing.Short() {
		t.Skip("runs in real time for seconds")
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: t.TempDir(), out: &said{}, ended: make(chan error, 1)}
	d.cmd = exec.Command(filepath.Join(bin, "robotd"), "--robot", "kata20", "--sim", "--mqtt", "off", "--stats", "stats.json",
		"--record", "flight.mcap", "--sim-arg=--plant=ideal", "--sim-arg=--truth=truth.json")
	d.cmd.Dir, d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = d.dir, slave, slave, slave
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	d.flying("hold") // nobody reads the terminal either
	master.Close()
	if s := d.safe(fault.ExitDone, 40*time.Second); states(s) != settled {
		t.Errorf("states %q", states(s))
	}
}
