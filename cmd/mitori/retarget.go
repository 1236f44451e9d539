package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/retarget"
)

func newRetargetCmd() *cobra.Command {
	var robotName, output string
	var asJSON bool
	var opt retarget.Options
	c := &cobra.Command{
		Use:   "retarget X.human.npz --robot R -o X.motion.npz",
		Short: "Turn a human motion into a reference motion for a robot",
		Long: `Turn a human motion into a reference motion for a robot: within the limits of its
joints and servos, feet on the floor, balanced, and from standing to standing.
Which body of the robot is an arm or a leg is found from its model file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if robotName == "" {
				return usageError("--robot is missing; built in: %s; or the path of a robot.yaml", strings.Join(robot.Names(), ", "))
			}
			if output == "" {
				output = strings.TrimSuffix(strings.TrimSuffix(args[0], ".npz"), ".human") + ".motion.npz"
			}
			if err := notOver(output, args[0]); err != nil {
				return err
			}
			desc, err := robot.Load(robotName)
			if err != nil {
				return err
			}
			m, err := human.Load(args[0])
			if err != nil {
				return err
			}
			r, err := retarget.New(desc)
			if err != nil {
				return err
			}
			clip, rep, err := r.Retarget(m, opt)
			if err != nil {
				return err
			}
			if err := clip.Save(output); err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(rep)
			}
			printRetarget(c.OutOrStdout(), rep, output)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&robotName, "robot", "", "robot: a built-in name or the path of a robot.yaml")
	f.StringVarP(&output, "output", "o", "", "file to write (default: beside the input, *.motion.npz)")
	f.Float64Var(&opt.Tempo, "tempo", 1, "speed of the motion: 2 is twice as fast")
	f.Float64Var(&opt.Amplify, "amplify", 1, "size of the motion: 1.2 is a fifth wider")
	f.BoolVar(&opt.Mirror, "mirror", false, "exchange left and right")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
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
	line("balance", "pressure point at worst %.1f mm inside the feet (negative: outside), outside in %.1f %% of the frames",
		1e3*r.WorstBalanceM, 100*r.UnbalancedShare)
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	line("written", "%s", output)
}
