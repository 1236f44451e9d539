// Package demonstratortest films parts of the built-in demonstrations for tests of what looks at video, so that a
// checkout without any recording tests the whole path. Drawing is what costs: a few seconds at a few pictures a second
// are enough for most questions. It is for tests only, and keeps nothing between calls.
package demonstratortest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Film writes the part from fromS to toS (s, both included) of the demonstration of that name as an mp4 file, and
// returns the truth of that part, which begins at 0 s as the clip does. WidthPx, HeightPx and FPS are to be set.
// The error wraps render.ErrNotBuilt or mp4.ErrNoFFmpeg where this build or machine cannot film.
func Film(ctx context.Context, file, name string, fromS, toS float64, o demonstrator.Options) (*human.Motion, error) {
	m, err := demonstrator.Find(name)
	if err != nil {
		return nil, err
	}
	truth, err := demonstrator.Perform(m, o)
	if err != nil {
		return nil, err
	}
	if truth, err = truth.Part(fromS, toS); err != nil {
		return nil, err
	}
	truth.Meta.StartS = 0
	w, err := mp4.New(file, o.WidthPx, o.HeightPx, o.FPS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer w.Abort()
	if err := demonstrator.Film(ctx, truth, o, func(_ int, rgb []byte) error { return w.WriteRGB(rgb) }); err != nil {
		return nil, err
	}
	return truth, w.Close()
}

// MustFilm is Film in a test, which is skipped under -short and where nothing can be filmed.
func MustFilm(t testing.TB, file, name string, fromS, toS float64, o demonstrator.Options) *human.Motion {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: films a demonstration")
	}
	truth, err := Film(t.Context(), file, name, fromS, toS, o)
	if errors.Is(err, render.ErrNotBuilt) || errors.Is(err, mp4.ErrNoFFmpeg) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return truth
}
