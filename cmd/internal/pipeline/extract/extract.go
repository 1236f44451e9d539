// Package extract is the stage from the video of a person to their motion, and the
// judgement whether that motion is what the person did.
//
// It decodes the video once. What is not here: the pose networks, tracking and solving
// (package perception), and whether a doubtful motion is good enough, which the caller
// decides with [Result.Refusal].
package extract

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Options say which person of which video becomes a motion, and how.
type Options struct {
	Video  string
	Window video.Window
	Track  track.Options
	Solve  solve.Options
}

// Result is a motion and how it came about.
type Result struct {
	Motion *human.Motion
	Track  track.Result
	Report *solve.Report
	// Verdict tells whether the motion is what the person did.
	Verdict verdict.Verdict
	// WallS is the time from opening the video to the solved motion; TrackS
	// (loading the networks, decoding, tracking) and SolveS are its parts.
	WallS, TrackS, SolveS float64
	// Causal is set where the causal form was used.
	Causal *Latency
}

// FPS is the number of frames tracked per second, start of the networks
// included.
func (r *Result) FPS() float64 { return float64(len(r.Track.Frames)) / r.TrackS }

// Stage runs the pose networks over a video, solves the motion and judges it. Its
// progress counts frames.
func Stage(o Options) pipeline.Stage[*Result] { return stage(o, "whole", run) }

// form is one way from a video to a motion; sum is the video's SHA-256.
type form func(ctx context.Context, o Options, sum string, progress func(done, total int)) (*Result, error)

func stage(o Options, name string, f form) pipeline.Stage[*Result] {
	var sum string // of the video, which is read once for it
	return pipeline.Stage[*Result]{
		Name: "extract",
		Inputs: func(in *pipeline.Inputs) {
			sum = in.File("video", o.Video)
			in.Value("source", filepath.Base(o.Video)) // it is written into the motion
			in.Value("form", name)
			in.Value("window", o.Window)
			in.Value("track", o.Track)
			in.Value("solve", o.Solve)
		},
		Work: func(ctx context.Context, tell pipeline.Tell) (*Result, error) {
			return f(ctx, o, sum, func(done, total int) {
				tell(pipeline.Progress{Done: float64(done), Total: float64(total)})
			})
		},
	}
}

func run(ctx context.Context, o Options, sum string, progress func(done, total int)) (*Result, error) {
	start := time.Now()
	tracked, err := track.Video(ctx, video.File(o.Video), o.Track, o.Window, progress)
	if err != nil {
		return nil, err
	}
	r := &Result{Track: tracked, TrackS: time.Since(start).Seconds()}
	solving := time.Now()
	opt := o.solving(tracked.Info)
	if opt.Scene, err = surroundings(o, tracked.Frames); err != nil {
		return nil, err
	}
	err = interrupt.Work(ctx, 0, func() (err error) {
		r.Motion, r.Report, err = solve.Solve(tracked.Clip(), opt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Video, err)
	}
	r.SolveS = time.Since(solving).Seconds()
	r.sign(o, sum)
	r.judge()
	r.WallS = time.Since(start).Seconds()
	return r, nil
}

// sign writes into the motion what it was made of.
func (r *Result) sign(o Options, sum string) {
	m := &r.Motion.Meta
	m.Source, m.SourceSHA256, m.Tool = filepath.Base(o.Video), sum, "mitori"
	m.Model, m.Runtime = "blazepose-"+o.Track.Model.String(), o.Track.Runtime.String()
}

// judge weighs what tracking and solving report; the verdict travels with the
// motion, so that later stages see it.
func (r *Result) judge() {
	r.Verdict = verdict.Judge(verdict.Gather(&r.Track, r.Report, r.Motion))
	r.Verdict.Warnings = append(r.Verdict.Warnings, r.Track.Warnings...)
	m := &r.Motion.Meta
	m.Verdict, m.Unseen, m.Warnings = r.Verdict.Grade.String(), r.Verdict.Unseen, r.Verdict.Warnings
}

// Refusal is the error that stops a path whose motion is not what the person
// did; nil where it may go on.
func (r *Result) Refusal(clip string, anyway bool) error {
	if r.Verdict.Grade != verdict.Refused || anyway {
		return nil
	}
	return fault.Refuse("%s: this motion is refused: %s. Nothing was written; --anyway goes on in spite of it", clip, r.Verdict.Warnings[0])
}

// Overlay films the video with the tracked skeleton drawn in and, unless faces are
// wanted, with only that person's body shown.
func Overlay(ctx context.Context, name, clip string, frames []track.Frame, o overlay.Options) error {
	src, err := video.Open(clip)
	if err != nil {
		return err
	}
	defer src.Close()
	if o.ShowFaces || o.Heads != nil {
		return overlay.Write(ctx, name, src, frames, o)
	}
	rt, err := posenet.ParseRuntime("auto")
	if err != nil {
		return err
	}
	heads, err := track.NewHeadFinder(rt)
	if err != nil {
		return err
	}
	o.Heads = heads.Find
	return errors.Join(overlay.Write(ctx, name, src, frames, o), heads.Close())
}
