//go:build mujoco && cgo

package eval

import (
	"context"
	"errors"
	"testing"
)

// leaver ends the context in the middle of an episode and counts what comes after.
type leaver struct {
	Actor
	acts *int
	stop context.CancelFunc
}

func (l *leaver) Forward(dst, observations []float32, count int) {
	if *l.acts++; *l.acts == 50 {
		l.stop()
	}
	l.Actor.Forward(dst, observations, count)
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
		err := play(ctx, func(n int) Actor { return &leaver{Playback(n), &acts, stop} })
		if !errors.Is(err, context.Canceled) || acts != 50 {
			t.Errorf("%s: %v after %d decisions; it was told to end at the 50th", what, err, acts)
		}
	}
}
