package buscli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/robot"
)

// watchedServo is a servo that is watched, and the joint that it moves, if that is known.
type watchedServo struct {
	id    uint8
	joint *robot.Joint // nil: not known
}

// Reading is one servo at one moment. With a robot, angle, speed and current are those
// of the joint.
type Reading struct {
	ID         uint8   `json:"id"`
	Joint      string  `json:"joint,omitempty"`
	PosRad     float64 `json:"pos_rad"`
	VelRadPerS float64 `json:"vel_rad_s"`
	CurrentA   float64 `json:"current_a"`
	TempC      float64 `json:"temp_c"`
	BusV       float64 `json:"bus_v"`
	Torque     bool    `json:"torque"`
	Errors     uint8   `json:"errors"`
	ErrorNames string  `json:"error_names,omitempty"`
	Fault      string  `json:"fault,omitempty"` // it was not read
}

func newBusWatchCmd() *cobra.Command {
	f := &busFlags{}
	var name, bus string
	var ids []int
	every, rounds := time.Second/2, 0
	c := &cobra.Command{
		Use:   "watch",
		Short: "Show angle, speed, current, temperature, supply and errors of servos until Ctrl-C",
		Long: `Show what servos report until Ctrl-C: a table that changes on a terminal, a line a
servo elsewhere, with --json one object a round. It writes nothing. With --robot
angles are those of the robot's joints; without, of the servos from their own
zero. Move a joint by hand to see which servo it is.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if every < 10*time.Millisecond || rounds < 0 {
				return fault.Usage("--every %v, --rounds %d; legal: 10ms or more, 0 or more", every, rounds)
			}
			for _, id := range ids {
				if err := checkID("--ids", id); err != nil {
					return err
				}
			}
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			var desc *robot.Description
			if name != "" {
				var wired robot.Bus
				if desc, wired, err = busOf(name, bus); err != nil {
					return err
				}
				if f.baud == 0 {
					rates = []int{wired.Baud}
				}
				bus = wired.Name
			}
			rate, servos, err := f.watched(open, rates, desc, bus, ids)
			if err != nil {
				return f.explain(err)
			}
			show := f.watcher(c.OutOrStdout())
			return f.at(rate, c.ErrOrStderr(), func(b servotool.Bus) error {
				return watch(c.Context(), b, servos, every, rounds, show)
			})
		},
	}
	f.add(c)
	addBusRobot(c, &name, &bus, "")
	c.Flags().IntSliceVar(&ids, "ids", nil, "ids of the servos; default: all that answer, or the robot's")
	c.Flags().DurationVar(&every, "every", every, "time between two rounds")
	c.Flags().IntVar(&rounds, "rounds", 0, "end after so many rounds; 0: at Ctrl-C")
	return c
}

// watched decides which servos are watched, and at which rate.
func (f *busFlags) watched(open servotool.Opener, rates []int, desc *robot.Description, bus string, ids []int) (int, []watchedServo, error) {
	joints := map[int]*robot.Joint{}
	if desc != nil {
		for _, j := range desc.JointsOn(bus) {
			joints[desc.Joints[j].ID] = &desc.Joints[j]
		}
	}
	var out []watchedServo
	add := func(id int) { out = append(out, watchedServo{uint8(id), joints[id]}) }
	switch {
	case len(ids) > 0:
		for _, id := range ids {
			add(id)
		}
	case desc != nil:
		for _, j := range desc.JointsOn(bus) {
			add(desc.Joints[j].ID)
		}
	default:
		found, err := servotool.Scan(open, rates)
		if err != nil && (len(found) == 0 || !errors.Is(err, servotool.ErrDamaged)) {
			return 0, nil, err
		}
		for _, d := range found {
			if d.Baud == found[0].Baud && !d.Sensor {
				add(int(d.ID))
			}
		}
		return found[0].Baud, out, nil
	}
	if len(rates) == 1 {
		return rates[0], out, nil
	}
	first, err := servotool.Ping(open, rates, out[0].id)
	return first.Baud, out, err
}

// watch reads and shows until ctx ends, which is no error, or after so many rounds.
func watch(ctx context.Context, b servotool.Bus, servos []watchedServo, every time.Duration, rounds int, show func([]Reading) error) error {
	ids := make([]uint8, 0, len(servos))
	for _, s := range servos {
		ids = append(ids, s.id)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 1; ; n++ {
		var all []Reading
		for i, r := range servotool.Look(b, ids) {
			if r.Err != nil && !errors.Is(r.Err, servotool.ErrSilent) && !errors.Is(r.Err, servotool.ErrDamaged) {
				return r.Err // the port, not the servo
			}
			all = append(all, readingOf(r, servos[i].joint))
		}
		if err := show(all); err != nil {
			return err
		}
		if n == rounds {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func readingOf(r servotool.Reading, j *robot.Joint) Reading {
	out := Reading{
		ID: r.ID, PosRad: r.PosRad, VelRadPerS: r.VelRadPerS, CurrentA: r.CurrentA, TempC: r.TempC, BusV: r.BusV,
		Torque: r.Torque, Errors: r.Errors, ErrorNames: r.ErrorNames,
	}
	if j != nil {
		out.Joint, out.PosRad = j.Name, j.Sign*r.PosRad+j.OffsetRad
		out.VelRadPerS, out.CurrentA = j.Sign*r.VelRadPerS, j.Sign*r.CurrentA
	}
	if r.Err != nil {
		out = Reading{ID: r.ID, Joint: out.Joint, Fault: "does not answer"}
		if errors.Is(r.Err, servotool.ErrDamaged) {
			out.Fault = "answers damaged"
		}
	}
	return out
}

// watcher returns how a round is shown.
func (f *busFlags) watcher(out io.Writer) func([]Reading) error {
	if f.asJSON {
		return func(all []Reading) error {
			return json.NewEncoder(out).Encode(map[string]any{"at": time.Now().UTC().Format(time.RFC3339Nano),
				"servos": all})
		}
	}
	const head = " id  joint               angle rad      deg    rad/s        A    C      V  torque  errors"
	lines := 0
	return func(all []Reading) error {
		if !cli.IsTerminal(out) {
			at := time.Now().UTC().Format("15:04:05.000")
			for _, r := range all {
				if _, err := fmt.Fprintln(out, at, r.line()); err != nil {
					return err
				}
			}
			return nil
		}
		var b strings.Builder
		if lines > 0 {
			fmt.Fprintf(&b, "\x1b[%dA", lines) // up to where the table begins
		}
		fmt.Fprintf(&b, "%s%s\n", cli.ToStart, head)
		for _, r := range all {
			fmt.Fprintf(&b, "%s%s\n", cli.ToStart, r.line())
		}
		lines = len(all) + 1
		_, err := io.WriteString(out, b.String())
		return err
	}
}

// line is one row of the table.
func (r *Reading) line() string {
	joint := cli.Printable(r.Joint)
	if r.Fault != "" {
		return fmt.Sprintf("%3d  %-18s  %s", r.ID, joint, r.Fault)
	}
	torque, errors := "off", "none"
	if r.Torque {
		torque = "on"
	}
	if r.Errors != 0 {
		errors = r.ErrorNames + " (" + strconv.Itoa(int(r.Errors)) + ")"
	}
	return fmt.Sprintf("%3d  %-18s %+10.4f %+8.2f %+8.3f %+8.3f %4.0f %6.1f  %-6s  %s",
		r.ID, joint, r.PosRad, r.PosRad*180/math.Pi, r.VelRadPerS, r.CurrentA, r.TempC, r.BusV, torque, errors)
}
