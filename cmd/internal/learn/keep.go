package learn

import (
	"bytes"
	"context"

	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// keep writes the files of the best try and notes its figures.
func (l *learner) keep(context.Context) error {
	if share := l.speed(); share < 0.95 {
		l.note("The robot performs the motion at %.0f %% of the person's speed.", 100*share)
	}
	t, ref := l.policy, l.policy.motion
	var js bytes.Buffer
	if err := t.eval.Encode(&js); err != nil {
		return err
	}
	t.bundle.Eval = js.Bytes()
	if err := ref.Clip.Save(l.path(referenceFile)); err != nil {
		return err
	}
	if err := t.bundle.Save(l.path(bundleFile)); err != nil {
		return err
	}
	if err := t.eval.Save(l.path(evalFile)); err != nil {
		return err
	}
	s := &l.summary
	s.Retarget, s.Check, s.Eval = retargeted(ref.Report), checked(ref.verdict), judged(t.eval)
	s.Train = record.Train{
		WallS: t.wallS, ControlSteps: t.steps, StepsPerS: float64(t.steps) / max(t.wallS, 1e-9), Method: t.result.Method,
	}
	return nil
}

// speed is the robot's over the person's, lead-in and lead-out left out.
func (l *learner) speed() float64 {
	clip := l.policy.motion.Clip
	return l.seen.Motion.Seconds() / max(clip.Seconds()-clip.Meta.LeadInS-clip.Meta.LeadOutS, 1e-9)
}

// retargeted is the part of a retargeting that the summary carries.
func retargeted(r *retarget.Report) record.Retarget {
	like := &r.Likeness
	out := record.Retarget{
		FPS: r.FPS, JointLimitViolations: r.JointLimitViolations, SpeedLimitViolations: r.SpeedLimitViolations,
		Frames: r.Frames, Seconds: r.Seconds, FootSlidingFraction: r.FootSlidingFraction,
		PenetrationFraction: r.PenetrationFraction, DirectionErrorDeg: r.DirectionErrorDeg,
		Verdict: string(like.Verdict), TimeStretch: r.TimeStretch, Reasons: []string{}, Notes: r.Notes,
		HeadingErrorDeg: like.HeadingMaxDeg, PathErrorLegs: like.PathMaxLegs,
		HeightErrorLegs: like.HeightMaxLegs, PostureErrorDeg: like.LimbMaxDeg,
	}
	for _, f := range like.Findings {
		out.Reasons = append(out.Reasons, f.Text)
	}
	return out
}

// checked is the part of a verdict that the summary carries.
func checked(v *feasible.Verdict) record.Check {
	out := record.Check{Verdict: string(v.Verdict)}
	for _, f := range v.Findings {
		out.Reasons = append(out.Reasons, f.Text)
	}
	return out
}

// judged is the part of an evaluation that the summary carries.
func judged(e *eval.Report) record.Eval {
	base := e.BaselinePlayback
	out := record.Eval{
		Episodes: e.Episodes, Survived: e.Survived, SurvivalRate: e.SurvivalRate, SurvivalCI95: e.SurvivalCI95,
		JointMAERad: e.JointMAERad, MPJPELocalMm: e.MPJPELocalMm, Rule: e.Rule,
		BaselineSurvived: base.Survived, BaselineSurvival: base.SurvivalRate, BaselineCI95: base.SurvivalCI95,
		BaselineJointMAERad: base.JointMAERad, BaselineMPJPEMm: base.MPJPELocalMm,
	}
	for _, c := range e.Card {
		out.Card = append(out.Card, record.CardLine{
			Name: c.Name, Text: c.Text, Episodes: c.Episodes, Survived: c.Survived, SurvivalRate: c.SurvivalRate, SurvivalCI95: c.SurvivalCI95,
			JointMAERad: c.JointMAERad, BaselineSurvived: c.BaselinePlayback.Survived, BaselineJointMAERad: c.BaselinePlayback.JointMAERad,
		})
	}
	return out
}
