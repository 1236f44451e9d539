package ppo_test

import (
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
	"github.com/mitori-robotics/mitori/policy/train/traintest"
)

// toy learns fast in the toy worlds; train's own tests show that it learns to balance there.
func toy() ppo.Config {
	_, c := ppo.Defaults()
	c.Minibatch, c.ActorRate, c.CritRate, c.Std, c.StdSteps = 256, 1e-3, 3e-3, [2]float64{0.3, 0.2}, 4000
	return c
}

func TestConforms(t *testing.T) {
	traintest.Conformance(t, func() train.Method { return ppo.New(traintest.Course(), toy()) }, 1, 7)
}

func TestBadSettingsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*ppo.Config){
		"minibatch": func(c *ppo.Config) { c.Minibatch = 300 }, "minibatch ": func(c *ppo.Config) { c.Minibatch = 1 },
		"gamma": func(c *ppo.Config) { c.Gamma = 1 }, "lambda": func(c *ppo.Config) { c.Lambda = -1 },
		"exploration": func(c *ppo.Config) { c.Std[1] = 0 }, "epochs": func(c *ppo.Config) { c.Epochs = 0 },
	} {
		c := toy()
		spoil(&c)
		_, err := train.New(rollouttest.NewToy(traintest.Worlds, traintest.Joints), traintest.Task(t), ppo.New(traintest.Course(), c), nil, 1)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
