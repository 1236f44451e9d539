// Package film makes the pictures and videos that people look at: panes side by
// side on one clock, each a robot drawn from its positions over time, a person's
// video, or pictures from elsewhere; and sheets of moments.
//
// What is not here: the drawing (sim/render), the encoding (models/mp4), and
// where the motion comes from. A person's video is decoded by the program
// ffmpeg; blurring faces is the overlay's work, this package shows what it is
// given.
//
// Every function draws on its own and locks its goroutine to an OS thread while
// it runs, because OpenGL wants that; nothing is shared. In a build without tag
// mujoco they return render.ErrNotBuilt.
package film

import (
	"context"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mp4"
)

// Pane is one column of the video: exactly one of QPos, Clip and Picture.
type Pane struct {
	Label string // in the corner; empty: none

	// QPos are position vectors in the engine's order, PeriodS apart; after the
	// last one the pane stands still. RootQPos is the first of the seven numbers
	// of the root's free joint.
	QPos     [][]float64
	PeriodS  float64
	RootQPos int
	Fell     bool // a red note from FallS on
	FallS    float64

	// Clip is a person's video.
	Clip *Clip

	// Picture fills rgb (pane size, top row first) with what is to be seen at a
	// second.
	Picture func(rgb []byte, second float64) error
}

// Clip is a person's video on the film's clock.
type Clip struct {
	Video string  // path; the overlay, where there is one
	FromS float64 // time in the video of the first picture shown
	// CropPx is the part of the pictures that is shown: left, top, width, height; a
	// width of 0 shows all.
	CropPx [4]int
	// StartS is when the video starts on the film's clock: the robot's lead-in.
	// Before, the first picture is held; after the last, the last.
	StartS float64
	// Rate is the speed at which the video plays on the film's clock, for a robot
	// that is slower than the person; 0 means 1.
	Rate float64
	// EndS is when it stops on the film's clock; 0: at the video's end.
	EndS float64
	// Time, where set, stands in for StartS and Rate: it maps the film's clock to seconds
	// after FromS, for a robot that was slowed down in places. It must not fall.
	Time func(second float64) float64
}

// time maps the film's clock to seconds after FromS.
func (c *Clip) time(second float64) float64 {
	if c.Time != nil {
		return c.Time(second)
	}
	rate := c.Rate
	if rate <= 0 {
		rate = 1
	}
	return (second - c.StartS) * rate
}

// Options of a video; the zero value of a field means its default.
type Options struct {
	PaneWidthPx, HeightPx int     // default 432 x 540: two fit a phone held upright
	FPS                   float64 // default 30
	Seconds               float64 // default: the longest robot's pane
	Shadows               bool    // default off: they cost several times the rest
	// AzimuthDeg is the heading of the view of robots: 360 looks along +x; default
	// 180, from the front, as the person is seen.
	AzimuthDeg   float64
	ElevationDeg float64 // default -8: a little from above
	Clock        bool    // the time in the last pane's corner
	Note         string  // a line under the panes
	Progress     func(done, total int)
}

func (o *Options) fill(panes []Pane) error {
	or := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	or(&o.FPS, 30)
	or(&o.AzimuthDeg, 180)
	or(&o.ElevationDeg, -8)
	if o.PaneWidthPx == 0 && o.HeightPx == 0 {
		o.PaneWidthPx, o.HeightPx = 432, 540
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if o.PaneWidthPx < 32 || o.HeightPx < 32 || o.PaneWidthPx%2 != 0 || o.HeightPx%2 != 0 {
		return fmt.Errorf("film: panes of %d x %d pixels; legal: even numbers from 32", o.PaneWidthPx, o.HeightPx)
	}
	if !(o.FPS >= 1 && o.FPS <= 240) {
		return fmt.Errorf("film: %g frames per second; legal: 1 to 240", o.FPS)
	}
	if len(panes) == 0 {
		return fmt.Errorf("film: no panes; at least 1 is needed")
	}
	longest := 0.0
	for i := range panes {
		if err := panes[i].check(); err != nil {
			return fmt.Errorf("film: pane %d: %w", i, err)
		}
		longest = math.Max(longest, panes[i].seconds())
	}
	or(&o.Seconds, longest)
	if !(o.Seconds >= 0 && o.Seconds <= 3600) {
		return fmt.Errorf("film: %g seconds; legal: 0 to 3600", o.Seconds)
	}
	return nil
}

func (p *Pane) check() error {
	if p.Clip != nil || p.Picture != nil {
		return nil
	}
	if len(p.QPos) == 0 || !(p.PeriodS > 0) {
		return fmt.Errorf("%d positions %g s apart; legal: 1 and more, above 0", len(p.QPos), p.PeriodS)
	}
	for i, q := range p.QPos {
		if len(q) != len(p.QPos[0]) || p.RootQPos < 0 || p.RootQPos+7 > len(q) {
			return fmt.Errorf("step %d has %d positions, the first %d; the root is at %d", i, len(q), len(p.QPos[0]), p.RootQPos)
		}
	}
	return nil
}

// seconds is the time from the first to the last position.
func (p *Pane) seconds() float64 { return float64(max(0, len(p.QPos)-1)) * p.PeriodS }

// SideBySide writes a video of the person (left) and the robot (right) on the
// robot's clock.
func SideBySide(ctx context.Context, name string, person Clip, mjcf string, robot Pane, o Options) error {
	o.Clock = true
	return Write(ctx, name, mjcf, []Pane{{Label: "person", Clip: &person}, robot}, o)
}

// Write films the panes, drawing the robot of mjcf, into an mp4 file that
// appears only when it is complete.
func Write(ctx context.Context, name, mjcf string, panes []Pane, o Options) error {
	if err := o.fill(panes); err != nil {
		return err
	}
	s, err := newStage(ctx, mjcf, panes, o)
	if err != nil {
		return err
	}
	defer s.close()
	text, err := newLettering(o.HeightPx)
	if err != nil {
		return err
	}
	stripPx := 0
	if o.Note != "" {
		stripPx = text.stripPx
	}
	const gapPx = 4
	step := o.PaneWidthPx + gapPx
	out := newCanvas(len(panes)*step-gapPx, o.HeightPx+stripPx)
	out.fill(paper)
	text.strip(out, o.Note)
	w, err := mp4.New(name, out.w, out.h, o.FPS)
	if err != nil {
		return err
	}
	defer w.Abort()
	total := int(math.Round(o.Seconds*o.FPS)) + 1
	for k := range total {
		if err := ctx.Err(); err != nil {
			return err
		}
		second := float64(k) / o.FPS
		for i := range panes {
			pane, err := s.draw(i, second)
			if err != nil {
				return fmt.Errorf("film: %s: frame %d, pane %d: %w", name, k, i, err)
			}
			out.paste(pane, i*step, 0)
			text.label(out, i*step, 0, panes[i].Label)
			if panes[i].Fell && second >= panes[i].FallS {
				text.corner(out, i*step+o.PaneWidthPx, 1, fmt.Sprintf("fell at %.1f s", panes[i].FallS), red)
			}
		}
		if o.Clock {
			text.corner(out, out.w, 0, fmt.Sprintf("%.1f s", second), ink)
		}
		if err := w.WriteRGB(out.rgb); err != nil {
			return err
		}
		o.Progress(k+1, total)
	}
	return w.Close()
}
