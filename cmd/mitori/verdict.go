package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// objection says why a reference motion is not worth going on with, or nothing:
// it is no longer the person's, or the robot cannot carry it out. v may be nil.
func objection(rep *retarget.Report, v *feasible.Verdict) string {
	var why []string
	if rep.Likeness.Verdict == likeness.Lost {
		why = append(why, rep.Likeness.Summary)
	}
	if v != nil && v.Verdict == feasible.Infeasible {
		why = append(why, v.Summary)
	}
	return strings.Join(why, "; and ")
}

// suggestParts looks for parts of a motion that would work and words them as
// flags; times are those of what the motion was made from.
func suggestParts(ctx context.Context, r *retarget.Retargeter, m *human.Motion, o retarget.Options) string {
	var parts []string
	for _, p := range r.Parts(ctx, m, o) {
		parts = append(parts, fmt.Sprintf("--from %.4gs --to %.4gs", m.Meta.StartS+p.FromS, m.Meta.StartS+p.ToS))
	}
	if len(parts) == 0 {
		return "no part of it that would work was found"
	}
	return "these parts would work: " + strings.Join(parts, ", or ")
}
