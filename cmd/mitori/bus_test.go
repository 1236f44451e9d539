package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mitori-robotics/mitori/cmd/internal/buscli"
	"github.com/mitori-robotics/mitori/cmd/internal/emulator"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/robot"
)

// mitori runs one command line.
func mitori(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// startEmulated serves kata20's bus in this process and returns the port.
func startEmulated(t *testing.T) string {
	t.Helper()
	f := &emulator.Options{Robot: "kata20", Plant: emulator.Ideal, Gantry: emulator.Auto}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := emulator.Run(context.Background(), f, inR, outW, io.Discard)
		ended <- errors.Join(err, outW.Close())
	}()
	lines := bufio.NewReader(outR)
	text, err := lines.ReadBytes('\n')
	var hello struct{ Port string }
	if err != nil || json.Unmarshal(text, &hello) != nil || hello.Port == "" {
		t.Fatalf("%s: %v, %v", text, err, <-ended)
	}
	t.Cleanup(func() {
		inW.Close()
		_, _ = io.Copy(io.Discard, lines)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return hello.Port
}

// calibrated is what is read of a calibration's JSON.
type calibrated struct {
	OffsetRad float64 `json:"offset_rad"`
	WasRad    float64 `json:"was_rad"`
}

// typed is what a person types to the next commands.
func typed(t *testing.T, text string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err == nil {
		_, err = w.WriteString(text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	was := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = was; r.Close() })
}

func TestBusErrors(t *testing.T) {
	master, slave, err := pty.Open() // a line on which nobody answers
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	defer slave.Close()
	silent := slave.Name()
	taken, err := serialport.Open(silent, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  string
		code  int
		words []string
	}{
		{"bus scan --port /dev/nonesuch", fault.ExitFailed, []string{"/dev/nonesuch", "no such device"}},
		{"bus scan", fault.ExitUsage, []string{"--port"}},
		{"bus frobnicate", fault.ExitUsage, []string{"frobnicate"}},
		{"bus ping --port /dev/nonesuch --id 300", fault.ExitUsage, []string{"300", "0 to 252"}},
		{"bus ping --port " + silent + " --id 1 --baud 1000000", fault.ExitFailed, []string{silent, "taken"}},
		{"bus set-id --port x --from 1 --to 2", fault.ExitUsage, []string{"--baud"}},
		{"bus set-id --port x --from 1 --to 253", fault.ExitUsage, []string{"253"}},
		{"bus scan --port x --protocol morse", fault.ExitUsage, []string{"morse", "dynamixel2"}},
		{"bus calibrate --port x --robot kata20 --bus tail", fault.ExitUsage, []string{"tail", "body"}},
		{"bus calibrate --port x", fault.ExitUsage, []string{"--robot"}},
		{"bus calibrate --port x --robot kata20", fault.ExitUsage, []string{"-o"}},
		{"bus calibrate --port x --robot kata20 -o y --steps all", fault.ExitUsage, []string{"all", "offsets, signs, ranges"}},
		{"bus calibrate --port x --robot kata20 -o y --joints tail", fault.ExitUsage, []string{"tail", "l_knee"}},
		{"bus commission --port x", fault.ExitUsage, []string{"--robot"}},
		{"bus commission --robot kata20", fault.ExitUsage, []string{"--port"}},
		{"bus calibrate --port x --robot nonesuch", fault.ExitFailed, []string{"nonesuch", "kata20"}},
		{"bus emulate", fault.ExitUsage, []string{"--robot"}},
		{"bus emulate --robot nonesuch", fault.ExitFailed, []string{"nonesuch"}},
		{"bus emulate --robot kata20 --plant clay", fault.ExitUsage, []string{"clay", "mujoco, ideal"}},
		{"bus emulate --robot kata20 --plant ideal --gantry crane", fault.ExitUsage, []string{"crane"}},
		{"bus emulate --robot kata20 --plant ideal --fault melt", fault.ExitUsage, []string{"melt", "silence"}},
		{"bus emulate --robot kata20 --plant ideal --pty-link /dev/null", fault.ExitFailed, []string{"/dev/null"}},
	} {
		code, out, errOut := mitori(t, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("%s: exit %d, want %d: %s", c.args, code, c.code, errOut)
		}
		for _, w := range c.words {
			if !strings.Contains(errOut, w) {
				t.Errorf("%s: %q does not say %q", c.args, errOut, w)
			}
		}
		if out != "" {
			t.Errorf("%s: prints %q", c.args, out)
		}
	}
	taken.Close()
	code, _, errOut := mitori(t, "bus", "scan", "--port", silent, "--baud", "3000000")
	if code != fault.ExitFailed || !strings.Contains(errOut, "nothing answered") || !strings.Contains(errOut, "power") {
		t.Errorf("silent line: exit %d, %s", code, errOut)
	}
}

func TestBusCommands(t *testing.T) {
	port := startEmulated(t)
	code, out, errOut := mitori(t, "bus", "scan", "--port", port, "--baud", "3000000", "--json")
	var found []buscli.Device
	if code != fault.ExitDone || json.Unmarshal([]byte(out), &found) != nil || len(found) != 21 || found[20].Name != "sensor hub" {
		t.Fatalf("scan: exit %d, %s%s", code, out, errOut)
	}
	if code, out, errOut := mitori(t, "bus", "ping", "--port", port, "--id", "7"); code != fault.ExitDone || !strings.Contains(out, "XM430-W350") || !strings.Contains(out, "3000000") {
		t.Errorf("ping finds the rate by itself: exit %d, %s%s", code, out, errOut)
	}
	if code, _, errOut := mitori(t, "bus", "set-id", "--port", port, "--baud", "3000000", "--from", "7", "--to", "8"); code != fault.ExitRefused || !strings.Contains(errOut, "8") {
		t.Errorf("set-id to a taken id: exit %d, %s", code, errOut)
	}
	if code, out, errOut := mitori(t, "bus", "set-id", "--port", port, "--baud", "3000000", "--from", "7", "--to", "77"); code != fault.ExitDone {
		t.Errorf("set-id: exit %d, %s%s", code, out, errOut)
	}
	file := filepath.Join(t.TempDir(), "robot.yaml")
	calibrate := []string{"bus", "calibrate", "--port", port, "--robot", "kata20", "--steps", "offsets", "--json", "--yes", "-o", file}
	if code, _, errOut := mitori(t, calibrate...); code != fault.ExitFailed || !strings.Contains(errOut, "r_hip_yaw") {
		t.Errorf("calibrate with servo 7 gone: exit %d, %s", code, errOut)
	}
	mitori(t, "bus", "set-id", "--port", port, "--baud", "3000000", "--from", "77", "--to", "7")
	typed(t, "\n")
	code, out, errOut = mitori(t, calibrate...)
	var cal struct {
		Joints  []calibrated
		Written string
	}
	if code != fault.ExitDone || json.Unmarshal([]byte(out), &cal) != nil || len(cal.Joints) != 20 || cal.Written != file {
		t.Fatalf("calibrate: exit %d, %s%s", code, out, errOut)
	}
	for _, o := range cal.Joints { // the ideal robot stands in its zero pose
		if math.Abs(o.OffsetRad-o.WasRad) > 0.001 {
			t.Errorf("%+v", o)
		}
	}
	if _, err := robot.Load(file); err != nil {
		t.Error(err)
	}
	p, err := serialport.Open(port, 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	err = dxl.Write(dxl.NewBus(p, dxl.Config{Baud: 3_000_000, Margin: 2 * time.Second}), 3, dxl.TorqueEnable, 1)
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := mitori(t, calibrate...); code != fault.ExitRefused || !strings.Contains(errOut, "torque of servo 3 (l_hip_pitch) is on") {
		t.Errorf("calibrate with torque on: exit %d, %s", code, errOut)
	}
	if code, _, errOut := mitori(t, "bus", "set-id", "--port", port, "--baud", "3000000", "--from", "3", "--to", "99"); code != fault.ExitRefused || !strings.Contains(errOut, "torque") {
		t.Errorf("set-id with torque on: exit %d, %s", code, errOut)
	}
}
