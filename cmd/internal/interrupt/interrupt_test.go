package interrupt

import (
	"context"
	"errors"
	"testing"
)

func TestWorkLeavesStuckWork(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := Work(ctx, 0, func() error { <-stuck; return nil })
	if !errors.Is(err, context.Canceled) || err.Error() != "interrupted" {
		t.Errorf("stuck work gave %v", err)
	}
}

func TestWorkThatIsDoneIsHeard(t *testing.T) {
	failed := errors.New("no such joint")
	if err := Work(context.Background(), 0, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the work's own error", err)
	}
	// Within its grace work may still end as it wants.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Work(ctx, Grace, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the work's own error", err)
	}
}

func TestInWords(t *testing.T) {
	own := Errorf("interrupted before %s", "film")
	for err, want := range map[error]string{
		errors.Join(errors.New("track"), context.Canceled): "interrupted",
		own:                     "interrupted before film",
		errors.New("disk full"): "disk full",
	} {
		if got := InWords(err); got.Error() != want {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
	if InWords(nil) != nil || !errors.Is(own, context.Canceled) {
		t.Error("no error became one, or an interruption is none")
	}
}
