package buscli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

func newBusSetBaudCmd() *cobra.Command {
	f := &busFlags{}
	id, to := -1, 0
	c := &cobra.Command{
		Use:   "set-baud",
		Short: "Give a servo another bit rate",
		Long: `Give a servo another bit rate. Without --baud it is looked for at every rate. The
servo is asked at the new rate afterwards; if it does not answer there, it is
looked for, and what is true is said.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkID("--id", id); err != nil {
				return err
			}
			if to == 0 {
				return fault.Usage("--to is required: the new bit rate, e.g. 3000000")
			}
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			from, err := servotool.SetRate(open, rates, uint8(id), to)
			if err != nil {
				return f.explain(err)
			}
			if f.asJSON {
				return cli.WriteJSON(c.OutOrStdout(), map[string]int{"id": id, "was_baud": from, "baud": to})
			}
			fmt.Fprintf(c.OutOrStdout(), "servo %d answers at %d bits/s, before at %d\n", id, to, from)
			return nil
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	c.Flags().IntVar(&to, "to", 0, "new bit rate (required)")
	return c
}

func newBusRebootCmd() *cobra.Command {
	f := &busFlags{}
	id := -1
	c := &cobra.Command{
		Use:   "reboot",
		Short: "Restart a servo: the only way to clear a hardware error",
		Long: `Restart a servo and wait until it answers again. Its hardware errors before and
after are told: one that comes back has its cause still there. A servo under
torque is refused, for it would let go of its load.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.with(c, id, func(b servotool.Bus, _ servotool.Found) error {
				before, after, err := servotool.Reboot(b, uint8(id), time.Sleep)
				if err != nil {
					return err
				}
				if f.asJSON {
					if err := cli.WriteJSON(c.OutOrStdout(), map[string]any{
						"id": id, "errors_before": before.Errors, "errors_after": after.Errors,
						"names_before": before.ErrorNames, "names_after": after.ErrorNames,
					}); err != nil {
						return err
					}
				} else {
					fmt.Fprintf(c.OutOrStdout(), "servo %d answers again; hardware errors before: %s, now: %s\n",
						id, named(before.ErrorNames), named(after.ErrorNames))
				}
				if after.Errors != 0 {
					return fmt.Errorf("servo %d reports %s again: remove the cause, then reboot it once more", id,
						after.ErrorNames)
				}
				return nil
			})
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	return c
}

func named(errors string) string {
	if errors == "" {
		return "none"
	}
	return errors
}

// busRelaxed is one servo after torque-off.
type busRelaxed struct {
	ID   uint8  `json:"id"`
	Baud int    `json:"baud"`
	Off  bool   `json:"off"`
	Why  string `json:"why,omitempty"`
}

func newBusTorqueOffCmd() *cobra.Command {
	f := &busFlags{}
	var name, bus string
	c := &cobra.Command{
		Use:   "torque-off",
		Short: "Switch the torque of all servos off, and say which ones have confirmed it",
		Long: `Switch the torque of every servo on the bus off, whatever its id, and at every
rate unless --baud is given; then ask each one, and name those that did not
confirm. With --robot its servos are expected to answer. The robot falls if
nothing supports it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			var expected []uint8
			if name != "" {
				desc, wired, err := busOf(name, bus)
				if err != nil {
					return err
				}
				for _, j := range desc.JointsOn(wired.Name) {
					expected = append(expected, uint8(desc.Joints[j].ID))
				}
			}
			found, err := servotool.TorqueOff(open, rates, expected)
			all := []busRelaxed{}
			for _, r := range found {
				all = append(all, busRelaxed(r))
			}
			if f.asJSON {
				return errors.Join(cli.WriteJSON(c.OutOrStdout(), all), f.explain(err))
			}
			off := 0
			for _, r := range all {
				if r.Off {
					off++
				}
			}
			if off > 0 {
				fmt.Fprintf(c.OutOrStdout(), "%d servos confirm that their torque is off\n", off)
			}
			return f.explain(err)
		},
	}
	f.add(c)
	addBusRobot(c, &name, &bus, "")
	return c
}

// addBusRobot adds the flags that name a robot and one of its buses.
func addBusRobot(c *cobra.Command, name, bus *string, more string) {
	c.Flags().StringVar(name, "robot", "", "robot name or path of a robot.yaml"+more)
	c.Flags().StringVar(bus, "bus", "", "name of the bus behind --port, where the robot has several")
}

// busOf loads a robot and finds the bus that is meant.
func busOf(name, bus string) (*robot.Description, robot.Bus, error) {
	desc, err := loadRobot(name)
	if err != nil {
		return nil, robot.Bus{}, err
	}
	wired, err := busNamed(desc, bus)
	return desc, wired, err
}
