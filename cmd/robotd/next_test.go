package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/record"
)

// flown lets robotd arm the robot behind port, hold it for a second and end. On a busy
// machine it may end early, with torque off all the same; armed says that it had torque.
func flown(t *testing.T, port string) (armed bool) {
	t.Helper()
	d := launch(t, "--robot", "kata20", "--port", port, "--arm", "--for", "3s", "--record", "none")
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		t.Fatal("robotd does not end")
	}
	s, err := record.LoadStats(filepath.Join(d.dir, "stats.json"))
	return err == nil && s.Armed > 0 && s.TorqueOff
}

// After robotd has ended, the libraries that other people use find the servos usable:
// watchdogs off, torque on, and half a second later a goal is taken. Each library comes by
// "make deps", into .deps/python.
func TestOtherProgramsAfterRobotd(t *testing.T) {
	if testing.Short() {
		t.Skip("runs in real time for seconds")
	}
	deps, err := filepath.Abs("../../.deps/python")
	if err != nil {
		t.Fatal(err)
	}
	python := append(os.Environ(), "PYTHONPATH="+deps)
	for _, library := range []string{"dynamixel_sdk", "rustypot"} {
		t.Run(library, func(t *testing.T) {
			try := exec.Command("python3", "-c", "import "+library)
			if try.Env = python; try.Run() != nil {
				t.Skipf("python3 has no %s: \"make deps\" installs it where there is one for this Python", library)
			}
			_, port := emulated(t)
			armed := false
			for tries := 0; tries < 3 && !armed; tries++ {
				armed = flown(t, port)
			}
			if !armed {
				t.Skip("this machine is too busy for robotd to arm with the limits of hardware")
			}
			next := exec.Command("python3", "testdata/next_program.py", library, port, "3000000")
			next.Env = python
			out, err := next.Output()
			if err != nil {
				var failed *exec.ExitError
				if errors.As(err, &failed) {
					t.Fatalf("%v\n%s", err, failed.Stderr)
				}
				t.Fatal(err)
			}
			var got struct{ Watchdogs, Goals, Positions []int }
			if err := json.Unmarshal(out, &got); err != nil || len(got.Watchdogs) != 20 || len(got.Goals) != 20 || len(got.Positions) != 20 {
				t.Fatalf("%v: %s", err, out)
			}
			for i := range 20 {
				if got.Watchdogs[i] != 0 || got.Goals[i] != got.Positions[i] || got.Positions[i] < 100 {
					t.Errorf("servo %d: watchdog %d, goal %d, position %d", i+1, got.Watchdogs[i], got.Goals[i], got.Positions[i])
				}
			}
		})
	}
}
