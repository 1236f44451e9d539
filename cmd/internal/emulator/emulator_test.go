package emulator

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

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// emulated is a run with the ideal plant.
type emulated struct {
	port  string
	stdin *io.PipeWriter
	lines *bufio.Reader
	errs  bytes.Buffer
	ended chan error
}

func startEmulated(t *testing.T, change func(*Options)) *emulated {
	t.Helper()
	f := &Options{Robot: "kata20", Plant: Ideal, Gantry: Auto, Seed: 1, GantryAfter: time.Second}
	if change != nil {
		change(f)
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	e := &emulated{stdin: inW, lines: bufio.NewReader(outR), ended: make(chan error, 1)}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		err := Run(ctx, f, inR, outW, &e.errs)
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
	link, traced, truth := filepath.Join(dir, "bus"), filepath.Join(dir, "r.npz"), filepath.Join(dir, "t.json")
	if err := os.Symlink("/nowhere", link); err != nil { // what an earlier run left
		t.Fatal(err)
	}
	e := startEmulated(t, func(f *Options) {
		f.Link, f.Record, f.Truth, f.Lockstep, f.GantryAfter = link, traced, truth, true, 100*time.Millisecond
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
	r, err := dxl.NewStateReader(bus, ids, dxl.Fast)
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
	a, err := npz.Load(traced)
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
