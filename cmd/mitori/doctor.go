package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/doctor"
)

func newDoctorCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is there, what is missing, and the command that fixes it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			found, missing := doctor.Examine(), 0
			for _, f := range found {
				mark := "ok     "
				if !f.OK {
					missing++
					mark = "MISSING"
				}
				if !asJSON {
					fmt.Fprintf(c.OutOrStdout(), "%s  %-22s %s\n", mark, f.Name, f.Detail)
				}
			}
			if asJSON {
				if err := cli.WriteJSON(c.OutOrStdout(), found); err != nil {
					return err
				}
			}
			if missing > 0 {
				return fmt.Errorf("%d of %d checks failed; run: make deps build", missing, len(found))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}
