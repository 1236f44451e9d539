package demonstrator

import (
	"context"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Film draws every frame of a motion that Perform returned with the same
// options and hands each picture (RGB, top row first, valid during the call) to
// write. It stops at the first error or when ctx ends.
func Film(ctx context.Context, m *human.Motion, opt Options, write func(frame int, rgb []byte) error) error {
	opt, err := opt.withDefaults()
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
	cam := opt.Camera.view(opt.HeightM)
	rgb := make([]byte, 3*opt.WidthPx*opt.HeightPx)
	mocap := make([]float64, 7*r.NMocap())
	for i := range m.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		place(mocap, &m.Frames[i])
		if err := r.Draw(rgb, cam, nil, mocap); err != nil {
			return fmt.Errorf("demonstrator: frame %d: %w", i, err)
		}
		if err := write(i, rgb); err != nil {
			return err
		}
	}
	return nil
}

// view looks from the camera's place at the middle of the room a person of that
// height needs, arms raised.
func (c Camera) view(heightM float64) render.Camera {
	const middleShare = 0.54
	rise := c.HeightM - middleShare*heightM
	return render.Camera{
		LookAtM:      spatial.Vec3{0, 0, middleShare * heightM},
		DistanceM:    math.Hypot(c.DistanceM, rise),
		AzimuthDeg:   180,
		ElevationDeg: -math.Atan2(rise, c.DistanceM) * 180 / math.Pi,
		FovyDeg:      c.FovDeg,
	}
}
