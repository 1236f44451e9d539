package buscli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/calibrate"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// The steps of a calibration.
const (
	stepOffsets, stepSigns, stepRanges = "offsets", "signs", "ranges"
)

// calibration is what one run of "bus calibrate" was asked for.
type calibration struct {
	busFlags
	robot, bus, out string
	steps, joints   []string
	yes             bool
	in              *bufio.Reader
	prompts         io.Writer
}

func newBusCalibrateCmd() *cobra.Command {
	f := &calibration{}
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Find offsets, signs and ranges with your hands, and write them into robot.yaml",
		Long: `Find what robot.yaml must say of the servos: with torque off, bring the robot into
its zero pose (offsets), then move one joint after the other as you are told
(signs), then each to both ends of its way (ranges). What makes no sense is told
and asked for again: a joint that did not move, another one that did (exchanged
cables or ids), two at once, a pose that was not held.

The changes are shown and written after a "yes" (or --yes): into the robot.yaml
that was read, or into -o; comments stay. Nothing is written to the servos.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.in, f.prompts = bufio.NewReader(c.InOrStdin()), c.ErrOrStderr()
			return f.run(c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c)
	addBusRobot(c, &f.robot, &f.bus, " (required)")
	c.Flags().StringSliceVar(&f.steps, "steps", []string{stepOffsets, stepSigns, stepRanges}, "what to find")
	c.Flags().StringSliceVar(&f.joints, "joints", nil, "joints to find sign and range of; default: all on the bus")
	c.Flags().StringVarP(&f.out, "out", "o", "", "write to this robot.yaml instead of the one that was read")
	c.Flags().BoolVar(&f.yes, "yes", false, "write without asking")
	return c
}

func (f *calibration) run(out, warn io.Writer) error {
	desc, wired, err := busOf(f.robot, f.bus)
	if err != nil {
		return err
	}
	for _, s := range f.steps {
		if !slices.Contains([]string{stepOffsets, stepSigns, stepRanges}, s) {
			return fault.Usage("--steps %q; legal: %s, %s, %s", s, stepOffsets, stepSigns, stepRanges)
		}
	}
	before, err := robot.Edit(f.robot, nil)
	if err != nil {
		return err
	}
	if before.File == "" && f.out == "" {
		return fault.Usage("%s ships with the program and is not changed: name a robot.yaml to write with -o", f.robot)
	}
	bound, err := body.New(desc)
	if err != nil {
		return err
	}
	rate := f.baud
	if rate == 0 {
		rate = wired.Baud
	}
	f.protocol = wired.Protocol
	s := &calibrate.Session{
		Robot: desc, Joints: desc.JointsOn(wired.Name), Gesture: bound.Gesture,
		Offsets: slices.Contains(f.steps, stepOffsets), Signs: slices.Contains(f.steps,
			stepSigns), Ranges: slices.Contains(f.steps, stepRanges),
		Ask: func(text string) error {
			_, err := f.ask(text)
			return err
		},
		Tell: func(format string, args ...any) { fmt.Fprintf(f.prompts, format+"\n", args...) },
	}
	if s.Only, err = jointsNamed(desc, f.joints); err != nil {
		return err
	}
	return f.at(rate, warn, func(b servotool.Bus) error {
		s.Bus = b
		found, err := s.Run()
		if err != nil {
			return err
		}
		return f.write(found, out)
	})
}

// jointsNamed is the indices of joints; nil for none.
func jointsNamed(desc *robot.Description, names []string) (all []int, err error) {
	for _, n := range names {
		j := desc.JointIndex(n)
		if j < 0 {
			return nil, fault.Usage("--joints: %q; legal: %s", n, strings.Join(desc.JointNames(), ", "))
		}
		all = append(all, j)
	}
	return all, nil
}

// ask shows a text and reads a line.
func (f *calibration) ask(text string) (string, error) { return askOn(f.prompts, f.in, text) }

func askOn(out io.Writer, in *bufio.Reader, text string) (string, error) {
	fmt.Fprintf(out, "%s: ", text)
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// write shows what would change and, if it may, writes it.
func (f *calibration) write(found []calibrate.Joint, out io.Writer) error {
	e, err := robot.Edit(f.robot, calibrate.Changes(found))
	if err != nil {
		return err
	}
	name := f.out
	if name == "" {
		name = e.File
	}
	diff := e.Diff()
	for _, line := range diff {
		fmt.Fprintln(f.prompts, cli.Printable(line))
	}
	written := ""
	switch {
	case len(diff) == 0 && f.out == "":
		fmt.Fprintf(f.prompts, "%s says what was found already\n", name)
	default:
		if !f.yes {
			if typed, err := f.ask(fmt.Sprintf("write this to %s? Type yes", name)); err != nil || typed != "yes" {
				return fault.Refuse("not confirmed, nothing was written; type yes, or give --yes")
			}
		}
		also, err := e.Save(name)
		if err != nil {
			return err
		}
		written = name
		fmt.Fprintf(f.prompts, "%d lines changed; wrote %s\n", len(diff), strings.TrimSuffix(name+" and "+also,
			" and "))
	}
	if f.asJSON {
		return cli.WriteJSON(out, map[string]any{"joints": found, "written": written, "diff": append([]string{},
			diff...)})
	}
	return nil
}
