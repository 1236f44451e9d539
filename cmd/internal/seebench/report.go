package seebench

import (
	"bytes"
	"cmp"
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
	var sizes []float64
	for i := range p.Rows {
		now := &p.Rows[i]
		was := old[now.Row]
		if was == nil {
			unpaired = append(unpaired, now.Row)
			continue
		}
		c, s := now.against(was)
		changes, sizes = append(changes, c...), append(sizes, s...)
	}
	order := make([]int, len(changes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	sorted := make([]Change, len(changes))
	for i, k := range order {
		sorted[i] = changes[k]
	}
	return sorted, unpaired
}

// against lists what changed in one row, and how large each change is in units of noise.
func (r *Result) against(was *Result) (changes []Change, sizes []float64) {
	if r.Right != was.Right {
		verdicts := was.Verdict + ", then " + r.Verdict
		changes = append(changes, Change{Row: r.Row, Figure: "verdict", Verdicts: verdicts, Worse: was.Right})
		sizes = append(sizes, math.Inf(1))
	}
	if r.Verdict == Failed || was.Verdict == Failed {
		return changes, sizes
	}
	for _, f := range figures() {
		a, b := *f.At(was), *f.At(r)
		by, noise := f.Off(b)-f.Off(a), math.Max(f.Noise, noiseShare*f.Off(a))
		if math.Abs(by) <= noise || f.Rare && (a == 0 || b == 0) {
			continue
		}
		changes = append(changes, Change{Row: r.Row, Figure: f.Name, Before: a, Now: b, Worse: by > 0})
		sizes = append(sizes, math.Abs(by)/noise)
	}
	return changes, sizes
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
	for _, f := range append(figures(), speeds()...) {
		var v []float64
		for _, r := range rows {
			if x := *f.At(r); r.Verdict != Failed && (x != 0 || !f.Rare) {
				v = append(v, x)
			}
		}
		if len(v) == 0 {
			continue
		}
		slices.Sort(v)
		*f.At(&m.Result) = (v[(len(v)-1)/2] + v[len(v)/2]) / 2
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
	out := slices.DeleteFunc(slices.Clone(p.Rows), func(r Result) bool {
		return r.Verdict == Failed || r.Verdict == "refused"
	})
	slices.SortStableFunc(out, func(a, b Result) int { return cmp.Compare(b.MPJPEMm, a.MPJPEMm) })
	return out[:min(n, len(out))]
}
