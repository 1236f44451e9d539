package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/record"
)

// saved is the page of d.
func saved(t *testing.T, d *Data) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	if err := d.Save(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A film is part of the page while phones can take it, and a link beside it from there on. One that is missing is an
// error, and then there is no page.
func TestFilms(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "film.mp4")
	for _, size := range []int{10, maxEmbed, maxEmbed + 1} {
		if err := os.WriteFile(name, bytes.Repeat([]byte{1}, size), 0o644); err != nil {
			t.Fatal(err)
		}
		uri, link, err := embed(name)
		if err != nil || (uri != "") != (size <= maxEmbed) || (link != "") != (size > maxEmbed) || link != "" && link != "film.mp4" {
			t.Errorf("%d bytes: %d bytes embedded, link %q, %v", size, len(uri), link, err)
		}
	}
	d := sample()
	d.Video = filepath.Join(dir, "none.mp4")
	page := filepath.Join(dir, "report.html")
	if err := d.Save(page); err == nil || !strings.Contains(err.Error(), "none.mp4") {
		t.Errorf("a missing film: %v", err)
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("there is a page all the same")
	}
	if uri, link, err := embed(""); uri != "" || link != "" || err != nil {
		t.Errorf("no film: %q, %q, %v", uri, link, err)
	}
}

// A run that failed early still has a page: whatever was not measured leaves no odd value behind.
func TestPageOfAlmostNothing(t *testing.T) {
	for name, d := range map[string]*Data{
		"nothing":       {Summary: &record.Summary{}},
		"a note":        {Summary: &record.Summary{Outcome: "no person was found"}, Notes: []string{"film the whole body"}},
		"one joint":     {Summary: &record.Summary{}, Joints: []JointTrack{{Name: "l_knee", TimeS: []float64{0}, RefRad: []float64{1}, ActualRad: []float64{1}, LimitNm: 4}}},
		"no time":       {Summary: &record.Summary{StageS: map[string]float64{"extract": 0}}, Stages: []string{"extract"}},
		"a short curve": {Summary: &record.Summary{}, Learning: []LearnPoint{{ControlSteps: 512}}},
	} {
		html := saved(t, d)
		for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "%!", "<nil>"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s: the page says %q", name, bad)
			}
		}
		for _, n := range d.Notes {
			if !strings.Contains(html, n) {
				t.Errorf("%s: the page does not say %q", name, n)
			}
		}
	}
}

// The joints that move most come first, and so do the servos that work hardest; the caller's order stays.
func TestOrders(t *testing.T) {
	d := &Data{Summary: &record.Summary{}}
	for _, j := range []struct {
		name     string
		span, nm float64
	}{{"r_large", 1, 1}, {"l_small", 0.1, 3}, {"neck_mid", 0.5, 2}} {
		d.Joints = append(d.Joints, JointTrack{Name: j.name, TimeS: []float64{0, 1}, RefRad: []float64{0, j.span}, ActualRad: []float64{0.1, j.span + 0.1},
			PeakNm: j.nm, RMSNm: j.nm / 2, LimitNm: 4})
	}
	v := view{Data: d}
	v.fill()
	var moves, works []string
	for i := range v.Tracks {
		moves, works = append(moves, v.Tracks[i].Name), append(works, v.Torque[i].Name)
		if e := v.Tracks[i].MAE; e < 0.0999 || e > 0.1001 {
			t.Errorf("%s: error %g, want 0.1", v.Tracks[i].Name, e)
		}
	}
	if m, w := strings.Join(moves, ", "), strings.Join(works, ", "); m != "right large, neck mid, left small" || w != "left small, neck mid, right large" {
		t.Errorf("motions %q, servos %q", m, w)
	}
	if v.Torque[0].Peak != 0.75 || v.Torque[0].RMS != 0.375 {
		t.Errorf("shares of the limit %+v", v.Torque[0])
	}
	if d.Joints[0].Name != "r_large" {
		t.Error("the caller's joints were sorted")
	}
}

// Stages come in the caller's order, as shares of the whole; one that did not run has no line.
func TestTimings(t *testing.T) {
	d := &Data{Summary: &record.Summary{StageS: map[string]float64{"train": 30, "extract": 10}, TotalS: 40}, Stages: []string{"extract", "retarget", "train"}}
	v := view{Data: d}
	v.fill()
	if len(v.Timing) != 2 || v.Timing[0] != (timingView{"extract", 10, 0.25}) || v.Timing[1] != (timingView{"train", 30, 0.75}) {
		t.Errorf("%+v", v.Timing)
	}
}

// Feet are told of whom they were measured on, and symmetry only where a foot was lifted.
func TestFeetInWords(t *testing.T) {
	even := 0.5
	d := &Data{Summary: &record.Summary{Feet: record.Feet{Truth: &gait.Figures{}, Robot: &gait.Figures{Symmetry: &even}}}}
	v := view{Data: d}
	v.fill()
	if len(v.Feet) != 2 || v.Feet[0].Name != "exact motion" || v.Feet[0].Even() != "no foot lifted" || v.Feet[1].Name != "robot under robotd" || v.Feet[1].Even() != "0.50" {
		t.Errorf("%+v", v.Feet)
	}
}
