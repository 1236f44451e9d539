package main

import (
	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
)

func newRobotCmd() *cobra.Command {
	c := &cobra.Command{Use: "robot", Short: "Look at robot descriptions"}
	var asJSON bool
	facts := &cobra.Command{
		Use:   "show R",
		Short: "Show a robot: size, mass, joints, servos, and what was found to be its arms and legs",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := cli.LoadRobot(args[0])
			if err != nil {
				return err
			}
			an, err := b.Humanoid()
			if err != nil {
				return err
			}
			f := show.Facts(b, an)
			if asJSON {
				return cli.WriteJSON(c.OutOrStdout(), f)
			}
			show.Robot(c.OutOrStdout(), f)
			return nil
		},
	}
	facts.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.AddCommand(facts)
	return c
}
