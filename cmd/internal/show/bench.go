package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/seebench"
)

// Bench prints the table of a measurement, the medians of its groups, what is wrong and the
// worst rows.
func Bench(w io.Writer, p *seebench.Report) {
	fmt.Fprintf(w, benchHead, "clip", "verdict")
	for i := range p.Rows {
		benchRow(w, p.Rows[i].Row, benchVerdict(&p.Rows[i]), &p.Rows[i])
	}
	fmt.Fprintf(w, "\nmedians\n"+benchHead, "group", "right")
	for _, m := range p.Medians() {
		benchRow(w, m.Group, fmt.Sprintf("%d of %d", m.Right, m.Rows), &m.Result)
	}
	fmt.Fprintln(w)
	for i := range p.Rows {
		if r := &p.Rows[i]; !r.Right {
			fmt.Fprintf(w, "wrong: %s\n", benchWrong(r))
		}
	}
	for _, r := range p.Worst(5) {
		fmt.Fprintf(w, "far off: %s, %.0f mm (%s)\n", r.Row, r.MPJPEMm, r.Verdict)
	}
}

const benchHead = "%-28s %-13s mpjpe    pa bones  p95  knee elbow  feet  lift    F1  root  head  grav   fps" +
	"  causal p50 p95\n"

// benchRow prints one line: mm, degrees, shares, metres, frames a second and milliseconds.
func benchRow(w io.Writer, name, verdict string, r *seebench.Result) {
	fmt.Fprintf(w, "%-28s %-13s", name, verdict)
	if r.Verdict == seebench.Failed {
		fmt.Fprintf(w, " %s\n", r.Error)
		return
	}
	fmt.Fprintf(w, " %5.0f %5.0f %5.1f %4.0f %5.1f %5.1f %5.0f %5.2f %5.2f %5.2f %5.1f %5.1f %5.0f",
		r.MPJPEMm, r.PAMm, r.SwingDeg, r.AngleP95Deg, r.KneeBiasDeg, r.ElbowBiasDeg, r.FootDeg, r.Lift, r.ContactF1,
		r.RootM, r.HeadingDeg, r.GravityDeg, r.FPS)
	if r.CausalMm > 0 {
		fmt.Fprintf(w, " %7.0f %3.0f %3.0f", r.CausalMm, r.P50Ms, r.P95Ms)
	}
	fmt.Fprintln(w)
}

func benchVerdict(r *seebench.Result) string {
	if r.Right {
		return r.Verdict
	}
	return r.Verdict + " (!)"
}

// benchWrong says what is wrong with a verdict.
func benchWrong(r *seebench.Result) string {
	switch {
	case r.Error != "":
		return r.Row + ": " + r.Error
	case len(r.Missing) > 0:
		return fmt.Sprintf("%s: %s, and not a word that the %s cannot be seen",
			r.Row, r.Verdict, strings.Join(r.Missing, " and the "))
	}
	return fmt.Sprintf("%s: %s at %.0f mm", r.Row, r.Verdict, r.MPJPEMm)
}

// Changes prints what became better and worse since another measurement.
func Changes(w io.Writer, changes []seebench.Change, unpaired []string) {
	worse := 0
	for _, c := range changes {
		word := "better"
		if c.Worse {
			word = "worse"
			worse++
		}
		if c.Verdicts != "" {
			fmt.Fprintf(w, "%-7s %s: verdict %s\n", word, c.Row, c.Verdicts)
			continue
		}
		fmt.Fprintf(w, "%-7s %s: %s %g, was %g\n", word, c.Row, c.Figure, c.Now, c.Before)
	}
	fmt.Fprintf(w, "since then: %d better, %d worse beyond noise", len(changes)-worse, worse)
	if len(unpaired) > 0 {
		fmt.Fprintf(w, "; not there then: %s", strings.Join(unpaired, ", "))
	}
	fmt.Fprintln(w)
}
