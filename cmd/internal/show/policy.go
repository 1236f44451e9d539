package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/doctor"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// Checked is what a robot can do of a reference motion, and what retargeting said of
// the motion, if it is known.
type Checked struct {
	*feasible.Verdict
	Likeness *likeness.Result `json:"likeness,omitempty"`
}

// Print says it.
func (c Checked) Print(w io.Writer) {
	verdictOf(w, c.Verdict)
	if c.Likeness == nil {
		return
	}
	fmt.Fprintf(w, "against the person, when it was retargeted: %s\n", c.Likeness.Verdict)
	for _, f := range c.Likeness.Findings {
		fmt.Fprintf(w, "  %-7s  %s\n", f.Severity, f.Text)
	}
}

func verdictOf(w io.Writer, v *feasible.Verdict) {
	fmt.Fprintf(w, "%s (%s, %.2f s)\n", v.Verdict, v.Robot, v.DurationS)
	for _, f := range v.Findings {
		fmt.Fprintf(w, "  %-5s  %s\n", f.Severity, f.Text)
	}
	fmt.Fprintf(w, "balance: pressure point %.0f mm inside the feet at worst (at %.1f s), outside in %.1f %% of the frames; on one foot in %.0f %%\n",
		1e3*v.WorstMarginM, v.WorstMarginAtS, 100*v.OutsideShare, 100*v.OneFootShare)
	fmt.Fprintf(w, "%-18s %15s %8s %8s %8s %8s\n", "joint", "angles rad", "rad/s", "peak N m", "rms N m", "of servo")
	for _, j := range v.Joints {
		fmt.Fprintf(w, "%-18s %7.2f %7.2f %8.2f %8.2f %8.2f %7.0f%%\n", j.Name, j.MinRad, j.MaxRad, j.PeakRadPerS, j.PeakNm, j.RMSNm, 100*j.TorqueShare)
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
		r.JointMAERad, base.JointMAERad, r.MPJPELocalMm, base.MPJPELocalMm, r.RootErrorCm, r.YawDriftDeg, 1000*r.FootSlipMPerS)
	p("servos: torque %.2f N m rms, %.1f %% of the time at the limit, above the speed limit %.1f %%; work %.1f J\n",
		r.TorqueRMSNm, 100*r.TorqueAtLimit, 100*r.OverSpeed, r.WorkJ)
	p("guard: changed %d of %d commands, by %.3f rad at most; robotd would have ended %d of %d episodes\n",
		r.GuardChanged, r.GuardCommands, r.GuardMaxRad, r.Stopped, r.Episodes)
	for _, e := range r.Results {
		switch {
		case e.Fell:
			p("  seed %d fell %s after %.2f s (%.0f %% of the motion)\n", e.Seed, e.FallDirection, e.TimeS, 100*e.FallPhase)
		case e.Stopped != "":
			p("  seed %d was stopped by robotd after %.2f s: %s\n", e.Seed, e.TimeS, e.Stopped)
		}
	}
	if len(r.Card) > 0 {
		p("robustness, with plain playback in brackets:\n")
	}
	for _, l := range r.Card {
		b := &l.BaselinePlayback
		p("  %-13s survived %s [%d of %d], joints %.3f rad [%.3f], root %.1f cm\n  %-13s %s\n", l.Name, l.Survival(), b.Survived, b.Episodes,
			l.JointMAERad, b.JointMAERad, l.RootErrorCm, "", l.Text)
	}
	p("rule: %s\n", r.Rule)
}

// Bundle says what a bundle is; its digests and golden pairs were checked when it was
// loaded.
func Bundle(w io.Writer, name string, b *bundle.Bundle) {
	m, signed := &b.Manifest, "unsigned"
	if b.Signed {
		signed = "signature present, not verified"
	}
	fmt.Fprintf(w, "%s: policy %q for %s (%d joints), %g Hz, %s\n", name, m.Name, m.Robot, len(m.JointNames), m.PolicyRateHz, signed)
	fmt.Fprintf(w, "network: %d inputs, %d outputs, %d layers; digests and golden pairs hold\n", b.Net.In(), b.Net.Out(), len(b.Net.Layers()))
	fmt.Fprintf(w, "training: %s, seed %d, %d control steps\n", m.Training.Method, m.Training.Seed, m.Training.ControlSteps)
	for _, mi := range m.Motions {
		fmt.Fprintf(w, "motion: %s, %.1f s, from %s\n", mi.File, mi.Seconds, mi.Source)
	}
}

// Doctor says what is there, what is missing, and the command that fixes it.
func Doctor(w io.Writer, found []doctor.Finding) {
	for _, f := range found {
		mark := "ok     "
		if !f.OK {
			mark = "MISSING"
			if !strings.Contains(f.Detail, f.Fix) {
				f.Detail += "; run: " + f.Fix
			}
		}
		fmt.Fprintf(w, "%s  %-22s %s\n", mark, f.Name, f.Detail)
	}
}
