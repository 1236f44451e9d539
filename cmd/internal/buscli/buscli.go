// Package buscli is "mitori bus": the commands that look at, set up and emulate the servo
// buses of a robot, as trees of flags around actuators/servotool, commission, calibrate and
// cmd/internal/emulator.
//
// What is not here: any protocol, and what is done to servos. Each command is one
// goroutine.
package buscli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// busFlags are common to the commands that open a real port.
type busFlags struct {
	port, protocol string
	baud           int
	asJSON         bool
}

// New returns the command with all its own.
func New() *cobra.Command {
	c := &cobra.Command{
		Use:   "bus",
		Short: "Look at, set up and emulate servo buses",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		cli.Stoppable(newBusScanCmd()), cli.Stoppable(newBusPingCmd()), cli.Stoppable(newBusReadCmd()), cli.Stoppable(newBusWriteCmd()),
		cli.Stoppable(newBusSetIDCmd()), cli.Stoppable(newBusSetBaudCmd()), cli.Stoppable(newBusRebootCmd()), cli.Stoppable(newBusTorqueOffCmd()),
		newBusWatchCmd(), cli.Stoppable(newBusCommissionCmd()), cli.Stoppable(newBusCalibrateCmd()), newBusEmulateCmd(),
	)
	return c
}

func (f *busFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.port, "port", "", "serial device, e.g. /dev/ttyUSB0 (required)")
	c.Flags().StringVar(&f.protocol, "protocol", buses.Protocols()[0], "what the servos speak: "+strings.Join(buses.Protocols(), ", "))
	c.Flags().IntVar(&f.baud, "baud", 0, "bits/s")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// look returns how to open the port, and the rates to try.
func (f *busFlags) look(warn io.Writer) (servotool.Opener, []int, error) {
	if f.port == "" {
		return nil, nil, fault.Usage("--port is required: the serial device of the bus, e.g. /dev/ttyUSB0 or a name in /dev/serial/by-id")
	}
	open, rates, err := buses.Look(f.protocol, f.port, func(note string) { fmt.Fprintln(warn, "mitori: warning:", note) })
	if err != nil {
		return nil, nil, fault.Usage("--%w", err)
	}
	if f.baud != 0 {
		rates = []int{f.baud}
	}
	return open, rates, nil
}

// at opens the port at one rate, does one thing and closes it.
func (f *busFlags) at(rate int, warn io.Writer, work func(servotool.Bus) error) error {
	open, _, err := f.look(warn)
	if err != nil {
		return err
	}
	bus, port, err := open(rate)
	if err != nil {
		return err
	}
	defer port.Close()
	return f.explain(work(bus))
}

// explain puts the port before an error of its bus, and gives a refusal its exit code.
func (f *busFlags) explain(err error) error {
	switch {
	case err == nil || strings.Contains(err.Error(), f.port): // the port's own errors name it
		return err
	case errors.Is(err, servotool.ErrRefused):
		return fault.Refuse("%s: %w", f.port, err)
	}
	return fmt.Errorf("%s: %w", f.port, err)
}

// Device is one line of a scan.
type Device struct {
	ID       uint8  `json:"id"`
	Model    uint16 `json:"model"`
	Name     string `json:"name"`
	Firmware uint8  `json:"firmware"`
	Baud     int    `json:"baud"`
	Alert    bool   `json:"alert"`
}

func deviceOf(d servotool.Found) Device {
	return Device{d.ID, d.Model, d.Name, d.Firmware, d.Baud, d.Alert}
}

func newBusScanCmd() *cobra.Command {
	f := &busFlags{}
	c := &cobra.Command{
		Use:   "scan",
		Short: "Find the servos on a bus, at every baud rate unless --baud is given",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			found, err := servotool.Scan(open, rates)
			if err != nil && !errors.Is(err, servotool.ErrDamaged) && !(f.asJSON && errors.Is(err, servotool.ErrSilent)) {
				return f.explain(err)
			}
			return f.print(c.OutOrStdout(), found, f.explain(err))
		},
	}
	f.add(c)
	return c
}

// print lists what a scan found; err is what went wrong beside it.
func (f *busFlags) print(out io.Writer, found []servotool.Found, err error) error {
	all := []Device{}
	for _, d := range found {
		all = append(all, deviceOf(d))
	}
	if f.asJSON {
		return json.NewEncoder(out).Encode(all)
	}
	for _, d := range all {
		alert := ""
		if d.Alert {
			alert = "  HARDWARE ERROR: read register 70 (mitori bus read), remove the cause, reboot it (mitori bus reboot)"
		}
		fmt.Fprintf(out, "id %3d  %-12s (model %d, firmware %d)  %d bits/s%s\n", d.ID, d.Name, d.Model, d.Firmware, d.Baud, alert)
	}
	return err
}

func newBusPingCmd() *cobra.Command {
	f := &busFlags{}
	id := -1
	c := &cobra.Command{
		Use:   "ping",
		Short: "Ask one servo who it is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkID("--id", id); err != nil {
				return err
			}
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			d, err := servotool.Ping(open, rates, uint8(id))
			if err != nil {
				return f.explain(err)
			}
			if f.asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(deviceOf(d))
			}
			fmt.Fprintf(c.OutOrStdout(), "id %d: %s (model %d, firmware %d) at %d bits/s\n", d.ID, d.Name, d.Model, d.Firmware, d.Baud)
			return nil
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	return c
}

func checkID(flag string, id int) error {
	if id < 0 || id > robot.MaxServoID {
		return fault.Usage("%s %d; legal: 0 to %d", flag, id, robot.MaxServoID)
	}
	return nil
}

func newBusSetIDCmd() *cobra.Command {
	f := &busFlags{}
	from, to := -1, -1
	c := &cobra.Command{
		Use:   "set-id",
		Short: "Give a servo another id",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := errors.Join(checkID("--from", from), checkID("--to", to)); err != nil {
				return err
			}
			if f.baud == 0 {
				return fault.Usage("--baud is required: an id is changed at one known rate ('mitori bus scan' shows it)")
			}
			if from == to {
				return fault.Usage("--from and --to are both %d", from)
			}
			err := f.at(f.baud, c.ErrOrStderr(), func(b servotool.Bus) error { return servotool.SetID(b, uint8(from), uint8(to)) })
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "id %d is now id %d\n", from, to)
			}
			return err
		},
	}
	f.add(c)
	c.Flags().IntVar(&from, "from", -1, "present id (required)")
	c.Flags().IntVar(&to, "to", -1, "new id (required)")
	return c
}
