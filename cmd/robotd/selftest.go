package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/cmd/internal/robot"
)

// newSelftestCmd is "robotd selftest".
func newSelftestCmd(ord *orders.Orders, out io.Writer, tell *console.Console, failed *crash.Net) *cobra.Command {
	var o robot.Options
	var flags robot.Config
	var file string
	t := robot.Trial{In: os.Stdin, Out: out}
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Move one joint after the other a little, and say which part is broken",
		Long: `Move every joint of a robot that hangs, or is held up by its trunk, by about 6
degrees to each side, one after the other and slowly, and say which part is
broken: dead, weak, loose, blocked, swapped, reversed, a slipped offset, a bad
cable. One line a joint: ok, or what is wrong and what to do.

An encoder sees its own shaft only. With --ask somebody who looks on is asked
after each joint, and a wrong sign, exchanged ids and a wrong gear are found too.

Exit codes: 0 all ok, 1 something is broken or the test was stopped, 2 usage,
3 refused: the robot may not be armed, or nobody confirmed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				if err := o.Load(file); err != nil {
					return err
				}
			}
			o.Overlay(&flags, cmd.Flags().Changed)
			o.Arm, o.MQTT, o.MQTT.URL = false, robot.MQTTConfig{}, operators.Off
			if err := o.Check(); err != nil {
				return err
			}
			if t.Ask && o.JSON {
				return fault.Usage("--ask and --json exclude each other: questions are for people")
			}
			return robot.Selftest(ord, o, t, tell, failed)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "config", "", "configuration file (YAML)")
	cli.RobotFlag(f, &flags.Robot, "robot: of the configuration file")
	f.BoolVar(&o.Sim, "sim", false, "test an emulated robot")
	f.StringArrayVar(&o.SimArgs, "sim-arg", nil, "argument for \"mitori bus emulate\", e.g. --sim-arg=--fault=weak:id=4,v=15")
	f.StringVar(&flags.Port, "port", "", "serial device; of several buses NAME=DEVICE,NAME=DEVICE")
	f.BoolVar(&t.Yes, "yes", false, "the robot is supported and may move: do not ask")
	f.BoolVar(&t.Ask, "ask", false, "somebody looks on: ask what was seen after each joint")
	f.StringSliceVar(&t.Joints, "joints", nil, "joints to test; default: all")
	f.BoolVar(&o.JSON, "json", false, "print the result as JSON")
	return c
}
