package service

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

const packaging = "../../../packaging"

// read is a packaged file without comments and empty lines.
func read(t *testing.T, name string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(packaging, name))
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// unit is what robotd.service says, by key.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, line := range read(t, "robotd.service") {
		if key, value, ok := strings.Cut(line, "="); ok {
			out[key] = append(out[key], value)
		}
	}
	return out
}

// one is the only value of a key.
func one(t *testing.T, u map[string][]string, key string) string {
	t.Helper()
	if len(u[key]) != 1 {
		t.Fatalf("%s= has the values %q, want one", key, u[key])
	}
	return u[key][0]
}

func seconds(t *testing.T, u map[string][]string, key string) time.Duration {
	t.Helper()
	n, err := strconv.Atoi(one(t, u, key))
	if err != nil {
		t.Fatalf("%s=: %v", key, err)
	}
	return time.Duration(n) * time.Second
}

// The unit and the program agree: which ends are final, how long an end may take, which priority is needed.
func TestTheUnitSuitsTheProgram(t *testing.T) {
	u := unit(t)
	final := strings.Fields(one(t, u, "RestartPreventExitStatus"))
	if !slices.Equal(final, []string{strconv.Itoa(fault.ExitUsage), strconv.Itoa(fault.ExitRefused)}) || one(t, u, "Restart") != "on-failure" {
		t.Errorf("restarts after all but %v", final)
	}
	if seconds(t, u, "StartLimitIntervalSec") < 2*seconds(t, u, "RestartSec")*10 || one(t, u, "StartLimitBurst") != "10" {
		t.Error("restarts have no end")
	}
	longest := 2*mode.SettleTimeout + 15*time.Second // a motion, a seat, a second order, farewells
	for _, key := range []string{"TimeoutStopSec", "TimeoutAbortSec"} {
		if d := seconds(t, u, key); d < longest {
			t.Errorf("%s is %v, and the robot may need %v", key, d, longest)
		}
	}
	// Signals that settle a robot: see package orders.
	if one(t, u, "KillSignal") != "SIGTERM" || one(t, u, "WatchdogSignal") != "SIGABRT" {
		t.Errorf("it is ended by %v, %v", u["KillSignal"], u["WatchdogSignal"])
	}
	// A loop process whose gateway is gone has to settle: SIGKILL may not come to it at once.
	if one(t, u, "KillMode") != "control-group" || one(t, u, "OOMPolicy") != "continue" {
		t.Errorf("KillMode is %v, OOMPolicy %v: the loop would die with its gateway", u["KillMode"], u["OOMPolicy"])
	}
	if n, _ := strconv.Atoi(one(t, u, "LimitRTPRIO")); n <= flight.Priority+1 {
		t.Errorf("LimitRTPRIO is %d, the supervisor runs at %d", n, flight.Priority+1)
	}
	if one(t, u, "Type") != "notify" || one(t, u, "LimitMEMLOCK") != "infinity" || seconds(t, u, "WatchdogSec") < 5*time.Second {
		t.Error("the manager would not hear, or not wait")
	}
	if one(t, u, "StateDirectory") == "" || !strings.HasSuffix(one(t, u, "Environment"), "/run/"+one(t, u, "RuntimeDirectory")) {
		t.Error("folders")
	}
}

// systemd understands the unit, and finds little that it leaves open.
func TestSystemdLikesTheUnit(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: the unit is checked against the program only")
	}
	text, err := os.ReadFile(filepath.Join(packaging, "robotd.service"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The program need not be installed where the unit will look for it.
	name := filepath.Join(t.TempDir(), "robotd.service")
	placed := strings.Replace(string(text), "/usr/local/bin/robotd", here, 1)
	if err := os.WriteFile(name, []byte(placed), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "verify", name).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	help, err := exec.Command(tool, "--help").CombinedOutput()
	if err != nil || !bytes.Contains(help, []byte("--offline")) {
		t.Log("this systemd-analyze cannot judge the security of a file")
		return
	}
	if out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", "--threshold=25", name).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security, over 2.5: %v\n%s", err, out)
	}
}

// Rules that udev would not understand are skipped by it, silently but for its log.
func TestTheRulesAreRules(t *testing.T) {
	item := regexp.MustCompile(`^(ACTION|SUBSYSTEMS?|ATTRS?\{[\w/]+\}|ENV\{\w+\}|DRIVER|GOTO|LABEL|SYMLINK|GROUP|MODE)(==|!=|=|\+=)"[^"]*"$`)
	labels, jumps := []string{}, []string{}
	for _, line := range read(t, "70-robotd.rules") {
		for _, part := range strings.Split(line, ", ") {
			if !item.MatchString(part) {
				t.Errorf("%s: %s is no match and no assignment", line, part)
			}
			if to, ok := strings.CutPrefix(part, "GOTO="); ok {
				jumps = append(jumps, to)
			} else if at, ok := strings.CutPrefix(part, "LABEL="); ok {
				labels = append(labels, at)
			}
		}
	}
	for _, to := range jumps {
		if !slices.Contains(labels, to) {
			t.Errorf("a jump to %s, which is nowhere", to)
		}
	}
	tool, err := exec.LookPath("udevadm")
	if err != nil {
		t.Skip("udevadm is not installed: udev itself has not read the rules")
	}
	if out, err := exec.Command(tool, "verify", filepath.Join(packaging, "70-robotd.rules")).CombinedOutput(); bytes.Contains(out, []byte("Unknown command")) {
		t.Skip("this udevadm cannot verify")
	} else if err != nil {
		t.Errorf("udevadm verify: %v\n%s", err, out)
	}
}
