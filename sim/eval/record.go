package eval

import (
	"context"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Recording is one episode as the renderer wants it.
type Recording struct {
	PeriodS float64
	QPos    [][]float64 // by step, the engine's position vector
	Fell    bool
	FallS   float64
}

// Record plays one undisturbed episode of reference clip to its end and for
// tailS after it, and keeps going after a fall, so that a fall can be seen.
func Record(ctx context.Context, t Test, clip int, c Condition, factory Factory, tailS float64) (*Recording, error) {
	if err := t.fill(); err != nil {
		return nil, err
	}
	t.Refs = t.Refs[clip : clip+1]
	t.Episodes, t.CardEpisodes = 1, -1
	p, err := newPlayer(ctx, &t)
	if err != nil {
		return nil, err
	}
	defer p.close()
	ref := t.Refs[0]
	if err := p.under(c); err != nil {
		return nil, err
	}
	start := p.start(ref, 0, t.Seed, c)
	if err := p.env.Reset([]rollout.Start{start}, c.Dynamics, p.rows); err != nil {
		return nil, err
	}
	control, err := factory(ref)
	if err != nil {
		return nil, err
	}
	control.Reset(start.TargetRad)
	e := episode{ref: ref, control: control, before: append([]float64(nil), start.TargetRad...)}
	rec := &Recording{PeriodS: p.layout.PeriodS}
	keep := func() { rec.QPos = append(rec.QPos, append([]float64(nil), p.env.QPos(0)...)) }
	keep()
	steps := len(ref.Frames) - 1 + int(math.Round(tailS/p.layout.PeriodS))
	for k := range steps {
		if err := p.stopped(); err != nil {
			return nil, err
		}
		p.act(0, &e, k)
		if err := p.env.Step(p.targets, p.rows); err != nil {
			return nil, err
		}
		keep()
		if !rec.Fell && k+1 < len(ref.Frames) && p.judge(0, &e, k+1) && e.result.Fell {
			rec.Fell, rec.FallS = true, e.result.TimeS
		}
	}
	return rec, nil
}

// ReferenceQPos returns a reference as the renderer wants it: what the robot
// should do, without physics.
func ReferenceQPos(t Test, clip int) (*Recording, error) {
	if err := t.fill(); err != nil {
		return nil, err
	}
	root := t.Robot.Root.QPos
	rec := &Recording{PeriodS: t.Spec.PeriodS}
	for k := range t.Refs[clip].Frames {
		f := &t.Refs[clip].Frames[k]
		q := slices.Clone(t.Robot.StandQPos)
		copy(q[root:], f.RootPosM[:])
		copy(q[root+3:], f.RootQuat[:])
		t.Robot.PutJoints(q, f.JointPosRad)
		rec.QPos = append(rec.QPos, q)
	}
	return rec, nil
}
