// Package film makes videos of recorded motion: panes side by side, each a robot
// drawn from its position vectors or pictures from elsewhere, on one clock.
//
// What is not here: the drawing (sim/render), the encoding (models/mp4), and
// where the motion comes from. Write locks its goroutine to an OS thread while
// it runs, because OpenGL wants that.
package film

import (
	"context"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Pane is one column of the video.
type Pane struct {
	// QPos are position vectors in the engine's order, PeriodS apart; after the
	// last one the pane stands still. The first seven are the root's pose.
	QPos    [][]float64
	PeriodS float64
	// Picture fills rgb (pane size, top row first) with what is to be seen at a
	// second, in place of QPos.
	Picture func(rgb []byte, second float64) error
}

// Options of a video; zero values mean the defaults.
type Options struct {
	PaneWidthPx, HeightPx int     // 480 x 480
	FPS                   float64 // 25
	Seconds               float64 // the longest pane
	Shadows               bool
	AzimuthDeg            float64 // heading of the view: 0 looks along +x; default 160, obliquely from the front
	Progress              func(done, total int)
}

func (o *Options) fill(panes []Pane) error {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.PaneWidthPx, 480)
	set(&o.HeightPx, 480)
	if o.FPS == 0 {
		o.FPS = 25
	}
	if o.AzimuthDeg == 0 {
		o.AzimuthDeg = 160
	}
	if len(panes) == 0 {
		return fmt.Errorf("film: no panes; at least 1 is needed")
	}
	longest := 0.0
	for i, p := range panes {
		if p.Picture == nil && (len(p.QPos) == 0 || !(p.PeriodS > 0)) {
			return fmt.Errorf("film: pane %d has %d positions %g s apart; legal: 1 and more, above 0", i, len(p.QPos), p.PeriodS)
		}
		longest = math.Max(longest, float64(len(p.QPos)-1)*p.PeriodS)
	}
	if o.Seconds == 0 {
		o.Seconds = longest
	}
	if !(o.Seconds >= 0 && o.Seconds <= 3600) {
		return fmt.Errorf("film: %g seconds; legal: 0 to 3600", o.Seconds)
	}
	return nil
}

// Write films the panes, drawing the robot of mjcf, into an mp4 file that
// appears only when it is complete.
func Write(ctx context.Context, name, mjcf string, panes []Pane, o Options) error {
	if err := o.fill(panes); err != nil {
		return err
	}
	r, err := render.New(mjcf, render.Options{WidthPx: o.PaneWidthPx, HeightPx: o.HeightPx, Shadows: o.Shadows})
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := mp4.New(name, o.PaneWidthPx*len(panes), o.HeightPx, o.FPS)
	if err != nil {
		return err
	}
	defer w.Abort()
	pane := make([]byte, 3*o.PaneWidthPx*o.HeightPx)
	frame := make([]byte, len(pane)*len(panes))
	total := int(math.Round(o.Seconds*o.FPS)) + 1
	for k := range total {
		if err := ctx.Err(); err != nil {
			return err
		}
		second := float64(k) / o.FPS
		for i := range panes {
			if err := panes[i].draw(r, pane, second, &o); err != nil {
				return fmt.Errorf("film: %s: frame %d, pane %d: %w", name, k, i, err)
			}
			paste(frame, pane, i, len(panes), 3*o.PaneWidthPx)
		}
		if err := w.WriteRGB(frame); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(k+1, total)
		}
	}
	return w.Close()
}

func (p *Pane) draw(r *render.Renderer, rgb []byte, second float64, o *Options) error {
	if p.Picture != nil {
		return p.Picture(rgb, second)
	}
	at := min(len(p.QPos)-1, int(math.Round(second/p.PeriodS)))
	return r.Draw(rgb, p.camera(at, o), p.QPos[at], nil)
}

// camera stands still in height and follows the robot over the floor, smoothed
// over half a second on either side so that steps do not shake the picture.
func (p *Pane) camera(at int, o *Options) render.Camera {
	reach := int(math.Round(0.5 / p.PeriodS))
	var mid spatial.Vec3
	lo, hi := max(0, at-reach), min(len(p.QPos)-1, at+reach)
	for k := lo; k <= hi; k++ {
		mid = mid.Add(spatial.Vec3{p.QPos[k][0], p.QPos[k][1], 0}.Scale(1 / float64(hi-lo+1)))
	}
	mid[2] = 0.85 * p.QPos[0][2] // a standing robot in the middle of the picture
	return render.Camera{LookAtM: mid, DistanceM: 4.5 * p.QPos[0][2], AzimuthDeg: o.AzimuthDeg, ElevationDeg: -12, FovyDeg: 38}
}

// paste copies a pane of rows of rowBytes into column i of n of the frame.
func paste(frame, pane []byte, i, n, rowBytes int) {
	for y := 0; y*rowBytes < len(pane); y++ {
		copy(frame[(y*n+i)*rowBytes:(y*n+i+1)*rowBytes], pane[y*rowBytes:])
	}
}
