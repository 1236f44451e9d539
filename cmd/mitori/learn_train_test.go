//go:build mujoco && cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// interrupter cancels a learner a second after its training began.
type interrupter struct {
	cancel func()
	seen   string
}

func (w *interrupter) Write(b []byte) (int, error) {
	if w.seen += string(b); strings.Contains(w.seen, " check ") && w.cancel != nil {
		time.AfterFunc(time.Second, w.cancel)
		w.cancel = nil
	}
	return len(b), nil
}

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
	m, err := demonstrator.Find("one_leg_balance") // too hard for so short a training: it trains on
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var l *learner
	var log io.Writer = io.Discard
	practise := func(dir string, seed uint64, resume, interrupt bool) error {
		l = &learner{body: kata, budget: train.Budget{Steps: 24000}, seen: &extraction{Motion: person}, began: time.Now(), log: log}
		l.learnFlags = learnFlags{dir: dir, video: "clip.mp4", method: defaultMethod, seed: seed, tries: 2, episodes: 2, resume: resume}
		l.retarget.Tempo = 1
		l.summary.StageS = map[string]float64{}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if interrupt {
			l.log = &interrupter{cancel: cancel}
		}
		return l.practise(ctx)
	}
	whole, cut := t.TempDir(), t.TempDir()
	if err := practise(whole, 3, false, false); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := practise(cut, 3, i > 0, true); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("interruption %d: %v; the machine was too fast or the message is gone", i, err)
		}
		if _, err := os.Stat(filepath.Join(cut, "policy.bundle")); err == nil {
			t.Fatal("an interrupted learn left a finished bundle")
		}
	}
	if err := practise(cut, 4, true, false); !errors.Is(err, train.ErrCheckpoint) {
		t.Errorf("resumed with another seed: %v; want a refusal, or what was learnt is thrown away", err)
	}
	if err := practise(cut, 3, true, false); err != nil {
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
	var said bytes.Buffer
	log = &said
	if err := practise(cut, 3, true, false); err != nil {
		t.Fatal(err)
	}
	c, err := os.ReadFile(filepath.Join(cut, "policy.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, c) || strings.Contains(said.String(), "training:") {
		t.Errorf("a finished training was not taken up as it is: same bundle: %v\n%s", bytes.Equal(a, c), &said)
	}
	if left, _ := filepath.Glob(filepath.Join(cut, "*.checkpoint")); left == nil {
		t.Error("the checkpoints were removed before the run was done")
	}
	if err := l.forget(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(cut, "*.checkpoint")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}
