// Package report writes what a run of "mitori learn" leaves for people:
// report.html, one file without outside references, readable on a phone. What it
// leaves for programs is summary.json ([record.Summary]).
//
// It only formats numbers that the stages measured; what it computes are axes,
// percentages and the words for them. Values belong to the caller.
package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/record"
)

//go:embed page.html
var page string

// maxEmbed is the size of a video above which the page links to it instead of
// carrying it: phones choke on larger data URIs.
const maxEmbed = 12 << 20

// JointTrack is the reference and the measured angle of one joint.
type JointTrack struct {
	Name              string
	TimeS             []float64
	RefRad, ActualRad []float64
	PeakNm, RMSNm     float64
	LimitNm           float64
}

// LearnPoint is one point of the learning curve.
type LearnPoint struct {
	ControlSteps float64
	Survival     rate.Rate
	JointMAERad  float64
}

// Data is what the page shows.
type Data struct {
	Summary  *record.Summary
	Headline string // who learned what from which video, in words
	Doing    string // what the robot does, in words
	Video    string // path of side_by_side.mp4
	Sheet    []byte // PNG: moments of person and robot
	Joints   []JointTrack
	Learning []LearnPoint
	Stages   []string // order of Summary.StageS
	Notes    []string // what a reader must know
}

// Save writes the page as name.
func (d *Data) Save(name string) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"count": func(r rate.Rate) string { return fmt.Sprintf("%d of %d", r.Hits, r.Trials) },
		"f1":    func(v float64) string { return fmt.Sprintf("%.1f", v) },
		"f3":    func(v float64) string { return fmt.Sprintf("%.3f", v) },
		"kilo":  kilo,
		"lift": func(f gait.Foot) string {
			return fmt.Sprintf("%d x %.0f mm, %.0f %%", len(f.Lifts), 1e3*f.HeightM, 100*f.HeightLegs)
		},
		"step": func(f gait.Foot) string { return fmt.Sprintf("%.0f mm, %.0f %%", 1e3*f.StepM, 100*f.StepLegs) },
		"bar": func(v float64) template.CSS {
			return template.CSS(fmt.Sprintf("width:%.1f%%", 100*math.Max(0, math.Min(1, v))))
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{Data: d}
	if v.VideoURI, v.VideoLink, err = embed(d.Video); err != nil {
		return err
	}
	if len(d.Sheet) > 0 {
		v.SheetURI = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(d.Sheet))
	}
	v.fill()
	return atomicfile.Write(name, func(w io.Writer) error { return t.Execute(w, v) })
}

func embed(video string) (uri template.URL, link string, err error) {
	if video == "" {
		return "", "", nil
	}
	st, err := os.Stat(video)
	if err != nil {
		return "", "", err
	}
	if st.Size() > maxEmbed {
		return "", st.Name(), nil
	}
	b, err := os.ReadFile(video)
	if err != nil {
		return "", "", err
	}
	return template.URL("data:video/mp4;base64," + base64.StdEncoding.EncodeToString(b)), "", nil
}

// view adds to Data what the template needs ready-made.
type view struct {
	*Data
	VideoURI  template.URL
	VideoLink string
	SheetURI  template.URL
	Tracks    []trackView
	Torque    []torqueView
	Curve     template.HTML
	Learned   string // the last point of the curve, in words
	Timing    []timingView
	Feet      []feetView
	Machine   string
}

type trackView struct {
	Name string
	MAE  float64
	SVG  template.HTML
}

type torqueView struct {
	Name                string
	PeakNm, RMSNm, Peak float64
	RMS                 float64
}

type timingView struct {
	Name  string
	WallS float64
	Share float64
}

type feetView struct {
	Name string
	*gait.Figures
}

// Even is the symmetry in words.
func (f feetView) Even() string {
	if f.Symmetry == nil {
		return "no foot lifted"
	}
	return fmt.Sprintf("%.2f", *f.Symmetry)
}

func (v *view) fill() {
	joints := append([]JointTrack(nil), v.Joints...)
	// The joints that move most tell most; the rest fold away.
	sort.SliceStable(joints, func(i, k int) bool { return span(joints[i].RefRad) > span(joints[k].RefRad) })
	for _, j := range joints {
		mae := 0.0
		for i := range j.RefRad {
			mae += math.Abs(j.RefRad[i]-j.ActualRad[i]) / float64(len(j.RefRad))
		}
		v.Tracks = append(v.Tracks, trackView{Name: pretty(j.Name), MAE: mae, SVG: Plot{
			Title: j.Name, XLabel: "s", YLabel: "rad", Small: true,
			Series: []Series{{Name: "reference", X: j.TimeS, Y: j.RefRad, Class: "s0"}, {Name: "robot", X: j.TimeS, Y: j.ActualRad, Class: "s1"}},
		}.SVG()})
	}
	sort.SliceStable(joints, func(i, k int) bool {
		return joints[i].PeakNm/joints[i].LimitNm > joints[k].PeakNm/joints[k].LimitNm
	})
	for _, j := range joints {
		v.Torque = append(v.Torque, torqueView{pretty(j.Name), j.PeakNm, j.RMSNm, j.PeakNm / j.LimitNm, j.RMSNm / j.LimitNm})
	}
	if len(v.Learning) > 1 {
		var x, s, e []float64
		for _, p := range v.Learning {
			x, s, e = append(x, p.ControlSteps), append(s, p.Survival.Share()), append(e, p.JointMAERad)
		}
		end := v.Learning[len(v.Learning)-1]
		v.Learned = fmt.Sprintf("at the end %s episodes of the trainer's own test set survived, joint error %.3f rad", end.Survival, end.JointMAERad)
		v.Curve = Plot{
			Title: "Learning curve", XLabel: "control steps", YLabel: "survival | joint error, rad", YMin: 0, YMax: 1,
			Series: []Series{{Name: "survival rate", X: x, Y: s, Class: "s1"}, {Name: "joint error, rad", X: x, Y: e, Class: "s0"}},
		}.SVG()
	}
	for _, n := range v.Stages {
		if t, ok := v.Summary.StageS[n]; ok {
			v.Timing = append(v.Timing, timingView{n, t, t / math.Max(v.Summary.TotalS, 1e-9)})
		}
	}
	for _, f := range []feetView{{"exact motion", v.Summary.Feet.Truth}, {"person, from the video", v.Summary.Feet.Person},
		{"reference motion", v.Summary.Feet.Reference}, {"robot under robotd", v.Summary.Feet.Robot}} {
		if f.Figures != nil {
			v.Feet = append(v.Feet, f)
		}
	}
	m := v.Summary.Machine
	v.Machine = fmt.Sprintf("%d cores, %s, %s, BLAS %s", m.Cores, m.CPU, m.OS, m.BLASCore)
	for _, n := range sortedKeys(m.Versions) {
		v.Machine += ", " + n + " " + m.Versions[n]
	}
}

func span(x []float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		lo, hi = math.Min(lo, v), math.Max(hi, v)
	}
	return hi - lo
}

func pretty(joint string) string {
	switch {
	case strings.HasPrefix(joint, "l_"):
		joint = "left " + joint[2:]
	case strings.HasPrefix(joint, "r_"):
		joint = "right " + joint[2:]
	}
	return strings.ReplaceAll(joint, "_", " ")
}

func kilo(v int64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", float64(v)/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.0f k", float64(v)/1e3)
	}
	return fmt.Sprint(v)
}

func sortedKeys(m map[string]string) []string {
	var s []string
	for k := range m {
		s = append(s, k)
	}
	sort.Strings(s)
	return s
}
