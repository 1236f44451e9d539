package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
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
			if robotName == "" {
				return fault.Usage("--robot is missing; built in: %s; or the path of a robot.yaml", strings.Join(robot.Names(), ", "))
			}
			b, err := body.Load(robotName)
			if err != nil {
				return err
			}
			clip, err := motion.Load(args[0])
			if err != nil {
				return err
			}
			checker, err := feasible.New(b)
			if err != nil {
				return err
			}
			v, err := checker.Check(clip)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			like := storedLikeness(clip)
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				if err := enc.Encode(struct {
					*feasible.Verdict
					Likeness *likeness.Result `json:"likeness,omitempty"`
				}{v, like}); err != nil {
					return err
				}
			} else {
				printVerdict(c.OutOrStdout(), v)
				if like != nil {
					fmt.Fprintf(c.OutOrStdout(), "against the person, when it was retargeted: %s\n", like.Verdict)
					for _, f := range like.Findings {
						fmt.Fprintf(c.OutOrStdout(), "  %-7s  %s\n", f.Severity, f.Text)
					}
				}
			}
			if v.Verdict == feasible.Infeasible {
				return fault.Refuse("%s on %s: %s", args[0], robotName, v.Summary)
			}
			return nil
		},
	}
	c.Flags().StringVar(&robotName, "robot", "", "robot: a built-in name or the path of a robot.yaml")
	c.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	return c
}

// storedLikeness is what retarget said of a clip, from the report that the file
// carries; nil where it carries none.
func storedLikeness(c *motion.Clip) *likeness.Result {
	var rep struct {
		Likeness *likeness.Result `json:"likeness"`
	}
	if json.Unmarshal(c.Meta.Report, &rep) != nil || rep.Likeness == nil || rep.Likeness.Verdict == "" {
		return nil
	}
	return rep.Likeness
}

func printVerdict(w io.Writer, v *feasible.Verdict) {
	fmt.Fprintf(w, "%s (%s, %.2f s)\n", v.Verdict, v.Robot, v.DurationS)
	for _, f := range v.Findings {
		fmt.Fprintf(w, "  %-5s  %s\n", f.Severity, f.Text)
	}
	fmt.Fprintf(w, "balance: pressure point %.0f mm inside the feet at worst (at %.1f s), outside in %.1f %% of the frames; on one foot in %.0f %%\n",
		1e3*v.WorstMarginM, v.WorstMarginAtS, 100*v.OutsideShare, 100*v.OneFootShare)
	fmt.Fprintf(w, "%-18s %15s %8s %8s %8s %8s\n", "joint", "angles rad", "rad/s", "peak N m", "rms N m", "of servo")
	for _, j := range v.Joints {
		fmt.Fprintf(w, "%-18s %7.2f %7.2f %8.2f %8.2f %8.2f %7.0f%%\n", j.Name, j.MinRad, j.MaxRad, j.PeakRadS, j.PeakNm, j.RMSNm, 100*j.TorqueShare)
	}
	fmt.Fprintf(w, "%-10s %7s %7s %11s\n", "second", "torque", "speed", "balance mm")
	for _, s := range v.Seconds {
		fmt.Fprintf(w, "%-10.0f %6.0f%% %6.0f%% %11.0f\n", s.FromS, 100*s.TorqueShare, 100*s.SpeedShare, 1e3*s.BalanceMarginM)
	}
}
