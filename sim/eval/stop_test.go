//go:build mujoco && cgo

package eval

import (
	"context"
	"errors"
	"testing"

	"github.com/mitori-robotics/mitori/policy/obs"
)

// leaver ends the context in the middle of an episode and counts what comes after.
type leaver struct {
	Controller
	acts *int
	stop context.CancelFunc
}

func (l *leaver) Act(dst []float64, step int, m *obs.Measurement) {
	if *l.acts++; *l.acts == 50 {
		l.stop()
	}
	l.Controller.Act(dst, step, m)
}

// An evaluation that is told to end plays no further step.
func TestRunEndsWithinAStep(t *testing.T) {
	ts := test(t, 2, nil)
	for what, play := range map[string]func(context.Context, Factory) error{
		"run": func(ctx context.Context, f Factory) error { _, err := Run(ctx, ts, f); return err },
		"record": func(ctx context.Context, f Factory) error {
			_, err := Record(ctx, ts, 0, Card()[0], f, 0.5)
			return err
		},
	} {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		acts := 0
		err := play(ctx, func(ref *obs.Reference) (Controller, error) {
			c, err := Playback(ts.Spec)(ref)
			return &leaver{c, &acts, stop}, err
		})
		// The step that is under way asks every robot still.
		if !errors.Is(err, context.Canceled) || acts < 50 || acts >= 50+ts.Episodes {
			t.Errorf("%s: %v after %d decisions; it was told to end at the 50th", what, err, acts)
		}
	}
}
