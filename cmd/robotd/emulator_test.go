package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// The test binary is three programs: the tests, robotd itself, and a stand-in
// for "mitori bus emulate" whose robot has joints but no body. Which one it is
// stands in its name, so that robotd finds and starts the stand-in as it would
// the real one.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "robotd":
		main()
	case "mitori":
		if err := emulate(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "mitori:", err)
			os.Exit(1)
		}
	default:
		code := m.Run()
		if builtDir != "" {
			os.RemoveAll(builtDir)
		}
		os.Exit(code)
	}
}

// emulate serves a bus like "mitori bus emulate --plant ideal".
func emulate(args []string) error {
	if len(args) < 2 || args[0] != "bus" || args[1] != "emulate" {
		return fmt.Errorf("arguments %q; want bus emulate", args)
	}
	f := flag.NewFlagSet("emulate", flag.ContinueOnError)
	name := f.String("robot", "", "")
	tilt := f.Duration("tilt-at", 0, "")
	dead := f.Bool("dead", false, "")
	joints := f.String("joints", "", "file for the joint angles at the end, rad")
	off := f.String("off", "", "file for the Unix times, in ns, at which torque was found to have gone off")
	var faults []string
	f.Func("fault", "", func(s string) error { faults = append(faults, s); return nil })
	if err := f.Parse(args[2:]); err != nil {
		return err
	}
	if *dead {
		return fmt.Errorf("no physics today")
	}
	desc, err := robot.Load(*name)
	if err != nil {
		return err
	}
	plant := busemu.NewIdeal(desc.Servos(), 2*time.Millisecond)
	plant.TipsAt = *tilt
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		return err
	}
	world, err := busemu.NewWorld(plant, cfg...)
	if err != nil {
		return err
	}
	for _, text := range faults {
		fault, err := busemu.ParseFault(text)
		if err != nil {
			return err
		}
		if err := world.Inject(fault); err != nil {
			return err
		}
	}
	server, err := busemu.NewServer(world, busemu.ServerConfig{})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	ports := buses.Ports{}
	for i, b := range desc.Buses {
		ports[b.Name] = server.Path(i)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"port": server.Path(0), "ports": ports}); err != nil {
		return err
	}
	if *off != "" {
		go noteTorqueOff(ctx, server, *off)
	}
	err = server.Run(ctx)
	torque := 0
	var end busemu.Truth
	server.With(func(w *busemu.World) {
		torque = w.TorqueOn()
		w.Truth(&end)
	})
	if *joints != "" {
		text, _ := json.Marshal(end.QPos)
		err = errors.Join(err, os.WriteFile(*joints, text, 0o644))
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"torque_on": torque})
	return err
}

// noteTorqueOff appends a line to a file each time that the last servo loses its torque.
func noteTorqueOff(ctx context.Context, server *busemu.Server, name string) {
	for was := 0; ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		now := 0
		server.With(func(w *busemu.World) { now = w.TorqueOn() })
		if was > 0 && now == 0 {
			if f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
				fmt.Fprintln(f, time.Now().UnixNano())
				f.Close()
			}
		}
		was = now
	}
}

// daemon is a running robotd.
type daemon struct {
	t     *testing.T
	cmd   *exec.Cmd
	dir   string
	out   *said
	ended chan error
}

// said keeps what a process prints.
type said struct {
	mu   sync.Mutex
	text []byte
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, b...)
	return len(b), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// shape is the robot's standing pose and its legs.
func shape(t *testing.T, desc *robot.Description) limits.Shape {
	t.Helper()
	b, err := body.New(desc)
	if err != nil {
		t.Fatal(err)
	}
	return limits.ShapeOf(b)
}

// bin returns a folder with robotd and mitori, both of which are this program.
func bin(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"robotd", "mitori"} {
		if err := os.Symlink(exe, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// launch starts robotd in a folder of its own. Statistics go to stats.json, the
// recording to flight.mcap there.
func launch(t *testing.T, args ...string) *daemon {
	t.Helper()
	if testing.Short() {
		t.Skip("runs in real time for seconds")
	}
	dir := bin(t)
	d := &daemon{t: t, dir: dir, out: &said{}, ended: make(chan error, 1)}
	given := strings.Join(args, " ")
	for flag, value := range map[string]string{"--stats": "stats.json", "--record": "flight.mcap", "--mqtt": "off"} {
		if !strings.Contains(given, flag) {
			args = append(args, flag, value)
		}
	}
	d.cmd = exec.Command(filepath.Join(dir, "robotd"), args...)
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("robotd %s\n%s", strings.Join(args, " "), d.out)
		}
	})
	return d
}

// says waits until robotd has printed text.
func (d *daemon) says(text string) {
	d.t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(d.out.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("robotd never said %q", text)
		}
		select {
		case err := <-d.ended:
			d.ended <- err
			if !strings.Contains(d.out.String(), text) {
				d.t.Fatalf("robotd ended (%v) without saying %q", err, text)
			}
			return
		default:
		}
	}
}

// exit waits for the end and checks the exit code and that nothing crashed.
func (d *daemon) exit(code int, within time.Duration) {
	d.t.Helper()
	select {
	case err := <-d.ended: // the exit code is checked below
		d.ended <- err
	case <-time.After(within):
		d.t.Fatalf("robotd did not end within %v", within)
	}
	if got := d.cmd.ProcessState.ExitCode(); got != code {
		d.t.Errorf("exit code %d, want %d", got, code)
	}
	if text := d.out.String(); strings.Contains(text, "goroutine ") || strings.Contains(text, "panic") {
		d.t.Error("a stack trace")
	}
}

// stats reads what robotd wrote.
func (d *daemon) stats() *record.Stats {
	d.t.Helper()
	s, err := record.LoadStats(filepath.Join(d.dir, "stats.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// states lists the states that were entered.
func states(s *record.Stats) string {
	var names []string
	for _, c := range s.Transitions {
		names = append(names, c.To)
	}
	return strings.Join(names, " ")
}
