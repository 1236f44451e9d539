package learn

import (
	"context"
	"fmt"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/adapt"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/train"
)

// refuse turns an objection to the reference motion into exit code 3, before
// anything was trained, with the parts of the video that would work. With
// --anyway it becomes a note.
func (l *learner) refuse(ctx context.Context, ref *reference) error {
	why := adapt.Objection(ref.Report, ref.verdict)
	if why == "" {
		return nil
	}
	if l.Anyway {
		l.note("Trained all the same (--anyway): %s.", why)
		return nil
	}
	l.say("check", "refused; looking for parts that would work")
	opt := l.Retarget
	opt.Tempo = ref.tempo
	parts, err := adapt.SuggestParts(ctx, l.Robot, l.seen.Motion, opt)
	if err != nil {
		return err
	}
	return fault.Refuse("%s on %s: %s; nothing was trained (--anyway trains it); %s", l.Look.Video, l.Robot.Desc.Name, why, parts)
}

// ending is how a run ended.
type ending int

const (
	learned   ending = iota // survives most hard episodes
	cannot                  // falls, and more training would not help
	tooLittle               // falls, and nothing says that it would with more training
)

// What is evidence that more training would not help.
const (
	mostlyFalls = 0.5
	// enoughSteps is what the motions that can be learnt have taken, with room: the slowest built-in one is done after
	// 400,000 control steps (docs/training.md).
	enoughSteps = 400_000
	// flatGain is how much survival may still rise and be called flat: one episode in twenty of the trainer's forty.
	flatGain = 0.05
)

// ending judges the policy that was kept and how its training went. That a robot
// cannot do a motion is said only where the check says so, or the training had
// steps enough and its survival has stopped rising, or it met its goal and falls
// all the same.
func (l *learner) ending() ending {
	t, most := l.policy, l.longest
	switch {
	case t.eval.SurvivalRate >= mostlyFalls:
		return learned
	case t.motion.verdict.Verdict == feasible.Infeasible, t.result.StoppedBy != "budget":
		return cannot
	case most.ControlSteps >= enoughSteps && !rising(most.Curve):
		return cannot
	}
	return tooLittle
}

// rising says whether the best survival of the second half of a training, by
// steps, is above that of the first by more than chance; a training that was
// tested too rarely to tell counts as rising.
func rising(curve []train.Point) bool {
	var best [2]float64
	var tests [2]int
	for _, p := range curve {
		if p.Eval == nil {
			continue
		}
		half := 0
		if 2*p.Steps > curve[len(curve)-1].Steps {
			half = 1
		}
		tests[half]++
		best[half] = max(best[half], p.Eval.Survival)
	}
	return tests[0] < 2 || tests[1] < 2 || best[1] > best[0]+flatGain
}

// verdict turns a run that ended with a policy that mostly falls into an exit
// code: 3 where the motion is beyond the robot, 1 where the budget was too small.
func (l *learner) verdict(end ending) error {
	rate := 100 * l.policy.eval.SurvivalRate
	steps := l.longest.ControlSteps
	switch end {
	case cannot:
		return fault.Refuse("%s: %s cannot do this motion: the policy survives only %.0f %% of the hard episodes and did not get better with more training (%d control steps); see %s",
			l.Look.Video, l.Robot.Desc.Name, rate, steps, l.path(reportFile))
	case tooLittle:
		return fmt.Errorf("%s: the budget was too small: after %d control steps the policy survives %.0f %% of the hard episodes; nothing says that %s cannot do this motion; the same command with --resume --budget %dsteps goes on",
			l.Look.Video, steps, rate, l.Robot.Desc.Name, max(4*steps, 500_000))
	}
	return nil
}
