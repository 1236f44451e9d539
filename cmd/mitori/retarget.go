package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/adapt"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/human"
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
posture are no longer theirs, nothing is written and the exit code is 3; so it is
where the extraction refused the motion. --anyway writes it all the same.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args[0]) },
	}
	f := c.Flags()
	cli.RobotFlag(f, &x.robot, "")
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
	output := x.output
	if output == "" {
		output = strings.TrimSuffix(strings.TrimSuffix(name, ".npz"), ".human") + ".motion.npz"
	}
	if err := cli.NotOver(output, name); err != nil {
		return err
	}
	b, err := cli.LoadRobot(x.robot)
	if err != nil {
		return err
	}
	m, err := human.Load(name)
	if err != nil {
		return err
	}
	warnings, err := adapt.Source(name, m, x.anyway)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s: %s\n", name, w)
	}
	if m, err = adapt.Part(m, x.from, x.to); err != nil {
		return err
	}
	ref, err := alone(c, adapt.Retarget(b, m, x.opt))
	if err != nil {
		return err
	}
	why := adapt.Objection(ref.Report, nil)
	if why == "" || x.anyway {
		if err := ref.Clip.Save(output); err != nil {
			return err
		}
	} else {
		output = ""
	}
	if err := cli.Say(c.OutOrStdout(), x.asJSON, ref.Report, func(w io.Writer) { show.Retarget(w, ref.Report, output) }); err != nil {
		return err
	}
	if output != "" {
		return nil
	}
	parts, err := adapt.SuggestParts(c.Context(), b, m, x.opt)
	if err != nil {
		return err
	}
	return fault.Refuse("%s on %s: %s; nothing was written (--anyway writes it); %s", name, x.robot, why, parts)
}
