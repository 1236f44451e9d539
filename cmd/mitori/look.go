package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/doctor"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/idle"
)

// The commands here look and change nothing.

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
			return cli.Say(c.OutOrStdout(), asJSON, f, func(w io.Writer) { show.Robot(w, f) })
		},
	}
	facts.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.AddCommand(facts, newRobotIdleCmd())
	return c
}

func newRobotIdleCmd() *cobra.Command {
	var asJSON bool
	var caseC float64
	c := &cobra.Command{
		Use:   "idle R",
		Short: "Find the stance near the standing pose that heats the motors least",
		Long: `Find the stance that heats the motors least while the robot only stands: feet where they
are, the centre of mass over their middle, no joint more than 15 degrees from the standing
pose. Torques, heat and the temperature of the windings after 30 minutes are computed, in
both stances, from the catalogue's data sheets. Nothing is moved.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !(caseC >= -40 && caseC <= 100) {
				return fault.Usage("--case-c %g; legal: -40 to 100 C", caseC)
			}
			b, err := cli.LoadRobot(args[0])
			if err != nil {
				return err
			}
			s, err := idle.Find(b, idle.Defaults())
			if err != nil {
				return err
			}
			f := show.IdleOf(b, s, caseC)
			return cli.Say(c.OutOrStdout(), asJSON, f, func(w io.Writer) { show.Idle(w, f) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().Float64Var(&caseC, "case-c", 25, "temperature of the servos' cases, C")
	return c
}

func newBundleCmd() *cobra.Command {
	c := &cobra.Command{Use: "bundle", Short: "Look into policy bundles"}
	var asJSON bool
	inspect := &cobra.Command{
		Use:   "inspect P.bundle",
		Short: "Check a bundle's digests and golden pairs, and print what it is",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := bundle.Load(args[0])
			if err != nil {
				return err
			}
			return cli.Say(c.OutOrStdout(), asJSON, b.Manifest, func(w io.Writer) { show.Bundle(w, args[0], b) })
		},
	}
	inspect.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	c.AddCommand(inspect)
	return c
}

func newCompareCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare X.human.npz TRUTH.human.npz",
		Short: "Measure how far a human motion is from the truth",
		Long: `Measure how far a human motion is from another one, usually the exact truth that
'mitori demonstrate' wrote. The motions are aligned by their time stamps.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := human.Load(args[0])
			if err != nil {
				return err
			}
			truth, err := human.Load(args[1])
			if err != nil {
				return err
			}
			cmp, err := metrics.Compare(m, truth)
			if err != nil {
				return fmt.Errorf("%s against %s: %w", args[0], args[1], err)
			}
			found := show.Compared{Comparison: cmp, Motion: metrics.Plausible(m), Truth: metrics.Plausible(truth)}
			return cli.Say(c.OutOrStdout(), asJSON, found, found.Print)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print all figures as JSON")
	return c
}

func newDoctorCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is there, what is missing, and the command that fixes it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			found := doctor.Examine()
			if err := cli.Say(c.OutOrStdout(), asJSON, found, func(w io.Writer) { show.Doctor(w, found) }); err != nil {
				return err
			}
			if missing := doctor.Missing(found); missing > 0 {
				return fmt.Errorf("%d of %d checks failed; run: make deps build", missing, len(found))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}
