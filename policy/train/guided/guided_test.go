package guided_test

import (
	"context"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/guided"
	"github.com/mitori-robotics/mitori/policy/train/traintest"
)

func toy() train.Method {
	_, c := guided.Defaults()
	c.Imitate.Minibatch, c.PPO.Minibatch = 256, 256
	c.ImitateSteps, c.PPO.CriticFirst = 6*traintest.Samples, 3*traintest.Samples
	return guided.New(traintest.Course(), c, traintest.Ankle{})
}

func TestConforms(t *testing.T) {
	// Broken off within imitation, at the border, while the critic learns alone, and within PPO.
	traintest.Conformance(t, toy, 3, 6, 8, 11)
}

func TestImitationThenTheCriticThenPPO(t *testing.T) {
	res, err := traintest.Trainer(t, toy()).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 14 * traintest.Samples}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Curve) != 14 {
		t.Fatalf("%d iterations, want 14", len(res.Curve))
	}
	for i, p := range res.Curve {
		imitates, waits := i < 6, i >= 6 && i < 9
		if (p.ValueLoss == 0) != imitates || (p.ActorSteps == 0) != waits {
			t.Errorf("iteration %d: value loss %g, actor steps %g", i, p.ValueLoss, p.ActorSteps)
		}
	}
}

// spy is a method whose Practice the test may look at.
type spy struct {
	train.Method
	practice *train.Practice
}

func (s *spy) Start(p *train.Practice) error {
	s.practice = p
	return s.Method.Start(p)
}

// Adam's moments are those of the imitation's loss, and steps of PPO along them go astray.
func TestPPOBeginsWithoutTheMomentsOfImitation(t *testing.T) {
	for iterations, want := range map[int64]bool{5: false, 6: true, 9: true, 10: false} {
		s := &spy{Method: toy()}
		if _, err := traintest.Trainer(t, s).Run(context.Background(), train.Options{Budget: train.Budget{Steps: iterations * traintest.Samples}}); err != nil {
			t.Fatal(err)
		}
		state := s.practice.Policy.State()
		still := state.Steps == 0 && !slices.ContainsFunc(state.M, func(m float32) bool { return m != 0 })
		if still != want {
			t.Errorf("after %d iterations the policy has no moments: %v, want %v", iterations, still, want)
		}
	}
}
