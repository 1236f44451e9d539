package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// mitori runs one command line.
func mitori(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// emulated runs "mitori bus emulate" with the ideal plant in this process.
type emulated struct {
	port  string
	stdin *io.PipeWriter
	lines *bufio.Reader
	errs  bytes.Buffer
	ended chan error
}

func startEmulated(t *testing.T, change func(*emulateFlags)) *emulated {
	t.Helper()
	f := &emulateFlags{robot: "kata20", plant: "ideal", gantry: "auto", servoPower: "on", seed: 1, gantryAfter: time.Second}
	if change != nil {
		change(f)
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	e := &emulated{stdin: inW, lines: bufio.NewReader(outR), ended: make(chan error, 1)}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		err := emulate(ctx, f, inR, outW, &e.errs)
		outW.CloseWithError(io.EOF)
		e.ended <- err
	}()
	t.Cleanup(func() { stop(); inW.Close(); _, _ = io.Copy(io.Discard, outR) })
	var hello struct {
		Port, Robot string
		Servos, PID int
	}
	e.line(t, &hello)
	if hello.Robot != "kata20" || hello.Servos != 20 || hello.PID != os.Getpid() || hello.Port == "" {
		t.Fatalf("first line says %+v", hello)
	}
	e.port = hello.Port
	return e
}

func (e *emulated) line(t *testing.T, to any) {
	t.Helper()
	text, err := e.lines.ReadBytes('\n')
	if err != nil {
		t.Fatalf("no line: %v (%v)", err, <-e.ended)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// open is the robot's side of the wire.
func (e *emulated) open(t *testing.T) *dxl.Bus {
	t.Helper()
	p, err := serialport.Open(e.port, 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return dxl.NewBus(p, dxl.Config{Baud: 3_000_000, Margin: 2 * time.Second})
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
		{"bus calibrate --port x", fault.ExitUsage, []string{"--robot"}},
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
	e := startEmulated(t, nil)
	code, out, errOut := mitori(t, "bus", "scan", "--port", e.port, "--baud", "3000000", "--json")
	var found []busDevice
	if code != fault.ExitDone || json.Unmarshal([]byte(out), &found) != nil || len(found) != 21 || found[20].Name != "sensor hub" {
		t.Fatalf("scan: exit %d, %s%s", code, out, errOut)
	}
	if code, out, errOut := mitori(t, "bus", "ping", "--port", e.port, "--id", "7"); code != fault.ExitDone || !strings.Contains(out, "XM430-W350") || !strings.Contains(out, "3000000") {
		t.Errorf("ping finds the rate by itself: exit %d, %s%s", code, out, errOut)
	}
	if code, _, errOut := mitori(t, "bus", "set-id", "--port", e.port, "--baud", "3000000", "--from", "7", "--to", "8"); code != fault.ExitRefused || !strings.Contains(errOut, "8") {
		t.Errorf("set-id to a taken id: exit %d, %s", code, errOut)
	}
	if code, out, errOut := mitori(t, "bus", "set-id", "--port", e.port, "--baud", "3000000", "--from", "7", "--to", "77"); code != fault.ExitDone {
		t.Errorf("set-id: exit %d, %s%s", code, out, errOut)
	}
	if code, _, errOut := mitori(t, "bus", "calibrate", "--port", e.port, "--robot", "kata20"); code != fault.ExitFailed || !strings.Contains(errOut, "r_hip_yaw") {
		t.Errorf("calibrate with servo 7 gone: exit %d, %s", code, errOut)
	}
	mitori(t, "bus", "set-id", "--port", e.port, "--baud", "3000000", "--from", "77", "--to", "7")
	code, out, errOut = mitori(t, "bus", "calibrate", "--port", e.port, "--robot", "kata20", "--json")
	var offsets []jointOffset
	if code != fault.ExitDone || json.Unmarshal([]byte(out), &offsets) != nil || len(offsets) != 20 {
		t.Fatalf("calibrate: exit %d, %s%s", code, out, errOut)
	}
	for _, o := range offsets { // the ideal robot stands in its zero pose
		if math.Abs(o.OffsetRad-o.WasRad) > 0.001 || o.SpreadRad > maxSpreadRad {
			t.Errorf("%+v", o)
		}
	}
	bus := e.open(t)
	if err := dxl.Write(bus, 3, dxl.TorqueEnable, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := calibrate(bus, mustRobot(t)); err == nil || !strings.Contains(err.Error(), "torque of servo 3 is on") {
		t.Errorf("calibrate with torque on: %v", err)
	}
	if err := setID(bus, 3, 99); err == nil || !strings.Contains(err.Error(), "torque") {
		t.Errorf("set-id with torque on: %v", err)
	}
}

func mustRobot(t *testing.T) *robot.Description {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEmulateLife runs an emulation from its first line to its verdict.
func TestEmulateLife(t *testing.T) {
	dir := t.TempDir()
	link, trace, truth := filepath.Join(dir, "bus"), filepath.Join(dir, "r.npz"), filepath.Join(dir, "t.json")
	if err := os.Symlink("/nowhere", link); err != nil { // what an earlier run left
		t.Fatal(err)
	}
	e := startEmulated(t, func(f *emulateFlags) {
		f.link, f.record, f.truth, f.lockstep, f.gantryAfter = link, trace, truth, true, 100*time.Millisecond
	})
	if to, err := os.Readlink(link); err != nil || to != e.port {
		t.Errorf("link to %q, %v", to, err)
	}
	bus := e.open(t)
	d := mustRobot(t)
	var ids []dxl.ID
	for _, j := range d.Joints {
		ids = append(ids, dxl.ID(j.ID))
		if err := dxl.Write(bus, dxl.ID(j.ID), dxl.TorqueEnable, 1); err != nil {
			t.Fatal(err)
		}
	}
	w, err := dxl.NewGoalWriter(bus, ids)
	if err != nil {
		t.Fatal(err)
	}
	r, err := dxl.NewStateReader(bus, ids, dxl.Auto)
	if err != nil {
		t.Fatal(err)
	}
	goals, states := make([]dxl.PositionCount, 20), make([]dxl.State, 20)
	for i := range goals {
		goals[i] = 2148
	}
	for range 100 { // 1 s
		if err := w.Write(goals); err != nil {
			t.Fatal(err)
		}
		if err := r.ReadInto(states); err != nil {
			t.Fatal(err)
		}
	}
	if states[3].Position != goals[3] {
		t.Errorf("servo 4 at %d, goal %d", states[3].Position, goals[3])
	}
	var now record.Verdict
	if _, err := io.WriteString(e.stdin, "look\n"); err != nil {
		t.Fatal(err)
	}
	e.line(t, &now)
	if math.Abs(now.SimS-1) > 0.025 || now.TorqueOn != 20 || math.Abs(now.FreeS-0.9) > 0.05 {
		t.Errorf("after 1 s, the gantry gone at 0.1 s: %+v", now)
	}
	if _, err := io.WriteString(e.stdin, "fault silence:id=5\ndance\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(e.stdin, "look\n"); err != nil { // the fault before it is in effect
		t.Fatal(err)
	}
	e.line(t, &now)
	if _, err := bus.Ping(5); err == nil {
		t.Error("servo 5 answers in spite of the fault")
	}
	e.stdin.Close()
	var end record.Verdict
	e.line(t, &end)
	if err := <-e.ended; err != nil {
		t.Fatal(err)
	}
	if end.Fell || end.TorqueOn != 20 || end.Packets < 200 {
		t.Errorf("verdict %+v", end)
	}
	if !strings.Contains(e.errs.String(), "dance") {
		t.Errorf("an unknown command is not mentioned: %q", e.errs.String())
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is left behind")
	}
	data, err := os.ReadFile(truth)
	var saved record.Verdict
	if err != nil || json.Unmarshal(data, &saved) != nil || saved != end {
		t.Errorf("truth file %s, %v", data, err)
	}
	a, err := npz.Load(trace)
	if err != nil {
		t.Fatal(err)
	}
	n := len(a["time_s"].Data)
	if n < 49 || n > 52 || len(a["qpos"].Data) != n*20 || a["robot"].Text[0] != "kata20" || a["held"].Data[0] != 1 || a["held"].Data[n-1] != 0 {
		t.Errorf("record: %d frames, qpos %v", n, a["qpos"].Shape)
	}
}

func TestWatchedInput(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if watched(null) || !watched(r) {
		t.Error("the end of a pipe means goodbye, the end of /dev/null nothing")
	}
}
