package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/actuators/selftest"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// looked runs one command line of a robotd that has its emulator beside it.
func looked(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs in real time for seconds")
	}
	dir := bin(t)
	c := exec.Command(filepath.Join(dir, "robotd"), args...)
	c.Dir, c.Env = t.TempDir(), append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	var o, e bytes.Buffer
	c.Stdout, c.Stderr, c.Stdin = &o, &e, strings.NewReader("")
	_ = c.Run() // its exit code is looked at
	return c.ProcessState.ExitCode(), o.String(), e.String()
}

// --check says by its exit code whether the robot could be armed, prints for people and for
// programs, and makes the support file of a robot that is not well, too.
func TestCheck(t *testing.T) {
	sim := []string{"--robot", "kata20", "--sim", "--check"}
	code, out, errOut := looked(t, sim...)
	if code != fault.ExitDone || !strings.Contains(out, "ready: it could be armed") || !strings.Contains(out, "l_knee") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	zip := filepath.Join(t.TempDir(), "support.zip")
	code, out, errOut = looked(t, append(sim, "--json", "--support", zip, "--sim-arg=--fault=silence:id=9")...)
	var r preflight.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != fault.ExitRefused || r.Ready || len(r.Joints) != 20 || r.Joints[8].Answers {
		t.Errorf("exit %d, %v, %+v: %s", code, err, r, errOut)
	}
	if st, err := os.Stat(zip); err != nil || st.Size() == 0 {
		t.Error(err)
	}
	if code, _, errOut := looked(t, "--robot", "kata20", "--sim", "--support", zip); code != fault.ExitUsage || !strings.Contains(errOut, "--check") {
		t.Errorf("--support alone: exit %d: %s", code, errOut)
	}
}

// selftest moves nothing without a yes, names what is broken, and has exit codes of its own.
func TestSelftest(t *testing.T) {
	sim := []string{"selftest", "--robot", "kata20", "--sim", "--joints", "l_hip_yaw,r_elbow"}
	if code, out, errOut := looked(t, sim...); code != fault.ExitRefused || out != "" || !strings.Contains(errOut, "not confirmed, nothing was moved") {
		t.Errorf("nobody says yes: exit %d: %s%s", code, out, errOut)
	}
	code, out, errOut := looked(t, append(sim, "--yes", "--json", "--sim-arg=--fault=dead:id=20")...)
	var all []selftest.Verdict
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != fault.ExitFailed || len(all) != 2 || all[1].Finding != selftest.Dead {
		t.Errorf("exit %d, %v, %+v: %s", code, err, all, errOut)
	}
	code, out, errOut = looked(t, append(sim, "--yes", "--sim-arg=--fault=silence:id=9")...)
	if code != fault.ExitRefused || !strings.Contains(out, "r_hip_pitch") || !strings.Contains(out, "dead: it does not answer") {
		t.Errorf("a silent servo: exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := looked(t, "selftest", "--robot", "kata20", "--sim", "--joints", "tail"); code != fault.ExitUsage || !strings.Contains(errOut, "l_knee") {
		t.Errorf("no such joint: exit %d: %s", code, errOut)
	}
}
