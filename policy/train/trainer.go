package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Evaluator scores a policy's mean action. It must be a function of the network alone.
type Evaluator interface {
	Evaluate(net *infer.Net) (rollout.Score, error)
}

// TestSet is an Evaluator that plays fixed episodes in worlds of its own.
type TestSet struct {
	Env      rollout.Env
	Task     rollout.Task // its Limits and Fall are the rule of success
	Episodes []rollout.Episode
	Dynamics rollout.Randomization
}

// Evaluate plays all episodes.
func (s *TestSet) Evaluate(net *infer.Net) (rollout.Score, error) {
	score, _, err := rollout.Evaluate(s.Env, s.Task, net, s.Episodes, s.Dynamics)
	return score, err
}

// NewTestSet makes count episodes that begin at the start of the references in turn. They are failed by a fall, by
// Task.Fall, and not by straying from the reference.
func NewTestSet(env rollout.Env, task rollout.Task, count int, seed uint64, noise rollout.StartNoise, dynamics rollout.Randomization) *TestSet {
	s := &TestSet{Env: env, Task: task, Dynamics: dynamics}
	s.Task.Limits = rollout.Limits{}
	rng := rand.NewPCG(seed, testStream)
	for i := range count {
		s.Episodes = append(s.Episodes, rollout.Episode{Clip: i % len(task.Refs), Seed: rng.Uint64(), Noise: noise})
	}
	return s
}

// Streams of random numbers, one a purpose, so that more draws for one do not shift another.
const (
	initStream = iota + 1
	noiseStream
	startStream
	shuffleStream
	testStream
)

// Trainer learns one policy, by PPO (New) or from an expert (NewImitation).
type Trainer struct {
	config     Config
	task       rollout.Task
	runner     *rollout.Runner
	evaluator  Evaluator
	identity   string // fingerprint of everything the checkpoint must fit
	criticDim  int
	batch      *batch
	outcomes   []rollout.Outcome
	begin      []rollout.Episode
	imitation  *imitation // nil in plain PPO
	scratch    []float64
	actorData  []float32
	criticData []float32
	order      []int
	actorStd   *float64 // exploration of the moment, which the policy loss reads
	begun      bool     // episodes are under way in all worlds: begun by Run, or taken from a checkpoint

	// Everything below is the state that a checkpoint holds.
	actor, critic          *net
	actorNorm, criticNorm  *normalizer
	noise, starts, shuffle *rand.PCG
	sampler                *sampler
	average                []float32 // of the actor's weights over the last iterations; this is what is evaluated and kept
	level                  float64
	actorRate              float64
	iteration              int
	used                   Used
	goodInARow             int
	best                   *candidate
	curve                  []Point
}

// candidate is a policy that was evaluated.
type candidate struct {
	Score     rollout.Score
	Steps     int64
	Norm      infer.Normalizer
	W         []float32
	Iteration int
}

// Point is one iteration of the learning curve.
type Point struct {
	Steps                    int64
	Seconds                  float64 // wall time since the start, over all resumptions
	Level                    float64 // of randomisation, 0 to 1
	Reward                   float64 // mean of a step
	JointErrRad, RootErrM    float64
	Episodes                 int     // that ended in this iteration
	Finished                 float64 // share of them that stood to their end
	PolicyLoss, ValueLoss    float64
	KL, Clipped              float64 // mean KL a minibatch, share of clipped samples
	ActorSteps               float64 // share of the minibatches before the guard ended the actor's phase
	ActorRate                float64
	CollectSeconds, LearnSec float64
	Eval                     *rollout.Score `json:",omitempty"`
}

// Result is a finished training.
type Result struct {
	Net          *infer.Net
	Method       string
	Config       Config
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

// New prepares a training by PPO from scratch. The worlds of env are the trainer's alone.
func New(env rollout.Env, task rollout.Task, config Config, evaluator Evaluator) (*Trainer, error) {
	config.Method = MethodPPO
	t, init, err := prepare(env, task, config, evaluator)
	if err != nil {
		return nil, err
	}
	return t, t.reinforces(init)
}

// reinforces adds what PPO needs.
func (t *Trainer) reinforces(init *rand.Rand) error {
	c, acts, worlds := &t.config, t.task.Spec.Joints(), t.runner.Worlds()
	n := worlds * c.Horizon
	t.batch = newBatch(worlds, c.Horizon, t.task.Spec.Dim(), t.criticDim, acts)
	t.actorData, t.criticData, t.order = make([]float32, n*ppoData(acts)), make([]float32, n), make([]int, n)
	t.critic = newNet(c.sizes(t.criticDim, 1), 0.1, init)
	t.actorStd = new(float64)
	var err error
	if t.actor.halves, err = t.actor.build(c.Minibatch, ppoData(acts), policyLoss(c.Minibatch, acts, c.Clip, t.actorStd)); err != nil {
		return err
	}
	t.critic.halves, err = t.critic.build(c.Minibatch, 1, squaredError(c.Minibatch))
	return err
}

// prepare makes what both methods need. The generator goes on to initialise further networks.
func prepare(env rollout.Env, task rollout.Task, config Config, evaluator Evaluator) (*Trainer, *rand.Rand, error) {
	runner, err := rollout.NewRunner(env, task)
	if err != nil {
		return nil, nil, err
	}
	worlds := runner.Worlds()
	if err := config.validate(worlds); err != nil {
		return nil, nil, err
	}
	t := &Trainer{config: config, task: task, runner: runner, evaluator: evaluator, criticDim: runner.CriticDim(),
		outcomes: make([]rollout.Outcome, worlds), sampler: newSampler(&task), level: config.LevelStart, actorRate: config.ActorRate}
	if t.identity, err = fingerprint(config, task, worlds); err != nil {
		return nil, nil, err
	}
	t.scratch = make([]float64, len(t.sampler.Fails))
	init := rand.New(rand.NewPCG(config.Seed, initStream))
	t.noise, t.starts, t.shuffle = rand.NewPCG(config.Seed, noiseStream), rand.NewPCG(config.Seed, startStream), rand.NewPCG(config.Seed, shuffleStream)
	// A last layer near zero makes the first policy the playback of the reference.
	t.actor = newNet(config.sizes(task.Spec.Dim(), task.Spec.Joints()), 0.01, init)
	t.average = append([]float32(nil), t.actor.w...)
	t.actorNorm, t.criticNorm = newNormalizer(task.Spec.Dim()), newNormalizer(t.criticDim)
	return t, init, nil
}

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
	if !t.begun {
		if err := t.beginAll(); err != nil {
			return nil, err
		}
		t.begun = true
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
	next := t.used.Steps + int64(t.runner.Worlds()*t.config.Horizon)
	if t.iteration > 0 && (b.spent(t.used) >= 1 || b.Steps > 0 && next > b.Steps) {
		return "budget"
	}
	return ""
}

func (t *Trainer) goal() bool { return t.goodInARow >= 2 && t.used.Steps >= t.config.MinSteps }

func (t *Trainer) beginAll() error {
	t.begin = t.begin[:0]
	for w := range t.runner.Worlds() {
		t.begin = append(t.begin, t.episode(w))
	}
	if err := t.runner.Begin(t.begin, t.dynamics()); err != nil {
		return err
	}
	t.actorNorm.add(t.runner.Obs())
	t.criticNorm.add(t.runner.Critic())
	return nil
}

// iterate collects, learns, and now and then evaluates.
func (t *Trainer) iterate(clock *clock) (Point, error) {
	actorNorm, criticNorm := t.actorNorm.export(), t.criticNorm.export()
	actor, err := infer.New(actorNorm, t.actor.layers())
	if err != nil {
		return Point{}, fmt.Errorf("train: after %d control steps the policy broke: %w", t.used.Steps, err)
	}
	begin := clock.now()
	var p Point
	if t.imitating() {
		p, err = t.imitate(actor, actorNorm, clock)
	} else {
		p, err = t.reinforce(actor, actorNorm, criticNorm, clock)
	}
	if err != nil {
		return Point{}, err
	}
	p.LearnSec = clock.now().Sub(begin).Seconds() - p.CollectSeconds

	t.iteration++
	for i, w := range t.actor.w {
		t.average[i] += (1 - averageKeep) * (w - t.average[i])
	}
	t.used.Steps += int64(t.runner.Worlds() * t.config.Horizon)
	t.sampler.decay()
	p.Steps, p.Level = t.used.Steps, t.level
	if p.Episodes > 0 && p.Finished >= t.config.LevelGate {
		t.level = min(t.level+t.config.LevelUp, 1)
	}
	if t.iteration%t.config.EvalEvery == 0 {
		score, err := t.evaluate()
		if err != nil {
			return p, err
		}
		p.Eval = &score
		if t.level >= 1 && score.Survival >= t.config.StopSurvival && score.JointErrRad <= t.config.StopJointErrRad {
			t.goodInARow++
		} else {
			t.goodInARow = 0
		}
	}
	if err := clock.update(&t.used); err != nil {
		return p, err
	}
	p.Seconds = t.used.Time.Seconds()
	t.curve = append(t.curve, p)
	return p, nil
}

// ppoSteps is the number of control steps taken by PPO.
func (t *Trainer) ppoSteps() int64 {
	if t.imitation == nil {
		return t.used.Steps
	}
	return max(t.used.Steps-t.config.ImitateSteps, 0)
}

// reinforce is an iteration of PPO.
func (t *Trainer) reinforce(actor *infer.Net, actorNorm, criticNorm infer.Normalizer, clock *clock) (Point, error) {
	critic, err := infer.New(criticNorm, t.critic.layers())
	if err != nil {
		return Point{}, fmt.Errorf("train: after %d control steps the critic broke: %w", t.used.Steps, err)
	}
	*t.actorStd = t.config.stdAt(t.ppoSteps())
	begin := clock.now()
	if err := t.collect(actor, *t.actorStd); err != nil {
		return Point{}, err
	}
	collected := clock.now()
	t.actorNorm.add(t.batch.obs)
	t.criticNorm.add(t.batch.critic)
	t.batch.advantages(critic, t.config.Gamma, t.config.Lambda)
	l, err := t.learn(actorNorm, criticNorm)
	if err != nil {
		return Point{}, fmt.Errorf("train: learning step: %w", err)
	}
	p := t.batch.stats.point()
	p.CollectSeconds = collected.Sub(begin).Seconds()
	p.PolicyLoss, p.ValueLoss, p.KL, p.Clipped = l.policyLoss, l.valueLoss, l.kl, l.clip
	p.ActorSteps, p.ActorRate = float64(l.actorSteps)/float64(l.batches), t.actorRate
	return p, nil
}

// averageKeep is the share of the past in the average of weights (Polyak and Juditsky 1992): a single iteration's
// policy wanders around what it learns, its average does not.
const averageKeep = 0.9

// evaluate scores the present average policy and keeps it if it is the best so far.
func (t *Trainer) evaluate() (rollout.Score, error) {
	norm := t.actorNorm.export()
	average := net{sizes: t.actor.sizes, w: t.average}
	policy, err := infer.New(norm, average.layers())
	if err != nil {
		return rollout.Score{}, fmt.Errorf("train: after %d control steps the policy broke: %w", t.used.Steps, err)
	}
	score, err := t.evaluator.Evaluate(policy)
	if err != nil {
		return score, err
	}
	if t.best == nil || score.Better(t.best.Score) {
		t.best = &candidate{Score: score, Steps: t.used.Steps, Norm: norm, W: append([]float32(nil), t.average...), Iteration: t.iteration}
	}
	return score, nil
}

func (t *Trainer) finish(stopped string, clock *clock) (*Result, error) {
	if t.iteration%t.config.EvalEvery != 0 || t.best == nil {
		if _, err := t.evaluate(); err != nil {
			return nil, err
		}
	}
	if err := clock.update(&t.used); err != nil {
		return nil, err
	}
	best := net{sizes: t.actor.sizes, w: t.best.W}
	policy, err := infer.New(t.best.Norm, best.layers())
	if err != nil {
		return nil, err
	}
	return &Result{Net: policy, Method: t.config.Method, Config: t.config, Score: t.best.Score, ChosenAt: t.best.Steps,
		ControlSteps: t.used.Steps, WallS: t.used.Time.Seconds(), Joules: t.used.Joules, StoppedBy: stopped, Curve: t.curve}, nil
}
