package train

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

// ankle is an expert for the toy worlds: it pushes the first joint against the true tilt and its rate.
type ankle struct{ joints int }

func (a ankle) Label(dst []float32, r *rollout.Runner) error {
	clear(dst)
	for w := range r.Worlds() {
		row := r.Row(w)
		tilt := -row.Gravity[0] // negative when leaning forwards
		dst[w*a.joints] = float32(4 * (-tilt + 0.3*row.RootAngVelRadS[1]))
	}
	return nil
}

func toyImitation(t testing.TB) *Trainer {
	t.Helper()
	task, err := rollouttest.ToyTask(toyJoints, 2)
	if err != nil {
		t.Fatal(err)
	}
	c := ImitationConfig()
	own := toyConfig()
	c.Seed, c.Hidden, c.Horizon, c.Minibatch, c.Easy, c.Hard = own.Seed, own.Hidden, own.Horizon, own.Minibatch, own.Easy, own.Hard
	c.StopJointErrRad, c.MinSteps, c.StopSurvival = own.StopJointErrRad, 0, 1
	set := NewTestSet(rollouttest.NewToy(8, toyJoints), task, 8, 1, rollout.StartNoise{TiltRad: 0.05}, c.Hard)
	tr, err := NewImitation(rollouttest.NewToy(toyWorlds, toyJoints), task, c, set, ankle{toyJoints})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestImitationLearnsWhatTheExpertDoes(t *testing.T) {
	tr := toyImitation(t)
	res, err := tr.Run(context.Background(), Options{Budget: Budget{Steps: 40_000}})
	if err != nil {
		t.Fatal(err)
	}
	first, last := res.Curve[0], res.Curve[len(res.Curve)-1]
	t.Logf("learnt %+v after %d steps; loss %g to %g", res.Score, res.ControlSteps, first.PolicyLoss, last.PolicyLoss)
	if res.Score.Survival < 1 || res.Method != MethodImitation {
		t.Errorf("survival %g by %s, want 1", res.Score.Survival, res.Method)
	}
	if last.PolicyLoss > first.PolicyLoss/2 {
		t.Errorf("loss went from %g to %g", first.PolicyLoss, last.PolicyLoss)
	}
}

func TestImitationResumesToTheBit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	whole, err := toyImitation(t).Run(context.Background(), Options{Budget: Budget{Steps: 8 * 512}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := toyImitation(t).Run(context.Background(), Options{Budget: Budget{Steps: 3 * 512}, Checkpoint: file}); err != nil {
		t.Fatal(err)
	}
	second := toyImitation(t)
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	rest, err := second.Run(context.Background(), Options{Budget: Budget{Steps: 8 * 512}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole.Net), weights(t, rest.Net)) {
		t.Error("the resumed run ends elsewhere")
	}
	if err := toyTrainer(t, toyConfig()).Resume(file); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("PPO resumes from a checkpoint of imitation: %v", err)
	}
}

func TestMemoryOverwritesTheOldest(t *testing.T) {
	m := &imitation{dim: 1, acts: 1, memory: make([]float32, memoryRows), wanted: make([]float32, memoryRows)}
	for i := range memoryRows + 3 {
		m.remember([]float32{float32(i)}, []float32{float32(-i)})
	}
	if m.count != memoryRows || m.next != 3 || m.memory[2] != memoryRows+2 || m.wanted[3] != -3 {
		t.Errorf("count %d, next %d, memory %v", m.count, m.next, m.memory[:5])
	}
	again := &imitation{dim: 1, acts: 1, memory: make([]float32, memoryRows), wanted: make([]float32, memoryRows)}
	if err := again.setState(m.state()); err != nil || again.memory[2] != m.memory[2] || again.next != 3 {
		t.Errorf("state does not survive: %v", err)
	}
}

func TestGuidedTrainingGoesOnByPPOToTheBit(t *testing.T) {
	make := func() *Trainer {
		task, err := rollouttest.ToyTask(toyJoints, 2)
		if err != nil {
			t.Fatal(err)
		}
		c := toyConfig()
		c.ImitateSteps, c.CriticFirst = 6*512, 3*512
		set := NewTestSet(rollouttest.NewToy(8, toyJoints), task, 8, 1, rollout.StartNoise{TiltRad: 0.05}, c.Hard)
		tr, err := NewGuided(rollouttest.NewToy(toyWorlds, toyJoints), task, c, set, ankle{toyJoints})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	whole, err := make().Run(context.Background(), Options{Budget: Budget{Steps: 14 * 512}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range whole.Curve {
		imitates, waits := i < 6, i >= 6 && i < 9
		if (p.ValueLoss == 0) != imitates || (p.ActorSteps == 0) != waits {
			t.Errorf("iteration %d: value loss %g, actor steps %g", i, p.ValueLoss, p.ActorSteps)
		}
	}
	for _, stop := range []int64{3, 6, 11} { // within imitation, at the border, within PPO
		file := filepath.Join(t.TempDir(), "a.checkpoint")
		if _, err := make().Run(context.Background(), Options{Budget: Budget{Steps: stop * 512}, Checkpoint: file}); err != nil {
			t.Fatal(err)
		}
		second := make()
		if err := second.Resume(file); err != nil {
			t.Fatal(err)
		}
		rest, err := second.Run(context.Background(), Options{Budget: Budget{Steps: 14 * 512}})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, whole.Net), weights(t, rest.Net)) {
			t.Errorf("stopped after %d iterations: the resumed run ends elsewhere", stop)
		}
	}
}
