package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/adapt"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/feasible"
)

func newCheckCmd() *cobra.Command {
	var robotName string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check X.motion.npz --robot R",
		Short: "Say whether a robot can carry out a reference motion, and why not",
		Long: `Say, before any training, whether a robot can carry out a reference motion: joint
limits, speeds, torques by inverse dynamics against the servos' torque-speed line,
balance, feet and self-collision. Exit code 3 means infeasible. What retarget said
about the likeness to the person is in the file and said again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := cli.LoadRobot(robotName)
			if err != nil {
				return err
			}
			clip, err := motion.Load(args[0])
			if err != nil {
				return err
			}
			v, err := alone(c, adapt.Check(b, clip))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			said := show.Checked{Verdict: v, Likeness: adapt.StoredLikeness(clip)}
			if err := cli.Say(c.OutOrStdout(), asJSON, said, said.Print); err != nil {
				return err
			}
			if v.Verdict == feasible.Infeasible {
				return fault.Refuse("%s on %s: %s", args[0], robotName, v.Summary)
			}
			return nil
		},
	}
	cli.RobotFlag(c.Flags(), &robotName, "")
	c.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	return c
}
