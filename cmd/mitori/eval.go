package main

import (
	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/judge"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/sim/eval"
)

func newEvalCmd() *cobra.Command {
	var (
		episodes, clip        int
		seed                  uint64
		asJSON, noCard        bool
		out, video, robotName string
	)
	c := &cobra.Command{
		Use:   "eval P.bundle",
		Short: "Judge a policy in simulation: hard test set, robustness card, baseline",
		Long: `Play the hard test set with the policy and with the plain playback of its
reference motion, and the robustness card with the policy. Every episode is a
function of its seed; the report lists them, so any one can be played again.

Rule of success: ` + eval.Rule + `.
Strict: ` + eval.StrictRule + `.`,
		Example: `  mitori eval wave.bundle
  mitori eval wave.bundle --episodes 200 -o eval.json --video wave.mp4`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if episodes < 1 {
				return fault.Usage("--episodes %d; legal: 1 and more", episodes)
			}
			for _, written := range []string{out, video} {
				if err := cli.NotOver(written, args[0]); err != nil {
					return err
				}
			}
			subject, err := judge.Load(args[0], robotName)
			if err != nil {
				return err
			}
			if clip < 0 || clip >= len(subject.Refs) {
				return fault.Usage("--clip %d; %s holds motions 0 to %d", clip, args[0], len(subject.Refs)-1)
			}
			subject.Episodes, subject.Seed = episodes, seed
			if noCard {
				subject.CardEpisodes = -1
			}
			report, err := alone(c, subject.Stage())
			if err != nil {
				return err
			}
			if out != "" {
				if err := report.Save(out); err != nil {
					return err
				}
			}
			if video != "" {
				if err := subject.Film(c.Context(), video, clip); err != nil {
					return err
				}
			}
			if asJSON {
				return report.Encode(c.OutOrStdout())
			}
			show.Eval(c.OutOrStdout(), args[0], report)
			return nil
		},
	}
	f := c.Flags()
	f.IntVar(&episodes, "episodes", eval.DefaultEpisodes, "episodes of the hard test set")
	f.Uint64Var(&seed, "seed", eval.DefaultSeed, "seed of the first episode; the others count on from it")
	f.BoolVar(&asJSON, "json", false, "print the whole report as JSON")
	f.BoolVar(&noCard, "no-card", false, "leave the robustness card out")
	f.StringVarP(&out, "output", "o", "", "write the report to this .json")
	f.StringVar(&video, "video", "", "write a video (mp4): reference, playback and policy side by side")
	f.IntVar(&clip, "clip", 0, "motion of the bundle that the video shows")
	cli.RobotFlag(f, &robotName, "the one that the bundle was trained for")
	return c
}
