package train_test

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/traintest"
)

// climber is a learning method in one file, without gradients: each iteration it plays with other weights near the
// best so far, and keeps those that earned more.
type climber struct {
	course   train.Course
	practice *train.Practice
	actions  []float32

	Best   []float32
	Reward float64
}

func newClimber() train.Method { return &climber{course: traintest.Course()} }

func (c *climber) Plan() train.Plan { return train.Plan{Name: "climb", Course: c.course} }

func (c *climber) Start(p *train.Practice) error {
	c.practice, c.actions = p, make([]float32, p.Runner.Worlds()*p.Task.Spec.Joints())
	return nil
}

func (c *climber) Iterate() (train.Learnt, error) {
	p := c.practice
	if c.Best != nil {
		for i, w := range c.Best {
			p.Policy.W[i] = w + float32(0.02*p.Noise.NormFloat64())
		}
	}
	policy, err := p.Frozen()
	if err != nil {
		return train.Learnt{}, err
	}
	forward, reward := p.NewForward(policy), 0.0
	err = p.Play(func(int) ([]float32, error) {
		forward.Run(c.actions, p.Runner.Obs())
		return c.actions, nil
	}, func(_ int, outcomes []rollout.Outcome) {
		for _, o := range outcomes {
			reward += o.Reward
		}
	})
	c.Reward *= 0.98 // luck fades
	if c.Best == nil || reward > c.Reward {
		c.Best, c.Reward = slices.Clone(p.Policy.W), reward
	}
	copy(p.Policy.W, c.Best)
	return train.Learnt{PolicyLoss: -c.Reward}, err
}

func (c *climber) SaveState(w io.Writer) error { return gob.NewEncoder(w).Encode(c) }
func (c *climber) LoadState(r io.Reader) error { return gob.NewDecoder(r).Decode(c) }

func TestAMethodDefinedElsewhereConforms(t *testing.T) {
	traintest.Conformance(t, newClimber, 1, 5, 9)
}

// wrong is a climber that does something a Method must not do.
type wrong struct {
	climber
	iterate func(*climber) (train.Learnt, error)
}

func (w *wrong) Iterate() (train.Learnt, error) { return w.iterate(&w.climber) }

func TestTheTrainerNoticesWhatAMethodDoesWrong(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		iterate func(*climber) (train.Learnt, error)
		want    string
	}{
		"fails":       {func(*climber) (train.Learnt, error) { return train.Learnt{}, broken }, "broken"},
		"never plays": {func(*climber) (train.Learnt, error) { return train.Learnt{}, nil }, "took 0 control steps"},
		"plays twice": {func(c *climber) (train.Learnt, error) {
			_, err := c.Iterate()
			_, err2 := c.Iterate()
			return train.Learnt{}, errors.Join(err, err2)
		}, "took 1024 control steps in an iteration; legal: 512"},
	} {
		tr := traintest.Trainer(t, &wrong{climber: climber{course: traintest.Course()}, iterate: c.iterate})
		_, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Steps: 512}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "climb") {
			t.Errorf("%s: %v, want one that names the method and says %q", name, err, c.want)
		}
	}
}

func TestAnInterruptionBeforeTheFirstIterationChangesNothing(t *testing.T) {
	file := t.TempDir() + "/a.checkpoint"
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	budget := train.Budget{Steps: 4 * traintest.Samples}
	if _, err := toyTrainer(t).Run(ctx, train.Options{Budget: budget, Checkpoint: file}); !errors.Is(err, train.ErrInterrupted) {
		t.Fatal(err)
	}
	second := toyTrainer(t)
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	rest, err := second.Run(context.Background(), train.Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(traintest.Weights(t, whole.Net), traintest.Weights(t, rest.Net)) {
		t.Error("the resumed run ends elsewhere than the whole one")
	}
}
