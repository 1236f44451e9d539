package learn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/adapt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/judge"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// reference is a motion that the robot shall perform, and what was said of it.
type reference struct {
	*adapt.Reference
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

// goodSurvival is the share of hard episodes that a finished policy survives.
const goodSurvival = bundle.Gate

// slowDown is the tempo of the last resort: the same motion in 1.25 times its
// time, which cuts inertial forces by a third.
const slowDown = 0.8

// practise retargets, judges, trains and tests, and goes on while the policy
// falls: first it trains twice as long, then it slows the motion down. The best
// policy stays.
func (l *learner) practise(ctx context.Context) error {
	ref, err := l.reference(ctx, l.Retarget.Tempo)
	if err != nil {
		return err
	}
	if err := l.refuse(ctx, ref); err != nil {
		return err
	}
	var before trained // steps and time of the tries that were given up
	budget, again := l.Budget, false
	for try := 1; ; try++ {
		t, err := l.train(ctx, ref, budget, again || l.Resume)
		if err != nil {
			return err
		}
		if !again && l.wentOn(t) && try < l.Tries {
			again, budget = true, twice(l.Budget)
			if err := l.recall(ctx, ref, t); err != nil {
				return err
			}
			continue
		}
		t.steps, t.wallS = before.steps+t.result.ControlSteps, before.wallS+t.result.WallS
		if err := l.evaluate(ctx, t); err != nil {
			return err
		}
		l.policy.steps, l.policy.wallS = t.steps, t.wallS
		if l.policy.eval.SurvivalRate >= goodSurvival || try >= l.Tries {
			return nil
		}
		if again = !again; again {
			budget = twice(l.Budget)
			if err := t.bundle.Save(l.firstTry(ref.tempo)); err != nil {
				return err
			}
			l.note("The policy survived %s hard episodes; training on.", t.eval.Survival())
			continue
		}
		before.steps, before.wallS = t.steps, t.wallS
		budget = l.Budget
		if ref, err = l.slower(ctx, t); ref == nil {
			return err
		}
	}
}

// wentOn says whether a training has more steps than one try has: an earlier run was
// interrupted when it had already decided to train on.
func (l *learner) wentOn(t *trained) bool {
	return l.Budget.Steps > 0 && t.result.ControlSteps > l.Budget.Steps
}

// slower makes the reference for the next try after t; nil where even that one is
// refused, or on an error.
func (l *learner) slower(ctx context.Context, t *trained) (*reference, error) {
	tempo := t.motion.tempo * slowDown
	l.note("The policy survived %s hard episodes at tempo %.2f; trying again at tempo %.2f.", t.eval.Survival(), t.motion.tempo, tempo)
	ref, err := l.reference(ctx, tempo)
	if err != nil {
		return nil, err
	}
	if why := adapt.Objection(ref.Report, ref.verdict); why != "" && !l.Anyway {
		l.note("The slower motion is refused: %s.", why)
		return nil, nil
	}
	return ref, nil
}

// reference retargets at a tempo and asks for the verdict.
func (l *learner) reference(ctx context.Context, tempo float64) (*reference, error) {
	l.checkpoints = append(l.checkpoints, l.checkpoint(tempo), l.firstTry(tempo))
	opt := l.Retarget
	opt.Tempo = tempo
	r, err := pipeline.Do(ctx, &l.run, adapt.Retarget(l.Robot, l.seen.Motion, opt))
	if err != nil {
		return nil, err
	}
	l.say("retarget", "%.1f s of robot motion, %d joint-limit violations, limb directions %.1f deg off, %.0f frames/s",
		r.Report.Seconds, r.Report.JointLimitViolations, r.Report.DirectionErrorDeg, r.Report.FPS)
	v, err := pipeline.Do(ctx, &l.run, adapt.Check(l.Robot, r.Clip))
	if err != nil {
		return nil, err
	}
	l.say("check", "%s", v.Summary)
	return &reference{r, v, tempo}, nil
}

func (l *learner) train(ctx context.Context, ref *reference, budget train.Budget, resume bool) (*trained, error) {
	job := practice.Job{
		Robot: l.Robot, Clips: []*motion.Clip{ref.Clip}, Name: l.nameOfVideo(), Seed: l.Seed, Budget: budget, Method: l.Method,
		Checkpoint: l.checkpoint(ref.tempo), Resume: resume,
	}
	if _, err := os.Stat(job.Checkpoint); errors.Is(err, fs.ErrNotExist) {
		job.Resume = false // interrupted before this training had begun
	}
	if err := os.MkdirAll(l.Folder, 0o755); err != nil {
		return nil, err
	}
	res, err := pipeline.Do(ctx, &l.run, practice.Stage(job))
	if err != nil {
		return nil, err
	}
	if l.longest == nil || res.ControlSteps > l.longest.ControlSteps {
		l.longest = res.Result
	}
	l.say("train", "%d control steps in %.1f s (%.0f a second), stopped by %s",
		res.ControlSteps, res.WallS, float64(res.ControlSteps)/max(res.WallS, 1e-9), res.StoppedBy)
	return &trained{result: res.Result, bundle: res.Bundle, motion: ref}, nil
}

// evaluate tests a policy and keeps it if it is the best one so far.
func (l *learner) evaluate(ctx context.Context, t *trained) error {
	s, err := judge.Of(t.bundle, l.Robot)
	if err != nil {
		return err
	}
	s.Episodes = l.Episodes
	if t.eval, err = pipeline.Do(ctx, &l.run, s.Stage()); err != nil {
		return err
	}
	base := t.eval.BaselinePlayback
	l.say("eval", "survived %s hard episodes, plain playback %s; joints %.3f rad (plain playback %.3f), bodies %.1f mm (%.1f)",
		t.eval.Survival(), base.Survival(), t.eval.JointMAERad, base.JointMAERad, t.eval.MPJPELocalMm, base.MPJPELocalMm)
	if l.policy == nil || t.eval.SurvivalRate > l.policy.eval.SurvivalRate {
		l.policy = t
	}
	return nil
}

// checkpoint returns the file in which the training at a tempo goes on after an
// interruption.
func (l *learner) checkpoint(tempo float64) string {
	if tempo == l.Retarget.Tempo {
		return l.path(practice.CheckpointOf(bundleFile))
	}
	return l.path(practice.CheckpointOf(fmt.Sprintf("policy.tempo%.0f.bundle", 100*tempo/l.Retarget.Tempo)))
}

// firstTry returns the file that keeps the policy of the shorter training at a
// tempo while the longer one goes on: it may turn out to be the better one.
func (l *learner) firstTry(tempo float64) string {
	name, _ := strings.CutSuffix(l.checkpoint(tempo), practice.CheckpointOf(""))
	return practice.CheckpointOf(name + ".first")
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
	return l.evaluate(ctx, &trained{result: later.result, bundle: b, motion: ref})
}

// forget removes what only an interrupted run needs: what was learnt is in the bundle.
func (l *learner) forget() error {
	for _, name := range l.checkpoints {
		if err := practice.Discard(name); err != nil {
			return err
		}
	}
	return l.run.Forget()
}

func twice(b train.Budget) train.Budget {
	return train.Budget{Time: 2 * b.Time, Steps: 2 * b.Steps, Joules: 2 * b.Joules}
}
