package guided_test

import (
	"context"
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
