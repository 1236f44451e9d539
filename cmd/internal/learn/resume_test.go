//go:build mujoco && cgo

package learn

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// A learn that is interrupted twice, while it trains and while it trains on,
// ends with the very policy of one that is not.
func TestLearnResumes(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four times; leave out -short to run it")
	}
	kata, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Find("march") // too hard for so short a training: it trains on
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if person, err = person.Part(0, 2); err != nil { // one step
		t.Fatal(err)
	}
	var l *learner
	iterations := 0
	// practise ends its training at that many steps, unless 0.
	practise := func(dir string, seed uint64, resume bool, endAt int64) error {
		l = newLearner(Options{
			Look: extract.Options{Video: "clip.mp4"}, Robot: kata, Folder: dir, Retarget: retarget.Options{Tempo: 1},
			Budget: train.Budget{Steps: 8000}, Method: practice.DefaultMethod, Seed: seed, Tries: 2, Episodes: 2, Resume: resume,
		})
		l.seen = &extract.Result{Motion: person}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		iterations = 0
		l.run.Tell = func(p pipeline.Progress) {
			iterations++
			if endAt > 0 && p.Detail.(train.Point).Steps > endAt {
				cancel()
			}
		}
		if err := l.practise(ctx); err != nil {
			return err
		}
		return l.keep(ctx)
	}
	whole, cut := t.TempDir(), t.TempDir()
	if err := practise(whole, 3, false, 0); err != nil {
		t.Fatal(err)
	}
	for i, endAt := range []int64{4000, 10_000} {
		if err := practise(cut, 3, i > 0, endAt); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("interruption %d: %v", i, err)
		}
		if _, err := os.Stat(filepath.Join(cut, "policy.bundle")); err == nil {
			t.Fatal("an interrupted learn left a finished bundle")
		}
	}
	if err := practise(cut, 4, true, 0); !errors.Is(err, train.ErrCheckpoint) {
		t.Errorf("resumed with another seed: %v; want a refusal, or what was learnt is thrown away", err)
	}
	if err := practise(cut, 3, true, 0); err != nil {
		t.Fatal(err)
	}
	a, err := os.ReadFile(filepath.Join(whole, "policy.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(cut, "policy.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the interrupted and resumed learn ends with another bundle")
	}
	// The training is done; where what comes after it fails, it is taken up as it is.
	if err := practise(cut, 3, true, 0); err != nil {
		t.Fatal(err)
	}
	c, err := os.ReadFile(filepath.Join(cut, "policy.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, c) || iterations > 0 {
		t.Errorf("a finished training was not taken up as it is: same bundle: %v, %d iterations", bytes.Equal(a, c), iterations)
	}
	if left, _ := filepath.Glob(filepath.Join(cut, "*.checkpoint")); left == nil {
		t.Error("the checkpoints were removed before the run was done")
	}
	if err := l.forget(); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*.checkpoint", ".mitori*"} {
		if left, _ := filepath.Glob(filepath.Join(cut, pattern)); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
}
