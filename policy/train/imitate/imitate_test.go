package imitate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/imitate"
	"github.com/mitori-robotics/mitori/policy/train/traintest"
)

func toy(course train.Course) train.Method {
	_, c := imitate.Defaults()
	c.Minibatch = 256
	return imitate.New(course, c, traintest.Ankle{})
}

func TestConforms(t *testing.T) {
	traintest.Conformance(t, func() train.Method { return toy(traintest.Course()) }, 3)
}

func TestImitationLearnsWhatTheExpertDoes(t *testing.T) {
	course := traintest.Course()
	course.LevelStart, course.StopSurvival = 0.3, 1
	res, err := traintest.Trainer(t, toy(course)).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 40_000}})
	if err != nil {
		t.Fatal(err)
	}
	first, last := res.Curve[0], res.Curve[len(res.Curve)-1]
	t.Logf("learnt %+v after %d steps; loss %g to %g", res.Score, res.ControlSteps, first.PolicyLoss, last.PolicyLoss)
	if res.Score.Survival < 1 || res.Method != imitate.Name {
		t.Errorf("survival %g by %s, want 1", res.Score.Survival, res.Method)
	}
	if last.PolicyLoss > first.PolicyLoss/2 {
		t.Errorf("loss went from %g to %g", first.PolicyLoss, last.PolicyLoss)
	}
}

// lost is an expert that cannot say anything.
type lost struct{}

var errLost = errors.New("where am I?")

func (lost) Label([]float32, *rollout.Runner) error { return errLost }

func TestAnExpertThatFailsEndsTheTraining(t *testing.T) {
	_, c := imitate.Defaults()
	c.Minibatch = 256
	tr := traintest.Trainer(t, imitate.New(traintest.Course(), c, lost{}))
	if _, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Steps: 1000}}); !errors.Is(err, errLost) {
		t.Errorf("%v", err)
	}
	c.Minibatch = 1
	_, err := train.New(rollouttest.NewToy(traintest.Worlds, traintest.Joints), traintest.Task(t), imitate.New(traintest.Course(), c, lost{}), nil, 1)
	if err == nil || !strings.Contains(err.Error(), "minibatch") {
		t.Errorf("minibatch of 1: %v", err)
	}
}
