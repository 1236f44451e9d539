package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // unsafe or unverified input, or a robot that may not be armed
)

// codedError carries an exit code other than exitFailed.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...)}
}

func refused(format string, args ...any) error {
	return &codedError{exitRefused, fmt.Errorf(format, args...)}
}

// options is everything that one run was asked for: the configuration file
// overlaid by flags.
type options struct {
	Config
	sim     bool
	strict  bool
	simArgs []string
	forTime time.Duration
	stats   string
	json    bool
	hold    time.Duration
	anyway  bool
}

// run executes one command line and returns the exit code. Nothing in it waits
// for whoever reads out and errOut but the text of --help.
func run(ord *orders, args []string, out, errOut io.Writer) int {
	var failed crash
	tell := newTeller(errOut, &failed)
	defer tell.close()
	err := execute(ord, args, out, tell, &failed)
	if err = errors.Join(err, failed.err()); err == nil {
		return exitDone
	}
	code := exitFailed
	var coded *codedError
	if errors.As(err, &coded) && failed.err() == nil {
		code = coded.code
	} else if errors.Is(err, infile.ErrUnusable) && failed.err() == nil {
		code = exitRefused
	}
	tell.event("%v", err)
	if code == exitUsage {
		tell.event("run 'robotd --help' for usage")
	}
	return code
}

// execute parses the command line and flies.
func execute(ord *orders, args []string, out io.Writer, tell *teller, failed *crash) error {
	defer failed.caught("the main thread")
	var o options
	var file string
	var c Config
	root := &cobra.Command{
		Use:   "robotd",
		Short: "Drive the servos of one robot, safely, in simulation or on hardware",
		Long: `robotd drives the servos of one robot over one bus.

  robotd --robot kata20 --sim --policy P.bundle --for 60s --stats stats.json
  robotd --config robot.yaml

Without --arm (the default on hardware) it stays disarmed until an operator
arms it over the command link. Ctrl-C, SIGTERM, SIGQUIT, a closed terminal and
Ctrl-Z settle the robot and switch torque off; a second Ctrl-C, SIGTERM or
SIGQUIT switches torque off at once.

Exit codes: 0 ended disarmed, 1 failed or ended by a failsafe, 2 usage,
3 refused (damaged or poor policy, policy of another robot, robot that may not be armed).`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown argument %q; robotd has flags only", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Config = defaults()
			if file != "" {
				if err := o.load(file); err != nil {
					return err
				}
			}
			overlay(&o.Config, &c, cmd.Flags().Changed)
			if o.sim && !cmd.Flags().Changed("arm") {
				o.Arm = true
			}
			if err := o.check(); err != nil {
				return err
			}
			if o.json {
				tell.jsonTo(out, failed)
			}
			return fly(ord, o, tell, failed)
		},
	}
	f := root.Flags()
	f.StringVar(&file, "config", "", "configuration file (YAML)")
	f.StringVar(&c.Robot, "robot", "", "robot name or path of a robot.yaml")
	f.BoolVar(&o.sim, "sim", false, "drive an emulated bus with physics behind it instead of a port")
	f.BoolVar(&o.strict, "strict", false, "with --sim: hold the emulated bus to the limits on late and lost answers that hardware has")
	f.StringArrayVar(&o.simArgs, "sim-arg", nil, "argument for \"mitori bus emulate\", e.g. --sim-arg=--fault=silence:id=7,at=5s (repeatable)")
	f.StringVar(&c.Port, "port", "", "serial device, e.g. /dev/ttyUSB0")
	f.IntVar(&c.RateHz, "rate", 0, "ticks per second; default: the robot's loop_rate_hz")
	f.StringVar(&c.Policy, "policy", "", "policy bundle to run")
	f.BoolVar(&o.anyway, "anyway", false, "run the policy even if its own evaluation is absent or below 95 % survival")
	f.StringVar(&c.Record, "record", "", "flight recording (.mcap), or none; default out/flights/<time>.mcap")
	f.StringVar(&c.MQTT.URL, "mqtt", "", "command link: off, embedded, or a broker's URL; default embedded with --sim, else off")
	f.BoolVar(&c.Arm, "arm", false, "arm at once, without waiting for an operator; default with --sim")
	f.DurationVar(&o.forTime, "for", 0, "end this long after arming; 0: run until Ctrl-C")
	f.DurationVar(&o.hold, "hold", 0, "time between arming and playing; default 3s with --sim (the gantry lets go), else 1s")
	f.StringVar(&o.stats, "stats", "", "write statistics to this JSON file at the end")
	f.BoolVar(&o.json, "json", false, "print one line of JSON a second, and the statistics at the end, to standard output")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(out)
	root.SetErr(io.Discard) // errors are told by run
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	return root.ExecuteContext(ord.ctx)
}

// check refuses combinations that cannot work.
func (o *options) check() error {
	switch {
	case o.Robot == "":
		return usageError("no robot: give --robot NAME or robot: in the configuration file")
	case o.sim && o.Port != "":
		return usageError("--sim and port %s exclude each other", o.Port)
	case !o.sim && o.Port == "":
		return usageError("no bus: give --sim, --port DEVICE, or port: in the configuration file")
	case o.forTime < 0 || o.hold < 0:
		return usageError("--for %v, --hold %v; legal: 0 or more", o.forTime, o.hold)
	case !o.sim && (len(o.simArgs) > 0 || o.strict):
		return usageError("--sim-arg and --strict need --sim")
	}
	if o.MQTT.URL == "" {
		o.MQTT.URL = mqttOff
		if o.sim {
			o.MQTT.URL = mqttEmbedded
		}
	}
	if o.hold == 0 {
		o.hold = time.Second
		if o.sim {
			o.hold = 3 * time.Second
		}
	}
	return o.validate()
}
