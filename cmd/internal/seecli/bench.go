package seecli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/seebench"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
)

// Bench is the command with all its own.
func Bench() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure how good this build is, on clips with exact truth"}
	c.AddCommand(newBenchPerceptionCmd())
	return c
}

// benchFlags are the choices of one measurement.
type benchFlags struct {
	bench               seebench.Bench
	only, size, against string
	asJSON, list        bool
}

func newBenchPerceptionCmd() *cobra.Command {
	x := benchFlags{bench: seebench.Bench{Choices: extract.Choices{Person: "best"}}}
	c := &cobra.Command{
		Use:   "perception",
		Short: "Render the committed clips, extract each, and compare with the exact truth",
		Long: `Render a committed matrix of clips with exact truth (motions, cameras, other people,
things in the way, moving cameras, poor pictures, poor light), extract each as "mitori
extract" does, and print how far each motion is from the truth, and whether its verdict
is right.

Clips are rendered on the fly and thrown away; --keep FOLDER keeps them and uses them
again. With -o FILE each result is on the disk before the next clip begins, and a run
that was interrupted goes on from there, if the program is the same.

Columns: MPJPE and PA-MPJPE (mm); directions of bones (mean), joint angles (95 % below),
bias of knees and elbows (above 0: bent too much), direction of the feet (median), all
degrees; foot lift (1 is right), contacts (F1), path of the pelvis (m), heading and
gravity (degrees); frames tracked a second; MPJPE (mm), p50 and p95 (ms) picture by
picture.`,
		Example: `  mitori bench perception --json > now.json
  mitori bench perception --only 'camera/*' --against docs/bench/perception.json
  mitori bench perception -o results.jsonl --jobs 2`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return x.run(c) },
	}
	f := c.Flags()
	f.StringVar(&x.only, "only", "", "rows whose names match, as in 'camera/*', or a group, as in camera")
	f.BoolVar(&x.list, "list", false, "list the rows")
	f.BoolVar(&x.asJSON, "json", false, "print machine-readable results: what --against reads")
	f.IntVar(&x.bench.Jobs, "jobs", 1, "clips at a time; more than 1 disturbs speed and latency")
	f.StringVarP(&x.bench.Journal, "output", "o", "", "file of results, a line each, to go on from after an interruption")
	f.StringVar(&x.bench.Clips, "keep", "", "folder in which clips are kept and found again")
	f.StringVar(&x.against, "against", "", "file of an earlier --json: also print what is better and worse than there")
	f.StringVar(&x.size, "size", "288x360", "size of the rendered pictures in pixels")
	f.StringVar(&x.bench.Choices.Model, "model", "full", "pose network: lite, full or heavy")
	f.StringVar(&x.bench.Choices.Runtime, "runtime", "auto", "what computes it: auto, onnxruntime or opencv")
	return c
}

func (x *benchFlags) run(c *cobra.Command) error {
	rows, err := seebench.Select(seebench.Matrix(), x.only)
	if err != nil {
		return fault.Usage("--only: %w", err)
	}
	if x.list {
		for _, r := range rows {
			fmt.Fprintf(c.OutOrStdout(), "%-28s %s, %.1f to %.1f s; right: %v %v\n",
				r.Name, r.Motion, r.FromS, r.ToS, r.Verdicts, r.Unseen)
		}
		return nil
	}
	if n, err := fmt.Sscanf(x.size, "%dx%d", &x.bench.WidthPx, &x.bench.HeightPx); n != 2 || err != nil {
		return fault.Usage("--size %q: legal: WIDTHxHEIGHT in pixels, as in 288x360", x.size)
	}
	if x.bench.Jobs < 1 || x.bench.Jobs > 64 {
		return fault.Usage("--jobs %d: legal: 1 to 64", x.bench.Jobs)
	}
	var before *seebench.Report
	if x.against != "" {
		if before, err = seebench.Load(x.against); err != nil {
			return err
		}
	}
	p := cli.NewProgress(c.ErrOrStderr())
	done := 0
	x.bench.Done = func(r seebench.Result, again bool) {
		done++
		text := fmt.Sprintf("%d of %d: %s: %s, %.0f mm", done, len(rows), r.Row, r.Verdict, r.MPJPEMm)
		p.Show(text, !again, done == len(rows))
	}
	results, err := x.bench.Run(c.Context(), rows)
	p.End()
	if err != nil {
		return err
	}
	return x.tell(c, &seebench.Report{Size: x.size, Model: x.bench.Choices.Model, Rows: results}, before)
}

// tell prints a report, and what changed.
func (x *benchFlags) tell(c *cobra.Command, report, before *seebench.Report) error {
	out := c.OutOrStdout()
	if x.asJSON && before == nil {
		return report.WriteJSON(out)
	}
	if before == nil {
		show.Bench(out, report)
		return nil
	}
	changes, unpaired := report.Against(before)
	if x.asJSON {
		return json.NewEncoder(out).Encode(struct {
			Changes  []seebench.Change `json:"changes"`
			Unpaired []string          `json:"not_there_then"`
		}{changes, unpaired})
	}
	show.Bench(out, report)
	show.Changes(out, changes, unpaired)
	return nil
}
