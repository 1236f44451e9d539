package main

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

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
	"github.com/mitori-robotics/mitori/sim/plant"
)

// emulateFlags are the options of mitori bus emulate.
type emulateFlags struct {
	robot, plant, link, gantry, record, truth, servoPower string
	baud                                                  int
	lockstep                                              bool
	gantryAfter                                           time.Duration
	faults                                                []string
	seed                                                  uint64
	friction, torqueScale, batteryV                       float64
}

func newBusEmulateCmd() *cobra.Command {
	f := &emulateFlags{}
	c := &cobra.Command{
		Use:   "emulate",
		Short: "Serve a robot's servo bus on a pseudo-terminal, with physics behind it",
		Long: `Serve the servo bus of a robot on a pseudo-terminal: the same bytes as the
hardware, with physics behind them. One line of JSON says where:

  {"port":"/dev/pts/7","robot":"kata20","servos":20,"pid":4711}

It serves until SIGTERM, until standard input (if it is a pipe) is closed, or
until the parent process dies (with a pipe, a terminal's own signals are left to
the parent); then it prints a second line of JSON with what
really happened: whether the robot fell, how high its trunk was, how much
torque was still on.

Lines on standard input while it runs:
  gantry hold|release|auto   take the robot up, let it down, or decide by torque
  fault KIND[:key=value,..]  make something fail now ("fault clear" ends all)
  look                       print the verdict so far

Faults: drop, crc, noise (p=), silence (id=), delay (ms=, p=), brownout (v=),
clash (id=), stuck (id=), reboot (id=), heat (id=, v=), imu; all with at= and for=.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return emulate(c.Context(), f, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.robot, "robot", "", "robot name or path of a robot.yaml (required)")
	fl.StringVar(&f.plant, "plant", "mujoco", "physics: mujoco, or ideal (joints without a body)")
	fl.StringVar(&f.link, "pty-link", "", "symbolic link to make to the pseudo-terminal")
	fl.IntVar(&f.baud, "baud", 0, "pace answers like a wire of this speed, bits/s; 0: the robot's bus")
	fl.BoolVar(&f.lockstep, "lockstep", false, "let one loop period pass per command instead of wall time")
	fl.StringVar(&f.gantry, "gantry", "auto", "hold the trunk: auto (until all torque has been on for --gantry-after), hold, none")
	fl.DurationVar(&f.gantryAfter, "gantry-after", 3*time.Second, "see --gantry")
	fl.StringArrayVar(&f.faults, "fault", nil, "make something fail, e.g. silence:id=7,at=2s,for=500ms (repeatable)")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of the faults' chances")
	fl.StringVar(&f.record, "record", "", "write what the robot really did to this .npz (qpos, 50 Hz)")
	fl.StringVar(&f.truth, "truth", "", "write the final verdict to this .json too")
	fl.StringVar(&f.servoPower, "servo-power", "on", "the hub's servo switch at the beginning: on, off")
	fl.Float64Var(&f.friction, "friction", 0, "friction of floor and feet; 0: the model's")
	fl.Float64Var(&f.torqueScale, "torque-scale", 0, "strength of the motors; 0: 1")
	fl.Float64Var(&f.batteryV, "battery-v", 0, "open-circuit voltage; 0: nominal")
	return c
}

// check refuses bad combinations.
func (f *emulateFlags) check() error {
	switch {
	case f.robot == "":
		return usageError("--robot is required; built in: %s", strings.Join(robot.Names(), ", "))
	case f.plant != "mujoco" && f.plant != "ideal":
		return usageError("--plant %q; legal: mujoco, ideal", f.plant)
	case f.gantry != "auto" && f.gantry != "hold" && f.gantry != "none":
		return usageError("--gantry %q; legal: auto, hold, none", f.gantry)
	case f.servoPower != "on" && f.servoPower != "off":
		return usageError("--servo-power %q; legal: on, off", f.servoPower)
	case f.gantryAfter < 0:
		return usageError("--gantry-after %v; legal: 0 or more", f.gantryAfter)
	}
	return nil
}

// emulation is one running bus.
type emulation struct {
	flags    *emulateFlags
	line     *busemu.Line
	server   *busemu.Server
	gantry   busemu.Gantry
	mode     string // of the gantry
	observer busemu.Observer
	trace    *truthTrace
	next     time.Duration // of the line's clock, for the next look
	outMu    sync.Mutex    // of out: commands print while the main goroutine may end
	out      *json.Encoder
}

const lookEvery = 20 * time.Millisecond

// emulate runs the command.
func emulate(ctx context.Context, f *emulateFlags, in io.Reader, out, errOut io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	desc, err := robot.Load(f.robot)
	if err != nil {
		return err
	}
	e := &emulation{flags: f, mode: f.gantry, gantry: busemu.Gantry{After: f.gantryAfter}, out: json.NewEncoder(out)}
	physics, done, err := f.physics(desc)
	if err != nil {
		return err
	}
	defer done()
	cfg, err := busemu.ForRobot(desc, physics)
	if err != nil {
		return err
	}
	cfg.Seed, cfg.PowerOff = f.seed, f.servoPower == "off"
	if e.line, err = busemu.NewLine(cfg); err != nil {
		return err
	}
	for _, text := range f.faults {
		fault, err := busemu.ParseFault(text)
		if err != nil {
			return usageError("--fault: %w", err)
		}
		e.line.Inject(fault)
	}
	if f.record != "" {
		e.trace = newTruthTrace(desc)
	}
	sc := busemu.ServerConfig{Baud: f.baud, CheckRate: true, OnStep: e.onStep}
	if sc.Baud == 0 {
		sc.Baud = desc.Buses[0].Baud
	}
	if f.lockstep {
		sc.Lockstep = time.Duration(float64(time.Second) / desc.LoopRateHz)
	}
	if e.server, err = busemu.NewServer(e.line, sc); err != nil {
		return err
	}
	e.onStep(e.line)
	return e.run(ctx, desc, physics, in, errOut)
}

// physics makes the plant and returns how to release it.
func (f *emulateFlags) physics(desc *robot.Description) (busemu.Plant, func(), error) {
	if f.plant == "ideal" {
		return busemu.NewIdeal(len(desc.Joints), 2*time.Millisecond), func() {}, nil
	}
	b, err := body.New(desc)
	if err != nil {
		return nil, nil, err
	}
	p, err := plant.New(b, plant.Config{
		Loose: f.gantry == "none", Friction: f.friction, TorqueScale: f.torqueScale,
		Battery: plant.Battery{OpenV: f.batteryV},
	})
	if err != nil {
		return nil, nil, err
	}
	return p, p.Close, nil
}

// run serves until told to stop, then writes the verdict.
func (e *emulation) run(ctx context.Context, desc *robot.Description, physics busemu.Plant, in io.Reader, errOut io.Writer) error {
	if e.flags.link != "" {
		remove, err := linkPort(e.flags.link, e.server.Path())
		if err != nil {
			e.server.Close()
			return err
		}
		defer remove()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if watched(in) {
		// A parent that dies without a word takes the emulated robot with it.
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
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
	if err := e.say(map[string]any{"port": e.server.Path(), "robot": desc.Name, "servos": len(desc.Joints), "pid": os.Getpid()}); err != nil {
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
func (e *emulation) onStep(l *busemu.Line) {
	held := false
	switch e.mode {
	case "auto":
		held = e.gantry.Watch(l)
	case "none", "free":
	default:
		held = true
	}
	if l.Now() < e.next {
		return
	}
	e.next = max(e.next+lookEvery, l.Now()-lookEvery) // on the grid, unless it was late by more than that
	t := e.observer.Look(l, held)
	if e.trace != nil {
		e.trace.add(t, held, l.TorqueOn())
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
		e.server.With(func(l *busemu.Line) {
			switch arg {
			case "hold":
				e.mode = "hold"
				l.Hold(true)
			case "release":
				e.mode = "free"
				l.Hold(false)
			case "auto":
				e.mode, e.gantry = "auto", busemu.Gantry{After: e.flags.gantryAfter}
				l.Hold(true)
			}
		})
	case text == "fault clear":
		e.server.With((*busemu.Line).ClearFaults)
	case verb == "fault":
		f, err := busemu.ParseFault(arg)
		if err != nil {
			return err
		}
		e.server.With(func(l *busemu.Line) {
			f.At += l.Now()
			l.Inject(f)
		})
	case text == "look":
		return e.print()
	default:
		return fmt.Errorf("unknown command %q; legal: gantry hold|release|auto, fault KIND[:...], fault clear, look", text)
	}
	return nil
}
