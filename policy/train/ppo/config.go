package ppo

import (
	"fmt"

	"github.com/mitori-robotics/mitori/policy/train"
)

// Config is what PPO's result depends on besides the course.
type Config struct {
	Epochs    int
	Minibatch int // must divide worlds x horizon
	Gamma     float64
	Lambda    float64
	Clip      float64 // of the probability ratio
	KLLimit   float64 // the actor's phase ends where the policy has moved further than this
	GradNorm  float64
	ActorRate float64 // at first; see Method.adapt
	CritRate  float64
	// Std is the exploration in network units, moving from the first to the second number over StdSteps control steps.
	Std      [2]float64
	StdSteps int64
	// CriticFirst is the number of control steps for which the critic learns alone, where the policy has learnt
	// before and the critic has not.
	CriticFirst int64
}

// Defaults is the setting for 128 worlds that docs/training.md reports on.
func Defaults() (train.Course, Config) {
	return train.DefaultCourse(), Config{Epochs: 4, Minibatch: 512, Gamma: 0.98, Lambda: 0.95, Clip: 0.2, KLLimit: 0.08,
		GradNorm: 1, ActorRate: 4e-4, CritRate: 1e-3, Std: [2]float64{0.3, 0.15}, StdSteps: 500_000}
}

func (c *Config) validate(samples int) error {
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("ppo: epochs is %d, legal: at least 1", c.Epochs)
	case c.Minibatch < 2 || samples%c.Minibatch != 0:
		return fmt.Errorf("ppo: minibatch is %d; legal: 2 and more, and a divisor of the %d samples of an iteration", c.Minibatch, samples)
	case !(c.Gamma > 0 && c.Gamma < 1) || !(c.Lambda >= 0 && c.Lambda <= 1):
		return fmt.Errorf("ppo: gamma is %g and lambda %g, legal: above 0 and below 1, 0 to 1", c.Gamma, c.Lambda)
	case !(c.Std[0] > 0) || !(c.Std[1] > 0):
		return fmt.Errorf("ppo: exploration is %g to %g, legal: above 0", c.Std[0], c.Std[1])
	}
	return nil
}

// rewardScale keeps the critic's outputs of order one: rewards of up to about one sum up to 1/(1-Gamma).
func (c *Config) rewardScale() float64 { return 1 - c.Gamma }

func (c *Config) stdAt(steps int64) float64 {
	if c.StdSteps <= 0 {
		return c.Std[1]
	}
	t := min(float64(steps)/float64(c.StdSteps), 1)
	return c.Std[0] + t*(c.Std[1]-c.Std[0])
}
