package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Trainer learns one policy by one Method.
type Trainer struct {
	method    Method
	plan      Plan
	seed      uint64
	evaluator Evaluator
	identity  string // fingerprint of everything the checkpoint must fit

	// Everything below, and all of the Practice and of the Method, is the state that a checkpoint holds.
	practice   *Practice
	average    []float32 // of the policy's weights over the last iterations; this is what is evaluated and kept
	iteration  int
	used       Used
	goodInARow int
	best       *candidate
	curve      []Point
}

// candidate is a policy that was evaluated.
type candidate struct {
	Score rollout.Score
	Steps int64
	Norm  infer.Normalizer
	W     []float32
}

// Result is a finished training.
type Result struct {
	Net          *infer.Net
	Method       string
	Seed         uint64
	Score        rollout.Score // of Net, by the trainer's evaluator
	ChosenAt     int64         // control steps after which Net was taken
	ControlSteps int64
	WallS        float64
	Joules       float64 // 0: not measured
	StoppedBy    string  // "budget" or "goal"
	Curve        []Point
}

// ErrInterrupted is returned when the context ends; the state lies in the checkpoint.
var ErrInterrupted = errors.New("training interrupted")

// New prepares a training by a method. The worlds of env and the method are the trainer's alone.
func New(env rollout.Env, task rollout.Task, method Method, evaluator Evaluator, seed uint64) (*Trainer, error) {
	plan := method.Plan()
	if err := plan.Course.validate(); err != nil {
		return nil, err
	}
	runner, err := rollout.NewRunner(env, task)
	if err != nil {
		return nil, err
	}
	t := &Trainer{method: method, plan: plan, seed: seed, evaluator: evaluator}
	if t.identity, err = fingerprint(plan, seed, task, runner.Worlds()); err != nil {
		return nil, err
	}
	t.practice = newPractice(runner, task, plan.Course, seed)
	t.average = slices.Clone(t.practice.Policy.W)
	if err := t.practice.beginAll(); err != nil {
		return nil, err
	}
	if err := method.Start(t.practice); err != nil {
		return nil, fmt.Errorf("train: %s: %w", plan.Name, err)
	}
	return t, nil
}

// Used is what the training has taken so far, over all its resumptions.
func (t *Trainer) Used() Used { return t.used }

// Options say how a Run goes; they do not change what is learnt.
type Options struct {
	Budget          Budget
	Meter           Meter         // needed for a budget in joules
	Checkpoint      string        // file; none if empty
	CheckpointEvery time.Duration // of wall time; 0: 5 s
	Progress        func(p Point, spent float64)
	Now             func() time.Time
}

// Run trains until the budget is spent or the goal is reached, from the beginning or from where Resume left off.
func (t *Trainer) Run(ctx context.Context, o Options) (*Result, error) {
	clock, err := newClock(o, t.used)
	if err != nil {
		return nil, err
	}
	stopped := ""
	for stopped == "" {
		if ctx.Err() != nil {
			if err := t.save(o.Checkpoint); err != nil {
				return nil, errors.Join(ErrInterrupted, err)
			}
			return nil, fmt.Errorf("%w after %d control steps; --resume goes on", ErrInterrupted, t.used.Steps)
		}
		if stopped = t.exhausted(o.Budget); stopped != "" {
			break
		}
		p, err := t.iterate(clock)
		if err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(p, o.Budget.spent(t.used))
		}
		if t.goal() {
			stopped = "goal"
		}
		if o.Checkpoint != "" && clock.checkpointDue() {
			if err := t.save(o.Checkpoint); err != nil {
				return nil, err
			}
		}
	}
	// Saved before the last evaluation, which happens only because this budget ends here.
	if err := t.save(o.Checkpoint); err != nil {
		return nil, err
	}
	return t.finish(stopped, clock)
}

// exhausted says whether another iteration would go beyond the budget. The first iteration is always run.
func (t *Trainer) exhausted(b Budget) string {
	next := t.used.Steps + int64(t.practice.Samples())
	if t.iteration > 0 && (b.spent(t.used) >= 1 || b.Steps > 0 && next > b.Steps) {
		return "budget"
	}
	return ""
}

func (t *Trainer) goal() bool { return t.goodInARow >= 2 && t.used.Steps >= t.plan.Course.MinSteps }

// iterate lets the method play and learn, and now and then evaluates.
func (t *Trainer) iterate(clock *clock) (Point, error) {
	practice, course := t.practice, &t.plan.Course
	practice.stats, practice.played, practice.now, practice.steps = playStats{}, 0, clock.now, t.used.Steps
	begin := clock.now()
	learnt, err := t.method.Iterate()
	if err != nil {
		return Point{}, fmt.Errorf("train: after %d control steps: %s: %w", t.used.Steps, t.plan.Name, err)
	}
	if practice.stats.steps != practice.Samples() {
		return Point{}, fmt.Errorf("train: %s took %d control steps in an iteration; legal: %d: one Practice.Play", t.plan.Name, practice.stats.steps, practice.Samples())
	}
	p := practice.stats.point()
	p.Learnt, p.CollectS = learnt, practice.played.Seconds()
	p.LearnS = clock.now().Sub(begin).Seconds() - p.CollectS

	t.iteration++
	for i, w := range practice.Policy.W {
		t.average[i] += (1 - averageKeep) * (w - t.average[i])
	}
	t.used.Steps += int64(practice.Samples())
	practice.steps = t.used.Steps
	practice.sampler.decay()
	p.Steps, p.Level = t.used.Steps, practice.level
	if p.Episodes > 0 && p.Finished >= course.LevelGate {
		practice.level = min(practice.level+course.LevelUp, 1)
	}
	if t.iteration%course.EvalEvery == 0 {
		score, err := t.evaluate()
		if err != nil {
			return p, err
		}
		p.Eval = &score
		if practice.level >= 1 && score.Survival >= course.StopSurvival && score.JointErrRad <= course.StopJointErrRad {
			t.goodInARow++
		} else {
			t.goodInARow = 0
		}
	}
	if err := clock.update(&t.used); err != nil {
		return p, err
	}
	p.WallS = t.used.Time.Seconds()
	t.curve = append(t.curve, p)
	return p, nil
}

// averageKeep is the share of the past in the average of weights (Polyak and Juditsky 1992): a single iteration's
// policy wanders around what it learns, its average does not.
const averageKeep = 0.9

// evaluate scores the present average policy and keeps it if it is the best so far.
func (t *Trainer) evaluate() (rollout.Score, error) {
	norm := t.practice.Norm.Export()
	policy, err := infer.New(norm, t.practice.Policy.Layers(t.average))
	if err != nil {
		return rollout.Score{}, fmt.Errorf("train: after %d control steps the policy broke: %w", t.used.Steps, err)
	}
	score, err := t.evaluator.Evaluate(policy)
	if err != nil {
		return score, err
	}
	if t.best == nil || score.Better(t.best.Score) {
		t.best = &candidate{Score: score, Steps: t.used.Steps, Norm: norm, W: slices.Clone(t.average)}
	}
	return score, nil
}

func (t *Trainer) finish(stopped string, clock *clock) (*Result, error) {
	if t.iteration%t.plan.Course.EvalEvery != 0 || t.best == nil {
		if _, err := t.evaluate(); err != nil {
			return nil, err
		}
	}
	if err := clock.update(&t.used); err != nil {
		return nil, err
	}
	policy, err := infer.New(t.best.Norm, t.practice.Policy.Layers(t.best.W))
	if err != nil {
		return nil, err
	}
	return &Result{Net: policy, Method: t.plan.Name, Seed: t.seed, Score: t.best.Score, ChosenAt: t.best.Steps,
		ControlSteps: t.used.Steps, WallS: t.used.Time.Seconds(), Joules: t.used.Joules, StoppedBy: stopped, Curve: t.curve}, nil
}
