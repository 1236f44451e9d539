package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/commission"
	"github.com/mitori-robotics/mitori/cmd/internal/buscli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/robot"
)

// The tools on the emulated bus, by their exit codes and by what they print.
func TestBusTools(t *testing.T) {
	port := startEmulated(t)
	for _, c := range []struct {
		args  string
		code  int
		words []string
	}{
		{"read --id 4 present-position 8", fault.ExitDone, []string{"Present Position", "2048 (0 rad)", "5 (3000000 bits/s)"}},
		{"read --id 4 --json 84", fault.ExitDone, []string{`"count": 800`, `"max": 16383`, `"writable": true`}},
		{"read --id 4 mood", fault.ExitRefused, []string{`"mood"; legal: `, "Goal Position (116)"}},
		{"read --id 99", fault.ExitFailed, []string{"device 99", "nothing answered"}},
		{"write --id 4 position-p-gain 300", fault.ExitDone, []string{"800 -> 300"}},
		{"write --id 4 max-voltage-limit 14.8V --json", fault.ExitDone, []string{`"count": 148`, `"was": 160`, `"unit": "V"`}},
		{"write --id 4 position-p-gain 99999", fault.ExitRefused, []string{"0 to 16383"}},
		{"write --id 4 torque-enable 1", fault.ExitRefused, []string{"--may-move"}},
		{"write --id 4 torque-enable 1 --may-move", fault.ExitDone, []string{"0 -> 1"}},
		{"write --id 4 homing-offset 0", fault.ExitRefused, []string{"torque of servo 4 is on", "mitori bus torque-off"}},
		{"reboot --id 4", fault.ExitRefused, []string{"torque of servo 4 is on"}},
		{"set-baud --id 4 --to 1000000", fault.ExitRefused, []string{"torque of servo 4 is on"}},
		{"torque-off --robot kata20 --baud 3000000", fault.ExitDone, []string{"20 servos confirm"}},
		{"reboot --id 4", fault.ExitDone, []string{"answers again", "before: none, now: none"}},
		{"read --id 4 84 --baud 3000000", fault.ExitDone, []string{"800"}},
		{"set-baud --id 4 --to 1000000 --json", fault.ExitDone, []string{`"baud": 1000000`, `"was_baud": 3000000`}},
		{"ping --id 4", fault.ExitDone, []string{"1000000 bits/s"}},
		{"torque-off --robot kata20 --baud 3000000", fault.ExitFailed, []string{"servo 4 does not answer"}},
		{"set-baud --id 4 --to 3000000", fault.ExitDone, []string{"answers at 3000000 bits/s, before at 1000000"}},
		{"set-baud --id 4 --to 123", fault.ExitFailed, []string{"123 bits/s; legal: "}},
		{"set-baud --id 4", fault.ExitUsage, []string{"--to"}},
		{"reboot", fault.ExitUsage, []string{"--id"}},
		{"write --id 4 led", fault.ExitUsage, []string{"arg"}},
		{"watch --every 1ms", fault.ExitUsage, []string{"--every"}},
		{"watch --rounds 1 --ids 4,9 --baud 3000000", fault.ExitDone, []string{"  4 ", "  9 ", "12.0", "off", "none"}},
		{"watch --rounds 1 --robot kata20 --json", fault.ExitDone, []string{`"joint":"l_knee"`, `"bus_v":12`}},
	} {
		args := strings.Fields(c.args)
		args = append([]string{"bus", args[0], "--port", port}, args[1:]...)
		code, out, errOut := mitori(t, args...)
		if code != c.code {
			t.Errorf("%s: exit %d, want %d: %s%s", c.args, code, c.code, out, errOut)
		}
		for _, w := range c.words {
			if !strings.Contains(out+errOut, w) {
				t.Errorf("%s: %q does not say %q", c.args, out+errOut, w)
			}
		}
	}
	taken, err := serialport.Open(port, 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, args := range []string{"read --id 4", "write --id 4 led 1", "set-baud --id 4 --to 1000000", "reboot --id 4", "torque-off", "watch"} {
		code, _, errOut := mitori(t, append([]string{"bus"}, append(strings.Fields(args), "--port", port)...)...)
		if code != fault.ExitFailed || !strings.Contains(errOut, "taken by another process") {
			t.Errorf("%s on a port in use: exit %d, %s", args, code, errOut)
		}
	}
}

// stopAfter ends a command when its first line has come.
type stopAfter struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (s *stopAfter) Write(p []byte) (int, error) { s.stop(); return s.Buffer.Write(p) }

// Ctrl-C ends a watch as it should end: what is shown is whole, and that is no failure.
func TestBusWatchEndsWithCtrlC(t *testing.T) {
	port := startEmulated(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &stopAfter{stop: cancel}
	var errOut bytes.Buffer
	code := run(ctx, []string{"bus", "watch", "--port", port, "--robot", "kata20", "--json"}, out, &errOut)
	var round struct{ Servos []buscli.Reading }
	if err := json.Unmarshal(out.Bytes(), &round); code != fault.ExitDone || err != nil || len(round.Servos) != 20 || errOut.Len() > 0 {
		t.Errorf("exit %d, %d servos, %v: %s", code, len(round.Servos), err, &errOut)
	}
}

// Guided commands take their answers from standard input: a walk over servos that are right
// ends at once, one that is broken off says how to go on, and a calibration writes nothing
// that nobody confirmed.
func TestBusGuides(t *testing.T) {
	port := startEmulated(t)
	typed(t, "\nquit\n")
	code, out, errOut := mitori(t, "bus", "commission", "--port", port, "--robot", "kata20", "--json")
	var all []commission.Result
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != fault.ExitDone && !strings.Contains(errOut, "go on with --from") || len(all) != 20 || !all[0].Done {
		t.Errorf("exit %d, %v, %d results: %s", code, err, len(all), errOut)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "robot.yaml")
	typed(t, "\nno\n")
	code, _, errOut = mitori(t, "bus", "calibrate", "--port", port, "--robot", "kata20", "--steps", "offsets", "-o", file)
	if _, err := os.Stat(file); code != fault.ExitRefused || err == nil || !strings.Contains(errOut, "nothing was written") {
		t.Errorf("exit %d, %v: %s", code, err, errOut)
	}
	typed(t, "\nyes\n")
	code, _, errOut = mitori(t, "bus", "calibrate", "--port", port, "--robot", "kata20", "--steps", "offsets", "-o", file)
	if d, err := robot.Load(file); code != fault.ExitDone || err != nil || len(d.Joints) != 20 {
		t.Errorf("exit %d, %v: %s", code, err, errOut)
	}
	typed(t, "\n\n\n")
	code, _, errOut = mitori(t, "bus", "calibrate", "--port", port, "--robot", file, "--steps", "signs", "--joints", "l_knee")
	if code != fault.ExitRefused || !strings.Contains(errOut, "l_knee (servo 4) did not move") || !strings.Contains(errOut, "its end moves backward") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
