package seebench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Report is the results of one run, as a file for the next one to be held against.
type Report struct {
	Schema int      `json:"schema"` // 1
	Size   string   `json:"size"`   // of the drawn pictures, pixels
	Model  string   `json:"model"`  // of the pose network
	Rows   []Result `json:"rows"`
}

// reportSchema is the number of the format; maxReportBytes bounds a file.
const (
	reportSchema   = 1
	maxReportBytes = 16 << 20
)

// WriteJSON writes the report with one line a row, so that a change of one row is one line
// of a diff.
func (p *Report) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"schema\": %d, \"size\": %q, \"model\": %q, \"rows\": [\n", reportSchema, p.Size, p.Model)
	for i := range p.Rows {
		line, err := json.Marshal(&p.Rows[i])
		if err != nil {
			return err
		}
		b.Write(line)
		if i+1 < len(p.Rows) {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// Load reads a report.
func Load(name string) (*Report, error) {
	text, err := infile.Read(name, maxReportBytes)
	if err != nil {
		return nil, err
	}
	var p Report
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, infile.Refuse(name, fmt.Errorf("no report of mitori bench perception --json: %w", err))
	}
	if p.Schema != reportSchema {
		return nil, infile.Refuse(name, fmt.Errorf("schema %d is unknown; legal: %d", p.Schema, reportSchema))
	}
	return &p, nil
}

// Change is one figure of one row that is better or worse than before, beyond noise. Its
// figure is "verdict" where that went from right to wrong or back.
type Change struct {
	Row      string  `json:"row"`
	Figure   string  `json:"figure"`
	Before   float64 `json:"before"`
	Now      float64 `json:"now"`
	Verdicts string  `json:"verdicts,omitempty"` // "good, then refused"
	Worse    bool    `json:"worse"`
}

// noiseShare is the share of a figure that means nothing, beside the figure's own noise.
const noiseShare = 0.05

// Against lists what changed since another report, verdicts first, then by how much, and
// the rows that only one of the two has.
func (p *Report) Against(before *Report) (changes []Change, unpaired []string) {
	old := map[string]*Result{}
	for i := range before.Rows {
		old[before.Rows[i].Row] = &before.Rows[i]
	}
	size := map[int]float64{}
	for i := range p.Rows {
		now := &p.Rows[i]
		was := old[now.Row]
		if was == nil {
			unpaired = append(unpaired, now.Row)
			continue
		}
		if now.Right != was.Right {
			size[len(changes)] = math.Inf(1)
			changes = append(changes, Change{Row: now.Row, Figure: "verdict", Verdicts: was.Verdict + ", then " + now.Verdict, Worse: was.Right})
		}
		if now.Verdict == Failed || was.Verdict == Failed {
			continue
		}
		for _, f := range figures() {
			a, b := f.Get(was), f.Get(now)
			by := f.Off(b) - f.Off(a)
			if noise := math.Max(f.Noise, noiseShare*f.Off(a)); math.Abs(by) > noise && (f.Name != "causal MPJPE mm" || a != 0 && b != 0) {
				size[len(changes)] = math.Abs(by) / noise
				changes = append(changes, Change{Row: now.Row, Figure: f.Name, Before: a, Now: b, Worse: by > 0})
			}
		}
	}
	order := make([]int, len(changes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch d := size[b] - size[a]; {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	sorted := make([]Change, len(changes))
	for i, k := range order {
		sorted[i] = changes[k]
	}
	return sorted, unpaired
}

// Median is the middle of a figure over rows from which a motion came out.
type Median struct {
	Group string
	Rows  int
	Right int // verdicts
	Result
}

// Medians sums up each group, in the order of its first row, and all rows under "all".
func (p *Report) Medians() []Median {
	var out []Median
	var names []string
	groups := map[string][]*Result{}
	for i := range p.Rows {
		name, _, _ := strings.Cut(p.Rows[i].Row, "/")
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], &p.Rows[i])
		groups[allRows] = append(groups[allRows], &p.Rows[i])
	}
	for _, name := range append(names, allRows) {
		out = append(out, medianOf(name, groups[name]))
	}
	return out
}

const allRows = "all"

func medianOf(name string, rows []*Result) Median {
	m := Median{Group: name, Rows: len(rows)}
	middle := func(get func(*Result) *float64) {
		var v []float64
		for _, r := range rows {
			if x := *get(r); r.Verdict != Failed && (x != 0 || get(r) != &r.CausalMm && get(r) != &r.P50Ms && get(r) != &r.P95Ms) {
				v = append(v, x)
			}
		}
		if len(v) == 0 {
			return
		}
		slices.Sort(v)
		*get(&m.Result) = (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	for _, get := range []func(*Result) *float64{
		func(r *Result) *float64 { return &r.MPJPEMm }, func(r *Result) *float64 { return &r.PAMm },
		func(r *Result) *float64 { return &r.SwingDeg }, func(r *Result) *float64 { return &r.AngleP95Deg },
		func(r *Result) *float64 { return &r.KneeBiasDeg }, func(r *Result) *float64 { return &r.ElbowBiasDeg },
		func(r *Result) *float64 { return &r.FootDeg }, func(r *Result) *float64 { return &r.Lift },
		func(r *Result) *float64 { return &r.ContactF1 }, func(r *Result) *float64 { return &r.RootM },
		func(r *Result) *float64 { return &r.HeadingDeg }, func(r *Result) *float64 { return &r.GravityDeg },
		func(r *Result) *float64 { return &r.FPS }, func(r *Result) *float64 { return &r.CausalMm },
		func(r *Result) *float64 { return &r.P50Ms }, func(r *Result) *float64 { return &r.P95Ms },
	} {
		middle(get)
	}
	for _, r := range rows {
		if r.Right {
			m.Right++
		}
	}
	m.round()
	return m
}

// Worst names the rows with the n largest errors of position, refused ones apart, which say
// so themselves.
func (p *Report) Worst(n int) []Result {
	out := slices.DeleteFunc(slices.Clone(p.Rows), func(r Result) bool { return r.Verdict == Failed || r.Verdict == "refused" })
	slices.SortStableFunc(out, func(a, b Result) int {
		switch {
		case a.MPJPEMm > b.MPJPEMm:
			return -1
		case a.MPJPEMm < b.MPJPEMm:
			return 1
		}
		return 0
	})
	return out[:min(n, len(out))]
}
