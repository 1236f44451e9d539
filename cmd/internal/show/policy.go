package show

import (
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// Verdict says what of a reference motion a robot can do.
func Verdict(w io.Writer, v *feasible.Verdict) {
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

// Eval says how a policy did in the hard test set.
func Eval(w io.Writer, name string, r *eval.Report) {
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
}
