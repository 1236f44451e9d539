package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// reference is a motion that the robot shall perform, and what was said of it.
type reference struct {
	clip    *motion.Clip
	report  *retarget.Report
	verdict *feasible.Verdict
	tempo   float64
}

// trained is a policy and how it did.
type trained struct {
	result *train.Result
	bundle *bundle.Bundle
	eval   *eval.Report
	motion *reference
	steps  int64   // of all tries so far
	wallS  float64 // likewise
}

// slowDown is the tempo of the last resort: the same motion in 1.25 times its
// time, which cuts inertial forces by a third.
const slowDown = 0.8

// practise retargets, judges, trains and tests, and goes on while the policy
// falls: first it trains twice as long, then it slows the motion down. The best
// policy stays.
func (l *learner) practise(ctx context.Context) error {
	tempo := l.retarget.Tempo
	l.checkpoints = []string{l.checkpoint(tempo), l.firstTry(tempo)}
	ref, err := l.reference(ctx, tempo)
	if err != nil {
		return err
	}
	if err := l.refuse(ctx, ref); err != nil {
		return err
	}
	var before trained // steps and time of the tries that were given up
	budget, again := l.budget, false
	for try := 1; ; try++ {
		t, err := l.train(ctx, ref, budget, again || l.resume)
		if err != nil {
			return err
		}
		if !again && l.budget.Steps > 0 && t.result.ControlSteps > l.budget.Steps && try < l.tries {
			// An earlier run was interrupted when it had already decided to train on.
			again, budget = true, twice(l.budget)
			if err := l.recall(ctx, ref, t); err != nil {
				return err
			}
			continue
		}
		t.steps, t.wallS = before.steps+t.result.ControlSteps, before.wallS+t.result.WallS
		if err := l.stage(ctx, "eval", func(ctx context.Context) error { return l.evaluate(ctx, t) }); err != nil {
			return err
		}
		if l.policy == nil || t.eval.SurvivalRate > l.policy.eval.SurvivalRate {
			l.policy = t
		}
		l.policy.steps, l.policy.wallS = t.steps, t.wallS
		if l.policy.eval.SurvivalRate >= goodSurvival || try >= l.tries {
			break
		}
		if again = !again; again {
			budget = twice(l.budget)
			if err := t.bundle.Save(l.firstTry(ref.tempo)); err != nil {
				return err
			}
			l.note("The policy survived %s hard episodes; training on.", t.eval.Survival())
			continue
		}
		before.steps, before.wallS = t.steps, t.wallS
		budget, tempo = l.budget, tempo*slowDown
		l.note("The policy survived %s hard episodes at tempo %.2f; trying again at tempo %.2f.", t.eval.Survival(), ref.tempo, tempo)
		l.checkpoints = append(l.checkpoints, l.checkpoint(tempo), l.firstTry(tempo))
		if ref, err = l.reference(ctx, tempo); err != nil {
			return err
		}
		if why := objection(ref.report, ref.verdict); why != "" && !l.anyway {
			l.note("The slower motion is refused: %s.", why)
			break
		}
	}
	if share := l.speed(); share < 0.95 {
		l.note("The robot performs the motion at %.0f %% of the person's speed.", 100*share)
	}
	return l.keep()
}

// speed is the robot's over the person's, lead-in and lead-out left out.
func (l *learner) speed() float64 {
	clip := l.policy.motion.clip
	return l.seen.Motion.Seconds() / max(clip.Seconds()-clip.Meta.LeadInS-clip.Meta.LeadOutS, 1e-9)
}

// checkpoint returns the file in which the training at a tempo goes on after an
// interruption.
func (l *learner) checkpoint(tempo float64) string {
	if tempo == l.retarget.Tempo {
		return l.path(checkpointName("policy.bundle"))
	}
	return l.path(checkpointName(fmt.Sprintf("policy.tempo%.0f.bundle", 100*tempo/l.retarget.Tempo)))
}

// firstTry returns the file that keeps the policy of the shorter training at a
// tempo while the longer one goes on: it may turn out to be the better one.
func (l *learner) firstTry(tempo float64) string {
	name, _ := strings.CutSuffix(l.checkpoint(tempo), checkpointName(""))
	return checkpointName(name + ".first")
}

// recall takes the policy of the shorter training up again, which an interrupted
// run had tested. later is the training that went on from there.
func (l *learner) recall(ctx context.Context, ref *reference, later *trained) error {
	b, err := bundle.Load(l.firstTry(ref.tempo))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t := &trained{result: later.result, bundle: b, motion: ref}
	if err := l.stage(ctx, "eval", func(ctx context.Context) error { return l.evaluate(ctx, t) }); err != nil {
		return err
	}
	if l.policy == nil || t.eval.SurvivalRate > l.policy.eval.SurvivalRate {
		l.policy = t
	}
	return nil
}

func twice(b train.Budget) train.Budget {
	return train.Budget{Time: 2 * b.Time, Steps: 2 * b.Steps, Joules: 2 * b.Joules}
}

func (l *learner) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.notes = append(l.notes, s)
	l.say("note", "%s", s)
}

// reference retargets at a tempo and asks for the verdict.
func (l *learner) reference(ctx context.Context, tempo float64) (*reference, error) {
	ref := &reference{tempo: tempo}
	err := l.stage(ctx, "retarget", func(context.Context) error {
		r, err := retarget.New(l.body)
		if err != nil {
			return err
		}
		opt := l.retarget
		opt.Tempo = tempo
		return interrupt.Work(ctx, 0, func() error {
			ref.clip, ref.report, err = r.Retarget(l.seen.Motion, opt)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	l.say("retarget", "%.1f s of robot motion, %d joint-limit violations, limb directions %.1f deg off, %.0f frames/s",
		ref.report.Seconds, ref.report.JointLimitViolations, ref.report.DirectionErrorDeg, ref.report.FPS)
	err = l.stage(ctx, "check", func(context.Context) error {
		c, err := feasible.New(l.body)
		if err != nil {
			return err
		}
		return interrupt.Work(ctx, 0, func() error {
			ref.verdict, err = c.Check(ref.clip)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	l.say("check", "%s", ref.verdict.Summary)
	return ref, nil
}

func (l *learner) train(ctx context.Context, ref *reference, budget train.Budget, resume bool) (*trained, error) {
	job := trainJob{
		Robot: l.body, Clips: []*motion.Clip{ref.clip}, Seed: l.seed, Budget: budget, Method: l.method,
		Checkpoint: l.checkpoint(ref.tempo), Resume: resume, Progress: trainProgress(l.log),
	}
	if _, err := os.Stat(job.Checkpoint); errors.Is(err, fs.ErrNotExist) {
		job.Resume = false // interrupted before this training had begun
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, err
	}
	res, b, err := job.run(ctx)
	if err != nil {
		return nil, err
	}
	b.Manifest.Name = l.nameOfVideo()
	if l.longest == nil || res.ControlSteps > l.longest.ControlSteps {
		l.longest = res
	}
	l.say("train", "%d control steps in %.1f s (%.0f a second), stopped by %s",
		res.ControlSteps, res.WallS, float64(res.ControlSteps)/max(res.WallS, 1e-9), res.StoppedBy)
	return &trained{result: res, bundle: b, motion: ref}, nil
}

func (l *learner) evaluate(ctx context.Context, t *trained) error {
	test, policy, err := evalTest(t.bundle, l.body)
	if err != nil {
		return err
	}
	test.Episodes = l.episodes
	if t.eval, err = eval.Run(ctx, *test, policy); err != nil {
		return err
	}
	base := t.eval.BaselinePlayback
	l.say("eval", "survived %s hard episodes, plain playback %s; joints %.3f rad (plain playback %.3f), bodies %.1f mm (%.1f)",
		t.eval.Survival(), base.Survival(), t.eval.JointMAERad, base.JointMAERad, t.eval.MPJPELocalMM, base.MPJPELocalMM)
	return nil
}

// keep writes the files of the best try.
func (l *learner) keep() error {
	t, ref := l.policy, l.policy.motion
	var js bytes.Buffer
	if err := t.eval.Encode(&js); err != nil {
		return err
	}
	t.bundle.Eval = js.Bytes()
	if err := ref.clip.Save(l.path("reference.motion.npz")); err != nil {
		return err
	}
	if err := t.bundle.Save(l.path("policy.bundle")); err != nil {
		return err
	}
	if err := t.eval.Save(l.path("eval.json")); err != nil {
		return err
	}
	s := &l.summary
	s.Retarget = record.Retarget{
		FPS: ref.report.FPS, JointLimitViolations: ref.report.JointLimitViolations, SpeedLimitViolations: ref.report.SpeedLimitViolations,
		Frames: ref.report.Frames, Seconds: ref.report.Seconds, FootSlidingFraction: ref.report.FootSlidingFraction,
		PenetrationFraction: ref.report.PenetrationFraction, DirectionErrorDeg: ref.report.DirectionErrorDeg,
	}
	like := ref.report.Likeness
	s.Retarget.Verdict, s.Retarget.TimeStretch = string(like.Verdict), ref.report.TimeStretch
	s.Retarget.HeadingErrorDeg, s.Retarget.PathErrorLegs = like.HeadingMaxDeg, like.PathMaxLegs
	s.Retarget.HeightErrorLegs, s.Retarget.PostureErrorDeg = like.HeightMaxLegs, like.LimbMaxDeg
	s.Retarget.Reasons = []string{}
	for _, f := range like.Findings {
		s.Retarget.Reasons = append(s.Retarget.Reasons, f.Text)
	}
	s.Check.Verdict = string(ref.verdict.Verdict)
	for _, f := range ref.verdict.Findings {
		s.Check.Reasons = append(s.Check.Reasons, f.Text)
	}
	s.Retarget.Notes = ref.report.Notes
	s.Train = record.Train{
		WallS: t.wallS, ControlSteps: t.steps, StepsPerS: float64(t.steps) / max(t.wallS, 1e-9), Method: t.result.Method,
	}
	s.Eval = judged(t.eval)
	return nil
}

// judged is the part of an evaluation that the summary carries.
func judged(e *eval.Report) record.Eval {
	base := e.BaselinePlayback
	out := record.Eval{
		Episodes: e.Episodes, Survived: e.Survived, SurvivalRate: e.SurvivalRate, SurvivalCI95: e.SurvivalCI95,
		JointMAERad: e.JointMAERad, MPJPELocalMm: e.MPJPELocalMM, Rule: e.Rule,
		BaselineSurvived: base.Survived, BaselineSurvival: base.SurvivalRate, BaselineCI95: base.SurvivalCI95,
		BaselineJointMAERad: base.JointMAERad, BaselineMPJPEMm: base.MPJPELocalMM,
	}
	for _, c := range e.Card {
		out.Card = append(out.Card, record.CardLine{
			Name: c.Name, Text: c.Text, Episodes: c.Episodes, Survived: c.Survived, SurvivalRate: c.SurvivalRate, SurvivalCI95: c.SurvivalCI95,
			JointMAERad: c.JointMAERad, BaselineSurvived: c.BaselinePlayback.Survived, BaselineJointMAERad: c.BaselinePlayback.JointMAERad,
		})
	}
	return out
}
