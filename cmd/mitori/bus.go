package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// busFlags are common to the commands that open a real port.
type busFlags struct {
	port   string
	baud   int
	asJSON bool
}

func newBusCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "bus",
		Short: "Look at, set up and emulate servo buses",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(stoppable(newBusScanCmd()), stoppable(newBusPingCmd()), stoppable(newBusSetIDCmd()), stoppable(newBusCalibrateCmd()), newBusEmulateCmd())
	return c
}

func (f *busFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.port, "port", "", "serial device, e.g. /dev/ttyUSB0 (required)")
	c.Flags().IntVar(&f.baud, "baud", 0, "bits/s")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// open opens the port at rate and warns about what could not be set.
func (f *busFlags) open(rate int, warn io.Writer) (*dxl.Bus, io.Closer, error) {
	if f.port == "" {
		return nil, nil, usageError("--port is required: the serial device of the bus, e.g. /dev/ttyUSB0 or a name in /dev/serial/by-id")
	}
	port, err := serialport.Open(f.port, rate)
	if err != nil {
		return nil, nil, err
	}
	for _, note := range port.Notes() {
		fmt.Fprintln(warn, "mitori: warning:", note)
	}
	return dxl.NewBus(port, dxl.Config{Baud: rate, Retries: 2, Margin: 50 * time.Millisecond}), port, nil
}

// rates are those to try: the one asked for, or all, likeliest first.
func (f *busFlags) rates() []int {
	if f.baud != 0 {
		return []int{f.baud}
	}
	return []int{57600, 1e6, 2e6, 3e6, 4e6, 115200}
}

// silence is the error for a line on which nobody answers.
func (f *busFlags) silence(rates []int) error {
	return fmt.Errorf("%s: nothing answered at %s bits/s; check that the servos have power (a red LED flashes once), that the cable sits at both ends, "+
		"that no other program drives the bus, and the baud rate (--baud)", f.port, strings.Trim(fmt.Sprint(rates), "[]"))
}

// busDevice is one line of a scan.
type busDevice struct {
	ID       dxl.ID `json:"id"`
	Model    uint16 `json:"model"`
	Name     string `json:"name"`
	Firmware uint8  `json:"firmware"`
	Baud     int    `json:"baud"`
	Alert    bool   `json:"alert"`
}

// modelName names the models that this project knows.
func modelName(model uint16) string {
	if model == dxl.HubModel {
		return "sensor hub"
	}
	if t, ok := servos.Shipped().Model(servos.Dynamixel2, model); ok {
		return t.Title
	}
	return "unknown model"
}

func newBusScanCmd() *cobra.Command {
	f := &busFlags{}
	c := &cobra.Command{
		Use:   "scan",
		Short: "Find the servos on a bus, at every baud rate unless --baud is given",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all := []busDevice{}
			var faults []error
			for _, rate := range f.rates() {
				found, err := f.scan(rate, c.ErrOrStderr())
				if err != nil && !errors.Is(err, dxl.ErrBadData) {
					return err
				}
				if err != nil { // noise at a wrong rate looks like damage: it counts only with answers
					faults = append(faults, fmt.Errorf("at %d bits/s: %w", rate, err))
				}
				all = append(all, found...)
			}
			if f.asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(all)
			}
			for _, d := range all {
				alert := ""
				if d.Alert {
					alert = "  HARDWARE ERROR: read register 70, remove the cause, reboot it"
				}
				fmt.Fprintf(c.OutOrStdout(), "id %3d  %-12s (model %d, firmware %d)  %d bits/s%s\n", d.ID, d.Name, d.Model, d.Firmware, d.Baud, alert)
			}
			switch {
			case len(all) > 0:
				return errors.Join(faults...)
			case len(faults) > 0:
				return errors.Join(faults...)
			}
			return f.silence(f.rates())
		},
	}
	f.add(c)
	return c
}

func (f *busFlags) scan(rate int, warn io.Writer) ([]busDevice, error) {
	bus, port, err := f.open(rate, warn)
	if err != nil {
		return nil, err
	}
	defer port.Close()
	found, err := bus.Scan()
	var out []busDevice
	for _, d := range found {
		out = append(out, busDevice{d.ID, d.Model, modelName(d.Model), d.Firmware, rate, d.Alert})
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.port, err)
	}
	return out, err
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
			for _, rate := range f.rates() {
				bus, port, err := f.open(rate, c.ErrOrStderr())
				if err != nil {
					return err
				}
				d, err := bus.Ping(dxl.ID(id))
				port.Close()
				if err != nil {
					if errors.Is(err, dxl.ErrLinkLost) && bus.PortError() == nil {
						continue
					}
					return fmt.Errorf("%s: %w", f.port, err)
				}
				if f.asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(busDevice{d.ID, d.Model, modelName(d.Model), d.Firmware, rate, d.Alert})
				}
				fmt.Fprintf(c.OutOrStdout(), "id %d: %s (model %d, firmware %d) at %d bits/s\n", d.ID, modelName(d.Model), d.Model, d.Firmware, rate)
				return nil
			}
			return fmt.Errorf("device %d: %w", id, f.silence(f.rates()))
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	return c
}

func checkID(flag string, id int) error {
	if id < 0 || id > int(dxl.MaxID) {
		return usageError("%s %d; legal: 0 to %d", flag, id, dxl.MaxID)
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
				return usageError("--baud is required: an id is changed at one known rate ('mitori bus scan' shows it)")
			}
			bus, port, err := f.open(f.baud, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer port.Close()
			if err := setID(bus, dxl.ID(from), dxl.ID(to)); err != nil {
				return fmt.Errorf("%s: %w", f.port, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "id %d is now id %d\n", from, to)
			return nil
		},
	}
	f.add(c)
	c.Flags().IntVar(&from, "from", -1, "present id (required)")
	c.Flags().IntVar(&to, "to", -1, "new id (required)")
	return c
}

// setID changes an id only if exactly one device has the old one, nobody has the new
// one, and the device does not hold a robot up at this moment.
func setID(bus *dxl.Bus, from, to dxl.ID) error {
	if from == to {
		return usageError("--from and --to are both %d", from)
	}
	if _, err := bus.Ping(from); err != nil {
		return err
	}
	if d, err := bus.Ping(to); err == nil {
		return refused("id %d belongs to a %s already; two devices with one id cannot be told apart", to, modelName(d.Model))
	} else if !errors.Is(err, dxl.ErrLinkLost) {
		return fmt.Errorf("id %d is not free: %w", to, err)
	}
	on, err := dxl.Read(bus, from, dxl.TorqueEnable)
	if err != nil {
		return err
	}
	if on != 0 {
		return refused("the torque of servo %d is on; disarm the robot first", from)
	}
	if err := dxl.Write(bus, from, dxl.DeviceID, uint8(to)); err != nil {
		return err
	}
	_, err = bus.Ping(to)
	return err
}

func newBusCalibrateCmd() *cobra.Command {
	f := &busFlags{}
	var name string
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Read the servos while the robot stands in its zero pose, and propose offsets",
		Long: `Put the robot into its zero pose by hand (upright, arms hanging) with torque
off, then run this. It reads every servo ten times and prints the offset_rad
that makes the present pose zero, joint by joint, for robot.yaml. It writes
nothing to the servos.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if name == "" {
				return usageError("--robot is required; built in: %s", strings.Join(robot.Names(), ", "))
			}
			desc, err := robot.Load(name)
			if err != nil {
				return err
			}
			rate := f.baud
			if rate == 0 {
				rate = desc.Buses[0].Baud
			}
			bus, port, err := f.open(rate, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer port.Close()
			offsets, err := calibrate(bus, desc)
			if err != nil {
				return fmt.Errorf("%s: %w", f.port, err)
			}
			if f.asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(offsets)
			}
			for _, o := range offsets {
				note := ""
				if o.SpreadRad > maxSpreadRad {
					note = fmt.Sprintf("  # moved by %.3f rad while being read: hold it still and repeat", o.SpreadRad)
				}
				fmt.Fprintf(c.OutOrStdout(), "%-18s id %3d  offset_rad: %+.4f  (was %+.4f)%s\n", o.Joint, o.ID, o.OffsetRad, o.WasRad, note)
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().StringVar(&name, "robot", "", "robot name or path of a robot.yaml (required)")
	return c
}

// jointOffset is a proposal for one joint.
type jointOffset struct {
	Joint     string  `json:"joint"`
	ID        int     `json:"id"`
	OffsetRad float64 `json:"offset_rad"`
	WasRad    float64 `json:"was_rad"`
	SpreadRad float64 `json:"spread_rad"` // largest minus smallest reading
}

const (
	calibrateReads = 10
	maxSpreadRad   = 0.01
)

// calibrate reads all servos and proposes offsets: the median of the readings becomes
// the angle zero.
func calibrate(bus *dxl.Bus, desc *robot.Description) ([]jointOffset, error) {
	var out []jointOffset
	for k, j := range desc.Joints {
		id, servo := dxl.ID(j.ID), desc.ServoOf(k).Entry
		on, err := dxl.Read(bus, id, dxl.TorqueEnable)
		if err != nil {
			return nil, fmt.Errorf("joint %s: %w", j.Name, err)
		}
		if on != 0 {
			return nil, refused("joint %s: the torque of servo %d is on; disarm the robot first", j.Name, id)
		}
		var reads []float64
		for range calibrateReads {
			p, err := dxl.Read(bus, id, dxl.PresentPosition)
			if err != nil {
				return nil, fmt.Errorf("joint %s: %w", j.Name, err)
			}
			reads = append(reads, servo.Rad(int32(p)))
		}
		slices.Sort(reads)
		median := (reads[calibrateReads/2-1] + reads[calibrateReads/2]) / 2
		out = append(out, jointOffset{
			Joint: j.Name, ID: j.ID, OffsetRad: -j.Sign * median, WasRad: j.OffsetRad,
			SpreadRad: reads[calibrateReads-1] - reads[0],
		})
	}
	return out, nil
}
