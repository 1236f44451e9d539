package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

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
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(struct {
					Comparison *metrics.Comparison   `json:"comparison"`
					Motion     *metrics.Plausibility `json:"motion"`
					Truth      *metrics.Plausibility `json:"truth"`
				}{cmp, own, metrics.Plausible(truth)})
			}
			printComparison(c.OutOrStdout(), cmp, own)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print all figures as JSON")
	return c
}

func printComparison(w io.Writer, c *metrics.Comparison, p *metrics.Plausibility) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-18s "+format+"\n", append([]any{name}, args...)...)
	}
	line("compared", "%d frames, %.2f s", c.Frames, c.OverlapS)
	line("positions", "MPJPE %.0f mm, scaled %.0f mm, Procrustes %.0f mm, in the world %.0f mm", c.MPJPEMm, c.NMPJPEMm, c.PAMPJPEMm, c.GMPJPEMm)
	line("joint angles", "mean %.1f deg (95 %% below %.1f), without bone twist %.1f deg, knees and elbows %.1f deg",
		c.JointAngleMeanDeg, c.JointAngleP95Deg, c.JointSwingMeanDeg, c.FlexionMeanDeg)
	line("pelvis", "mean %.3f m (height %.3f, sideways %.3f, depth %.3f), max %.3f m; tilt %.1f deg, heading %.1f deg",
		c.RootMeanM, c.RootHeightMeanM, c.RootAcrossMeanM, c.RootDepthMeanM, c.RootMaxM, c.PelvisTiltMeanDeg, c.HeadingMeanDeg)
	line("contacts", "%.1f %% of foot-frames agree (%.1f %% false, %.1f %% missed); left and right exchanged in %.1f %% of frames",
		100*c.ContactAgreement, 100*c.ContactFalseShare, 100*c.ContactMissedShare, 100*c.SideErrorShare)
	line("feet", "slide %.1f mm/s on average, %.0f mm/s at most; float %.0f mm, sink %.0f mm at most",
		1e3*p.FootSlideMeanMps, 1e3*p.FootSlideMaxMps, 1e3*p.FloatMaxM, 1e3*p.SinkMaxM)
	line("smoothness", "jitter %.0f m/s^3, acceleration error %.1f m/s^2", p.JitterMps3, c.AccelErrorMps2)
	line("bones", "length spread %.2f mm, left-right difference %.2f mm", p.BoneSpreadMm, p.SideAsymmetryMm)
	worst := 0
	for j := range c.Joints {
		if c.Joints[j].MPJPEMm > c.Joints[worst].MPJPEMm {
			worst = j
		}
	}
	line("worst joint", "%s, %.0f mm", c.Joints[worst].Joint, c.Joints[worst].MPJPEMm)
}
