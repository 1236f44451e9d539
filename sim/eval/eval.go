// Package eval judges a policy: it plays a fixed, hard set of episodes in
// simulation, says how many were survived by a named rule, how well the motion
// was tracked, and where it failed; and it compares with the plain playback of
// the reference in the same worlds.
//
// Everything random follows from the seeds that the report lists, so any single
// episode can be played again. Policies run as they run on the robot: the
// exported weights, no exploration, only what the robot can sense; every command
// passes robotd's guard, and what its failsafes would end is not survived.
//
// What is not here: physics (sim/worlds), the file that holds a policy
// (policy/bundle), pictures (sim/render). Nothing in this package is shared
// between goroutines.
package eval

import (
	"context"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Test is what an evaluation plays.
type Test struct {
	Robot    *body.Body
	Spec     obs.Spec // rate and joint order of the references
	Refs     []*obs.Reference
	Episodes int    // of the hard set, spread evenly over the references; 0: DefaultEpisodes
	Seed     uint64 // of the first episode; the others count on from it
	Threads  int    // 0: one per logical CPU
	// CardEpisodes is the number of episodes of each line of the robustness card;
	// 0: half of Episodes. Below 0: no card.
	CardEpisodes int
	// Progress is told after every condition, unless nil.
	Progress func(done, total int)
}

// DefaultEpisodes is the size of the hard set.
const DefaultEpisodes = 40

// DefaultSeed begins the seeds of the test set. Training draws its seeds by
// hashing, so that it does not practise on these.
const DefaultSeed = 90001

// The rule of success, as numbers and as the sentence that reports carry.
const (
	strictRootM = 0.12
	strictBodyM = 0.10
	// Rule is the rule of success.
	Rule = "an episode is survived when, to the end of the reference motion, " + fall.Text +
		", and robotd, whose guard passes every command, would not have ended the motion"
	// StrictRule is the rule of strict tracking.
	StrictRule = "survived, and at every step the root is within 12 cm of the reference and every body within 10 cm of it " +
		"in the root's frame"
)

// Condition is a named set of worlds.
type Condition struct {
	Name string
	Text string // what it is, for people
	// StartJointRad is the standard deviation of the joints' error at the start.
	StartJointRad float64
	Dynamics      rollout.Randomization
	// SubSteps is the number of engine steps in a policy period; 0: subSteps.
	SubSteps int
	// EllipticCone makes the floor's friction the same in all directions.
	EllipticCone bool
	// ExtraDelayEveryOther adds a policy period of delay to every second episode.
	ExtraDelayEveryOther bool
}

// Hard is the test set that survival is reported on.
func Hard() Condition {
	r := rollout.Nominal()
	r.Friction, r.MassScale, r.GainScale = [2]float64{0.5, 1.2}, [2]float64{0.9, 1.1}, [2]float64{0.9, 1.1}
	withNoise(&r)
	r.PushSpeedMPerS, r.PushEveryS = [2]float64{0.2, 0.2}, [2]float64{1.2, 1.2}
	return Condition{
		Name: "hard",
		Text: "initial joint error 0.02 rad, friction 0.5 to 1.2, link masses and servo gains +-10 %, one policy period of extra delay in every second episode, " +
			"sensor noise (joints 0.01 rad and 0.3 rad/s, gyro 0.1 rad/s, gravity 0.02), pushes of 0.2 m/s every 1.2 s in random directions, the first at a random time within the first 1.2 s",
		StartJointRad: 0.02, Dynamics: r, ExtraDelayEveryOther: true,
	}
}

func withNoise(r *rollout.Randomization) {
	r.NoiseJointRad, r.NoiseJointRadPerS, r.NoiseGyroRadPerS, r.NoiseGravity = 0.01, 0.3, 0.1, 0.02
}

// Card returns the conditions of the robustness card, each disturbing one thing.
func Card() []Condition {
	one := func(name, text string, edit func(*rollout.Randomization)) Condition {
		r := rollout.Nominal()
		edit(&r)
		return Condition{Name: name, Text: text, StartJointRad: 0.02, Dynamics: r}
	}
	at := func(v float64) [2]float64 { return [2]float64{v, v} }
	pushes := func(r *rollout.Randomization) { r.PushSpeedMPerS, r.PushEveryS = at(0.3), at(1.2) }
	// The same worlds and pushes as the line before it: the difference is the cone's.
	cone := one("elliptic cone", "the same pushes on a floor whose friction is equal in all directions (elliptic instead of pyramidal cones)", pushes)
	cone.EllipticCone = true
	delay := one("delay", "25 ms more between policy and servo", func(r *rollout.Randomization) { r.DelayS = at(0.025) })
	delay.SubSteps = 8 // 2.5 ms, of which 25 ms is a multiple
	return []Condition{
		one("clean", "the robot as described; initial joint error 0.02 rad", func(*rollout.Randomization) {}),
		one("pushes", "pushes of 0.3 m/s every 1.2 s, the first at a random time within the first 1.2 s", pushes),
		cone,
		delay,
		one("weak motors", "20 % less torque and gain", func(r *rollout.Randomization) { r.TorqueScale, r.GainScale = at(0.8), at(0.8) }),
		one("slippery", "friction 0.4", func(r *rollout.Randomization) { r.Friction = at(0.4) }),
		one("noise", "sensor noise as in the hard set", withNoise),
	}
}

func (t *Test) fill() error {
	if t.Episodes == 0 {
		t.Episodes = DefaultEpisodes
	}
	if t.Seed == 0 {
		t.Seed = DefaultSeed
	}
	if t.CardEpisodes == 0 {
		t.CardEpisodes = max(1, t.Episodes/2)
	}
	switch {
	case t.Robot == nil:
		return fmt.Errorf("eval: no robot")
	case t.Episodes < 1 || t.Episodes > 100000:
		return fmt.Errorf("eval: %d episodes; legal: 1 to 100000", t.Episodes)
	case len(t.Refs) == 0:
		return fmt.Errorf("eval: no reference motion; at least 1 is needed")
	}
	if err := t.Spec.Validate(); err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	if want := 1 / t.Robot.Desc.PolicyRateHz; math.Abs(t.Spec.PeriodS-want) > 1e-9 {
		return fmt.Errorf("eval: the policy's period is %g s, the robot's %g s", t.Spec.PeriodS, want)
	}
	if n := t.Spec.Joints(); n != len(t.Robot.Desc.Joints) {
		return fmt.Errorf("eval: the policy drives %d joints, the robot has %d", n, len(t.Robot.Desc.Joints))
	}
	for i, name := range t.Spec.JointNames {
		if name != t.Robot.Desc.Joints[i].Name {
			return fmt.Errorf("eval: joint %d is %q for the policy and %q for the robot", i, name, t.Robot.Desc.Joints[i].Name)
		}
	}
	return nil
}

// Run plays the hard set and the robustness card with the policy, and both once
// more as plain playback. It ends within a step when ctx ends, with the
// context's error.
func Run(ctx context.Context, t Test, policy Factory) (*Report, error) {
	if err := t.fill(); err != nil {
		return nil, err
	}
	p, err := newPlayer(ctx, &t)
	if err != nil {
		return nil, err
	}
	defer p.close()
	card := Card()
	if t.CardEpisodes < 0 {
		card = nil
	}
	total, done := len(card)+2, 0
	tell := func() {
		if done++; t.Progress != nil {
			t.Progress(done, total)
		}
	}
	hard := Hard()
	results, err := p.play(hard, t.Episodes, policy)
	if err != nil {
		return nil, err
	}
	tell()
	base, err := p.play(hard, t.Episodes, Playback)
	if err != nil {
		return nil, err
	}
	tell()
	r := newReport(&t, hard, results, base)
	for _, c := range card {
		res, err := p.play(c, t.CardEpisodes, policy)
		if err != nil {
			return nil, err
		}
		played, err := p.play(c, t.CardEpisodes, Playback)
		if err != nil {
			return nil, err
		}
		r.Card = append(r.Card, CardLine{Name: c.Name, Text: c.Text, Metrics: summarise(res), BaselinePlayback: summarise(played)})
		tell()
	}
	return r, nil
}
