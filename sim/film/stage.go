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
	s.cams[i], err = follow(p, o, s.view.Bounds)
	return err
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

// path plans where the camera looks, step by step: sideways still while the robot
// moves about its place, going along without haste when it leaves; towards and
// away always along, so that its size stays.
func path(p *Pane, azimuthDeg float64) []spatial.Vec3 {
	root := func(i int) spatial.Vec3 {
		q := p.QPos[max(0, min(i, len(p.QPos)-1))]
		return spatial.Vec3{q[p.RootQPos], q[p.RootQPos+1], 0}
	}
	still := 0.25 * bodyHeightM(p)
	half := int(0.5 / p.PeriodS) // the mean of a second neither lags nor shakes
	start := root(0)
	sin, cos := math.Sincos(azimuthDeg * math.Pi / 180)
	ahead := spatial.Vec3{cos, sin, 0}
	at := make([]spatial.Vec3, len(p.QPos))
	for i := range at {
		var sum spatial.Vec3
		for k := i - half; k <= i+half; k++ {
			sum = sum.Add(root(k))
		}
		gone := sum.Scale(1 / float64(2*half+1)).Sub(start)
		along := ahead.Scale(gone.Dot(ahead))
		aside := gone.Sub(along)
		at[i] = start.Add(along).Add(aside.Scale(math.Max(0, 1-still/math.Max(aside.Norm(), 1e-9))))
	}
	return at
}

// follow plans the camera of every step along the path, so far away that the
// robot fills the pane and always fits. bounds is where the robot is in a state.
func follow(p *Pane, o Options, bounds func(qpos []float64) (lo, hi spatial.Vec3, err error)) ([]render.Camera, error) {
	const (
		fovyDeg = 32
		margin  = 1.12
		lookAt  = 0.51 // of the highest point
	)
	at := path(p, o.AzimuthDeg)
	sin, cos := math.Sincos(o.AzimuthDeg * math.Pi / 180)
	right := spatial.Vec3{sin, -cos, 0}
	top, side := bodyHeightM(p), 0.0
	every := max(1, int(0.1/p.PeriodS)) // limbs do not leave the margin within a tenth of a second
	for i := 0; i < len(p.QPos); i += every {
		lo, hi, err := bounds(p.QPos[i])
		if err != nil {
			return nil, err
		}
		mid, reach := lo.Add(hi).Scale(0.5).Sub(at[i]), hi.Sub(lo).Scale(0.5)
		side = math.Max(side, math.Abs(mid.Dot(right))+math.Abs(reach[0]*right[0])+math.Abs(reach[1]*right[1]))
		top = math.Max(top, hi[2])
	}
	aspect := float64(o.PaneWidthPx) / float64(o.HeightPx)
	span := margin * math.Max(top, 2*side/aspect)
	// A robot that flies off must not shrink to a dot.
	span = math.Min(span, bodyHeightM(p)*math.Max(2.2, 1.8/aspect))
	cams := make([]render.Camera, len(at))
	for i := range cams {
		at[i][2] = lookAt * math.Min(top, 1.5*bodyHeightM(p))
		cams[i] = render.Camera{
			LookAtM: at[i], DistanceM: span / 2 / math.Tan(fovyDeg*math.Pi/360),
			AzimuthDeg: o.AzimuthDeg, ElevationDeg: o.ElevationDeg, FovyDeg: fovyDeg,
		}
	}
	return cams, nil
}
