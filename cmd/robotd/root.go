package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/cmd/internal/robot"
)

// run executes one command line and returns the exit code. Nothing in it waits
// for whoever reads out and errOut but the text of --help.
func run(ord *orders.Orders, args []string, out, errOut io.Writer) int {
	var failed crash.Net
	tell := console.New(errOut, &failed)
	defer tell.Close()
	err := execute(ord, args, out, tell, &failed)
	code := fault.Code(err)
	if failed.Err() != nil {
		err, code = errors.Join(err, failed.Err()), fault.ExitFailed
	}
	if err == nil {
		return code
	}
	tell.Event("%v", err)
	if code == fault.ExitUsage {
		tell.Event("run 'robotd --help' for usage")
	}
	return code
}

// execute parses the command line and flies.
func execute(ord *orders.Orders, args []string, out io.Writer, tell *console.Console, failed *crash.Net) error {
	defer failed.Caught("the main thread")
	var o robot.Options
	var file string
	var c robot.Config
	var look robot.Looking
	root := &cobra.Command{
		Use:   "robotd",
		Short: "Drive the servos of one robot, safely, in simulation or on hardware",
		Long: `robotd drives the servos of one robot.

  robotd --robot kata20 --sim --policy P.bundle --for 60s --stats stats.json
  robotd --config robot.yaml

Without --arm (the default on hardware) it stays disarmed until an operator
arms it over the command link. Ctrl-C, SIGTERM, SIGQUIT, a closed terminal and
Ctrl-Z settle the robot and switch torque off; a second Ctrl-C, SIGTERM or
SIGQUIT switches torque off at once.

Exit codes: 0 ended disarmed, 1 failed or ended by a failsafe, 2 usage,
3 refused (damaged or poor policy, policy of another robot, robot that may not be armed).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Read(file, &c, cmd.Flags().Changed); err != nil {
				return err
			}
			if look.Support != "" && !look.Asked {
				return fault.Usage("--support needs --check")
			}
			if look.Asked {
				return robot.Check(ord, o, look, out, tell, failed)
			}
			if o.JSON {
				tell.JSONTo(out, failed)
			}
			return robot.Fly(ord, o, tell, failed)
		},
	}
	f := root.Flags()
	f.StringVar(&file, "config", "", "configuration file (YAML)")
	cli.RobotFlag(f, &c.Robot, "robot: of the configuration file")
	f.BoolVar(&o.Sim, "sim", false, "drive an emulated bus with physics behind it instead of a port")
	f.BoolVar(&o.Strict, "strict", false,
		"with --sim: hold the emulated bus to the limits on late and lost answers that hardware has")
	f.StringArrayVar(&o.SimArgs, "sim-arg", nil,
		"argument for \"mitori bus emulate\", e.g. --sim-arg=--fault=silence:id=7,at=5s (repeatable)")
	f.StringVar(&c.Port, "port", "", "serial device, e.g. /dev/ttyUSB0; of several buses NAME=DEVICE,NAME=DEVICE")
	f.IntVar(&c.RateHz, "rate", 0, "ticks per second; default: the robot's loop_rate_hz")
	f.StringVar(&c.Policy, "policy", "", "policy bundle to run")
	f.BoolVar(&o.Anyway, "anyway", false, "run the policy even if its own evaluation is absent or below 95 % survival")
	f.BoolVar(&c.Follow, "follow", false, "follow live references over a Unix socket or MQTT instead of a policy")
	f.BoolVar(&o.Release, "release", false,
		"switch off the torque that servos carry at start, instead of refusing; support the robot first")
	f.StringVar(&c.Record, "record", "", "flight recording: a file (.mcap), a folder, or none; default a folder of the robot's, see docs/service.md")
	f.StringVar(&c.MQTT.URL, "mqtt", "",
		"command link: off, embedded, or a broker's URL; default embedded with --sim, else off")
	f.BoolVar(&c.Arm, "arm", false, "arm at once, without waiting for an operator; default with --sim")
	f.DurationVar(&o.For, "for", 0, "end this long after arming; 0: run until Ctrl-C")
	f.DurationVar(&o.Hold, "hold", 0,
		"time between arming and playing; default 3s with --sim (the gantry lets go), else 1s")
	f.StringVar(&o.Stats, "stats", "", "write statistics to this JSON file at the end")
	f.BoolVar(&look.Asked, "check", false,
		"connect, print every value and judgement, change nothing, and end: 0 if the robot could be armed, 3 if not")
	f.StringVar(&look.Support, "support", "", "with --check: write everything that a maintainer needs, and nothing personal, to this .zip")
	f.BoolVar(&look.Serials, "serials", false, "with --support: leave the serial numbers of adapters in it")
	f.BoolVar(&o.JSON, "json", false, "print one line of JSON a second, and the statistics at the end, to standard output")
	root.AddCommand(newSelftestCmd(ord, out, tell, failed))
	cli.Prepare(root)
	root.SetOut(out)
	root.SetErr(io.Discard) // errors are told by run
	root.SetArgs(args)
	return root.ExecuteContext(ord.Context())
}
