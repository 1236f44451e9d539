package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Series is one line of a plot; NaN breaks the line.
type Series struct {
	Name  string
	X, Y  []float64
	Class string // CSS class of the stroke: s0, s1, s2
}

// Plot is a line plot. Y limits are widened to hold all data.
type Plot struct {
	Title, XLabel, YLabel string
	Series                []Series
	YMin, YMax            float64 // start of the range; equal = from the data
	Small                 bool
}

const (
	plotW, plotH           = 420.0, 200.0
	smallW, smallH         = 300.0, 140.0
	left, right, top, foot = 46.0, 10.0, 10.0, 30.0
)

// SVG draws the plot. Colours come from the page's style sheet, so that it
// follows light and dark mode.
func (p Plot) SVG() template.HTML {
	w, h := plotW, plotH
	if p.Small {
		w, h = smallW, smallH
	}
	x0, x1, y0, y1 := p.limits()
	px := func(x float64) float64 { return left + (x-x0)/(x1-x0)*(w-left-right) }
	py := func(y float64) float64 { return h - foot - (y-y0)/(y1-y0)*(h-top-foot) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, w, h, template.HTMLEscapeString(p.Title))
	for _, t := range ticks(y0, y1, 4) {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			left, w-right, py(t), py(t), left-6, py(t)+3.5, label(t))
	}
	for _, t := range ticks(x0, x1, 6) {
		fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, px(t), h-foot+14, label(t))
	}
	fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, (left+w-right)/2, h-3, template.HTMLEscapeString(p.XLabel))
	fmt.Fprintf(&b, `<text class="tick" transform="translate(11 %.1f) rotate(-90)" text-anchor="middle">%s</text>`, (top+h-foot)/2, template.HTMLEscapeString(p.YLabel))
	for _, s := range p.Series {
		fmt.Fprintf(&b, `<path class="line %s" d="%s"><title>%s</title></path>`, s.Class, path(s, px, py), template.HTMLEscapeString(s.Name))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

func (p Plot) limits() (x0, x1, y0, y1 float64) {
	x0, x1, y0, y1 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	if p.YMax > p.YMin {
		y0, y1 = p.YMin, p.YMax
	}
	for _, s := range p.Series {
		for i := range s.X {
			x0, x1 = math.Min(x0, s.X[i]), math.Max(x1, s.X[i])
			if !math.IsNaN(s.Y[i]) {
				y0, y1 = math.Min(y0, s.Y[i]), math.Max(y1, s.Y[i])
			}
		}
	}
	if !(x1 > x0) {
		x0, x1 = 0, 1
	}
	if !(y1 > y0) {
		if math.IsInf(y0, 0) {
			y0 = 0
		}
		y0, y1 = y0-0.5, y0+0.5
	} else if p.YMax <= p.YMin {
		m := 0.06 * (y1 - y0)
		y0, y1 = y0-m, y1+m
	}
	return x0, x1, y0, y1
}

// path thins a series to about one point per unit of width.
func path(s Series, px, py func(float64) float64) string {
	var b strings.Builder
	step := max(1, len(s.X)/640)
	pen := "M"
	for i := 0; i < len(s.X); i += step {
		if math.IsNaN(s.Y[i]) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, px(s.X[i]), py(s.Y[i]))
		pen = "L"
	}
	return b.String()
}

// ticks returns about n round numbers in [lo, hi].
func ticks(lo, hi float64, n int) []float64 {
	raw := (hi - lo) / float64(n)
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * mag
	for _, m := range []float64{1, 2, 5} {
		if m*mag >= raw*0.99 {
			step = m * mag
			break
		}
	}
	var out []float64
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		out = append(out, i*step)
	}
	return out
}

func label(v float64) string {
	switch a := math.Abs(v); {
	case a < 1e-12:
		return "0"
	case a >= 1e6:
		return fmt.Sprintf("%gM", round(v/1e6))
	case a >= 1e4:
		return fmt.Sprintf("%gk", round(v/1e3))
	}
	return fmt.Sprintf("%g", round(v))
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
