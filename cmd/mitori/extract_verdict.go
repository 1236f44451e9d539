package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/verdict"
)

// judge weighs what tracking and solving report; the verdict travels with the
// motion, so that later stages see it.
func (e *extraction) judge() {
	e.Verdict = verdict.Judge(verdict.Gather(&e.Track, e.Report, e.Motion))
	e.Verdict.Warnings = append(e.Verdict.Warnings, e.Track.Warnings...)
	m := &e.Motion.Meta
	m.Verdict, m.Unseen, m.Warnings = e.Verdict.Grade.String(), e.Verdict.Unseen, e.Verdict.Warnings
}

// refusal is the error that stops a path whose motion is not what the person
// did; nil where it may go on.
func (e *extraction) refusal(clip string, anyway bool) error {
	if e.Verdict.Grade != verdict.Refused || anyway {
		return nil
	}
	return fault.Refuse("%s: this motion is refused: %s. Nothing was written; --anyway goes on in spite of it", clip, e.Verdict.Warnings[0])
}

// printExtractVerdict says in sentences what is known about a motion.
func printExtractVerdict(w io.Writer, v verdict.Verdict) {
	for _, text := range v.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
	if len(v.Unseen) > 0 {
		fmt.Fprintf(w, "not seen: %s\n", unseenText(v.Unseen))
	}
	fmt.Fprintf(w, "verdict: %s\n", v.Grade)
}

func unseenText(parts []human.Unseen) string {
	var out []string
	for _, u := range parts {
		out = append(out, u.String())
	}
	return strings.Join(out, "; ")
}
