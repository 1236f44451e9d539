// Package judge is the stage that plays the hard test set with a policy, and films what
// it does undisturbed.
//
// What is not here: the test set and its rule (sim/eval), and what follows from the
// result.
package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/sim/eval"
	"github.com/mitori-robotics/mitori/sim/film"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// Subject is a policy and the tests that it shall pass.
type Subject struct {
	eval.Test
	policy eval.Factory
	bundle *bundle.Bundle
}

// Load loads a bundle and prepares its tests. Bundles that are damaged or for another
// robot are refused. robotName may be empty for the robot that the bundle names.
func Load(name, robotName string) (*Subject, error) {
	b, err := bundle.Load(name)
	if err != nil {
		return nil, err
	}
	onto, err := body.Load(cmp.Or(robotName, b.Manifest.Robot))
	if err != nil {
		return nil, err
	}
	if err := b.CheckRobot(onto.Desc); err != nil {
		return nil, fault.Refuse("%s: %w", name, err)
	}
	s, err := Of(b, onto)
	if err != nil {
		return nil, fault.Refuse("%s: %w", name, err)
	}
	return s, nil
}

// Of prepares the tests of a bundle that is in memory, with the usual seeds.
func Of(b *bundle.Bundle, onto *body.Body) (*Subject, error) {
	s := &Subject{Test: eval.Test{Robot: onto}, bundle: b}
	if err := json.Unmarshal(b.Manifest.Observation, &s.Spec); err != nil {
		return nil, fmt.Errorf("manifest: observation: %w", err)
	}
	for i, clip := range b.Clips {
		ref, err := obs.NewReference(clip, &s.Spec)
		if err != nil {
			return nil, fmt.Errorf("motion %d: %w", i, err)
		}
		s.Refs = append(s.Refs, ref)
	}
	var err error
	s.policy, err = eval.Policy(s.Spec, b.Net)
	return s, err
}

// Stage plays the tests. Its result is kept for a run that resumes: the same policy
// falls in the same episodes.
func (s *Subject) Stage() pipeline.Stage[*eval.Report] {
	return pipeline.Stage[*eval.Report]{
		Name: "eval",
		Inputs: func(in *pipeline.Inputs) {
			in.Hash("robot", s.Robot.Desc.Hash)
			in.Value("clips", s.bundle.Clips)
			in.Value("observation", s.Spec)
			in.Value("network", s.bundle.Net.Layers())
			in.Value("normalizer", s.bundle.Net.Normalizer())
			in.Value("physics", mujoco.Version())
			in.Value("episodes", []any{s.Episodes, s.Seed, s.CardEpisodes})
		},
		Work: func(ctx context.Context, _ pipeline.Tell) (*eval.Report, error) {
			return eval.Run(ctx, s.Test, s.policy)
		},
		Kept: &pipeline.Kept[*eval.Report]{
			Write: func(w io.Writer, r *eval.Report) error { return r.Encode(w) },
			Read: func(r io.Reader) (*eval.Report, error) {
				out := &eval.Report{}
				return out, json.NewDecoder(r).Decode(out)
			},
		},
	}
}

// Film films reference, playback and policy side by side, each undisturbed.
func (s *Subject) Film(ctx context.Context, name string, clip int) error {
	clean := eval.Card()[0]
	const tailS = 0.5
	ref, err := eval.ReferenceQPos(s.Test, clip)
	if err != nil {
		return err
	}
	panes := []film.Pane{{QPos: ref.QPos, PeriodS: ref.PeriodS}}
	for _, f := range []eval.Factory{eval.Playback, s.policy} {
		rec, err := eval.Record(ctx, s.Test, clip, clean, f, tailS)
		if err != nil {
			return err
		}
		panes = append(panes, film.Pane{QPos: rec.QPos, PeriodS: rec.PeriodS})
	}
	return film.Write(ctx, name, s.Robot.Desc.MJCF, panes, film.Options{})
}
