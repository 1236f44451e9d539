package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
)

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
			own := metrics.Plausible(m)
			if asJSON {
				return cli.WriteJSON(c.OutOrStdout(), struct {
					Comparison *metrics.Comparison   `json:"comparison"`
					Motion     *metrics.Plausibility `json:"motion"`
					Truth      *metrics.Plausibility `json:"truth"`
				}{cmp, own, metrics.Plausible(truth)})
			}
			show.Comparison(c.OutOrStdout(), cmp, own)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print all figures as JSON")
	return c
}
