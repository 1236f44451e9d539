package traintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/policy/train"
)

// Conformance checks what train.Method promises. newMethod makes a method with the course of Course, or one of the
// same horizon that no evaluation ends early; interrupt are the iterations, below 12, after which a training is broken off and resumed.
func Conformance(t *testing.T, newMethod func() train.Method, interrupt ...int) {
	t.Helper()
	const iterations = 12
	whole := run(t, newMethod(), iterations, "", "")

	t.Run("the policy is learnt", func(t *testing.T) {
		first := run(t, newMethod(), 1, "", "")
		if bytes.Equal(Weights(t, first.Net), Weights(t, whole.Net)) {
			t.Error("twelve iterations end with the weights of the first")
		}
		if whole.Method != newMethod().Plan().Name || whole.ControlSteps != iterations*Samples {
			t.Errorf("%d control steps by %q", whole.ControlSteps, whole.Method)
		}
	})
	t.Run("same seed, same bits on any number of cores", func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		for _, cores := range []int{1, 2, 3, 4, 7} {
			runtime.GOMAXPROCS(cores)
			same(t, fmt.Sprintf("%d cores", cores), whole, run(t, newMethod(), iterations, "", ""))
		}
	})
	t.Run("another seed, another policy", func(t *testing.T) {
		res, err := TrainerSeed(t, newMethod(), seed+1).Run(context.Background(), train.Options{Budget: train.Budget{Steps: iterations * Samples}})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(Weights(t, whole.Net), Weights(t, res.Net)) {
			t.Error("the weights do not depend on the seed")
		}
	})
	t.Run("resumes to the bit", func(t *testing.T) {
		for _, stop := range interrupt {
			file := filepath.Join(t.TempDir(), "a.checkpoint")
			run(t, newMethod(), stop, "", file)
			same(t, fmt.Sprintf("broken off after %d iterations", stop), whole, run(t, newMethod(), iterations, file, ""))
		}
	})
	t.Run("saved state is read back whole", func(t *testing.T) {
		for _, stop := range interrupt {
			testState(t, newMethod, stop)
		}
	})
	t.Run("checkpoints of other methods and settings are refused", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a.checkpoint")
		run(t, newMethod(), 1, "", file)
		plan := newMethod().Plan()
		plan.Name += " of another kind"
		err := Trainer(t, renamed{newMethod(), plan}).Resume(file)
		if !errors.Is(err, train.ErrCheckpoint) || !errors.Is(err, train.ErrCheckpointMethod) {
			t.Errorf("another method: %v", err)
		}
		plan = newMethod().Plan()
		plan.Course.Adaptive += 0.01
		err = Trainer(t, renamed{newMethod(), plan}).Resume(file)
		if !errors.Is(err, train.ErrCheckpoint) || errors.Is(err, train.ErrCheckpointMethod) {
			t.Errorf("another course: %v", err)
		}
	})
}

// testState saves after some iterations, loads into a method that has seen less, and saves again.
func testState(t *testing.T, newMethod func() train.Method, stop int) {
	t.Helper()
	a, b := newMethod(), newMethod()
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	if _, err := Trainer(t, a).Run(context.Background(), train.Options{Budget: train.Budget{Steps: int64(stop) * Samples}, Checkpoint: file}); err != nil {
		t.Fatal(err)
	}
	if err := Trainer(t, b).Resume(file); err != nil {
		t.Fatal(err)
	}
	var before, after bytes.Buffer
	if err := errors.Join(a.SaveState(&before), b.SaveState(&after)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("after %d iterations: saved, loaded and saved again, the state is another one", stop)
	}
	if before.Len() == 0 {
		return // a method without a state of its own
	}
	for _, n := range []int{0, before.Len() / 2, before.Len() - 1} {
		if err := b.LoadState(bytes.NewReader(before.Bytes()[:n])); err == nil {
			t.Errorf("after %d iterations: %d of %d bytes of state are accepted", stop, n, before.Len())
		}
	}
}

// renamed is a method under another plan.
type renamed struct {
	train.Method
	plan train.Plan
}

func (r renamed) Plan() train.Plan { return r.plan }

// run trains for some iterations over all, from a checkpoint or the beginning, and leaves one, where they are named.
func run(t *testing.T, method train.Method, iterations int, from, to string) *train.Result {
	t.Helper()
	tr := Trainer(t, method)
	if from != "" {
		if err := tr.Resume(from); err != nil {
			t.Fatal(err)
		}
	}
	res, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Steps: int64(iterations) * Samples}, Checkpoint: to})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// same compares all of two results that does not come from a clock.
func same(t *testing.T, what string, want, got *train.Result) {
	t.Helper()
	if !bytes.Equal(Weights(t, want.Net), Weights(t, got.Net)) || want.Score != got.Score || want.ChosenAt != got.ChosenAt {
		t.Errorf("%s: another policy: %+v at %d, want %+v at %d", what, got.Score, got.ChosenAt, want.Score, want.ChosenAt)
	}
	a, b := timeless(want.Curve), timeless(got.Curve)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s: another learning curve, of %d and %d points", what, len(b), len(a))
	}
}

func timeless(curve []train.Point) []train.Point {
	c := slices.Clone(curve)
	for i := range c {
		c[i].WallS, c[i].CollectS, c[i].LearnS = 0, 0, 0
	}
	return c
}
