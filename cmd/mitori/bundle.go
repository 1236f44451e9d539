package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/policy/bundle"
)

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
			if asJSON {
				return cli.WriteJSON(c.OutOrStdout(), b.Manifest)
			}
			m, out := &b.Manifest, c.OutOrStdout()
			signed := "unsigned"
			if b.Signed {
				signed = "signature present, not verified"
			}
			fmt.Fprintf(out, "%s: policy %q for %s (%d joints), %g Hz, %s\n", args[0], m.Name, m.Robot, len(m.JointNames), m.PolicyRateHz, signed)
			fmt.Fprintf(out, "network: %d inputs, %d outputs, %d layers; digests and golden pairs hold\n", b.Net.In(), b.Net.Out(), len(b.Net.Layers()))
			fmt.Fprintf(out, "training: %s, seed %d, %d control steps\n", m.Training.Method, m.Training.Seed, m.Training.ControlSteps)
			for _, mi := range m.Motions {
				fmt.Fprintf(out, "motion: %s, %.1f s, from %s\n", mi.File, mi.Seconds, mi.Source)
			}
			return nil
		},
	}
	inspect.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	c.AddCommand(inspect)
	return c
}
