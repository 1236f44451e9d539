package buscli

import (
	"bufio"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/commission"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
)

func newBusCommissionCmd() *cobra.Command {
	f := &busFlags{}
	var name, bus, from string
	c := &cobra.Command{
		Use:   "commission",
		Short: "Set up the fresh servos of a robot, one by one",
		Long: `Set up fresh servos for the joints of a robot: connect one servo at a time, as you
are told. It is found at whatever bit rate and id it has, compared with the
description (model, firmware), given the joint's id, the bus's rate and what a
robot relies on (return delay, operating mode, limits, no offset), and asked
whether it holds all that. More than one servo on the line is noticed.

It may be left at any time (Ctrl-C, or type quit) and begun again: connect what
is set up already at the beginning, or say --from JOINT. Type skip to leave a
joint out.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			desc, wired, err := busOf(name, bus)
			if err != nil {
				return err
			}
			f.protocol = wired.Protocol
			open, rates, err := f.look(c.ErrOrStderr())
			if err != nil {
				return err
			}
			in := bufio.NewReader(c.InOrStdin())
			w := &commission.Walk{
				Open: open, Rates: rates, Robot: desc, Bus: wired.Name, From: from, Wait: time.Sleep,
				Ask:  func(text string) (string, error) { return askOn(c.ErrOrStderr(), in, text) },
				Tell: func(format string, args ...any) { fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...) },
			}
			all, err := w.Run()
			if f.asJSON {
				return errors.Join(cli.WriteJSON(c.OutOrStdout(), append([]commission.Result{}, all...)),
					f.explain(err))
			}
			return f.explain(err)
		},
	}
	f.add(c)
	addBusRobot(c, &name, &bus, " (required)")
	c.Flags().StringVar(&from, "from", "", "joint to begin with")
	return c
}
