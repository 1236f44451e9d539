package film

import (
	"context"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/render"
)

// stage draws panes at any rising sequence of times.
type stage struct {
	panes []Pane
	view  *render.Renderer // nil without robots
	clips []*clipPlayer    // by pane, nil where there is none
	cams  [][]render.Camera
	pane  *canvas
}

func newStage(ctx context.Context, mjcf string, panes []Pane, o Options) (*stage, error) {
	s := &stage{
		panes: panes, clips: make([]*clipPlayer, len(panes)), cams: make([][]render.Camera, len(panes)),
		pane: newCanvas(o.PaneWidthPx, o.HeightPx),
	}
	for i := range panes {
		if err := s.open(ctx, i, mjcf, o); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) open(ctx context.Context, i int, mjcf string, o Options) (err error) {
	p := &s.panes[i]
	switch {
	case p.Clip != nil:
		s.clips[i], err = playClip(ctx, *p.Clip, o)
		return err
	case p.Picture != nil:
		return nil
	}
	if s.view == nil {
		s.view, err = render.New(mjcf, render.Options{WidthPx: o.PaneWidthPx, HeightPx: o.HeightPx, Shadows: o.Shadows})
		if err != nil {
			return err
		}
	}
	if n := len(p.QPos[0]); n != s.view.Nq() {
		return fmt.Errorf("film: pane %d has %d positions, the robot's model %d: was it recorded with another robot?", i, n, s.view.Nq())
	}
	s.cams[i] = follow(p, o)
	return nil
}

// draw returns the picture of a pane at a time; it is valid until the next call.
func (s *stage) draw(i int, second float64) (*canvas, error) {
	p := &s.panes[i]
	switch {
	case p.Clip != nil:
		return s.clips[i].at(second)
	case p.Picture != nil:
		return s.pane, p.Picture(s.pane.rgb, second)
	}
	// Steps are not blended: they are as fine as the frames of a video.
	k := max(0, min(len(p.QPos)-1, int(math.Round(second/p.PeriodS))))
	root := p.QPos[k][p.RootQPos:]
	s.view.Shade(root[0], root[1], 0.33*bodyHeightM(p))
	return s.pane, s.view.Draw(s.pane.rgb, s.cams[i][k], p.QPos[k], nil)
}

func (s *stage) close() {
	for _, c := range s.clips {
		if c != nil {
			c.close()
		}
	}
	if s.view != nil {
		s.view.Close()
	}
}

// bodyHeightM guesses the robot's height from the first step, where it stands:
// the hips of a humanoid are at 0.56 of its height.
func bodyHeightM(p *Pane) float64 { return math.Max(0.1, p.QPos[0][p.RootQPos+2]/0.56) }

// follow plans the camera of every step: at a distance where the robot with
// raised arms fits the pane, still while the robot moves about its place, and
// going along without haste when it leaves.
func follow(p *Pane, o Options) []render.Camera {
	const (
		fovyDeg    = 32
		spanShare  = 1.50 // picture height at the robot, in body heights
		lookShare  = 0.54
		stillShare = 0.25
	)
	heightM := bodyHeightM(p)
	// A humanoid with its arms out is about as wide as it is tall.
	aspect := float64(o.PaneWidthPx) / float64(o.HeightPx)
	span := heightM * math.Max(spanShare, 1.12/aspect)
	root := func(i int) spatial.Vec3 {
		q := p.QPos[max(0, min(i, len(p.QPos)-1))]
		return spatial.Vec3{q[p.RootQPos], q[p.RootQPos+1], 0}
	}
	half := int(0.5 / p.PeriodS) // the mean of a second neither lags nor shakes
	start := root(0)
	cams := make([]render.Camera, len(p.QPos))
	for i := range cams {
		var sum spatial.Vec3
		for k := i - half; k <= i+half; k++ {
			sum = sum.Add(root(k))
		}
		gone := sum.Scale(1 / float64(2*half+1)).Sub(start)
		share := math.Max(0, 1-stillShare*heightM/math.Max(gone.Norm(), 1e-9))
		at := start.Add(gone.Scale(share))
		at[2] = lookShare * heightM
		cams[i] = render.Camera{
			LookAtM: at, DistanceM: span / 2 / math.Tan(fovyDeg*math.Pi/360),
			AzimuthDeg: o.AzimuthDeg, ElevationDeg: o.ElevationDeg, FovyDeg: fovyDeg,
		}
	}
	return cams
}
