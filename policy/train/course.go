package train

import (
	"fmt"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Course is how the trainer itself goes on, whatever the learning method: the policy's size, where episodes begin, how
// the dynamics widen, when the policy is tested, and when it is good enough.
type Course struct {
	Hidden  []int // sizes of the policy's hidden layers
	Horizon int   // control steps a world between two learning phases

	StartNoise rollout.StartNoise
	FromStart  float64 // share of episodes that begin at the beginning of a reference
	Adaptive   float64 // share of the others that begin where episodes fail; the rest begin anywhere
	// Dynamics widen from Easy to Hard: the level begins at LevelStart and rises by LevelUp after each iteration in
	// which at least LevelGate of the finished episodes stood to their end.
	Easy, Hard                     rollout.Randomization
	LevelStart, LevelUp, LevelGate float64

	// EvalEvery iterations the policy's mean is evaluated. Training stops after two evaluations in a row with at
	// least StopSurvival and at most StopJointErrRad at level 1, and not before MinSteps control steps.
	EvalEvery       int
	StopSurvival    float64
	StopJointErrRad float64
	MinSteps        int64
}

// DefaultCourse is what the methods begin with; what one of them wants otherwise stands in its Defaults.
func DefaultCourse() Course {
	return Course{
		Hidden: []int{256, 256}, Horizon: 32,
		StartNoise: rollout.StartNoise{JointRad: 0.03, JointRadPerS: 0.2, TiltRad: 0.02, RootMPerS: 0.05, RootRadPerS: 0.1},
		FromStart:  0.15, Adaptive: 0.5,
		Easy: rollout.Nominal(), Hard: rollout.Hard(), LevelStart: 0.5, LevelUp: 0.06, LevelGate: 0.4,
		EvalEvery: 15, StopSurvival: 0.95, StopJointErrRad: 0.05, MinSteps: 150_000,
	}
}

// Sizes are those of a network with the course's hidden layers.
func (c *Course) Sizes(in, out int) []int { return append(append([]int{in}, c.Hidden...), out) }

func (c *Course) validate() error {
	switch {
	case c.Horizon < 1:
		return fmt.Errorf("train: horizon is %d steps, legal: at least 1", c.Horizon)
	case c.EvalEvery < 1:
		return fmt.Errorf("train: evaluation every %d iterations, legal: at least 1", c.EvalEvery)
	}
	for _, h := range c.Hidden {
		if h < 1 || h > 8192 {
			return fmt.Errorf("train: hidden layer of %d, legal: 1 to 8192", h)
		}
	}
	return nil
}
