// Package adapt is the two stages from a person's motion to a robot's: retarget makes
// the reference motion, check says whether the robot can carry it out. With them comes
// what is held against a reference motion, in words.
//
// What is not here: how motions are retargeted and judged (policy/retarget,
// policy/feasible), and what follows from an objection.
package adapt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// Reference is a motion that a robot shall perform, and how it came about.
type Reference struct {
	Clip   *motion.Clip
	Report *retarget.Report
}

// Retarget is the stage from a human motion to a reference motion.
func Retarget(b *body.Body, m *human.Motion, o retarget.Options) pipeline.Stage[*Reference] {
	return pipeline.Stage[*Reference]{
		Name: "retarget",
		Inputs: func(in *pipeline.Inputs) {
			in.Hash("robot", b.Desc.Hash)
			in.Value("motion", m)
			in.Value("options", o)
		},
		Work: func(ctx context.Context, _ pipeline.Tell) (*Reference, error) {
			r, err := retarget.New(b)
			if err != nil {
				return nil, err
			}
			out := &Reference{}
			err = interrupt.Work(ctx, 0, func() (err error) {
				out.Clip, out.Report, err = r.Retarget(m, o)
				return err
			})
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// Check is the stage that says what of a reference motion the robot can do.
func Check(b *body.Body, clip *motion.Clip) pipeline.Stage[*feasible.Verdict] {
	return pipeline.Stage[*feasible.Verdict]{
		Name: "check",
		Inputs: func(in *pipeline.Inputs) {
			in.Hash("robot", b.Desc.Hash)
			in.Value("clip", clip)
		},
		Work: func(ctx context.Context, _ pipeline.Tell) (*feasible.Verdict, error) {
			c, err := feasible.New(b)
			if err != nil {
				return nil, err
			}
			var v *feasible.Verdict // of work that is left to itself; not to be returned then
			err = interrupt.Work(ctx, 0, func() (err error) {
				v, err = c.Check(clip)
				return err
			})
			if err != nil {
				return nil, err
			}
			return v, nil
		},
	}
}

// Source asks what the file name of a human motion says against the motion: the verdict of its extraction. It returns the
// warnings to show; a motion that was refused is an error with exit code 3, unless it is to go on anyway.
func Source(name string, m *human.Motion, anyway bool) (warnings []string, err error) {
	o := retarget.SourceObjection(m)
	switch {
	case o == nil:
		return nil, nil
	case o.Refused && !anyway:
		return nil, fault.Refuse("%s: its extraction refused this motion: %s; nothing was written; legal: a motion whose "+
			"verdict is good or doubtful, or --anyway", name, strings.Join(o.Why, "; "))
	}
	return o.Why, nil
}

// Objection says why a reference motion is not worth going on with, or nothing:
// it is no longer the person's, or the robot cannot carry it out. v may be nil.
func Objection(rep *retarget.Report, v *feasible.Verdict) string {
	var why []string
	if rep.Likeness.Verdict == likeness.Lost {
		why = append(why, rep.Likeness.Summary)
	}
	if v != nil && v.Verdict == feasible.Infeasible {
		why = append(why, v.Summary)
	}
	return strings.Join(why, "; and ")
}

// SuggestParts looks for parts of a motion that would work and words them as
// flags; times are those of what the motion was made from. It retargets each part, so
// that it takes seconds.
func SuggestParts(ctx context.Context, b *body.Body, m *human.Motion, o retarget.Options) (string, error) {
	r, err := retarget.New(b)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, p := range r.Parts(ctx, m, o) {
		parts = append(parts, fmt.Sprintf("--from %.4gs --to %.4gs", m.Meta.StartS+p.FromS, m.Meta.StartS+p.ToS))
	}
	if len(parts) == 0 {
		return "no part of it that would work was found", nil
	}
	return "these parts would work: " + strings.Join(parts, ", or "), nil
}

// StoredLikeness is what retarget said of a clip, from the report that the file
// carries; nil where it carries none.
func StoredLikeness(c *motion.Clip) *likeness.Result {
	var rep struct {
		Likeness *likeness.Result `json:"likeness"`
	}
	if json.Unmarshal(c.Meta.Report, &rep) != nil || rep.Likeness == nil || rep.Likeness.Verdict == "" {
		return nil
	}
	return rep.Likeness
}

// Part cuts the part of a motion from and to that are on the clock of what it was made
// from; a to of 0 is its end.
func Part(m *human.Motion, from, to time.Duration) (*human.Motion, error) {
	if from == 0 && to == 0 {
		return m, nil
	}
	fromS, toS := from.Seconds()-m.Meta.StartS, m.Seconds()
	if to != 0 {
		toS = to.Seconds() - m.Meta.StartS
	}
	part, err := m.Part(fromS, toS)
	if err != nil {
		return nil, fault.Usage("--from %v, --to %v: the motion lasts from %g to %.2f s", from, to, m.Meta.StartS, m.Meta.StartS+m.Seconds())
	}
	return part, nil
}
