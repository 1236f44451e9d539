package film

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
)

// Sheet returns a PNG of moments, one column each, one row a pane: for a report
// or a README. The times must rise; the options' Seconds, Clock and Progress
// have no meaning here.
func Sheet(ctx context.Context, mjcf string, panes []Pane, seconds []float64, o Options) ([]byte, error) {
	if err := o.fill(panes); err != nil {
		return nil, err
	}
	if len(seconds) < 1 || len(seconds) > 24 {
		return nil, fmt.Errorf("film: sheet of %d moments; legal: 1 to 24", len(seconds))
	}
	s, err := newStage(ctx, mjcf, panes, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	text, err := newLettering(o.HeightPx)
	if err != nil {
		return nil, err
	}
	stripPx := 0
	if o.Note != "" {
		stripPx = text.stripPx
	}
	const gapPx = 4
	right, down := o.PaneWidthPx+gapPx, o.HeightPx+gapPx
	out := newCanvas(len(seconds)*right-gapPx, len(panes)*down-gapPx+stripPx)
	out.fill(paper)
	text.strip(out, o.Note)
	for k, second := range seconds {
		for i := range panes {
			pane, err := s.draw(i, second)
			if err != nil {
				return nil, fmt.Errorf("film: sheet: %g s, pane %d: %w", second, i, err)
			}
			out.paste(pane, k*right, i*down)
			if k == 0 {
				text.label(out, 0, i*down, panes[i].Label)
			}
		}
		text.corner(out, k*right+o.PaneWidthPx, 0, fmt.Sprintf("%.1f s", second), ink)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		return nil, fmt.Errorf("film: sheet: %w", err)
	}
	return b.Bytes(), nil
}

// Moments are n times evenly spread between two.
func Moments(fromS, toS float64, n int) []float64 {
	s := make([]float64, n)
	for k := range s {
		s[k] = fromS + (toS-fromS)*(float64(k)+0.5)/float64(n)
	}
	return s
}
