package demonstrator

import (
	"context"
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Film draws every frame of a motion that Perform or Mimic returned with the same
// options and hands each picture (RGB, top row first, valid during the call) to
// write: as the lens sees it, before Options.Picture. It stops at the first error or
// when ctx ends.
func Film(ctx context.Context, m *human.Motion, opt Options, write func(frame int, rgb []byte) error) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return err
	}
	second, err := opt.company(m)
	if err != nil {
		return err
	}
	r, err := render.New(scene(opt), render.Options{
		WidthPx: opt.WidthPx, HeightPx: opt.HeightPx, Shadows: opt.Shadows,
	})
	if err != nil {
		return err
	}
	defer r.Close()
	things, cameras := opt.props(), opt.shoot(m)
	rgb := make([]byte, 3*opt.WidthPx*opt.HeightPx)
	mocap := make([]float64, 7*r.NMocap())
	for i := range m.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		place(mocap, &m.Frames[i], bases(things, &m.Frames[i]))
		if second != nil {
			place(mocap[mocapOfOne:], &second.Frames[i], bases(things, &second.Frames[i]))
		}
		if err := r.Draw(rgb, cameras[i].camera(opt.Camera.FovDeg), nil, mocap); err != nil {
			return fmt.Errorf("demonstrator: frame %d: %w", i, err)
		}
		if err := write(i, rgb); err != nil {
			return err
		}
	}
	return nil
}

// bases are the heights of what lies under the feet.
func bases(things []box, p *human.Pose) (m [2]float64) {
	for i := range m {
		m[i] = under(things, p.Positions[joint(human.LHeel, i)].Lerp(p.Positions[joint(human.LToe, i)], 0.5))
	}
	return m
}
