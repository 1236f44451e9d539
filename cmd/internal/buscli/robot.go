package buscli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/emulator"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// loadRobot loads the robot that --robot names.
func loadRobot(name string) (*robot.Description, error) {
	if name == "" {
		return nil, fault.Usage("--robot is required; built in: %s", strings.Join(robot.Names(), ", "))
	}
	return robot.Load(name)
}

// busNamed finds the bus that --bus means.
func busNamed(desc *robot.Description, bus string) (robot.Bus, error) {
	var names []string
	for _, b := range desc.Buses {
		names = append(names, b.Name)
	}
	if bus == "" && len(names) == 1 {
		bus = names[0]
	}
	wired := desc.BusNamed(bus)
	if wired.Name == "" {
		return wired, fault.Usage("--bus %q; legal: %s", bus, strings.Join(names, ", "))
	}
	return wired, nil
}

func newBusEmulateCmd() *cobra.Command {
	f := &emulator.Options{}
	var power string
	c := &cobra.Command{
		Use:   "emulate",
		Short: "Serve a robot's servo buses on pseudo-terminals, with physics behind them",
		Long: `Serve every servo bus of a robot on a pseudo-terminal of its own: the same
bytes as the hardware, with physics behind them. One line of JSON says where:

  {"port":"/dev/pts/7","ports":{"body":"/dev/pts/7"},"robot":"kata20","servos":20,"pid":4711}

It serves until SIGTERM, until standard input (if it is a pipe) is closed, or
until the parent process dies (with a pipe, a terminal's own signals are left to
the parent); then it prints a second line of JSON with what
really happened: whether the robot fell, how high its trunk was, how much
torque was still on.

Lines on standard input while it runs:
  gantry hold|release|auto   take the robot up, let it down, or decide by torque
  fault KIND[:key=value,..]  make something fail now ("fault clear" ends all)
  look                       print the verdict so far

Faults: drop, crc, noise (p=), silence (id=, p=), delay (ms=, p=), brownout (v=),
clash (id=), stuck (id=), reboot (id=), heat (id=, v=), imu, button (v=), dead,
reversed (id=), weak, loose, crossed (id=, v=); all with at=, for= and, where the
robot has several buses, bus=.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if power != "on" && power != "off" {
				return fault.Usage("--servo-power %q; legal: on, off", power)
			}
			f.PowerOff = power == "off"
			err := emulator.Run(c.Context(), f, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
			if errors.Is(err, emulator.ErrUsage) {
				return fault.Usage("%w", err)
			}
			return err
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Robot, "robot", "", "robot name or path of a robot.yaml (required)")
	fl.StringVar(&f.Plant, "plant", emulator.Mujoco, "physics: mujoco, or ideal (joints without a body)")
	fl.StringVar(&f.Link, "pty-link", "", "symbolic link to make to the pseudo-terminal; of several buses: link-BUS")
	fl.IntVar(&f.Baud, "baud", 0, "pace answers like a wire of this speed, bits/s; 0: the robot's buses")
	fl.BoolVar(&f.Lockstep, "lockstep", false, "let one loop period pass per command instead of wall time")
	fl.StringVar(&f.Gantry, "gantry", emulator.Auto, "hold the trunk: auto (until all torque has been on for --gantry-after), hold, none")
	fl.DurationVar(&f.GantryAfter, "gantry-after", 3*time.Second, "see --gantry")
	fl.StringArrayVar(&f.Faults, "fault", nil, "make something fail, e.g. silence:id=7,at=2s,for=500ms (repeatable)")
	fl.Uint64Var(&f.Seed, "seed", 1, "seed of the faults' chances")
	fl.StringVar(&f.Record, "record", "", "write what the robot really did to this .npz (qpos, 50 Hz)")
	fl.StringVar(&f.Truth, "truth", "", "write the final verdict to this .json too")
	fl.StringVar(&power, "servo-power", "on", "the hub's servo switch at the beginning: on, off")
	fl.Float64Var(&f.Friction, "friction", 0, "friction of floor and feet; 0: the model's")
	fl.Float64Var(&f.TorqueScale, "torque-scale", 0, "strength of the motors; 0: 1")
	fl.Float64Var(&f.BatteryV, "battery-v", 0, "open-circuit voltage; 0: nominal")
	return c
}
