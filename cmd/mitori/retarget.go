package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/retarget"
)

// retargetFlags are the choices of one retargeting.
type retargetFlags struct {
	robot, output string
	opt           retarget.Options
	from, to      time.Duration
	asJSON        bool
	anyway        bool
}

func newRetargetCmd() *cobra.Command {
	var x retargetFlags
	c := &cobra.Command{
		Use:   "retarget X.human.npz --robot R -o X.motion.npz",
		Short: "Turn a human motion into a reference motion for a robot",
		Long: `Turn a human motion into a reference motion for a robot: within the limits of its
joints and servos, feet on the floor, balanced, and from standing to standing.
Which body of the robot is an arm or a leg is found from its model file.

The result is laid beside the person: where heading, way over the floor, height or
posture are no longer theirs, nothing is written and the exit code is 3; --anyway
writes it all the same.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&x.robot, "robot", "", "robot: a built-in name or the path of a robot.yaml")
	f.StringVarP(&x.output, "output", "o", "", "file to write (default: beside the input, *.motion.npz)")
	f.Float64Var(&x.opt.Tempo, "tempo", 1, "speed of the motion: 2 is twice as fast")
	f.Float64Var(&x.opt.Amplify, "amplify", 1, "size of the motion: 1.2 is a fifth wider")
	f.BoolVar(&x.opt.Mirror, "mirror", false, "exchange left and right")
	f.DurationVar(&x.from, "from", 0, "begin here, on the clock of what the motion was made from")
	f.DurationVar(&x.to, "to", 0, "end here (default: the motion's end)")
	f.BoolVar(&x.asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&x.anyway, "anyway", false, "go on where a verdict refuses")
	return c
}

// run retargets one file.
func (x *retargetFlags) run(c *cobra.Command, name string) error {
	if x.robot == "" {
		return fault.Usage("--robot is missing; built in: %s; or the path of a robot.yaml", strings.Join(robot.Names(), ", "))
	}
	output := x.output
	if output == "" {
		output = strings.TrimSuffix(strings.TrimSuffix(name, ".npz"), ".human") + ".motion.npz"
	}
	if err := cli.NotOver(output, name); err != nil {
		return err
	}
	b, err := body.Load(x.robot)
	if err != nil {
		return err
	}
	m, err := human.Load(name)
	if err != nil {
		return err
	}
	if m, err = x.window(m); err != nil {
		return err
	}
	r, err := retarget.New(b)
	if err != nil {
		return err
	}
	clip, rep, err := r.Retarget(m, x.opt)
	if err != nil {
		return err
	}
	why := objection(rep, nil)
	if why == "" || x.anyway {
		if err := clip.Save(output); err != nil {
			return err
		}
	} else {
		output = ""
	}
	if x.asJSON {
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetIndent("", "  ")
		if err := enc.Encode(rep); err != nil {
			return err
		}
	} else {
		printRetarget(c.OutOrStdout(), rep, output)
	}
	if output == "" {
		return fault.Refuse("%s on %s: %s; nothing was written (--anyway writes it); %s", name, x.robot, why, suggestParts(c.Context(), r, m, x.opt))
	}
	return nil
}

// window cuts the part that was asked for.
func (x *retargetFlags) window(m *human.Motion) (*human.Motion, error) {
	if x.from == 0 && x.to == 0 {
		return m, nil
	}
	from, to := x.from.Seconds()-m.Meta.StartS, m.Seconds()
	if x.to != 0 {
		to = x.to.Seconds() - m.Meta.StartS
	}
	part, err := m.Part(from, to)
	if err != nil {
		return nil, fault.Usage("--from %v, --to %v: the motion lasts from %g to %.2f s", x.from, x.to, m.Meta.StartS, m.Meta.StartS+m.Seconds())
	}
	return part, nil
}

func printRetarget(w io.Writer, r *retarget.Report, output string) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s "+format+"\n", append([]any{name}, args...)...)
	}
	line("motion", "%d frames, %.2f s, computed at %.0f frames/s", r.Frames, r.Seconds, r.FPS)
	line("limits", "%d joint-limit and %d speed-limit violations; fastest joint at %.0f %% of its limit",
		r.JointLimitViolations, r.SpeedLimitViolations, 100*r.WorstSpeedShare)
	line("feet", "slide at most %.1f mm/s, sink at most %.2f mm; %.0f %% of the person's contacts kept",
		1e3*r.FootSlidingSpeedMS, 1e3*r.PenetrationDepthM, 100*r.ContactPreservation)
	line("likeness", "%.1f deg mean direction error, similarity %.3f", r.DirectionErrorDeg, r.Similarity)
	l := &r.Likeness
	line("compared", "%s; heading at most %.0f deg off, way %.2f leg lengths (the person went %.1f, the robot %.1f), hips %.2f, posture %.0f deg",
		l.Verdict, l.HeadingMaxDeg, l.PathMaxLegs, l.PersonWayLegs, l.RobotWayLegs, l.HeightMaxLegs, l.LimbMaxDeg)
	for _, f := range l.Findings {
		line(f.Severity, "%s", f.Text)
	}
	line("balance", "pressure point at worst %.1f mm inside the feet (negative: outside), outside in %.1f %% of the frames",
		1e3*r.WorstBalanceM, 100*r.UnbalancedShare)
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	if output != "" {
		line("written", "%s", output)
	}
}
