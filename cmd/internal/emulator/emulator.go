// Package emulator is a robot's servo buses on pseudo-terminals as a program runs them:
// physics, gantry, faults, commands on standard input, the truth on standard output.
//
// What is not here: the buses themselves (sim/busemu), the physics (sim/plant), flags.
// Run blocks; what it starts ends with it, but for a read of standard input.
package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
	"github.com/mitori-robotics/mitori/sim/plant"
)

// Options is what one run was asked for.
type Options struct {
	Robot       string // name or path
	Plant       string // Mujoco or Ideal
	Gantry      string // Auto, Hold or None
	GantryAfter time.Duration
	Link        string // symbolic link to make to the pseudo-terminal; one a bus, see linkPorts
	Record      string // .npz to write
	Truth       string // .json to write
	PowerOff    bool   // the hub's servo switch at the beginning
	Baud        int    // pace of every bus; 0: the robot's
	Lockstep    bool
	Faults      []string
	Seed        uint64
	Friction    float64 // 0: the model's
	TorqueScale float64 // 0: 1
	BatteryV    float64 // 0: nominal
}

// The words of Options.
const (
	Mujoco = "mujoco"
	Ideal  = "ideal"
	Auto   = "auto" // hold the trunk until all torque has been on for GantryAfter
	Hold   = "hold"
	None   = "none"
)

// ErrUsage is wrapped by what is wrong with the options themselves.
var ErrUsage = errors.New("usage")

type usage struct{ error }

func (usage) Is(target error) bool { return target == ErrUsage }

// check refuses bad combinations.
func (f *Options) check() error {
	legal := func(name, got string, words ...string) error {
		for _, w := range words {
			if got == w {
				return nil
			}
		}
		return usage{fmt.Errorf("--%s %q; legal: %s", name, got, strings.Join(words, ", "))}
	}
	if f.Robot == "" {
		return usage{fmt.Errorf("--robot is required; built in: %s", strings.Join(robot.Names(), ", "))}
	}
	if err := errors.Join(legal("plant", f.Plant, Mujoco, Ideal), legal("gantry", f.Gantry, Auto, Hold, None)); err != nil {
		return err
	}
	if f.GantryAfter < 0 {
		return usage{fmt.Errorf("--gantry-after %v; legal: 0 or more", f.GantryAfter)}
	}
	return nil
}

// emulation is one running robot.
type emulation struct {
	flags    *Options
	world    *busemu.World
	server   *busemu.Server
	gantry   busemu.Gantry
	mode     string // of the gantry
	observer busemu.Observer
	trace    *truthTrace
	next     time.Duration // of the world's clock, for the next look
	outMu    sync.Mutex    // of out: commands print while the main goroutine may end
	out      *json.Encoder
}

const (
	lookEvery = 20 * time.Millisecond
	free      = "free" // mode of the gantry once it was told to release
)

// Run serves until ctx ends, or until nobody holds in (if it is a pipe) any more, because
// it was closed or because whoever held it died. It writes one line of JSON to out that says where, and one at the end
// that says what really happened.
func Run(ctx context.Context, f *Options, in io.Reader, out, errOut io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	desc, err := robot.Load(f.Robot)
	if err != nil {
		return err
	}
	physics, done, err := f.physics(desc)
	if err != nil {
		return err
	}
	defer done()
	e := &emulation{flags: f, mode: f.Gantry, gantry: busemu.Gantry{After: f.GantryAfter}, out: json.NewEncoder(out)}
	if err := e.build(desc, physics); err != nil {
		return err
	}
	if f.Record != "" {
		e.trace = newTruthTrace(desc)
	}
	sc := busemu.ServerConfig{Baud: f.Baud, CheckRate: true, OnStep: e.onStep}
	if f.Lockstep {
		sc.Lockstep = time.Duration(float64(time.Second) / desc.LoopRateHz)
	}
	if e.server, err = busemu.NewServer(e.world, sc); err != nil {
		return err
	}
	e.onStep(e.world)
	return e.run(ctx, desc, physics, in, errOut)
}

// build makes the world, with the faults that are asked for.
func (e *emulation) build(desc *robot.Description, physics busemu.Plant) error {
	lines, err := busemu.ForRobot(desc)
	if err != nil {
		return err
	}
	for i := range lines {
		lines[i].Seed, lines[i].PowerOff = e.flags.Seed, e.flags.PowerOff
	}
	if e.world, err = busemu.NewWorld(physics, lines...); err != nil {
		return err
	}
	for _, text := range e.flags.Faults {
		fault, err := busemu.ParseFault(text)
		if err == nil {
			err = e.world.Inject(fault)
		}
		if err != nil {
			return usage{fmt.Errorf("--fault: %w", err)}
		}
	}
	return nil
}

// physics makes the plant and returns how to release it.
func (f *Options) physics(desc *robot.Description) (busemu.Plant, func(), error) {
	if f.Plant == Ideal {
		return busemu.NewIdeal(desc.Servos(), 2*time.Millisecond), func() {}, nil
	}
	b, err := body.New(desc)
	if err != nil {
		return nil, nil, err
	}
	p, err := plant.New(b, plant.Config{
		Loose: f.Gantry == None, Friction: f.Friction, TorqueScale: f.TorqueScale,
		Battery: plant.Battery{OpenV: f.BatteryV},
	})
	if err != nil {
		return nil, nil, err
	}
	return p, p.Close, nil
}

// run serves until told to stop, then writes the verdict.
func (e *emulation) run(ctx context.Context, desc *robot.Description, physics busemu.Plant, in io.Reader, errOut io.Writer) error {
	ports := map[string]string{}
	for i, b := range desc.Buses {
		ports[b.Name] = e.server.Path(i)
	}
	if e.flags.Link != "" {
		remove, err := linkPorts(e.flags.Link, desc.Buses, ports)
		if err != nil {
			e.server.Close()
			return err
		}
		defer remove()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if watched(in) {
		if in == io.Reader(os.Stdin) {
			outliveTerminal()
		}
		go func() { // ends with the process: a read of standard input cannot be stopped
			e.obey(in, errOut)
			stop()
		}()
	}
	ended := make(chan error, 1)
	go func() { ended <- e.server.Run(ctx) }()
	<-e.server.Serving()
	hello := map[string]any{"port": e.server.Path(0), "ports": ports, "robot": desc.Name, "servos": len(desc.Joints), "pid": os.Getpid()}
	if err := e.say(hello); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	err := <-ended
	if p, ok := physics.(interface{ Err() error }); ok && p.Err() != nil {
		err = errors.Join(err, p.Err())
	}
	return errors.Join(err, e.finish())
}

// outliveTerminal leaves the signals of a terminal that is closed, or of a reader
// that died, to the parent: it needs the robot until it has settled, and its end
// is ours.
func outliveTerminal() {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGPIPE, unix.SIGTSTP, unix.SIGTTOU)
}

// watched reports whether the end of in means that nobody needs us any more: it does
// for a pipe, not for a terminal or /dev/null.
func watched(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return in != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0 && !info.Mode().IsRegular()
}

// onStep runs under the server's lock whenever time has passed.
func (e *emulation) onStep(w *busemu.World) {
	held := false
	switch e.mode {
	case Auto:
		held = e.gantry.Watch(w)
	case None, free:
	default:
		held = true
	}
	if w.Now() < e.next {
		return
	}
	e.next = max(e.next+lookEvery, w.Now()-lookEvery) // on the grid, unless it was late by more than that
	t := e.observer.Look(w, held)
	if e.trace != nil {
		e.trace.add(t, held, w.TorqueOn())
	}
}

// obey reads commands until the end of in.
func (e *emulation) obey(in io.Reader, errOut io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if err := e.command(text); err != nil {
			fmt.Fprintf(errOut, "mitori: bus emulate: %v\n", err)
		}
	}
}

func (e *emulation) command(text string) error {
	verb, arg, _ := strings.Cut(text, " ")
	switch {
	case verb == "gantry" && (arg == "hold" || arg == "release" || arg == "auto"):
		e.server.With(func(w *busemu.World) {
			switch arg {
			case "hold":
				e.mode = Hold
				w.Hold(true)
			case "release":
				e.mode = free
				w.Hold(false)
			case "auto":
				e.mode, e.gantry = Auto, busemu.Gantry{After: e.flags.GantryAfter}
				w.Hold(true)
			}
		})
	case text == "fault clear":
		e.server.With((*busemu.World).ClearFaults)
	case verb == "fault":
		f, err := busemu.ParseFault(arg)
		if err != nil {
			return err
		}
		e.server.With(func(w *busemu.World) {
			f.At += w.Now()
			err = w.Inject(f)
		})
		return err
	case text == "look":
		return e.print()
	default:
		return fmt.Errorf("unknown command %q; legal: gantry hold|release|auto, fault KIND[:...], fault clear, look", text)
	}
	return nil
}
