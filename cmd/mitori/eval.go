package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/sim/eval"
	"github.com/mitori-robotics/mitori/sim/film"
)

func newEvalCmd() *cobra.Command {
	var (
		episodes, clip         int
		seed                   uint64
		asJSON, noCard         bool
		out, video, robotNames string
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
			test, policy, err := bundleTest(args[0], robotNames)
			if err != nil {
				return err
			}
			if clip < 0 || clip >= len(test.Refs) {
				return fault.Usage("--clip %d; %s holds motions 0 to %d", clip, args[0], len(test.Refs)-1)
			}
			test.Episodes, test.Seed = episodes, seed
			if noCard {
				test.CardEpisodes = -1
			}
			report, err := eval.Run(c.Context(), *test, policy)
			if err != nil {
				return err
			}
			if out != "" {
				if err := report.Save(out); err != nil {
					return err
				}
			}
			if video != "" {
				if err := evalVideo(c.Context(), video, *test, clip, policy); err != nil {
					return err
				}
			}
			if asJSON {
				return report.Encode(c.OutOrStdout())
			}
			return printReport(c.OutOrStdout(), args[0], report)
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
	f.StringVar(&robotNames, "robot", "", "robot name or path of a robot.yaml; default: the one the bundle was trained for")
	return c
}

// bundleTest loads a bundle and says what is to be tested of it. Bundles that
// are damaged or for another robot are refused.
func bundleTest(name, robotName string) (*eval.Test, eval.Factory, error) {
	b, err := bundle.Load(name)
	if err != nil {
		return nil, nil, err
	}
	if robotName == "" {
		robotName = b.Manifest.Robot
	}
	d, err := body.Load(robotName)
	if err != nil {
		return nil, nil, err
	}
	if err := b.CheckRobot(d.Desc); err != nil {
		return nil, nil, fault.Refuse("%s: %w", name, err)
	}
	test, policy, err := evalTest(b, d)
	if err != nil {
		return nil, nil, fault.Refuse("%s: %w", name, err)
	}
	return test, policy, nil
}

// evalTest makes the test of a bundle that is in memory.
func evalTest(b *bundle.Bundle, d *body.Body) (*eval.Test, eval.Factory, error) {
	t := &eval.Test{Robot: d}
	if err := json.Unmarshal(b.Manifest.Observation, &t.Spec); err != nil {
		return nil, nil, fmt.Errorf("manifest: observation: %w", err)
	}
	for i, clip := range b.Clips {
		ref, err := obs.NewReference(clip, &t.Spec)
		if err != nil {
			return nil, nil, fmt.Errorf("motion %d: %w", i, err)
		}
		t.Refs = append(t.Refs, ref)
	}
	policy, err := eval.Policy(t.Spec, b.Net)
	return t, policy, err
}

// evalVideo films reference, playback and policy, each undisturbed.
func evalVideo(ctx context.Context, name string, t eval.Test, clip int, policy eval.Factory) error {
	clean := eval.Card()[0]
	const tailS = 0.5
	ref, err := eval.ReferenceQPos(t, clip)
	if err != nil {
		return err
	}
	panes := []film.Pane{{QPos: ref.QPos, PeriodS: ref.PeriodS}}
	for _, f := range []eval.Factory{eval.Playback(t.Spec), policy} {
		rec, err := eval.Record(ctx, t, clip, clean, f, tailS)
		if err != nil {
			return err
		}
		panes = append(panes, film.Pane{QPos: rec.QPos, PeriodS: rec.PeriodS})
	}
	return film.Write(ctx, name, t.Robot.Desc.MJCF, panes, film.Options{})
}

func printReport(w io.Writer, name string, r *eval.Report) error {
	p := func(format string, a ...any) { fmt.Fprintf(w, format, a...) }
	p("%s on %s, %s\n", name, r.Robot, r.Physics)
	base := r.BaselinePlayback
	p("hard test set: survived %s\n", r.Survival())
	p("strictly tracked: %s\n", r.Strictly())
	p("plain playback: survived %s\n", base.Survival())
	p("tracking: joints %.3f rad (plain playback %.3f), bodies %.1f mm (%.1f), root %.1f cm, yaw %.1f deg; feet slip %.1f mm/s\n",
		r.JointMAERad, base.JointMAERad, r.MPJPELocalMM, base.MPJPELocalMM, r.RootErrorCM, r.YawDriftDeg, 1000*r.FootSlipMS)
	p("servos: torque %.2f N m rms, %.1f %% of the time at the limit, above the speed limit %.1f %%; work %.1f J\n",
		r.TorqueRMSNm, 100*r.TorqueAtLimit, 100*r.OverSpeed, r.WorkJ)
	for _, e := range r.Results {
		if e.Fell {
			p("  seed %d fell %s after %.2f s (%.0f %% of the motion)\n", e.Seed, e.FallDirection, e.TimeS, 100*e.FallPhase)
		}
	}
	if len(r.Card) > 0 {
		p("robustness, with plain playback in brackets:\n")
	}
	for _, l := range r.Card {
		b := &l.BaselinePlayback
		p("  %-13s survived %s [%d of %d], joints %.3f rad [%.3f], root %.1f cm\n  %-13s %s\n", l.Name, l.Survival(), b.Survived, b.Episodes,
			l.JointMAERad, b.JointMAERad, l.RootErrorCM, "", l.Text)
	}
	p("rule: %s\n", r.Rule)
	return nil
}
