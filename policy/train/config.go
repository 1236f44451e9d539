package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// The methods.
const (
	MethodPPO       = "ppo"
	MethodImitation = "bc"
	MethodGuided    = "guided" // first imitation, then PPO
)

// Config is everything besides worlds, task, expert and budget that the result depends on.
type Config struct {
	Method string // set by New, NewImitation and NewGuided
	Seed   uint64
	Hidden []int // sizes of the hidden layers of actor and critic

	Horizon   int // steps a world between two learning phases
	Epochs    int
	Minibatch int // even; must divide worlds x Horizon
	Gamma     float64
	Lambda    float64
	Clip      float64 // of the probability ratio
	KLLimit   float64 // the actor's phase ends where the policy has moved further than this
	GradNorm  float64
	ActorRate float64 // at first; see Trainer.adapt
	CritRate  float64
	// Std is the exploration in network units, moving from the first to the second number over StdSteps control steps.
	Std      [2]float64
	StdSteps int64

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

	// Imitation: its control steps, learning rate, and noise on the actions in network units; then the control steps
	// for which PPO trains its critic alone.
	ImitateSteps int64
	ImitateRate  float64
	ImitateStd   float64
	CriticFirst  int64
}

// DefaultConfig is the setting for 128 worlds that docs/training.md reports on.
func DefaultConfig() Config {
	return Config{
		Hidden: []int{256, 256}, Horizon: 32, Epochs: 4, Minibatch: 512, Gamma: 0.98, Lambda: 0.95, Clip: 0.2,
		KLLimit: 0.08, GradNorm: 1, ActorRate: 4e-4, CritRate: 1e-3, Std: [2]float64{0.3, 0.15}, StdSteps: 500_000,
		StartNoise: rollout.StartNoise{JointRad: 0.03, JointRadS: 0.2, TiltRad: 0.02, RootMS: 0.05, RootRadS: 0.1},
		FromStart:  0.15, Adaptive: 0.5,
		Easy: rollout.Nominal(), Hard: rollout.Hard(), LevelStart: 0.5, LevelUp: 0.06, LevelGate: 0.4,
		EvalEvery: 15, StopSurvival: 0.95, StopJointErrRad: 0.05, MinSteps: 150_000,
		ImitateRate: 1e-3, ImitateStd: 0.08,
	}
}

// ImitationConfig is DefaultConfig for learning from an expert, which learns faster: it is tested more often.
func ImitationConfig() Config {
	c := DefaultConfig()
	c.LevelStart, c.EvalEvery = 0.3, 5
	return c
}

// GuidedConfig is DefaultConfig for PPO after imitation. Gentle motions are done when the imitation is; the others
// need wide exploration to go beyond what the expert knows.
func GuidedConfig() Config {
	c := DefaultConfig()
	c.LevelStart, c.Std, c.ImitateSteps, c.CriticFirst = 0.3, [2]float64{0.35, 0.2}, 61_440, 20_480
	c.EvalEvery, c.MinSteps = 10, 80_000
	return c
}

func (c *Config) sizes(in, out int) []int { return append(append([]int{in}, c.Hidden...), out) }

// rewardScale keeps the critic's outputs of order one: rewards of up to about one sum up to 1/(1-Gamma).
func (c *Config) rewardScale() float64 { return 1 - c.Gamma }

func (c *Config) validate(worlds int) error {
	samples := worlds * c.Horizon
	switch {
	case c.Horizon < 1 || c.Epochs < 1:
		return fmt.Errorf("train: horizon is %d and epochs %d, legal: at least 1", c.Horizon, c.Epochs)
	case c.Minibatch < 2 || c.Minibatch%2 != 0 || samples%c.Minibatch != 0:
		return fmt.Errorf("train: minibatch is %d, must be even and divide the %d samples of an iteration (%d worlds x %d steps)",
			c.Minibatch, samples, worlds, c.Horizon)
	case !(c.Gamma > 0 && c.Gamma < 1) || !(c.Lambda >= 0 && c.Lambda <= 1):
		return fmt.Errorf("train: gamma is %g and lambda %g, legal: above 0 and below 1, 0 to 1", c.Gamma, c.Lambda)
	case !(c.Std[0] > 0) || !(c.Std[1] > 0):
		return fmt.Errorf("train: exploration is %g to %g, legal: above 0", c.Std[0], c.Std[1])
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

// fingerprint identifies what a checkpoint belongs to: the configuration, the task and the number of worlds.
func fingerprint(c Config, task rollout.Task, worlds int) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, part := range []any{c, task.Spec, task.HoldSteps, task.Reward, task.Limits, worlds} {
		if err := enc.Encode(part); err != nil {
			return "", fmt.Errorf("train: fingerprint: %w", err)
		}
	}
	for _, r := range task.Refs {
		if err := enc.Encode(r.Frames); err != nil {
			return "", fmt.Errorf("train: fingerprint: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (c *Config) stdAt(steps int64) float64 {
	if c.StdSteps <= 0 {
		return c.Std[1]
	}
	t := min(float64(steps)/float64(c.StdSteps), 1)
	return c.Std[0] + t*(c.Std[1]-c.Std[0])
}
